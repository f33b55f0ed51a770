"""OpenRouter's protocol. It knows neither LangChain nor Kimi."""
