"""Who gets which client: one call at a time each, no more of them than were set, and who has to wait comes in order.

An httpx client opens as many connections as it is let, but looks through all of them whenever a request begins or ends,
and gives its idle connection to all requests of the same moment: fifteen of sixteen then begin anew, and under load
each beginning took a second. Of a thousand streams at once the last fifteen were seen to wait nine seconds for their
first token. So each client here has one connection, and a call has a client for itself.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from urllib.request import getproxies

import httpx

KEPT_FOR = 30.0
"""Seconds that a connection is kept without a call."""
KEPT_MOST = 100
"""Connections that are kept without a call."""


class Waiter(Protocol):
    """A queue, of threads or of a loop."""

    def put_nowait(self, item: Any, /) -> None:
        """Put a client in."""

    def get_nowait(self) -> Any:
        """Take the client out."""


@dataclass(slots=True, eq=False)
class ClientPool:
    """The clients for the same settings: who has none at the moment, and how many are lent. It does no I/O.

    Attributes:
        most: How many there may be.
        make: Makes one.
        free: Those that no call has, with the time they came back; the last is the one to be lent next.
        lent: How many calls have one.
        waiting: What each call that waits looks into for a client, in order.
        is_over: Whether they are to be closed as they come back.
    """

    most: int
    make: Callable[[], Any]
    free: deque[tuple[Any, float]] = field(default_factory=deque)
    lent: int = 0
    waiting: deque["Waiter"] = field(default_factory=deque)
    is_over: bool = False

    def take(self) -> Any | None:
        """Give a client to a call; None when all are lent."""
        if self.lent >= self.most:
            return None
        client = self._free_one() or self.make()
        self.lent += 1
        return client

    def _free_one(self) -> Any | None:
        while self.free:
            client, _ = self.free.pop()
            if not client.is_closed:
                return client
        return None

    def give_back(self, client: Any, now: float) -> list[Any]:
        """Take a client back from a call at a time in seconds; gives those that are to be closed.

        Who has waited longest gets it at once, so that nobody who comes later can take it.
        """
        if self.waiting:
            self.waiting.popleft().put_nowait(self.make() if client.is_closed else client)
            return []
        self.lent -= 1
        if self.is_over:
            return [client]
        self.free.append((client, now))
        surplus = []
        while len(self.free) > KEPT_MOST or self.free[0][1] < now - KEPT_FOR:
            surplus.append(self.free.popleft()[0])
        return surplus

    def leave(self, waiter: "Waiter", now: float) -> list[Any]:
        """Let a call wait no longer, nor keep what it was handed just then; gives the clients that are to be closed."""
        if waiter in self.waiting:
            self.waiting.remove(waiter)
            return []
        return self.give_back(waiter.get_nowait(), now)

    def end(self) -> list[Any]:
        """Lend none any longer but to those that wait already; gives the clients that are to be closed now."""
        self.is_over = True
        ended = [client for client, _ in self.free]
        self.free.clear()
        return ended


ENCODINGS = "gzip, deflate"
"""What httpx reads without further packages."""
PROXIED = ("http", "https", "all")


def knows_proxies() -> bool:
    """Say whether the environment or the system names a proxy; an `httpx.Client` then knows which URLs go there."""
    proxies = getproxies()
    return any(proxies.get(scheme) for scheme in PROXIED)


@lru_cache(maxsize=64)
def _parsed(url: str) -> tuple[httpx.URL, str]:
    parsed = httpx.URL(url)
    return parsed, parsed.netloc.decode("ascii")


def _request(
    method: str, url: str, *, content: bytes, headers: dict[str, str], extensions: dict[str, Any]
) -> httpx.Request:
    """Make a request with the headers that httpx adds to one; from a stream it takes them as they are."""
    parsed, host = _parsed(url)
    given = {name.lower() for name in headers}
    added = {"Host": host, "Accept-Encoding": ENCODINGS, "Content-Length": str(len(content))}
    more = {name: value for name, value in added.items() if name.lower() not in given}
    return httpx.Request(
        method, parsed, headers={**more, **headers}, stream=httpx.ByteStream(content), extensions=extensions
    )


class LeanClient:
    """Sends requests as an `httpx.Client` without cookies, redirects and proxies of the environment would.

    Args:
        verify: How the server's certificate is checked.
        proxy: The proxy's URL; None: none.
        limits: How many connections are opened and kept.
    """

    def __init__(self, *, verify: Any, proxy: str | None, limits: httpx.Limits) -> None:
        self._transport = httpx.HTTPTransport(verify=verify, proxy=proxy, limits=limits)
        self.is_closed = False

    build_request = staticmethod(_request)

    def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request; gives the reply with its body unread.

        Raises:
            httpx.TransportError: as from an `httpx.Client`.
        """
        response = self._transport.handle_request(request)
        response.request = request
        return response

    def close(self) -> None:
        """Close the connections."""
        self.is_closed = True
        self._transport.close()


class AsyncLeanClient:
    """The same in the other colour, see `LeanClient`."""

    def __init__(self, *, verify: Any, proxy: str | None, limits: httpx.Limits) -> None:
        self._transport = httpx.AsyncHTTPTransport(verify=verify, proxy=proxy, limits=limits)
        self.is_closed = False

    build_request = staticmethod(_request)

    async def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request; gives the reply with its body unread."""
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        self.is_closed = True
        await self._transport.aclose()
