"""Network streams for the shared clients. Each read and write obeys the time limits of the current call.

The streams of httpcore take one timeout per read. A server that sends a few bytes now and then (of a header, a 1xx
response, a chunk size, a trailer) restarts it each time, so a call could last forever. The streams here ask the call
for the time left before each read. They can also be closed immediately without an await, which is needed when a task
is cancelled: an await in a cancelled task may be interrupted again.
"""

import asyncio
import os
import select
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import httpcore

from langchain_kimi._openrouter.http.errors import other_loop
from langchain_kimi._openrouter.http.outgoing import Outgoing
from langchain_kimi._openrouter.http.watchdog import within

PIECE = 2**20
"""The maximum number of bytes of one write. The time left is read before each. A thousand messages fit into one."""
FULL_BUFFER = 2**17
"""The number of bytes received but not read above which an async stream stops receiving."""
EYEBALLS_DELAY = 0.25
"""Seconds before the next address of a host is tried in parallel, as RFC 8305 recommends."""


class Limits(Protocol):
    """The time limits of the current call."""

    def time_left(self) -> float | None:
        """Return the seconds left of the whole call, or None when there is no limit."""

    def read_left(self) -> float | None:
        """Return the seconds left for the next bytes, or None when there is no limit."""

    def restart(self) -> None:
        """Start the idle limit, because a connection has been opened."""


class NoLimits:
    """The absence of time limits."""

    def time_left(self) -> None:
        """Return None."""

    def read_left(self) -> None:
        """Return None."""

    def restart(self) -> None:
        """Do nothing."""


def _within(timeout: float | None, left: float | None, error: type[Exception]) -> float | None:
    """Return the shorter limit, or raise the error when no time is left."""
    if left is None:
        return timeout
    if left <= 0:
        raise error("The time limit of the call has passed.")
    return left if timeout is None else min(timeout, left)


class Network(httpcore.NetworkBackend):
    """The sync network of one client.

    Attributes:
        limits: The time limits of the current call.
        streams: The open streams.
    """

    def __init__(self) -> None:
        self.limits: Limits = NoLimits()
        self.streams: set[Stream] = set()
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Open a TCP connection."""
        seconds = _within(timeout, self.limits.time_left(), httpcore.ConnectTimeout)
        try:
            inner = self._sockets.connect_tcp(host, port, seconds, local_address, socket_options)
        except UnicodeError as error:
            raise httpcore.ConnectError(str(error)) from error
        self.limits.restart()
        return Stream(inner, self)

    def close(self) -> None:
        """Close all open streams."""
        while self.streams:
            self.streams.pop().close()


class Stream(httpcore.NetworkStream):
    """A sync network stream."""

    def __init__(self, inner: httpcore.NetworkStream, network: Network) -> None:
        self._inner = inner
        self._network = network
        self._outgoing = Outgoing()
        network.streams.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes; empty at the end of the stream."""
        if waiting := self._outgoing.take():
            self._send(waiting, timeout)
        left = _within(timeout, self._network.limits.read_left(), httpcore.ReadTimeout)
        return self._inner.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all bytes, at the latest before the next read."""
        self._send(self._outgoing.add(buffer), timeout)

    def _send(self, buffers: list[bytes], timeout: float | None) -> None:
        for buffer in buffers:
            # A view, because the slices of a long body would copy it. Sockets accept it as they accept bytes.
            pieces: Any = memoryview(buffer) if len(buffer) > PIECE else buffer
            for start in range(0, len(buffer), PIECE):
                left = _within(timeout, self._network.limits.read_left(), httpcore.WriteTimeout)
                self._inner.write(pieces[start : start + PIECE], left)

    def close(self) -> None:
        """Close the stream."""
        self._network.streams.discard(self)
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the stream with TLS on top."""
        left = _within(timeout, self._network.limits.time_left(), httpcore.ConnectTimeout)
        try:
            with within(self.get_extra_info("socket"), left) as watch:
                inner = self._inner.start_tls(ssl_context, server_hostname, left)
        except httpcore.ConnectError as error:
            if not watch.has_shut_down:
                raise
            raise httpcore.ConnectTimeout(str(error)) from error
        finally:
            # The new stream owns the socket.
            self._network.streams.discard(self)
        self._network.limits.restart()
        return Stream(inner, self._network)

    def get_extra_info(self, info: str) -> Any:
        """Return a detail of the connection, such as `socket`."""
        return self._inner.get_extra_info(info)


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """The async network of one client, for asyncio and event loops that are compatible with it.

    Attributes:
        limits: The time limits of the current call.
        streams: The open streams.
        process: The id of the process that created the network.
    """

    def __init__(self) -> None:
        self.limits: Limits = NoLimits()
        self.streams: set[AsyncStream] = set()
        self.process = os.getpid()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of httpcore
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a TCP connection."""
        loop = asyncio.get_running_loop()
        stream = AsyncStream(self, loop)
        options: dict[str, Any] = {} if local_address is None else {"local_addr": (local_address, 0)}
        # Other event loops, such as that of uvloop, have no such option.
        if isinstance(loop, asyncio.BaseEventLoop) and not _is_address(host):
            options["happy_eyeballs_delay"] = EYEBALLS_DELAY
        async with stream.opening(timeout):
            await loop.create_connection(lambda: stream.protocol, host, port, **options)
        for option in socket_options or ():
            stream.get_extra_info("socket").setsockopt(*option)
        return stream

    def close(self) -> None:
        """Close all open streams, without an await."""
        if self.is_of_this_process:
            while self.streams:
                self.streams.pop().abort()

    @property
    def is_of_this_process(self) -> bool:
        """Whether this process may close the streams. A child shares the sockets and the selector with its parent."""
        return self.process == os.getpid()


def is_readable(transport: Any) -> bool:
    """Return whether the socket of a transport has received bytes or the end of the stream, or is closed."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return True
    # `select` fails for file descriptors above 1023, but Windows has nothing else.
    if not hasattr(select, "poll"):
        return bool(select.select([sock.fileno()], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


class _Receiver(asyncio.Protocol):
    """Collects the bytes of one connection, and wakes the task that waits for them."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.pieces: deque[bytes] = deque()
        self.size = 0
        self.is_over = False
        self.problem: Exception | None = None
        self.reader: asyncio.Future[None] | None = None
        self.writer: asyncio.Future[None] | None = None
        self.is_full = False
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self.size += len(data)
        if self.size > FULL_BUFFER and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()
        _wake(self.reader)

    def take(self, max_bytes: int) -> bytes:
        piece = self.pieces.popleft() if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces.clear()
        if len(piece) > max_bytes:
            self.pieces.append(piece[max_bytes:])
            piece = piece[:max_bytes]
        self.size -= len(piece)
        if self._is_paused and self.size <= FULL_BUFFER:
            self._is_paused = False
            self.transport.resume_reading()
        return piece

    def eof_received(self) -> None:
        self.is_over = True
        _wake(self.reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True
        self.problem = exc
        _wake(self.reader)
        _wake(self.writer)

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        _wake(self.writer)


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


class AsyncStream(httpcore.AsyncNetworkStream):
    """An async network stream. It can be closed without an await."""

    def __init__(self, network: AsyncNetwork, loop: asyncio.AbstractEventLoop) -> None:
        self.protocol = _Receiver()
        self._network = network
        self._outgoing = Outgoing()
        self._loop = loop
        network.streams.add(self)

    @asynccontextmanager
    async def opening(self, seconds: float | None) -> AsyncIterator[None]:
        """Limit the time of opening the connection, and close it on failure."""
        try:
            async with asyncio.timeout(_within(seconds, self._network.limits.time_left(), httpcore.ConnectTimeout)):
                yield
        except BaseException as error:
            self.abort()
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout(str(error)) from error
            if isinstance(error, OSError | UnicodeError):
                raise httpcore.ConnectError(str(error) or type(error).__name__) from error
            raise
        self._network.limits.restart()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as in httpcore
        """Return the next bytes; empty at the end of the stream."""
        receiver = self.protocol
        if waiting := self._outgoing.take():
            await self._send(waiting, timeout)
        left = _within(timeout, self._network.limits.read_left(), httpcore.ReadTimeout)
        while not receiver.pieces:
            if receiver.is_over:
                if receiver.problem is not None:
                    raise httpcore.ReadError(str(receiver.problem)) from receiver.problem
                return b""
            future = receiver.reader = self._new_future()
            if not await _done_in_time(self._loop, future, left):
                raise httpcore.ReadTimeout
        return receiver.take(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as in httpcore
        """Send all bytes, at the latest before the next read."""
        if buffers := self._outgoing.add(buffer):
            await self._send(buffers, timeout)

    async def _send(self, buffers: list[bytes], timeout: float | None) -> None:  # noqa: ASYNC109 - see `write`
        receiver = self.protocol
        left = _within(timeout, self._network.limits.read_left(), httpcore.WriteTimeout)
        if receiver.is_over:
            raise httpcore.WriteError(str(receiver.problem or "The connection is closed."))
        for buffer in buffers:
            receiver.transport.write(buffer)
        while receiver.is_full and not receiver.is_over:
            future = receiver.writer = self._new_future()
            if not await _done_in_time(self._loop, future, left):
                raise httpcore.WriteTimeout

    def _new_future(self) -> asyncio.Future[None]:
        if asyncio.get_running_loop() is not self._loop:
            raise other_loop()
        return self._loop.create_future()

    def abort(self) -> None:
        """Close the stream immediately."""
        self._network.streams.discard(self)
        if self.protocol.transport is not None and self._network.is_of_this_process:
            # Nothing can be closed on an event loop that is closed itself.
            with suppress(RuntimeError):
                self.protocol.transport.abort()

    async def aclose(self) -> None:
        """Close the stream."""
        self.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of httpcore
    ) -> httpcore.AsyncNetworkStream:
        """Return the stream with TLS on top."""
        receiver = self.protocol
        async with self.opening(timeout):
            receiver.transport = await self._loop.start_tls(
                receiver.transport, receiver, ssl_context, server_hostname=server_hostname
            )
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return a detail of the connection, such as `socket`."""
        if info == "is_readable":
            # Bytes that the event loop has not received yet count too: they are not the reply to the next request.
            receiver = self.protocol
            return bool(receiver.pieces) or receiver.is_over or is_readable(receiver.transport)
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self.protocol.transport.get_extra_info(names.get(info, info))


async def _done_in_time(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None], seconds: float | None) -> bool:
    """Wait for a future and return whether it was done in time. `asyncio.timeout` takes several times as long."""
    if seconds is None:
        await future
        return True
    late: list[None] = []

    def end() -> None:
        late.append(None)
        _wake(future)

    timer = loop.call_later(seconds, end)
    try:
        await future
    finally:
        timer.cancel()
    return not late
