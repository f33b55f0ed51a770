"""The shared HTTP clients: created on demand, shared by all models with the same settings, each for one call at a time.

An async client belongs to the event loop that first used it; on another loop it fails with "Event loop is closed". A
client never contains an API key, which is sent with each request instead.
"""

import asyncio
import atexit
import os
import queue
import ssl
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from langchain_kimi._openrouter.http.connection import Connection, TimeLeft
from langchain_kimi._openrouter.http.pool import (
    IDLE_SECONDS,
    AsyncLeanClient,
    ClientPool,
    LeanClient,
    has_system_proxy,
)
from langchain_kimi.errors import KimiUsageError

LIMITS = httpx.Limits(max_connections=1, keepalive_expiry=IDLE_SECONDS)
FULL_CLIENTS: dict[Any, Any] = {LeanClient: httpx.Client, AsyncLeanClient: httpx.AsyncClient}
"""The clients that respect proxies of the environment."""
ALL_IN_USE = "all connections are in use"
Key = tuple[Any, str | None, int]


@dataclass(slots=True, eq=False)
class ClientPools:
    """The pools of one event loop, or of all sync calls, by their settings."""

    by_key: dict[Key, ClientPool] = field(default_factory=dict)
    keeper: AsyncGenerator[None, None] | None = None
    """The generator that closes the clients of a loop when the loop shuts down."""

    def release(self, *keys: Key) -> list[Any]:
        """Remove the pools with these settings, or all pools, and return their idle clients to be closed.

        Clients in use are closed when their call ends.
        """
        pools = [self.by_key.pop(key) for key in keys or tuple(self.by_key) if key in self.by_key]
        return [client for pool in pools for client in pool.retire()]


@dataclass(slots=True)
class Registry:
    """All shared clients of this process."""

    lock: Any = field(default_factory=threading.RLock)
    """Reentrant: the garbage collector may end a dropped stream in a thread that already holds the lock."""
    sync: ClientPools = field(default_factory=ClientPools)
    by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, ClientPools] = field(default_factory=WeakKeyDictionary)
    tls: dict[bool | str, ssl.SSLContext] = field(default_factory=dict)
    """TLS contexts by `verify`. To load the certificates takes longer than a call."""

    def pool(self, pools: ClientPools, kind: Callable[..., Any], connection: Connection) -> ClientPool:
        """Return the pool for these settings. The caller holds the lock."""
        key = _key(connection)
        if key not in pools.by_key:
            # The environment is read once per pool, because that takes longer than to create a client.
            if connection.proxy is None and has_system_proxy():
                kind = FULL_CLIENTS[kind]
            pools.by_key[key] = ClientPool(connection.max_connections, partial(self._new_client, kind, connection))
        return pools.by_key[key]

    def of_loop(self, loop: asyncio.AbstractEventLoop) -> ClientPools:
        """Return the pools of a running loop. The caller holds the lock.

        A connection refers to its loop, so the weak reference to a loop that was closed with open connections would
        never die. Such loops are removed here.
        """
        pools = self.by_loop.get(loop)
        if pools is None:
            for closed in [other for other in self.by_loop if other.is_closed()]:
                del self.by_loop[closed]
            pools = self.by_loop[loop] = ClientPools()
        return pools

    def _new_client(self, kind: Callable[..., Any], connection: Connection) -> Any:
        tls = connection.verify
        if isinstance(tls, bool | str):
            if tls not in self.tls:
                self.tls[tls] = _tls_context(tls)
            tls = self.tls[tls]
        return kind(verify=tls, proxy=connection.proxy, limits=LIMITS)


def _tls_context(verify: bool | str) -> ssl.SSLContext:  # noqa: FBT001 - one setting with two types
    if isinstance(verify, bool):
        return httpx.create_ssl_context(verify)
    try:
        if Path(verify).is_dir():
            return ssl.create_default_context(capath=verify)
        return ssl.create_default_context(cafile=verify)
    except OSError as problem:
        raise KimiUsageError(
            f"The certificates cannot be read ({problem}).",
            advice="Set verify to a file of PEM certificates or to a directory of them.",
        ) from problem


_registry = Registry()
_parents: list[Registry] = []


def _start_over_after_fork() -> None:
    """Replace the registry, because a child must not use its parent's connections.

    The old registry stays referenced, because to close its connections would close them for the parent.
    """
    global _registry  # noqa: PLW0603 - one registry per process, and a fork makes a new process
    _parents.append(_registry)
    _registry = Registry()


# A system without fork has no such function either.
getattr(os, "register_at_fork", dict)(after_in_child=_start_over_after_fork)


def _key(connection: Connection) -> Key:
    return (connection.verify, connection.proxy, connection.max_connections)


def _pool_timeout(connection: Connection, time_left: TimeLeft) -> float | None:
    return connection.timeout.for_attempt(time_left).get("pool")


def _no_limit() -> None:
    return None


@contextmanager
def sync_client_for(connection: Connection, time_left: TimeLeft = _no_limit) -> Iterator[Any]:
    """Provide a client for one call: the user's own client, or a shared one that no other call uses.

    Args:
        connection: The settings.
        time_left: Returns the seconds that the call has left.

    Raises:
        httpx.PoolTimeout: All clients were in use, and none became free within the connect timeout.
    """
    if connection.http_client is not None:
        yield connection.http_client
        return
    registry = _registry
    with registry.lock:
        pool = registry.pool(registry.sync, LeanClient, connection)
        if (client := pool.acquire()) is None:
            pool.waiters.append(waiter := queue.SimpleQueue[Any]())
    if client is None:
        client = _wait_for_client(registry, pool, waiter, _pool_timeout(connection, time_left))
    try:
        yield client
    finally:
        for surplus in _released(registry, pool, client):
            surplus.close()


@asynccontextmanager
async def async_client_for(connection: Connection, time_left: TimeLeft = _no_limit) -> AsyncIterator[Any]:
    """Provide a client for one call on the running loop; the async version of `sync_client_for`."""
    if connection.http_async_client is not None:
        yield connection.http_async_client
        return
    registry = _registry
    with registry.lock:
        pools = registry.of_loop(asyncio.get_running_loop())
        pool = registry.pool(pools, AsyncLeanClient, connection)
        if (client := pool.acquire()) is None:
            pool.waiters.append(waiter := asyncio.Queue[Any]())
    if client is None:
        client = await _await_client(registry, pool, waiter, _pool_timeout(connection, time_left))
    try:
        if pools.keeper is None:
            pools.keeper = _close_with_loop(pools)
            await anext(pools.keeper)
        yield client
    finally:
        for surplus in _released(registry, pool, client):
            await surplus.aclose()


def _released(registry: Registry, pool: ClientPool, client: Any) -> list[Any]:
    with registry.lock:
        return pool.release(client, time.monotonic())


def _stopped_waiting(registry: Registry, pool: ClientPool, waiter: Any) -> list[Any]:
    with registry.lock:
        return pool.stop_waiting(waiter, time.monotonic())


def _wait_for_client(
    registry: Registry, pool: ClientPool, waiter: "queue.SimpleQueue[Any]", seconds: float | None
) -> Any:
    try:
        return waiter.get(timeout=seconds)
    except BaseException as problem:
        for surplus in _stopped_waiting(registry, pool, waiter):
            surplus.close()
        if isinstance(problem, queue.Empty):
            raise httpx.PoolTimeout(ALL_IN_USE) from None
        raise


async def _await_client(
    registry: Registry, pool: ClientPool, waiter: "asyncio.Queue[Any]", seconds: float | None
) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await waiter.get()
    except BaseException as problem:
        for surplus in _stopped_waiting(registry, pool, waiter):
            await surplus.aclose()
        if isinstance(problem, TimeoutError):
            raise httpx.PoolTimeout(ALL_IN_USE) from None
        raise


async def _close_with_loop(pools: ClientPools) -> AsyncGenerator[None, None]:
    """Close the clients when their loop shuts down, because an orderly shutdown closes open async generators."""
    try:
        yield
    finally:
        pools.keeper = None
        for client in pools.release():
            await client.aclose()


def close(connection: Connection) -> None:
    """Close the shared sync clients with these settings. Clients in use are closed when their call ends."""
    with _registry.lock:
        clients = _registry.sync.release(_key(connection))
    for client in clients:
        client.close()


async def aclose(connection: Connection) -> None:
    """Close the shared async clients with these settings on the running loop; the async version of `close`."""
    with _registry.lock:
        pools = _registry.of_loop(asyncio.get_running_loop())
        clients = pools.release(_key(connection))
    for client in clients:
        await client.aclose()
    if pools.keeper is not None and not pools.by_key:
        await pools.keeper.aclose()


@atexit.register
def _close_all() -> None:
    for client in _registry.sync.release():
        client.close()
