"""Responses: bytes to wire events."""
