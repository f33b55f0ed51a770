"""Convert wire events to LangChain messages and chunks."""
