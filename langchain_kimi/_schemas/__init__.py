"""JSON schemas of tools and of structured output."""
