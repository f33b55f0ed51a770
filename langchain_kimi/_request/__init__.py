"""Convert LangChain messages and parameters to the request body."""
