"""OpenRouter's protocol: wire types, parameters, replies, errors and HTTP. It depends on neither LangChain nor Kimi."""
