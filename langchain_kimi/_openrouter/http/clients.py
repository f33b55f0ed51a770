"""The shared HTTP clients. All models with the same settings share them, and each serves one call at a time.

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
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from langchain_kimi._openrouter.http.connection import Connection, TimeLeft
from langchain_kimi._openrouter.http.environment import check_socks, system_proxy, tls_context, tls_key
from langchain_kimi._openrouter.http.pool import IDLE_SECONDS, Caller, ClientPool
from langchain_kimi._openrouter.http.transports import async_client_class, sync_client_class

ALL_IN_USE = "all connections are in use"
MAX_POOLS = 16
"""The maximum number of pools that stay open while no call uses them. A program may create a model with its own TLS
context for each request, and each context takes nearly a megabyte."""
MAX_CACHED = 64
"""The maximum number of base URLs whose proxy is cached."""
MARGIN = 0.1
"""Seconds that are added to the timer for idle connections, so that they have expired when it fires."""
Key = tuple[Any, ...]


class ClientPools:
    """The pools of one event loop, or of all sync calls, by their settings."""

    __slots__ = ("by_key", "is_expiring", "keeper")

    def __init__(self, *, is_expiring: bool = False) -> None:
        self.by_key: dict[Key, ClientPool] = {}
        # The generator that closes the clients of a loop when the loop shuts down.
        self.keeper: AsyncGenerator[None, None] | None = None
        # Whether a timer or a thread will close the idle connections after their time.
        self.is_expiring = is_expiring

    def release(self, *keys: Key) -> list[Any]:
        """Remove the pools with these settings, or all pools, and return their idle clients to be closed.

        Clients in use are closed when their call ends.
        """
        pools = [self.by_key.pop(key) for key in keys or tuple(self.by_key) if key in self.by_key]
        return [client for pool in pools for client in pool.retire()]

    def expire(self, now: float) -> list[Any]:
        """Remove the pools that have become empty, and return the clients that have been idle for too long."""
        expired = [client for pool in self.by_key.values() for client in pool.expire(now)]
        for key in [key for key, pool in self.by_key.items() if pool.is_unused and not pool.idle]:
            del self.by_key[key]
        return expired

    def surplus(self) -> list[Any]:
        """Make room for another pool: remove those unused for the longest time, and return their clients."""
        unused = [key for key, pool in self.by_key.items() if pool.is_unused]
        unused.sort(key=lambda key: self.by_key[key].idle[-1][1] if self.by_key[key].idle else 0.0)
        keys = unused[: max(0, len(self.by_key) + 1 - MAX_POOLS)]
        return self.release(*keys) if keys else []

    def next_expiry(self) -> float | None:
        """Return the time at which the next idle client expires, or None."""
        return min((pool.idle[0][1] + IDLE_SECONDS for pool in self.by_key.values() if pool.idle), default=None)


class Registry:
    """All shared clients of this process."""

    def __init__(self) -> None:
        # Reentrant: the garbage collector may end a dropped stream in a thread that already holds the lock.
        self.lock: Any = threading.RLock()
        self.sync = ClientPools()
        self.by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, ClientPools] = WeakKeyDictionary()
        # TLS contexts by settings. Loading the certificates takes longer than a call.
        self.tls: dict[Key, ssl.SSLContext] = {}
        # The proxies of the environment by base URL. Reading the environment takes longer than creating a client.
        self.proxies: dict[str, str | None] = {}
        # Wakes the thread that closes idle sync connections. A signal handler that raises can leave an Event locked.
        self.wakes: queue.SimpleQueue[None] = queue.SimpleQueue()

    def pool(
        self, pools: ClientPools, kind_of: Callable[[str, str | None], Callable[..., Any]], connection: Connection
    ) -> tuple[ClientPool, list[Any]]:
        """Return the pool for these settings, and clients of other pools to be closed. The caller holds the lock."""
        proxy = self._proxy(connection)
        key = (*_settings(connection), proxy)
        if (pool := pools.by_key.get(key)) is not None:
            return pool, []
        client_class = kind_of(connection.transport, proxy)
        make = partial(client_class, tls=self._tls(connection.verify), proxy=proxy, idle_seconds=IDLE_SECONDS)
        surplus = pools.surplus()
        pool = pools.by_key[key] = ClientPool(connection.max_connections, make)
        return pool, surplus

    def of_loop(self, loop: asyncio.AbstractEventLoop) -> ClientPools:
        """Return the pools of a running loop. The caller holds the lock.

        A connection refers to its loop, so a loop that was closed with open connections would never leave the weak
        dictionary. Such loops are removed here.
        """
        pools = self.by_loop.get(loop)
        if pools is None:
            for closed in [other for other in self.by_loop if other.is_closed()]:
                for client in self.by_loop.pop(closed).release():
                    client.close()
            pools = self.by_loop[loop] = ClientPools()
        return pools

    def release(self, pools: ClientPools, connection: Connection) -> list[Any]:
        """Remove the pools with these settings, and read the environment again next time. The caller holds the lock."""
        keys = [key for key in pools.by_key if key[:-1] == _settings(connection)]
        self.proxies.clear()
        return pools.release(*keys) if keys else []

    def _proxy(self, connection: Connection) -> str | None:
        if connection.proxy is not None:
            check_socks(connection.proxy, "proxy")
            return connection.proxy
        if (url := connection.base_url) not in self.proxies:
            if len(self.proxies) >= MAX_CACHED:
                self.proxies.clear()
            self.proxies[url] = system_proxy(url)
        return self.proxies[url]

    def _tls(self, verify: Any) -> Any:
        if not isinstance(verify, bool | str):
            return verify
        key = tls_key(verify)
        if key not in self.tls:
            if len(self.tls) >= MAX_POOLS:
                del self.tls[next(iter(self.tls))]
            self.tls[key] = tls_context(verify)
        return self.tls[key]


def _settings(connection: Connection) -> Key:
    return (connection.verify, connection.proxy, connection.max_connections, connection.transport)


_registry = Registry()
_parents: list[Registry] = []


def _start_over_after_fork() -> None:
    """Replace the registry, because a child must not use its parent's connections.

    The old registry stays referenced, because a stream of the parent may end in the child. Its lock is replaced,
    because another thread may have held it.
    """
    global _registry  # noqa: PLW0603 - one registry per process, and a fork makes a new process
    _registry.lock = threading.RLock()
    _parents.append(_registry)
    _registry = Registry()


# A system without fork has no such function either.
getattr(os, "register_at_fork", dict)(after_in_child=_start_over_after_fork)


def _pool_timeout(connection: Connection, time_left: TimeLeft) -> float | None:
    return connection.timeout.for_attempt(time_left).get("pool")


def _no_limit() -> None:
    return None


@contextmanager
def sync_client_for(connection: Connection, time_left: TimeLeft = _no_limit) -> Iterator[Any]:
    """Provide a client for one call: the user's own client, or a shared one that no other call uses.

    A shared client whose exchange has not ended regularly is closed and not used again: httpcore may count its only
    connection as active forever, and the connection may still deliver the rest of a response.

    Args:
        connection: The settings.
        time_left: Returns the seconds that the call has left.

    Raises:
        httpx.PoolTimeout: All clients were in use, and none became free within the connect timeout.
        KimiUsageError: The certificates or the proxy of the settings or the environment cannot be used.
    """
    if connection.http_client is not None:
        yield connection.http_client
        return
    registry, caller, client = _registry, Caller(), None
    try:
        with registry.lock:
            pool, surplus = registry.pool(registry.sync, sync_client_class, connection)
            if (client := pool.acquire(caller)) is None:
                pool.wait(caller, waiter := queue.SimpleQueue[Any]())
        _close(surplus)
        if client is None:
            client = _wait_for_client(registry, pool, caller, waiter, _pool_timeout(connection, time_left))
        yield client
    finally:
        if client is not None:
            _release(registry, pool, caller, client)
            _expire_in_thread(registry)


class AsyncLease(Caller):
    """Provides a client for one call on the running loop; the async version of `sync_client_for`.

    `end` is not a coroutine, so that a cancellation cannot interrupt it.
    """

    def __init__(self, connection: Connection, time_left: TimeLeft = _no_limit) -> None:
        super().__init__()
        self._connection = connection
        self._time_left = time_left
        self._end: Callable[[Caller], None] | None = None
        self._loop: Any = None

    async def __aenter__(self) -> Any:
        connection = self._connection
        if connection.http_async_client is not None:
            return connection.http_async_client
        registry = _registry
        loop = self._loop = asyncio.get_running_loop()
        with registry.lock:
            pools = registry.of_loop(loop)
            pool, surplus = registry.pool(pools, async_client_class, connection)
            if (client := pool.acquire(self)) is None:
                pool.wait(self, waiter := asyncio.Queue[Any]())
        _close(surplus)
        if client is None:
            client = await _await_client(registry, pool, self, waiter, _pool_timeout(connection, self._time_left))

        def end(caller: Caller) -> None:
            _release(registry, pool, caller, client)
            _expire_on_loop(registry, pools, loop)

        self._end = end
        if pools.keeper is None:
            pools.keeper = _close_with_loop(pools)
            await anext(pools.keeper)
        return client

    async def __aexit__(self, *_: object) -> None:
        self.end()

    def __del__(self) -> None:
        """Release the client of an exchange whose generators were garbage-collected without being closed.

        The collector finalizes all objects of a cycle, so a generator of the same cycle, which its loop closes later,
        may end the lease too. Therefore this calls `end`, which releases the client only once.
        """
        if self._end is not None:
            # The garbage collector runs in any thread.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.end)

    def end(self) -> None:
        """Release the client."""
        end, self._end = self._end, None
        if end is not None:
            end(self)


def _close(clients: list[Any]) -> None:
    for client in clients:
        client.close()


def _release(registry: Registry, pool: ClientPool, caller: Caller, client: Any) -> None:
    if client.is_busy:
        client.close()
    with registry.lock:
        surplus = pool.release(caller, client, time.monotonic())
    _close(surplus)


def _stop_waiting(registry: Registry, pool: ClientPool, caller: Caller) -> None:
    with registry.lock:
        surplus = pool.stop_waiting(caller, time.monotonic())
    _close(surplus)


def _wait_for_client(
    registry: Registry, pool: ClientPool, caller: Caller, waiter: "queue.SimpleQueue[Any]", seconds: float | None
) -> Any:
    """Block until a client is free."""
    try:
        return waiter.get(timeout=seconds)
    except BaseException as error:
        _stop_waiting(registry, pool, caller)
        if isinstance(error, queue.Empty):
            raise httpx.PoolTimeout(ALL_IN_USE) from None
        raise


async def _await_client(
    registry: Registry, pool: ClientPool, caller: Caller, waiter: "asyncio.Queue[Any]", seconds: float | None
) -> Any:
    """Wait until a client is free; the async version of `_wait_for_client`."""
    try:
        async with asyncio.timeout(seconds):
            return await waiter.get()
    except BaseException as error:
        _stop_waiting(registry, pool, caller)
        if isinstance(error, TimeoutError):
            raise httpx.PoolTimeout(ALL_IN_USE) from None
        raise


def _expire_on_loop(registry: Registry, pools: ClientPools, loop: asyncio.AbstractEventLoop) -> None:
    """Set a timer that closes idle connections when they expire, unless one is set already."""
    if pools.is_expiring or loop.is_closed() or (due := pools.next_expiry()) is None:
        return

    def expire() -> None:
        pools.is_expiring = False
        with registry.lock:
            expired = pools.expire(time.monotonic())
        _close(expired)
        _expire_on_loop(registry, pools, loop)

    loop.call_later(max(0.0, due - time.monotonic()) + MARGIN, expire)
    pools.is_expiring = True


def _expire_in_thread(registry: Registry) -> None:
    """Start a thread that closes idle connections when they expire, unless it is running already."""
    if registry.sync.is_expiring:
        return
    with registry.lock:
        if registry.sync.next_expiry() is None:
            return
    # No thread can be started during interpreter shutdown, which closes all connections anyway.
    with suppress(RuntimeError):
        threading.Thread(target=_expire, args=(registry,), name="langchain-kimi-idle", daemon=True).start()


def _expire(registry: Registry) -> None:
    """Close idle sync connections when they expire, until there are none. It runs in a thread."""
    with registry.lock:
        # The thread sets the flag itself, because a signal handler may raise in the call that starts it. So two calls
        # may both have started a thread.
        if registry.sync.is_expiring:
            return
        registry.sync.is_expiring = True
    while True:
        with registry.lock:
            expired = registry.sync.expire(time.monotonic())
            due = registry.sync.next_expiry()
            if due is None:
                registry.sync.is_expiring = False
        _close(expired)
        if due is None:
            return
        with suppress(queue.Empty):
            registry.wakes.get(timeout=max(0.0, due - time.monotonic()) + MARGIN)


async def _close_with_loop(pools: ClientPools) -> AsyncGenerator[None, None]:
    """Close the clients when their loop shuts down: a regular shutdown closes open async generators, such as this."""
    try:
        yield
    finally:
        pools.keeper = None
        _close(pools.release())


def close(connection: Connection) -> None:
    """Close the shared sync clients with these settings. Clients in use are closed when their call ends."""
    with _registry.lock:
        clients = _registry.release(_registry.sync, connection)
    _close(clients)
    _registry.wakes.put(None)


async def aclose(connection: Connection) -> None:
    """Close the shared async clients with these settings on the running loop; the async version of `close`."""
    with _registry.lock:
        pools = _registry.of_loop(asyncio.get_running_loop())
        clients = _registry.release(pools, connection)
    _close(clients)
    if pools.keeper is not None and not pools.by_key:
        await pools.keeper.aclose()
    # The loop closes the sockets in its next step.
    await asyncio.sleep(0)


@atexit.register
def _close_all() -> None:
    _close(_registry.sync.release())
