"""OpenRouter's wire: requests, replies, streams, errors, and the one place that does I/O."""
