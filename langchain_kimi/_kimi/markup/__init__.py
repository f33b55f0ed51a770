"""Tool calls that a host leaked as markup in the model's text."""
