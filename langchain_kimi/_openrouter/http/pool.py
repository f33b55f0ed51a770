"""A first-come, first-served pool of single-connection HTTP clients with a size limit.

An httpx client opens as many connections as its limit allows, but it looks through all of them whenever a request
starts or ends, and it assigns an idle connection to all requests of the same moment: of 16 requests, 15 then had to
start again. Under load each such start took a second; of 1,000 concurrent streams the last 15 waited 9 seconds for the
first token. So each client here has one connection, and each call has its own client.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from weakref import ref

IDLE_SECONDS = 30.0
"""Seconds after which an idle connection is closed."""
MAX_IDLE = 100
"""The maximum number of idle connections in a pool."""


class Queue(Protocol):
    """A queue for one client, of threads or of an event loop."""

    def put_nowait(self, item: Any, /) -> None:
        """Add a client."""

    def get_nowait(self) -> Any:
        """Remove and return the client, or raise an exception if it is missing."""

    def empty(self) -> bool:
        """Return whether there is no client."""


class Caller:
    """One call that uses a pool. The pool only has a weak reference to it, so a dropped call does not count.

    Calls are dropped because a signal handler may raise at any moment, even while a call acquires its client.
    """

    __slots__ = ("__weakref__", "queue")

    def __init__(self) -> None:
        self.queue: Queue | None = None


class ClientPool:
    """The clients of one combination of settings. It does no I/O and takes no lock.

    Attributes:
        limit: The maximum number of clients in use at the same time.
        make: Creates a client.
        idle: The clients that are not in use, each with the time of its return. The last one is acquired next.
        callers: The calls that have a client.
        waiters: The calls that wait for a client, in order of arrival.
        is_retired: Whether clients are closed when their call ends.
    """

    __slots__ = ("callers", "idle", "is_retired", "limit", "make", "waiters")

    def __init__(self, limit: int, make: Callable[[], Any]) -> None:
        self.limit = limit
        self.make = make
        self.idle: deque[tuple[Any, float]] = deque()
        self.callers: set[ref[Caller]] = set()
        self.waiters: deque[ref[Caller]] = deque()
        self.is_retired = False

    def acquire(self, caller: Caller) -> Any | None:
        """Return a client for a call, or None when all of them are in use."""
        if len(self.callers) >= self.limit:
            return None
        client = self._idle_client() or self.make()
        # The callback removes a dropped call. It is written in C, so a signal handler cannot interrupt it.
        self.callers.add(ref(caller, self.callers.discard))
        return client

    def _idle_client(self) -> Any | None:
        while self.idle:
            client, _ = self.idle.pop()
            if not client.is_closed:
                return client
        return None

    def wait(self, caller: Caller, queue: Queue) -> None:
        """Let a call wait for a client, which will be put into the queue."""
        caller.queue = queue
        self.waiters.append(ref(caller))

    def release(self, caller: Caller, client: Any, now: float) -> list[Any]:
        """Take a client back when its call has ended.

        The call that has waited longest gets it at once, so that no later call can take it.

        Args:
            caller: The call that acquired the client.
            client: The client.
            now: The current time in monotonic seconds.

        Returns:
            The clients that the caller has to close.
        """
        self.callers.discard(ref(caller))
        while self.waiters:
            waiter = self.waiters.popleft()()
            if waiter is not None and waiter.queue is not None:
                self.callers.add(ref(waiter, self.callers.discard))
                waiter.queue.put_nowait(self.make() if client.is_closed else client)
                return []
        if client.is_closed:
            return []
        if self.is_retired:
            return [client]
        self.idle.append((client, now))
        surplus = [self.idle.popleft()[0]] if len(self.idle) > MAX_IDLE else []
        return surplus + self.expire(now)

    def expire(self, now: float) -> list[Any]:
        """Return the clients that have been idle for too long, which the caller has to close."""
        expired = []
        while self.idle and self.idle[0][1] <= now - IDLE_SECONDS:
            expired.append(self.idle.popleft()[0])
        return expired

    @property
    def is_unused(self) -> bool:
        """Whether no call uses the pool at the moment."""
        return not self.callers and not any(waiter() for waiter in self.waiters)

    def stop_waiting(self, caller: Caller, now: float) -> list[Any]:
        """Remove a call that gave up waiting, and release a client that it has just received.

        Returns:
            The clients that the caller has to close.
        """
        with suppress(ValueError):
            self.waiters.remove(ref(caller))
        if caller.queue is None or caller.queue.empty():
            return []
        return self.release(caller, caller.queue.get_nowait(), now)

    def retire(self) -> list[Any]:
        """Close clients from now on when their call ends. Calls that already wait are still served.

        Returns:
            The idle clients, which the caller has to close.
        """
        self.is_retired = True
        clients = [client for client, _ in self.idle]
        self.idle.clear()
        return clients
