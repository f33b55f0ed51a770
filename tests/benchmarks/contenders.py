"""Who is measured: by name, what makes a model that talks to a base URL."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import httpx

from tests.benchmarks.floors import CoreFloor, Raw, Split

FLOOR = "core floor"
OURS = "ChatKimi"
MOST = 4000
"""Connections that the largest crowd may have."""
RARELY = "ChatKimi, collecting rarely"
"""ChatKimi in a process whose garbage collector looks seldom, see `RARE`."""
RARE = (50_000, 20, 50)
"""Thresholds for `gc.set_threshold`."""
MANY = httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST)
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


def crowded() -> dict[str, Callable[..., Any]]:
    """ChatKimi as a crowd alone meets it: with rare collections, and on other transports, as far as installed."""
    makers = {"ChatKimi on aiohttp": _on_aiohttp, "ChatKimi on httpx2": _on_httpx2}
    needed = dict(zip(makers, ("httpx_aiohttp", "httpx2"), strict=True))
    others = {name: make for name, make in makers.items() if importlib.util.find_spec(needed[name])}
    return {RARELY: products()[OURS], **others}


def _on_aiohttp(base_url: str) -> Any:
    transport = importlib.import_module("httpx_aiohttp").AiohttpTransport(limits=MANY)
    return products()[OURS](base_url, http_async_client=httpx.AsyncClient(transport=transport))


def _on_httpx2(base_url: str) -> Any:
    httpx2 = importlib.import_module("httpx2")
    limits = httpx2.Limits(max_connections=MOST, max_keepalive_connections=MOST)
    return products()[OURS](base_url, http_async_client=httpx2.AsyncClient(limits=limits))


def floors() -> dict[str, Callable[..., Any]]:
    """What is not a product: the costs that nobody can avoid."""
    return {"raw": Raw, "split": Split, FLOOR: lambda url, **settings: CoreFloor(base_url=url, **settings)}


def products() -> dict[str, Callable[..., Any]]:
    """ChatKimi, and the peers that are installed."""
    makers = {name: _maker(module, name) for name, module in MODULES.items()}
    return {name: make for name, make in makers.items() if make is not None}
