"""HTTP clients for a single connection, sync and async.

They send a request faster than an `httpx.Client`, because they have no cookies, redirects or hooks. They can also be
closed at any moment and without an await, whatever state httpcore is in.
"""

import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from langchain_kimi._openrouter.http.environment import proxy_urls
from langchain_kimi._openrouter.http.network import AsyncNetwork, Limits, Network, NoLimits
from langchain_kimi._openrouter.http.shared import Shared
from langchain_kimi._openrouter.redaction import Redactor, secrets_of
from langchain_kimi.errors import KimiError

ENCODINGS = "gzip, deflate"
"""The content encodings that need no further package."""


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
    defaults = {"Host": host, "Accept-Encoding": ENCODINGS}
    if content or method == "POST":
        defaults["Content-Length"] = str(len(content))
    missing = {name: value for name, value in defaults.items() if name.lower() not in names}
    return httpx.Request(
        method, parsed, headers={**missing, **headers}, stream=httpx.ByteStream(content), extensions=extensions
    )


class _Secret(bytes):
    """Bytes whose repr does not show them, because httpcore logs the arguments of its functions."""

    def __repr__(self) -> str:
        return "b'[secret]'"


class _LogFilter(logging.Filter):
    """Remove the secrets of the current call from httpcore's log, which shows the headers of each response."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Remove secrets from a record, and keep it."""
        if (redactor := _redactor.get()) is not None:
            record.msg, record.args = redactor.text(record.getMessage()), ()
        return True


_redactor: ContextVar[Redactor | None] = ContextVar("redactor", default=None)
_log = logging.getLogger("httpcore.http11")
_log.addFilter(_LogFilter())


@contextmanager
def _hidden(redactor: Redactor) -> Iterator[None]:
    token = _redactor.set(redactor)
    try:
        yield
    finally:
        _redactor.reset(token)


def _redactor_of(request: httpx.Request, proxy: str | None) -> Redactor | None:
    """Return the redactor for the log of a request, or None if nothing is logged."""
    if not _log.isEnabledFor(logging.DEBUG):
        return None
    return Redactor(secrets_of(request.headers, str(request.url), proxy, *proxy_urls()))


class _QuietStream(httpx.SyncByteStream):
    """The body of a response. httpcore logs its errors, which may contain a secret that the server sent back."""

    def __init__(self, stream: Any, redactor: Redactor) -> None:
        self._stream = stream
        self._redactor = redactor

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self._stream)
        while True:
            with _hidden(self._redactor):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    def close(self) -> None:
        with _hidden(self._redactor):
            self._stream.close()


class _AsyncQuietStream(httpx.AsyncByteStream):
    """The async version of `_QuietStream`."""

    def __init__(self, stream: Any, redactor: Redactor) -> None:
        self._stream = stream
        self._redactor = redactor

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._stream)
        try:
            while True:
                with _hidden(self._redactor):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece
        finally:
            await pieces.aclose()

    async def aclose(self) -> None:
        with _hidden(self._redactor):
            await self._stream.aclose()


_NOTHING = nullcontext()


def _proxy(url: str | None, tls: Any) -> httpcore.Proxy | None:
    """Return httpcore's proxy for a URL, whose password is hidden from logs."""
    if url is None:
        return None
    parts = urlsplit(url)
    auth = None
    if parts.username or parts.password:
        auth = (_Secret(unquote(parts.username or "").encode()), _Secret(unquote(parts.password or "").encode()))
    address = httpx.URL(url).copy_with(username=None, password=None)
    core = httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=b"/")
    # httpcore refuses a context for a proxy without TLS.
    return httpcore.Proxy(core, auth=auth, ssl_context=tls if core.scheme == b"https" else None)


@contextmanager
def _proxy_errors() -> Iterator[None]:
    """Translate the exceptions that httpcore raises for a malformed reply of a SOCKS proxy."""
    try:
        yield
    except (httpx.HTTPError, KimiError):
        raise
    except Exception as error:
        reason = f"The proxy sent a malformed reply: {type(error).__name__}"
        raise httpx.ProxyError(reason) from error


def _has_trailing_data(connection: Any) -> bool:
    """Return whether bytes follow the end of the response in the buffer of a connection.

    h11 would read them as the beginning of the next response. httpcore gives no public access to that buffer.
    """
    while connection is not None:
        if (state := getattr(connection, "_h11_state", None)) is not None:
            return bool(state.trailing_data[0])
        connection = getattr(connection, "_connection", None)
    return False


Transport = TypeVar("Transport", httpx.HTTPTransport, httpx.AsyncHTTPTransport)


class Lean(Shared):
    """The shared part of both clients.

    Attributes:
        is_closed: Whether the client has been closed.
        is_busy: Whether the last exchange has not ended regularly. Such a client must not be used again.
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
        """Close the connection immediately, in any state."""
        self.is_closed = True
        self._network.close()


def _transport(transport_class: type[Transport], pool: Any, *, tls: Any, proxy: str | None) -> Transport:
    """Return httpx's own transport with another pool. vcrpy, respx and OpenTelemetry patch its `handle_request`.

    httpx gives no public access to the pool of a transport, so the attribute is found by its type. If none is found,
    the transport keeps its own pool: its calls work, but only httpx's own timeouts apply to them.
    """
    transport = transport_class(verify=tls)
    for name, value in vars(transport).items():
        if isinstance(value, httpcore.ConnectionPool | httpcore.AsyncConnectionPool):
            setattr(transport, name, pool)
            return transport
    return transport_class(verify=tls, proxy=proxy)


class LeanClient(Lean):
    """A sync HTTP client with one connection, without cookies, redirects and settings of the environment.

    Args:
        tls: The TLS context, for the server and for a proxy behind TLS.
        proxy: The URL of a proxy, or None.
        idle_seconds: The seconds after which an idle connection is not used again.
    """

    def __init__(self, *, tls: Any, proxy: str | None, idle_seconds: float | None = None) -> None:
        network = Network()
        pool = httpcore.ConnectionPool(
            tls, _proxy(proxy, tls), max_connections=1, keepalive_expiry=idle_seconds, network_backend=network
        )
        # The lock of httpcore 1.0 is a Python object that is not reentrant. After a signal handler has raised in its
        # `__exit__`, httpcore waits forever for the lock that its own thread holds. A version without this attribute
        # ignores it.
        vars(pool)["_optional_thread_lock"] = threading.RLock()
        super().__init__(network, pool)
        self._transport = _transport(httpx.HTTPTransport, pool, tls=tls, proxy=proxy)
        self._proxy = proxy
        self._translated: Callable[[], AbstractContextManager[None]] = _proxy_errors if proxy else nullcontext

    def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request and return the response with its body unread.

        Raises:
            httpx.TransportError: The connection failed, or one of its other subclasses.
        """
        self.is_busy = True
        redactor = _redactor_of(request, self._proxy)
        with _NOTHING if redactor is None else _hidden(redactor), self._translated():
            response = self._transport.handle_request(request)
        response.request = request
        if redactor is not None:
            response.stream = _QuietStream(response.stream, redactor)
        return response


class AsyncLeanClient(Lean):
    """The async version of `LeanClient`. It can be closed without an await."""

    def __init__(self, *, tls: Any, proxy: str | None, idle_seconds: float | None = None) -> None:
        network = AsyncNetwork()
        pool = httpcore.AsyncConnectionPool(
            tls, _proxy(proxy, tls), max_connections=1, keepalive_expiry=idle_seconds, network_backend=network
        )
        super().__init__(network, pool)
        self._transport = _transport(httpx.AsyncHTTPTransport, pool, tls=tls, proxy=proxy)
        self._proxy = proxy
        self._translated: Callable[[], AbstractContextManager[None]] = _proxy_errors if proxy else nullcontext

    async def send(self, request: httpx.Request, **_: object) -> httpx.Response:
        """Send a request and return the response with its body unread."""
        self.is_busy = True
        redactor = _redactor_of(request, self._proxy)
        with _NOTHING if redactor is None else _hidden(redactor), self._translated():
            response = await self._transport.handle_async_request(request)
        response.request = request
        if redactor is not None:
            response.stream = _AsyncQuietStream(response.stream, redactor)
        return response

    async def aclose(self) -> None:
        """Close the connection."""
        self.close()
