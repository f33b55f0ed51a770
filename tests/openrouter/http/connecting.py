"""Requests through single clients of any transport, sync and async, and raw servers for them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from langchain_kimi.testing.faults import HostileConnection, listening
from langchain_kimi.testing.faults.hostile.connections import read_request

TLS = httpx.create_ssl_context(verify=False)
LARGE = bytes(2**23)
"""A body that no buffer of the system takes at once."""


@dataclass
class Accepted:
    """A raw server: its port, and the number of connections that it accepted."""

    port: int = 0
    connections: int = 0
    may_end: threading.Event = field(default_factory=threading.Event)


@contextmanager
def answering(reply: bytes, *, after: bytes = b"", tls: Any = None) -> Iterator[Accepted]:
    """Answer each request with the same bytes.

    Args:
        reply: The bytes of an answer.
        after: More bytes, which end the first connection once `may_end` is set.
        tls: The server's TLS context.
    """
    accepted = Accepted()

    def play(connection: Any, stop: threading.Event) -> None:
        accepted.connections += 1
        while read_request(connection).strip():
            connection.sendall(reply)
            if after and accepted.connections == 1:
                accepted.may_end.wait()
                connection.sendall(after)
                return

    with listening(HostileConnection("", play, what="", client="answers"), tls) as port:
        accepted.port = port
        try:
            yield accepted
        finally:
            accepted.may_end.set()


class Exchanges:
    """Exchanges of one client, on one loop if it is async."""

    def __init__(self, make: Callable[..., Any], idle_seconds: float | None = None) -> None:
        self._runner = asyncio.Runner()
        self.client = make(tls=TLS, proxy=None, idle_seconds=idle_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _close(self) -> None:
        self.client.close()
        self.client.close()
        # The loop closes the sockets in its next steps.
        for _ in range(3):
            await asyncio.sleep(0)

    def __call__(self, url: str, content: bytes = b"{}", method: str = "POST") -> tuple[int, bytes]:
        """Make an exchange and return the status and the body."""
        request = self.client.build_request(method, url, content=content, headers={}, extensions={})
        return self._runner.run(self._made(request))

    def wait(self, seconds: float) -> None:
        """Let the loop run."""
        self._runner.run(asyncio.sleep(seconds))

    async def _made(self, request: httpx.Request) -> tuple[int, bytes]:
        if asyncio.iscoroutinefunction(self.client.send):
            response = await self.client.send(request)
            body = b"".join([piece async for piece in response.stream])
            await response.stream.aclose()
            await response.aclose()
        else:
            response = self.client.send(request)
            body = b"".join(response.stream)
            response.close()
        self.client.finish()
        return response.status_code, body
