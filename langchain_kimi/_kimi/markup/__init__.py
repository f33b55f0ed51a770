"""Tool calls that the provider leaked as markup in the model's text."""
