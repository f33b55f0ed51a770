"""LangChain's words to the wire and back."""
