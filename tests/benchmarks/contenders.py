"""The contenders: functions that create a model for a base URL, by name."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from tests.benchmarks.baselines import CoreBaseline, Raw, Split

BASELINE = "core baseline"
OURS = "ChatKimi"
BRIDGE = "ChatKimi by core's bridge"
MOST = 4000
"""The most connections of the largest measurement."""
RARE_GC = "ChatKimi, rare GC"
"""ChatKimi in a process with rare garbage collections, see `RARE`."""
RARE = (50_000, 20, 50)
"""Thresholds for `gc.set_threshold`."""
FUNCTION = {
    "name": "write",
    "description": "Write a text",
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
}
TOOL = {"type": "function", "function": FUNCTION}
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
    """Return the contenders of many streams only: ChatKimi with rare garbage collections, and on other transports."""
    makers = {
        "ChatKimi on httptools": _on("httptools"),
        "ChatKimi on aiohttp": _on("aiohttp"),
        "ChatKimi on httpx2": _on_httpx2,
    }
    needed = dict(zip(makers, ("httptools", "aiohttp", "httpx2"), strict=True))
    others = {name: make for name, make in makers.items() if importlib.util.find_spec(needed[name])}
    return {RARE_GC: products()[OURS], **others}


def variants() -> dict[str, Callable[..., Any]]:
    """Return ChatKimi on other transports, and with langchain-core's own events of streams."""
    names = {f"ChatKimi on {name}": name for name in ("httptools", "aiohttp") if importlib.util.find_spec(name)}
    return {**{title: _on(name) for title, name in names.items()}, BRIDGE: _by_the_bridge}


def _by_the_bridge(base_url: str) -> Any:
    kind = type(products()[OURS](base_url))

    class ByTheBridge(kind):  # type: ignore[misc, valid-type]  # the class is imported when it is used
        def _stream(self, *arguments: Any, **named: Any) -> Any:
            # langchain-core makes the events of a class with streams of its own.
            return super()._stream(*arguments, **named)

    return ByTheBridge(model="moonshotai/kimi-k2-0905", api_key="none", base_url=base_url)


def _on(transport: str) -> Callable[..., Any]:
    return lambda base_url: products()[OURS](base_url, transport=transport, max_connections=MOST)


def _on_httpx2(base_url: str) -> Any:
    httpx2 = importlib.import_module("httpx2")
    limits = httpx2.Limits(max_connections=MOST, max_keepalive_connections=MOST)
    return products()[OURS](base_url, http_async_client=httpx2.AsyncClient(limits=limits))


def baselines() -> dict[str, Callable[..., Any]]:
    """Return the baselines: costs that no package can avoid."""
    return {"raw": Raw, "split": Split, BASELINE: lambda url, **settings: CoreBaseline(base_url=url, **settings)}


def products() -> dict[str, Callable[..., Any]]:
    """Return ChatKimi and the installed peers."""
    makers = {name: _maker(module, name) for name, module in MODULES.items()}
    return {name: make for name, make in makers.items() if make is not None}
