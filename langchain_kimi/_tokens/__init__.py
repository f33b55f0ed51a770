"""Token counts, the context check and cost estimates."""
