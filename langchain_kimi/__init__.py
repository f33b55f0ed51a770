"""Kimi as a LangChain chat model, over OpenRouter."""

from langchain_kimi._loading import load_arguments, register_init_chat_model
from langchain_kimi._openrouter.host import Host
from langchain_kimi._openrouter.http.connection import Timeout
from langchain_kimi._openrouter.parameters.options import (
    CacheControl,
    MaxPrice,
    Percentiles,
    Prediction,
    ProviderPreferences,
    ProviderSort,
    Reasoning,
)
from langchain_kimi._openrouter.parameters.plugins import (
    AutoBetaRouterPlugin,
    AutoRouterPlugin,
    ContextCompressionPlugin,
    FileParserPlugin,
    FusionPlugin,
    GenericPlugin,
    ModerationPlugin,
    ParetoRouterPlugin,
    PdfOptions,
    Plugin,
    ResponseHealingPlugin,
    WebFetchPlugin,
    WebPlugin,
)
from langchain_kimi._version import __version__
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiError

__all__ = [
    "AutoBetaRouterPlugin",
    "AutoRouterPlugin",
    "CacheControl",
    "ChatKimi",
    "ContextCompressionPlugin",
    "FileParserPlugin",
    "FusionPlugin",
    "GenericPlugin",
    "Host",
    "KimiError",
    "MaxPrice",
    "ModerationPlugin",
    "ParetoRouterPlugin",
    "PdfOptions",
    "Percentiles",
    "Plugin",
    "Prediction",
    "ProviderPreferences",
    "ProviderSort",
    "Reasoning",
    "ResponseHealingPlugin",
    "Timeout",
    "WebFetchPlugin",
    "WebPlugin",
    "__version__",
    "load_arguments",
    "register_init_chat_model",
]
