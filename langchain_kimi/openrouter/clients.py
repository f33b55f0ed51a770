"""The HTTP clients: made when first needed, shared by all models with the same settings, one a running event loop.

An `httpx.AsyncClient` belongs to the loop that first used it; on another one it fails with "Event loop is closed".
Keys are never part of a client: they travel with each request.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from langchain_kimi.openrouter.connection import Connection

LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=30.0)
Key = tuple[Any, str | None]


@dataclass(slots=True)
class Shared:
    """A client with the number of calls that use it at the moment; one that is let go closes after the last of them."""

    client: Any
    users: int = 0
    let_go: bool = False
    keeper: AsyncGenerator[None, None] | None = None


@dataclass(slots=True)
class Registry:
    """All shared clients of this process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    sync: dict[Key, Shared] = field(default_factory=dict)
    by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Key, Shared]] = field(default_factory=WeakKeyDictionary)


_registry = Registry()


def _forget_after_fork() -> None:
    """A child must not speak on its parent's connections; dropping them here closes nothing at the other end."""
    global _registry  # noqa: PLW0603 - the registry is the process's, and after a fork it is another process
    _parents.append(_registry)
    _registry = Registry()


_parents: list[Registry] = []
os.register_at_fork(after_in_child=_forget_after_fork)


def _key(connection: Connection) -> Key:
    return (connection.verify, connection.proxy)


@contextmanager
def sync_client_for(connection: Connection) -> Iterator[Any]:
    """Lend the client for a call: the user's own, or the shared one for these settings."""
    if connection.http_client is not None:
        yield connection.http_client
        return
    registry, key = _registry, _key(connection)
    with registry.lock:
        shared = registry.sync.get(key)
        if shared is None or shared.client.is_closed:
            shared = registry.sync[key] = Shared(
                httpx.Client(verify=connection.verify, proxy=connection.proxy, limits=LIMITS)
            )
        shared.users += 1
    try:
        yield shared.client
    finally:
        with registry.lock:
            shared.users -= 1
            last = shared.let_go and not shared.users
        if last:
            shared.client.close()


@asynccontextmanager
async def async_client_for(connection: Connection) -> AsyncIterator[Any]:
    """Lend the client for a call on the running loop: the user's own, or the shared one for these settings."""
    if connection.http_async_client is not None:
        yield connection.http_async_client
        return
    registry, key, loop = _registry, _key(connection), asyncio.get_running_loop()
    with registry.lock:
        clients = registry.by_loop.setdefault(loop, {})
    shared = clients.get(key)
    if shared is None or shared.client.is_closed:
        shared = clients[key] = Shared(
            httpx.AsyncClient(verify=connection.verify, proxy=connection.proxy, limits=LIMITS)
        )
        shared.keeper = _closes_with_its_loop(shared.client)
        await anext(shared.keeper)
    shared.users += 1
    try:
        yield shared.client
    finally:
        shared.users -= 1
        if shared.let_go and not shared.users:
            await _aclose(shared)


async def _closes_with_its_loop(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """Close the client when its loop ends: a loop that is shut down in order closes its open async generators."""
    try:
        yield
    finally:
        await client.aclose()


async def _aclose(shared: Shared) -> None:
    if shared.keeper is not None:
        await shared.keeper.aclose()


def close(connection: Connection) -> None:
    """Let go the shared sync client of these settings; it closes when the last call on it has ended."""
    registry = _registry
    with registry.lock:
        shared = registry.sync.pop(_key(connection), None)
        if shared is None:
            return
        shared.let_go = True
        idle = not shared.users
    if idle:
        shared.client.close()


async def aclose(connection: Connection) -> None:
    """Let go the shared async client of these settings on the running loop; see `close`."""
    shared = _registry.by_loop.get(asyncio.get_running_loop(), {}).pop(_key(connection), None)
    if shared is None:
        return
    shared.let_go = True
    if not shared.users:
        await _aclose(shared)


@atexit.register
def _close_all() -> None:
    for shared in _registry.sync.values():
        shared.client.close()
