"""Kimi's habits: what is particular to the model family, whoever serves it."""
