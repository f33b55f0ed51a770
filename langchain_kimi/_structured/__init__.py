"""Implement `with_structured_output` and its parsers."""
