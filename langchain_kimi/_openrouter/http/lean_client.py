"""HTTP clients for a single connection, sync and async.

They send a request faster than an `httpx.Client`, because they have no cookies, redirects or hooks. They can also be
closed at any moment and without an await, whatever state httpcore is in.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from langchain_kimi._openrouter.http.network import AsyncNetwork, Limits, Network, NoLimits
from langchain_kimi.errors import KimiError

ENCODINGS = "gzip, deflate"
"""The content encodings that need no further package."""
CORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


@lru_cache(maxsize=64)
def _parsed(url: str) -> tuple[httpx.URL, str, httpcore.URL]:
    parsed = httpx.URL(url)
    core = httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)
    return parsed, parsed.netloc.decode("ascii"), core


def _request(
    method: str, url: str, *, content: bytes, headers: dict[str, str], extensions: dict[str, Any]
) -> httpx.Request:
    """Return a request with the headers that httpx adds. It adds none when the body is passed as a stream."""
    parsed, host, _ = _parsed(url)
    names = {name.lower() for name in headers}
    defaults = {"Host": host, "Accept-Encoding": ENCODINGS, "Content-Length": str(len(content))}
    missing = {name: value for name, value in defaults.items() if name.lower() not in names}
    return httpx.Request(
        method, parsed, headers={**missing, **headers}, stream=httpx.ByteStream(content), extensions=extensions
    )


def _core_request(request: httpx.Request) -> httpcore.Request:
    return httpcore.Request(
        request.method,
        _parsed(str(request.url))[2],
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


class _Secret(bytes):
    """Bytes with a repr that does not show them, because httpcore logs the arguments of its functions."""

    def __repr__(self) -> str:
        return "b'[secret]'"


def _proxy(url: str | None) -> httpcore.Proxy | None:
    if url is None:
        return None
    parts = urlsplit(url)
    auth = None
    if parts.username or parts.password:
        auth = (_Secret(unquote(parts.username or "").encode()), _Secret(unquote(parts.password or "").encode()))
    address = httpx.URL(url).copy_with(username=None, password=None)
    core = httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=b"/")
    return httpcore.Proxy(core, auth=auth)


@contextmanager
def _proxy_errors() -> Iterator[None]:
    """Translate the exceptions that httpcore raises for a malformed reply of a SOCKS proxy."""
    try:
        yield
    except (*CORE_ERRORS, KimiError):
        raise
    except Exception as problem:
        reason = f"The proxy sent a malformed reply: {type(problem).__name__}"
        raise httpcore.ProxyError(reason) from problem


def _has_trailing_data(connection: Any) -> bool:
    """Return whether bytes follow the end of the response in the buffer of a connection.

    h11 would read them as the beginning of the next response. httpcore has no public way to that buffer.
    """
    while connection is not None:
        if (state := getattr(connection, "_h11_state", None)) is not None:
            return bool(state.trailing_data[0])
        connection = getattr(connection, "_connection", None)
    return False


class Lean:
    """The shared part of both clients.

    Attributes:
        is_closed: Whether the client has been closed.
        is_busy: Whether the last exchange has not come to its regular end. Such a client must not be used again.
    """

    def __init__(self, network: Any, pool: Any) -> None:
        self.is_closed = False
        self.is_busy = False
        self._network = network
        self._pool = pool

    build_request = staticmethod(_request)

    def limit(self, limits: Limits) -> None:
        """Set the time limits of the next request."""
        self._network.limits = limits

    def finish(self) -> None:
        """Mark the exchange as complete, after the response has been read to its end and closed."""
        self._network.limits = NoLimits()
        self.is_busy = any(map(_has_trailing_data, self._pool.connections))

    def close(self) -> None:
        """Close the connection at once, in any state."""
        self.is_closed = True
        self._network.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        self._stream.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        await self._stream.aclose()


def _response(response: httpcore.Response, body: Any, request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        response.status, headers=response.headers, stream=body, extensions=response.extensions, request=request
    )


class LeanClient(Lean):
    """A sync HTTP client with one connection, without cookies, redirects and settings of the environment.

    Args:
        tls: The TLS context.
        proxy: The URL of a proxy, or None.
        idle_seconds: The seconds after which an idle connection is not used again.
    """

    def __init__(self, *, tls: Any, proxy: str | None, idle_seconds: float | None = None) -> None:
        network = Network()
        pool = httpcore.ConnectionPool(
            tls, _proxy(proxy), max_connections=1, keepalive_expiry=idle_seconds, network_backend=network
        )
        super().__init__(network, pool)

    def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request and return the response with its body unread.

        Raises:
            httpcore.NetworkError: The connection failed. httpcore's other exceptions are possible too; they have the
                names of the exceptions of httpx.
        """
        self.is_busy = True
        core_request = _core_request(request)
        with _proxy_errors():
            response = self._pool.handle_request(core_request)
        return _response(response, _Body(response.stream), request)


class AsyncLeanClient(Lean):
    """The async version of `LeanClient`. Closing it takes no await."""

    def __init__(self, *, tls: Any, proxy: str | None, idle_seconds: float | None = None) -> None:
        network = AsyncNetwork()
        pool = httpcore.AsyncConnectionPool(
            tls, _proxy(proxy), max_connections=1, keepalive_expiry=idle_seconds, network_backend=network
        )
        super().__init__(network, pool)

    async def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request and return the response with its body unread."""
        self.is_busy = True
        core_request = _core_request(request)
        with _proxy_errors():
            response = await self._pool.handle_async_request(core_request)
        return _response(response, _AsyncBody(response.stream), request)

    async def aclose(self) -> None:
        """Close the connection."""
        self.close()
