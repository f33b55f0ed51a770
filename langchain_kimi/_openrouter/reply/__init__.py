"""Replies: from bytes to wire events."""
