"""For tests: an OpenRouter on loopback, and helpers for cassettes."""
