"""Convert LangChain messages to the request body."""
