"""Count tokens, check the context limit and estimate costs, all offline."""
