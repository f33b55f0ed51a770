"""Find the tool calls that a provider left as markup in the model's text."""
