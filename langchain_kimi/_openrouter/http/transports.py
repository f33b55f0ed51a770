"""The transports that a user can choose, and the client classes of each."""

import importlib.util
from collections.abc import Callable
from typing import Any, Literal

from langchain_kimi.errors import KimiUsageError

Transport = Literal["httpx", "httptools", "aiohttp"]
TRANSPORTS: tuple[Transport, ...] = ("httpx", "httptools", "aiohttp")
ASYNC_ONLY = "aiohttp"
"""The transport whose sync calls use httpx."""
PACKAGE = "langchain-kimi-openrouter"


def check_transport(value: Any, *, http_client: Any = None, http_async_client: Any = None) -> None:
    """Check that a transport can be used.

    Args:
        value: The name of the transport.
        http_client: The user's own sync client.
        http_async_client: The user's own async client.

    Raises:
        KimiUsageError: The name is unknown, its package is not installed, or the user's own client would replace it.
    """
    if value not in TRANSPORTS:
        names = ", ".join(map(repr, TRANSPORTS))
        raise KimiUsageError(f"transport must be one of {names}, not {value!r}.")
    if value == "httpx":
        return
    if importlib.util.find_spec(value) is None:
        raise KimiUsageError(
            f"transport={value!r} requires the package {value}, which is not installed.",
            advice=f"Install it with: pip install '{PACKAGE}[{value}]'.",
        )
    clients = {"http_async_client": http_async_client}
    if value != ASYNC_ONLY:
        clients["http_client"] = http_client
    if combined := [name for name, client in clients.items() if client is not None]:
        raise KimiUsageError(
            f"transport={value!r} cannot be combined with {' and '.join(combined)}, which has a transport of its own.",
            advice="Pass one of them.",
        )


def import_clients(transport: str) -> None:
    """Import the modules that the calls of a model need, so that its first call does not import on an event loop.

    Tools that detect blocking calls on an event loop (blockbuster, `langgraph dev`) would report such an import.
    """
    sync_client_class(transport, None)
    async_client_class(transport, None)


def sync_client_class(transport: str, proxy: str | None) -> Callable[..., Any]:
    """Return the class of the sync clients of a transport. The first call imports httpcore, which takes 10 ms."""
    check_transport(transport)
    if proxy is not None or transport != "httptools":
        from langchain_kimi._openrouter.http.lean_client import LeanClient  # noqa: PLC0415 - imported when needed

        return LeanClient
    from langchain_kimi._openrouter.http.httptools_client import HttptoolsClient  # noqa: PLC0415 - needs an extra

    return HttptoolsClient


def async_client_class(transport: str, proxy: str | None) -> Callable[..., Any]:
    """Return the class of the async clients of a transport. Calls through a proxy use httpx."""
    check_transport(transport)
    if proxy is not None or transport == "httpx":
        from langchain_kimi._openrouter.http.lean_client import AsyncLeanClient  # noqa: PLC0415 - imported when needed

        return AsyncLeanClient
    if transport == "httptools":
        from langchain_kimi._openrouter.http.httptools_client import AsyncHttptoolsClient  # noqa: PLC0415 - needs an extra

        return AsyncHttptoolsClient
    from langchain_kimi._openrouter.http.aiohttp_client import AiohttpClient  # noqa: PLC0415 - needs an extra

    return AiohttpClient
