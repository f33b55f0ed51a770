"""Who is measured: by name, what makes a model that talks to a base URL."""

import importlib
from collections.abc import Callable
from typing import Any

from tests.benchmarks.floors import CoreFloor, Raw, Split

FLOOR = "core floor"
OURS = "ChatKimi"
TOOL = {
    "type": "function",
    "function": {
        "name": "write",
        "description": "Write a text",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    },
}
MODULES = {OURS: "langchain_kimi", "ChatOpenRouter": "langchain_openrouter", "ChatOpenAI": "langchain_openai"}


def _maker(module: str, name: str) -> Callable[..., Any] | None:
    try:
        kind = getattr(importlib.import_module(module), name)
    except ImportError:
        return None
    more = {"stream_usage": True} if name == "ChatOpenAI" else {}

    def make(base_url: str, **settings: Any) -> Any:
        return kind(model="moonshotai/kimi-k2-0905", api_key="none", base_url=base_url, **more, **settings)

    return make


def floors() -> dict[str, Callable[..., Any]]:
    """What is not a product: the costs that nobody can avoid."""
    return {"raw": Raw, "split": Split, FLOOR: lambda url, **settings: CoreFloor(base_url=url, **settings)}


def products() -> dict[str, Callable[..., Any]]:
    """ChatKimi, and the peers that are installed."""
    found = {name: _maker(module, name) for name, module in MODULES.items()}
    return {name: make for name, make in found.items() if make is not None}
