"""An async HTTP client for a single connection over aiohttp: `transport="aiohttp"`.

Each client has a session and a connector of its own, so the pool of clients limits the connections, and a client can
be closed without an await. aiohttp's own timeouts are not used, because they start again with every byte. Cookies,
redirects, decompression, proxies and settings of the environment are off, as in `lean_client`.
"""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import ref

import aiohttp
import httpx
from multidict import CIMultiDict
from yarl import URL

from langchain_kimi._openrouter.http.errors import other_loop, remove_headers
from langchain_kimi._openrouter.http.heads import (
    CUT_BODY,
    MAX_HEAD,
    NO_REPLY,
    READ,
    SWITCHING,
    Reply,
    body_of,
    check_coding,
    headers_of,
    origin_of,
    switched,
)
from langchain_kimi._openrouter.http.lean_client import Lean
from langchain_kimi._openrouter.http.network import EYEBALLS_DELAY, Limits, NoLimits, is_readable
from langchain_kimi.errors import KimiError

LARGE_BODY = 2**20
"""The size of a body in bytes above which aiohttp warns, unless the body is a file."""
AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add. Our requests already have all headers that they need."""
NO_LIMIT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
_sessions_of_parents: list[Any] = []
"""Sessions of the parent process. Without a reference, the garbage collector would close them for the parent, too."""


class _Response(aiohttp.ClientResponse):
    """A response that passes its connection to the client as soon as it has one."""

    def __init__(self, client: "ref[AiohttpClient]", *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._client: Any = client()

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Pass the connection to the client, and read the status and the headers."""
        self._client.use(connection.protocol, self)
        return await super().start(connection)


class _Connector(aiohttp.TCPConnector):
    """A connector that closes without a warning if the garbage collector finalizes it before its client."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._process = os.getpid()

    def __del__(self, _warnings: Any = None) -> None:
        if self._process != os.getpid():
            return
        # A connection cannot be closed on an event loop that is closed itself; its socket is, with its transport.
        with suppress(RuntimeError):
            _close_now(self)


class AiohttpClient(Lean):
    """An async HTTP client with one connection. It can be closed without an await.

    Args:
        tls: The TLS context.
        idle_seconds: The seconds after which an idle connection is not used again.
    """

    def __init__(self, *, tls: Any, idle_seconds: float | None = None, **_: object) -> None:
        super().__init__(None, None)
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._process = os.getpid()
        self._limits: Limits = NoLimits()
        self._session: aiohttp.ClientSession | None = None
        self._loop: Any = None
        self._protocol: Any = None
        self._transport: Any = None
        self._origin: tuple[str, bytes] | None = None
        self._response: _Response | None = None
        self._timer: asyncio.Timeout | None = None

    def __del__(self) -> None:
        """Close the session of a client that was dropped, for example with the loop of a cancelled call."""
        if (session := self._session) is not None and self._process == os.getpid():
            close = partial(_close_now, session.connector)
            loop = self._loop
            session.detach()
            try:
                # The garbage collector runs in any thread.
                loop.call_soon_threadsafe(close)
            except RuntimeError:
                close()

    def limit(self, limits: Limits) -> None:
        """Set the time limits of the next request."""
        self._limits = limits

    async def send(self, request: httpx.Request, **_: object) -> Reply:
        """Send a request and return the reply with its body unread.

        Raises:
            httpx.TransportError: The connection failed, or one of its other subclasses.
        """
        self.is_busy = True
        headers = CIMultiDict((name.decode("ascii"), value.decode("latin-1")) for name, value in headers_of(request))
        body: Any = body_of(request) or None
        if body is not None and len(body) > LARGE_BODY:
            body = io.BytesIO(body)
        url = request.url
        session = self._usable_session(origin_of(request))
        address = URL(f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}", encoded=True)
        seconds = request.extensions.get("timeout", {}).get("connect") if self._protocol is None else None
        try:
            async with asyncio.timeout(seconds) as self._timer:
                response = await session.request(
                    request.method, address, headers=headers, data=body, allow_redirects=False
                )
        except Exception as error:  # noqa: BLE001 - aiohttp has no class for all of its exceptions
            raise _translated(error, is_open=self._protocol is not None) from _cause(error)
        check_coding(response.raw_headers)
        if response.status == SWITCHING:
            raise switched()
        return Reply(response.status, response.raw_headers, _Body(response.content, self._limits))

    def use(self, protocol: Any, response: _Response) -> None:
        """Store the connection of the current request, and limit the time for the head of its reply."""
        if protocol is not self._protocol:
            self._protocol = protocol
            # After a failure aiohttp closes the connection, and the protocol forgets it.
            self._transport = protocol.transport
            self._limits.restart()
        self._response = response
        left = self._limits.read_left()
        if left is not None and self._timer is not None:
            self._timer.reschedule(asyncio.get_running_loop().time() + left)

    def finish(self) -> None:
        """Mark the exchange as complete, after the response has been read to its end."""
        self._limits = NoLimits()
        self._response = self._timer = None
        self.is_busy = self._protocol.should_close

    def close(self) -> None:
        """Close the connection immediately, in any state."""
        self.is_closed = True
        self._drop()

    def _usable_session(self, origin: tuple[str, bytes]) -> aiohttp.ClientSession:
        """Return a session without a connection, or with an idle one to this server that has received no bytes."""
        if origin != self._origin or not self._can_be_used_again():
            self._drop()
        self._origin = origin
        if self._session is None:
            self._session, self._loop = self._new_session(), asyncio.get_running_loop()
        return self._session

    def _can_be_used_again(self) -> bool:
        protocol = self._protocol
        if protocol is None or protocol.should_close or protocol.transport is None:
            return False
        return not is_readable(protocol.transport)

    def _new_session(self) -> aiohttp.ClientSession:
        """Return a session for a single connection, with all features switched off that the package does itself."""
        connector = _Connector(
            ssl=self._tls,
            limit=1,
            resolver=aiohttp.ThreadedResolver(),
            use_dns_cache=False,
            keepalive_timeout=self._idle_seconds,
            happy_eyeballs_delay=EYEBALLS_DELAY,
        )
        # A weak reference, because without a reference cycle a dropped client is finalized before its session.
        response_class: Any = partial(_Response, ref(self))
        return aiohttp.ClientSession(
            connector=connector,
            response_class=response_class,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=AUTOMATIC,
            auto_decompress=False,
            timeout=NO_LIMIT,
            read_bufsize=READ,
            # aiohttp limits each line, not their sum.
            max_line_size=MAX_HEAD,
            max_field_size=MAX_HEAD,
        )

    def _drop(self) -> None:
        """Close the session and its connection."""
        session, self._session = self._session, None
        transport, self._transport = self._transport, None
        self._protocol = None
        response, self._response = self._response, None
        if session is None:
            return
        if self._process != os.getpid():
            _sessions_of_parents.append((session, transport, response))
            return
        connector = session.connector
        session.detach()
        # Nothing can be closed on an event loop that is closed itself.
        with suppress(RuntimeError):
            if transport is not None:
                # `close` would first send the pending bytes, and wait forever for a server that does not read them.
                transport.abort()
        if response is not None:
            response.close()
        _close_now(connector)


def _close_now(connector: Any) -> None:
    """Close a connector without an await, which its public method needs.

    If aiohttp renames the private method, the garbage collector closes the connector.
    """
    getattr(connector, "_close", dict)(abort_ssl=True)


class _Body:
    """The pieces of a body. Each contains all bytes that have arrived since the last one."""

    def __init__(self, content: aiohttp.StreamReader, limits: Limits) -> None:
        self._content = content
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._problem: BaseException | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = self._ready() or await self._next()
        except Exception as error:  # noqa: BLE001 - see `send`
            raise _translated(error, is_open=True) from _cause(error)
        if not piece:
            raise StopAsyncIteration
        return piece

    def _ready(self) -> bytes:
        """Return the bytes that have arrived; empty if there are none."""
        if self._problem is not None:
            raise self._problem
        content = self._content
        if (error := content.exception()) is None:
            piece: bytes = content.read_nowait()
            return piece
        # The stream raises its exception instead of returning the bytes that arrived before it.
        self._problem = error
        reset: Any = content.set_exception
        reset(None)
        piece = content.read_nowait()
        if not piece:
            raise error
        return piece

    async def _next(self) -> bytes:
        """Wait for the next bytes and return them; empty at the end."""
        if self._content.is_eof():
            return b""
        if asyncio.get_running_loop() is not self._loop:
            raise other_loop()
        left = self._limits.read_left()
        if left is None:
            return await self._content.readany()
        timer = self._loop.call_later(left, self._content.set_exception, httpx.ReadTimeout("No bytes came in time."))
        try:
            return await self._content.readany()
        finally:
            timer.cancel()

    async def aclose(self) -> None:
        """Do nothing: the client closes the connection."""


def _translated(error: Exception, *, is_open: bool) -> Exception:
    """Return the httpx exception for an exception of aiohttp, and remove the request's headers from the latter."""
    if isinstance(error, httpx.HTTPError | KimiError):
        return error
    # The exception remains the context of the new one.
    remove_headers(error)
    if isinstance(error, TimeoutError):
        return (httpx.ReadTimeout if is_open else httpx.ConnectTimeout)("")
    reason = str(getattr(error, "message", "")).partition("\n")[0] or " ".join(str(error).split())
    if isinstance(error, aiohttp.ServerDisconnectedError):
        reason = NO_REPLY
    elif isinstance(error, aiohttp.ClientPayloadError):
        reason = f"{CUT_BODY} ({reason})"
    if not is_open:
        return httpx.ConnectError(reason)
    is_broken = isinstance(error, OSError) and not isinstance(error, aiohttp.ServerDisconnectedError)
    return (httpx.ReadError if is_broken else httpx.RemoteProtocolError)(reason)


def _cause(error: Exception) -> BaseException | None:
    """Return the exception that one of aiohttp wraps, such as that of an untrusted certificate, or None."""
    return getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
