"""ChatKimi, Moonshot's Kimi as a LangChain chat model, with its options and errors."""

import importlib
import typing

from langchain_kimi import errors
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
from langchain_kimi._openrouter.parameters.plugin import GenericPlugin, Plugin
from langchain_kimi._version import __version__
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import *  # noqa: F403 - `errors.__all__` lists the names, so a new error is added there alone

if typing.TYPE_CHECKING:
    from langchain_kimi._openrouter.parameters.plugins import (
        AlignmentPlugin,
        ArmorPlugin,
        AutoBetaRouterPlugin,
        AutoRouterPlugin,
        ContextCompressionPlugin,
        FileParserPlugin,
        FusionPlugin,
        JevRouterPlugin,
        ModerationPlugin,
        ParetoRouterPlugin,
        PdfOptions,
        ResponseHealingPlugin,
        SwitchyardRouterPlugin,
        WebFetchPlugin,
        WebPlugin,
    )
    from langchain_kimi._openrouter.parameters.server_tools import (
        Advisor,
        Bash,
        DateTime,
        Files,
        Fusion,
        ImageGeneration,
        SearchModels,
        ServerTool,
        Subagent,
        WebFetch,
        WebSearch,
    )
    from langchain_kimi._tokens.counting import TokenCount
    from langchain_kimi._tokens.model import CostEstimate
    from langchain_kimi.callbacks import Budget, Costs, KimiCostCallback, track_costs
    from langchain_kimi.catalog import AsyncCatalog, Catalog
    from langchain_kimi.verify import averify_hosts, verify_hosts

__all__ = [
    "Advisor",
    "AlignmentPlugin",
    "ArmorPlugin",
    "AsyncCatalog",
    "AutoBetaRouterPlugin",
    "AutoRouterPlugin",
    "Bash",
    "Budget",
    "CacheControl",
    "Catalog",
    "ChatKimi",
    "ContextCompressionPlugin",
    "CostEstimate",
    "Costs",
    "DateTime",
    "FileParserPlugin",
    "Files",
    "Fusion",
    "FusionPlugin",
    "GenericPlugin",
    "Host",
    "ImageGeneration",
    "JevRouterPlugin",
    "KimiCostCallback",
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
    "SearchModels",
    "ServerTool",
    "Subagent",
    "SwitchyardRouterPlugin",
    "Timeout",
    "TokenCount",
    "WebFetch",
    "WebFetchPlugin",
    "WebPlugin",
    "WebSearch",
    "__version__",
    "averify_hosts",
    "load_arguments",
    "register_init_chat_model",
    "track_costs",
    "verify_hosts",
]
__all__ += errors.__all__

# A program that neither counts tokens nor tracks costs does not import these, which take a tenth of the import. Neither
# does one without plugins and server tools.
_IMPORTED_WHEN_USED = {
    "AlignmentPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "ArmorPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "AutoBetaRouterPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "AutoRouterPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "ContextCompressionPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "FileParserPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "FusionPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "JevRouterPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "ModerationPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "ParetoRouterPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "PdfOptions": "langchain_kimi._openrouter.parameters.plugins",
    "ResponseHealingPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "SwitchyardRouterPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "WebFetchPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "WebPlugin": "langchain_kimi._openrouter.parameters.plugins",
    "Advisor": "langchain_kimi._openrouter.parameters.server_tools",
    "Bash": "langchain_kimi._openrouter.parameters.server_tools",
    "DateTime": "langchain_kimi._openrouter.parameters.server_tools",
    "Files": "langchain_kimi._openrouter.parameters.server_tools",
    "Fusion": "langchain_kimi._openrouter.parameters.server_tools",
    "ImageGeneration": "langchain_kimi._openrouter.parameters.server_tools",
    "SearchModels": "langchain_kimi._openrouter.parameters.server_tools",
    "ServerTool": "langchain_kimi._openrouter.parameters.server_tools",
    "Subagent": "langchain_kimi._openrouter.parameters.server_tools",
    "WebFetch": "langchain_kimi._openrouter.parameters.server_tools",
    "WebSearch": "langchain_kimi._openrouter.parameters.server_tools",
    "TokenCount": "langchain_kimi._tokens.counting",
    "CostEstimate": "langchain_kimi._tokens.model",
    "Budget": "langchain_kimi.callbacks",
    "Costs": "langchain_kimi.callbacks",
    "KimiCostCallback": "langchain_kimi.callbacks",
    "track_costs": "langchain_kimi.callbacks",
    "AsyncCatalog": "langchain_kimi.catalog",
    "Catalog": "langchain_kimi.catalog",
    "averify_hosts": "langchain_kimi.verify",
    "verify_hosts": "langchain_kimi.verify",
}


def __getattr__(name: str) -> typing.Any:
    if name == "callbacks":
        return importlib.import_module("langchain_kimi.callbacks")
    if name not in _IMPORTED_WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_IMPORTED_WHEN_USED[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_IMPORTED_WHEN_USED})
