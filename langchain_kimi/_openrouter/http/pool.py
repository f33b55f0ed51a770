"""Single-connection HTTP clients, and a first-come, first-served pool of them with a size limit.

An httpx client opens as many connections as its limit allows, but it looks through all of them whenever a request
starts or ends, and it assigns an idle connection to all requests of the same moment: of 16 requests, 15 then had to
start again. Under load each such start took a second; of 1,000 concurrent streams the last 15 waited 9 seconds for the
first token. So each client here has one connection, and each call has its own client.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from urllib.request import getproxies

import httpx

IDLE_SECONDS = 30.0
"""Seconds after which an idle connection is closed."""
MAX_IDLE = 100
"""The largest number of idle connections in a pool."""


class Waiter(Protocol):
    """A queue for one client, of threads or of an event loop."""

    def put_nowait(self, item: Any, /) -> None:
        """Add a client."""

    def get_nowait(self) -> Any:
        """Remove and return the client."""


@dataclass(slots=True, eq=False)
class ClientPool:
    """The clients of one combination of settings. It does no I/O and takes no lock.

    Attributes:
        limit: The largest number of clients in use at the same time.
        make: Creates a client.
        idle: The clients that are not in use, each with the time of its return. The last one is acquired next.
        in_use: The number of clients in use.
        waiters: A queue for each call that waits for a client, in order of arrival.
        is_retired: Whether clients are closed when their call ends.
    """

    limit: int
    make: Callable[[], Any]
    idle: deque[tuple[Any, float]] = field(default_factory=deque)
    in_use: int = 0
    waiters: deque["Waiter"] = field(default_factory=deque)
    is_retired: bool = False

    def acquire(self) -> Any | None:
        """Return a client for a call, or None when all of them are in use."""
        if self.in_use >= self.limit:
            return None
        client = self._idle_client() or self.make()
        self.in_use += 1
        return client

    def _idle_client(self) -> Any | None:
        while self.idle:
            client, _ = self.idle.pop()
            if not client.is_closed:
                return client
        return None

    def release(self, client: Any, now: float) -> list[Any]:
        """Take a client back when its call has ended.

        The call that has waited longest gets it at once, so that no later call can take it.

        Args:
            client: The client that the call acquired.
            now: The current time in monotonic seconds.

        Returns:
            The clients that the caller has to close.
        """
        if self.waiters:
            self.waiters.popleft().put_nowait(self.make() if client.is_closed else client)
            return []
        self.in_use -= 1
        if self.is_retired:
            return [client]
        self.idle.append((client, now))
        surplus = []
        while len(self.idle) > MAX_IDLE or self.idle[0][1] < now - IDLE_SECONDS:
            surplus.append(self.idle.popleft()[0])
        return surplus

    def stop_waiting(self, waiter: "Waiter", now: float) -> list[Any]:
        """Remove the waiter of a call that gave up, and release a client that it has just received.

        Returns:
            The clients that the caller has to close.
        """
        if waiter in self.waiters:
            self.waiters.remove(waiter)
            return []
        return self.release(waiter.get_nowait(), now)

    def retire(self) -> list[Any]:
        """Close clients from now on when their call ends. Calls that already wait are still served.

        Returns:
            The idle clients, which the caller has to close.
        """
        self.is_retired = True
        clients = [client for client, _ in self.idle]
        self.idle.clear()
        return clients


ENCODINGS = "gzip, deflate"
"""The encodings that httpx decodes without further packages."""
PROXY_SCHEMES = ("http", "https", "all")


def has_system_proxy() -> bool:
    """Return whether the environment or the system configures a proxy.

    An `httpx.Client` then decides which URLs use it; a `LeanClient` does not read the environment.
    """
    proxies = getproxies()
    return any(proxies.get(scheme) for scheme in PROXY_SCHEMES)


@lru_cache(maxsize=64)
def _parsed(url: str) -> tuple[httpx.URL, str]:
    parsed = httpx.URL(url)
    return parsed, parsed.netloc.decode("ascii")


def _request(
    method: str, url: str, *, content: bytes, headers: dict[str, str], extensions: dict[str, Any]
) -> httpx.Request:
    """Return a request with the headers that httpx adds. It adds none when the body is passed as a stream."""
    parsed, host = _parsed(url)
    names = {name.lower() for name in headers}
    defaults = {"Host": host, "Accept-Encoding": ENCODINGS, "Content-Length": str(len(content))}
    missing = {name: value for name, value in defaults.items() if name.lower() not in names}
    return httpx.Request(
        method, parsed, headers={**missing, **headers}, stream=httpx.ByteStream(content), extensions=extensions
    )


class LeanClient:
    """An `httpx.Client` without cookies, redirects and proxies of the environment, which makes a call faster.

    Args:
        verify: How the server's certificate is verified, as for httpx.
        proxy: The URL of a proxy, or None.
        limits: The limits of the connection pool.
    """

    def __init__(self, *, verify: Any, proxy: str | None, limits: httpx.Limits) -> None:
        self._transport = httpx.HTTPTransport(verify=verify, proxy=proxy, limits=limits)
        self.is_closed = False

    build_request = staticmethod(_request)

    def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request and return the response with its body unread.

        Raises:
            httpx.TransportError: As raised by an `httpx.Client`.
        """
        response = self._transport.handle_request(request)
        response.request = request
        return response

    def close(self) -> None:
        """Close the connection."""
        self.is_closed = True
        self._transport.close()


class AsyncLeanClient:
    """The async version of `LeanClient`."""

    def __init__(self, *, verify: Any, proxy: str | None, limits: httpx.Limits) -> None:
        self._transport = httpx.AsyncHTTPTransport(verify=verify, proxy=proxy, limits=limits)
        self.is_closed = False

    build_request = staticmethod(_request)

    async def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request and return the response with its body unread."""
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close the connection."""
        self.is_closed = True
        await self._transport.aclose()
