"""The Kimi model family: its generations, profiles and repairs. It does not know LangChain."""
