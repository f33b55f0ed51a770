"""Convert tools and the schemas of structured output to JSON schemas."""
