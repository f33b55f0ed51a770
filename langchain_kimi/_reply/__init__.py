"""Wire events to LangChain messages and chunks."""
