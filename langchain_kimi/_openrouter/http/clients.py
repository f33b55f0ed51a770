"""The HTTP clients: made when first needed, shared by all models with the same settings, one a call at a time.

An async client belongs to the loop that first used it; on another one it fails with "Event loop is closed". Keys are
never part of a client: they travel with each request.
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
from langchain_kimi._openrouter.http.pool import KEPT_FOR, AsyncLeanClient, ClientPool, LeanClient, knows_proxies
from langchain_kimi.errors import KimiUsageError

LIMITS = httpx.Limits(max_connections=1, keepalive_expiry=KEPT_FOR)
FULL: dict[Any, Any] = {LeanClient: httpx.Client, AsyncLeanClient: httpx.AsyncClient}
"""What takes their place where the environment names proxies."""
ALL_LENT = "all connections are in use"
Key = tuple[Any, str | None, int]


@dataclass(slots=True, eq=False)
class ClientPools:
    """The clients of one event loop, or all sync ones, by their settings."""

    by_key: dict[Key, ClientPool] = field(default_factory=dict)
    keeper: AsyncGenerator[None, None] | None = None
    """A loop's: the generator that closes them with it."""

    def release(self, *keys: Key) -> list[Any]:
        """Let go the clients of these settings, or all; gives those to close now; the others close later."""
        known = [self.by_key.pop(key) for key in keys or tuple(self.by_key) if key in self.by_key]
        return [client for pool in known for client in pool.end()]


@dataclass(slots=True)
class Registry:
    """All shared clients of this process."""

    lock: Any = field(default_factory=threading.RLock)
    """One that its thread may take again: a stream that was dropped may be collected, and so end, under the lock."""
    sync: ClientPools = field(default_factory=ClientPools)
    by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, ClientPools] = field(default_factory=WeakKeyDictionary)
    tls: dict[bool | str, ssl.SSLContext] = field(default_factory=dict)
    """By what is verified: reading the certificates takes longer than a call, and every connection has a client."""

    def pool(self, pools: ClientPools, kind: Callable[..., Any], connection: Connection) -> ClientPool:
        """Give what lends the clients of these settings; the lock is held."""
        key = _key(connection)
        if key not in pools.by_key:
            # The environment is asked once: that takes longer than making a client.
            known = FULL[kind] if connection.proxy is None and knows_proxies() else kind
            make = partial(self._new_client, known, connection)
            pools.by_key[key] = ClientPool(connection.max_connections, make)
        return pools.by_key[key]

    def of_loop(self, loop: asyncio.AbstractEventLoop) -> ClientPools:
        """Give the clients of a running loop; the lock is held.

        A connection refers to its loop, so a loop that was closed without closing them would stay here for ever.
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
                self.tls[tls] = _tls(tls)
            tls = self.tls[tls]
        return kind(verify=tls, proxy=connection.proxy, limits=LIMITS)


def _tls(verify: bool | str) -> ssl.SSLContext:  # noqa: FBT001 - the two are one setting
    if isinstance(verify, bool):
        return httpx.create_ssl_context(verify)
    try:
        if Path(verify).is_dir():
            return ssl.create_default_context(capath=verify)
        return ssl.create_default_context(cafile=verify)
    except OSError as problem:
        raise KimiUsageError(
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


def _patience(connection: Connection, time_left: TimeLeft) -> float | None:
    return connection.timeout.for_attempt(time_left).get("pool")


def _no_limit() -> None:
    return None


@contextmanager
def sync_client_for(connection: Connection, time_left: TimeLeft = _no_limit) -> Iterator[Any]:
    """Lend a client for a call: the user's own, or a shared one that no other call has.

    Args:
        connection: The settings.
        time_left: Tells how many seconds the call has left.

    Raises:
        httpx.PoolTimeout: all were lent, and none came back within the connect time-out.
    """
    if connection.http_client is not None:
        yield connection.http_client
        return
    registry = _registry
    with registry.lock:
        pool = registry.pool(registry.sync, LeanClient, connection)
        if (client := pool.take()) is None:
            pool.waiting.append(waiter := queue.SimpleQueue[Any]())
    if client is None:
        client = _waited_for(registry, pool, waiter, _patience(connection, time_left))
    try:
        yield client
    finally:
        for surplus in _given_back(registry, pool, client):
            surplus.close()


@asynccontextmanager
async def async_client_for(connection: Connection, time_left: TimeLeft = _no_limit) -> AsyncIterator[Any]:
    """Lend a client for a call on the running loop: the user's own, or a shared one; see `sync_client_for`."""
    if connection.http_async_client is not None:
        yield connection.http_async_client
        return
    registry = _registry
    with registry.lock:
        pools = registry.of_loop(asyncio.get_running_loop())
        pool = registry.pool(pools, AsyncLeanClient, connection)
        if (client := pool.take()) is None:
            pool.waiting.append(waiter := asyncio.Queue[Any]())
    if client is None:
        client = await _awaited(registry, pool, waiter, _patience(connection, time_left))
    try:
        if pools.keeper is None:
            pools.keeper = _closes_with_its_loop(pools)
            await anext(pools.keeper)
        yield client
    finally:
        for surplus in _given_back(registry, pool, client):
            await surplus.aclose()


def _given_back(registry: Registry, pool: ClientPool, client: Any) -> list[Any]:
    with registry.lock:
        return pool.give_back(client, time.monotonic())


def _left(registry: Registry, pool: ClientPool, waiter: Any) -> list[Any]:
    with registry.lock:
        return pool.leave(waiter, time.monotonic())


def _waited_for(registry: Registry, pool: ClientPool, waiter: "queue.SimpleQueue[Any]", seconds: float | None) -> Any:
    try:
        return waiter.get(timeout=seconds)
    except BaseException as problem:
        for surplus in _left(registry, pool, waiter):
            surplus.close()
        if isinstance(problem, queue.Empty):
            raise httpx.PoolTimeout(ALL_LENT) from None
        raise


async def _awaited(registry: Registry, pool: ClientPool, waiter: "asyncio.Queue[Any]", seconds: float | None) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await waiter.get()
    except BaseException as problem:
        for surplus in _left(registry, pool, waiter):
            await surplus.aclose()
        if isinstance(problem, TimeoutError):
            raise httpx.PoolTimeout(ALL_LENT) from None
        raise


async def _closes_with_its_loop(pools: ClientPools) -> AsyncGenerator[None, None]:
    """Close the clients when their loop ends: a loop that is shut down in order closes its open async generators."""
    try:
        yield
    finally:
        pools.keeper = None
        for client in pools.release():
            await client.aclose()


def close(connection: Connection) -> None:
    """Let go the shared sync clients of these settings; those in use close when their calls have ended."""
    with _registry.lock:
        ended = _registry.sync.release(_key(connection))
    for client in ended:
        client.close()


async def aclose(connection: Connection) -> None:
    """Let go the shared async clients of these settings on the running loop; see `close`."""
    with _registry.lock:
        pools = _registry.of_loop(asyncio.get_running_loop())
        ended = pools.release(_key(connection))
    for client in ended:
        await client.aclose()
    if pools.keeper is not None and not pools.by_key:
        await pools.keeper.aclose()


@atexit.register
def _close_all() -> None:
    for client in _registry.sync.release():
        client.close()
