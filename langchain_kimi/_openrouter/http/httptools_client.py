"""HTTP clients for a single connection whose replies are parsed in C, sync and async: `transport="httptools"`.

They send the same bytes as the clients of `lean_client`, over the same streams with the same limits, but without the
layers of httpx and httpcore between a stream and the reader of a reply. Proxies need those layers, so a call through a
proxy uses a client of `lean_client`.
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from langchain_kimi._openrouter.http.environment import DEFAULT_PORTS
from langchain_kimi._openrouter.http.heads import READ, Reply, body_of, head_of, origin_of
from langchain_kimi._openrouter.http.lean_client import Lean
from langchain_kimi._openrouter.http.network import AsyncNetwork, Network, NoLimits
from langchain_kimi._openrouter.http.parsing import Incoming


def _translated(error: httpcore.NetworkError | httpcore.TimeoutException) -> httpx.TransportError:
    error_class: type[httpx.TransportError] = getattr(httpx, type(error).__name__)
    return error_class(str(error))


class HttptoolsLean(Lean):
    """The shared part of both clients: the state of the connection."""

    def __init__(self, network: Any, tls: Any, idle_seconds: float | None) -> None:
        super().__init__(network, None)
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._stream: Any = None
        self._origin: tuple[str, bytes] | None = None
        self._incoming: Incoming | None = None
        self._is_sent = False
        self._idle_since = 0.0

    def finish(self) -> None:
        """Mark the exchange as complete, after the response has been read to its end."""
        self._network.limits = NoLimits()
        self._idle_since = time.monotonic()
        incoming, self._incoming = self._incoming, None
        self.is_busy = incoming is None or incoming.is_last or not self._is_sent

    def _idle_stream(self, origin: tuple[str, bytes]) -> Any:
        """Return the open connection if it can be used again for this server, otherwise close it and return None."""
        stream, self._stream = self._stream, None
        is_other, self._origin = origin != self._origin, origin
        if stream is None:
            return None
        is_old = self._idle_seconds is not None and time.monotonic() - self._idle_since > self._idle_seconds
        # A readable idle connection was closed by the server, or received bytes that are not a reply.
        if is_other or is_old or stream.get_extra_info("is_readable"):
            self._network.close()
            return None
        return stream

    def _address(self, url: httpx.URL) -> tuple[str, int, str | None]:
        """Return the host, the port, and the name of the certificate, which is None without TLS."""
        host = url.raw_host.decode("ascii")
        port = url.port or DEFAULT_PORTS[url.scheme]
        if url.scheme == "http":
            return host, port, None
        self._tls.set_alpn_protocols(["http/1.1"])
        return host, port, host


class HttptoolsClient(HttptoolsLean):
    """A sync HTTP client with one connection, without cookies, redirects, proxies and settings of the environment.

    Args:
        tls: The TLS context.
        idle_seconds: The seconds after which an idle connection is not used again.
    """

    def __init__(self, *, tls: Any, idle_seconds: float | None = None, **_: object) -> None:
        super().__init__(Network(), tls, idle_seconds)

    def send(self, request: httpx.Request, **_: object) -> Reply:
        """Send a request and return the reply with its body unread.

        Raises:
            httpx.TransportError: The connection failed, or one of its other subclasses.
        """
        self.is_busy, self._is_sent = True, False
        # An empty write makes the stream send its pending bytes.
        buffers = head_of(request), body_of(request), b""
        timeout = request.extensions.get("timeout", {})
        incoming = self._incoming = Incoming()
        try:
            stream = self._stream = self._idle_stream(origin_of(request)) or self._connect(request.url, timeout)
            # A server may reply and close the connection before it has read the request.
            with suppress(httpcore.WriteError):
                for buffer in buffers:
                    stream.write(buffer, timeout.get("write"))
                self._is_sent = True
            seconds = timeout.get("read")
            while not incoming.is_begun:
                incoming.feed(stream.read(READ, seconds))
                incoming.check()
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise _translated(error) from error
        return Reply(incoming.status, incoming.headers, _body(stream, incoming, timeout.get("read")))

    def _connect(self, url: httpx.URL, timeout: Any) -> httpcore.NetworkStream:
        host, port, name = self._address(url)
        stream: httpcore.NetworkStream = self._network.connect_tcp(host, port, timeout.get("connect"))
        return stream if name is None else stream.start_tls(self._tls, name, timeout.get("connect"))


def _body(stream: httpcore.NetworkStream, incoming: Incoming, seconds: float | None) -> Iterator[bytes]:
    try:
        while True:
            while piece := incoming.take():
                yield piece
            if incoming.is_over:
                return
            incoming.feed(stream.read(READ, seconds))
    except (httpcore.NetworkError, httpcore.TimeoutException) as error:
        raise _translated(error) from error


class AsyncHttptoolsClient(HttptoolsLean):
    """The async version of `HttptoolsClient`. It can be closed without an await."""

    def __init__(self, *, tls: Any, idle_seconds: float | None = None, **_: object) -> None:
        super().__init__(AsyncNetwork(), tls, idle_seconds)

    async def send(self, request: httpx.Request, **_: object) -> Reply:
        """Send a request and return the reply with its body unread."""
        self.is_busy, self._is_sent = True, False
        # An empty write makes the stream send its pending bytes.
        buffers = head_of(request), body_of(request), b""
        timeout = request.extensions.get("timeout", {})
        incoming = self._incoming = Incoming()
        try:
            stream = self._stream = self._idle_stream(origin_of(request)) or await self._connect(request.url, timeout)
            with suppress(httpcore.WriteError):
                for buffer in buffers:
                    await stream.write(buffer, timeout.get("write"))
                self._is_sent = True
            seconds = timeout.get("read")
            while not incoming.is_begun:
                incoming.feed(await stream.read(READ, seconds))
                incoming.check()
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise _translated(error) from error
        return Reply(incoming.status, incoming.headers, _AsyncBody(stream, incoming, timeout.get("read")))

    async def _connect(self, url: httpx.URL, limits: Any) -> httpcore.AsyncNetworkStream:
        host, port, name = self._address(url)
        stream: httpcore.AsyncNetworkStream = await self._network.connect_tcp(host, port, limits.get("connect"))
        return stream if name is None else await stream.start_tls(self._tls, name, limits.get("connect"))


class _AsyncBody:
    """The pieces of a body. A generator would be slower, and its event loop would close it only later."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, incoming: Incoming, seconds: float | None) -> None:
        self._stream = stream
        self._incoming = incoming
        self._seconds = seconds

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        incoming = self._incoming
        while not (piece := incoming.take()):
            if incoming.is_over:
                raise StopAsyncIteration
            try:
                incoming.feed(await self._stream.read(READ, self._seconds))
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                raise _translated(error) from error
        return piece

    async def aclose(self) -> None:
        """Do nothing: the client closes the connection."""
