"""Kimi as a LangChain chat model, over OpenRouter."""
