"""The HTTP clients: made when first needed, shared by all models with the same settings, one a running event loop.

An `httpx.AsyncClient` belongs to the loop that first used it; on another one it fails with "Event loop is closed".
Keys are never part of a client: they travel with each request.
"""

import asyncio
import atexit
import os
import ssl
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from langchain_kimi.errors import KimiRequestError
from langchain_kimi.openrouter.connection import Connection
from langchain_kimi.openrouter.lean_client import AsyncLeanClient, LeanClient, knows_proxies

KEPT = 30.0
"""Seconds that a connection is kept without a call."""
CROWD = 32
"""Connections of one client. A client looks through all of its connections whenever a request begins or ends, and at
each idle one through all of them again: for a thousand plain calls at once on one client that was counted as 14 million
function calls, and as 6 million on clients of 32."""
FULL: dict[Any, Any] = {LeanClient: httpx.Client, AsyncLeanClient: httpx.AsyncClient}
"""What takes their place where the environment names proxies."""
Key = tuple[Any, str | None, int]


@dataclass(slots=True, eq=False)
class Shared:
    """A client with the number of calls that use it at the moment; one that is let go closes after the last of them."""

    client: Any
    capacity: int = CROWD
    users: int = 0
    let_go: bool = False
    keeper: Any = None
    """An async client's: the generator that closes it with its loop."""


Clients = dict[Key, list[Shared]]


@dataclass(slots=True)
class Registry:
    """All shared clients of this process."""

    lock: Any = field(default_factory=threading.RLock)
    """One that its thread may take again: a stream that was dropped may be collected, and so end, under the lock."""
    sync: Clients = field(default_factory=dict)
    by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Clients] = field(default_factory=WeakKeyDictionary)
    tls: dict[bool | str, ssl.SSLContext] = field(default_factory=dict)
    """By what is verified: reading the certificates takes longer than a call, and every new loop has a new client."""

    def new_client(self, kind: Callable[..., Any], connection: Connection, capacity: int) -> Any:
        """Make a client of so many connections; the lock is held."""
        tls = connection.verify
        if isinstance(tls, bool | str):
            if tls not in self.tls:
                self.tls[tls] = _tls(tls)
            tls = self.tls[tls]
        kind = FULL[kind] if connection.proxy is None and knows_proxies() else kind
        limits = httpx.Limits(max_connections=capacity, keepalive_expiry=KEPT)
        return kind(verify=tls, proxy=connection.proxy, limits=limits)

    def of_loop(self, loop: asyncio.AbstractEventLoop) -> Clients:
        """Give the clients of a running loop; the lock is held.

        A connection refers to its loop, so a loop that was closed without closing them would stay here for ever.
        """
        clients = self.by_loop.get(loop)
        if clients is None:
            for closed in [other for other in self.by_loop if other.is_closed()]:
                del self.by_loop[closed]
            clients = self.by_loop[loop] = {}
        return clients


def _tls(verify: bool | str) -> ssl.SSLContext:  # noqa: FBT001 - the two are one setting
    if isinstance(verify, bool):
        return httpx.create_ssl_context(verify)
    try:
        if Path(verify).is_dir():
            return ssl.create_default_context(capath=verify)
        return ssl.create_default_context(cafile=verify)
    except OSError as problem:
        raise KimiRequestError(
            f"The certificates cannot be read ({problem}).",
            advice="Check verify: a file of PEM certificates, or a folder.",
        ) from problem


_registry = Registry()
_parents: list[Registry] = []


def _forget_after_fork() -> None:
    """A child must not speak on its parent's connections; dropping them here closes nothing at the other end."""
    global _registry  # noqa: PLW0603 - the registry is the process's, and after a fork it is another process
    _parents.append(_registry)
    _registry = Registry()


# Where there is no fork there is nothing to register with.
getattr(os, "register_at_fork", dict)(after_in_child=_forget_after_fork)


def _key(connection: Connection) -> Key:
    return (connection.verify, connection.proxy, connection.max_connections)


def _lend(registry: Registry, kind: Callable[..., Any], clients: Clients, connection: Connection) -> Shared:
    """Find the client for one more call, or make it; the lock is held.

    Once all connections are in use, a client is lent for more calls than it has connections: it lets them wait in
    order, under the connect time-out.
    """
    known = clients.setdefault(_key(connection), [])
    known[:] = [shared for shared in tuple(known) if not shared.client.is_closed]
    shared = next((shared for shared in known if shared.users < shared.capacity), None)
    room = connection.max_connections - sum(shared.capacity for shared in known)
    if shared is None and room > 0:
        capacity = min(CROWD, room)
        # One that is made for a crowd goes with it, or its idle connections would be held by nobody's wish.
        shared = Shared(registry.new_client(kind, connection, capacity), capacity, let_go=bool(known))
        known.append(shared)
    shared = shared or min(known, key=lambda shared: shared.users / shared.capacity)
    shared.users += 1
    return shared


def _give_back(registry: Registry, clients: Clients, shared: Shared, connection: Connection) -> bool:
    """Take a client back from a call, and say whether it is to be closed."""
    with registry.lock:
        shared.users -= 1
        last = shared.let_go and not shared.users
        if last and shared in clients.get(_key(connection), ()):
            clients[_key(connection)].remove(shared)
    return last


def _let_go(registry: Registry, clients: Clients, connection: Connection) -> list[Shared]:
    """Let go the clients of these settings; gives those that nobody uses, which are to be closed."""
    with registry.lock:
        known = clients.pop(_key(connection), [])
        for shared in known:
            shared.let_go = True
        return [shared for shared in known if not shared.users]


@contextmanager
def sync_client_for(connection: Connection) -> Iterator[Any]:
    """Lend the client for a call: the user's own, or the shared one for these settings."""
    if connection.http_client is not None:
        yield connection.http_client
        return
    registry = _registry
    with registry.lock:
        shared = _lend(registry, LeanClient, registry.sync, connection)
    try:
        yield shared.client
    finally:
        if _give_back(registry, registry.sync, shared, connection):
            shared.client.close()


@asynccontextmanager
async def async_client_for(connection: Connection) -> AsyncIterator[Any]:
    """Lend the client for a call on the running loop: the user's own, or the shared one for these settings."""
    if connection.http_async_client is not None:
        yield connection.http_async_client
        return
    registry = _registry
    with registry.lock:
        clients = registry.of_loop(asyncio.get_running_loop())
        shared = _lend(registry, AsyncLeanClient, clients, connection)
    try:
        if shared.keeper is None:
            shared.keeper = _closes_with_its_loop(shared.client)
            await anext(shared.keeper)
        yield shared.client
    finally:
        if _give_back(registry, clients, shared, connection):
            await shared.keeper.aclose()


async def _closes_with_its_loop(client: Any) -> AsyncGenerator[None, None]:
    """Close the client when its loop ends: a loop that is shut down in order closes its open async generators."""
    try:
        yield
    finally:
        await client.aclose()


def close(connection: Connection) -> None:
    """Let go the shared sync client of these settings; it closes when the last call on it has ended."""
    registry = _registry
    for shared in _let_go(registry, registry.sync, connection):
        shared.client.close()


async def aclose(connection: Connection) -> None:
    """Let go the shared async client of these settings on the running loop; see `close`."""
    registry = _registry
    for shared in _let_go(registry, registry.by_loop.get(asyncio.get_running_loop(), {}), connection):
        await shared.keeper.aclose()


@atexit.register
def _close_all() -> None:
    for known in _registry.sync.values():
        for shared in known:
            shared.client.close()
