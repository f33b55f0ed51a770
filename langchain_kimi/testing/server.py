"""A small HTTP server on the loopback interface. It runs in an asyncio loop in its own thread.

It does not depend on OpenRouter: a handler takes each `HttpRequest` and returns the `Response` to send.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import TypeAlias, cast

from langchain_kimi.testing.http1 import (
    HEAD_END,
    BodyReader,
    Cut,
    HttpRequest,
    MalformedRequestError,
    Pause,
    Repeat,
    Response,
    Step,
    frame,
    parse_head,
    response_head,
)

Handler: TypeAlias = Callable[[HttpRequest], Response]
Started: TypeAlias = "Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]]"
"""The port, the loop, and the event that stops it."""


class Connection(asyncio.Protocol):
    """A client's connection: reads a request, sends its response, then reads the next request."""

    def __init__(self, handler: Handler, connections: set["Connection"], failures: list[Exception]) -> None:
        self._handler = handler
        self._connections = connections
        self._failures = failures
        self._buffer = bytearray()
        self._head: HttpRequest | None = None
        self._body: BodyReader | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_old = self._is_head = self._keeps_alive = False
        self._on_end: Callable[[bool], None] | None = None
        self._due = 0.0
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection as open."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Stop counting the connection, and report an unfinished reply as such."""
        self._connections.discard(self)
        self._end(finished=False)
        if self._task is not None:
            self._task.cancel()

    def eof_received(self) -> bool:
        """Treat a half-closed connection as closed."""
        return False

    def pause_writing(self) -> None:
        """Pause the reply, because the client reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Resume the reply."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Read the next request, unless a reply is being sent."""
        self._buffer += data
        if self._task is None:
            self._read()

    def close(self) -> None:
        """Close the connection immediately."""
        self._transport.abort()

    def _read(self) -> None:
        try:
            request = self._request()
        except MalformedRequestError as error:
            rejection = Response(error.status, {"connection": "close"}, (str(error).encode(),), chunked=False)
            self._is_head = self._keeps_alive = False
            self._task = asyncio.ensure_future(self._serve(lambda: rejection))
            return
        if request is not None:
            self._is_old, self._is_head = request.version == "HTTP/1.0", request.method == "HEAD"
            self._keeps_alive = request.keeps_alive
            self._task = asyncio.ensure_future(self._serve(partial(self._handler, request)))

    def _request(self) -> HttpRequest | None:
        """Return one whole request from the buffer, or None if there is not one yet."""
        if self._head is None:
            # RFC 9112, section 2.2: some clients send a line break behind a body.
            while self._buffer.startswith((b"\r\n", b"\n")):
                del self._buffer[: self._buffer.index(b"\n") + 1]
            if (end := HEAD_END.search(self._buffer)) is None:
                return None
            start, stop = end.span()
            self._head = parse_head(bytes(self._buffer[:start]))
            del self._buffer[:stop]
            self._body = BodyReader(self._head)
            # RFC 9110, section 10.1.1: HTTP/1.0 has no interim responses.
            if self._head.version != "HTTP/1.0" and self._head.headers.get("expect", "").lower() == "100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = cast("BodyReader", self._body).read(self._buffer)
        if body is None:
            return None
        request, self._head = replace(self._head, body=body), None
        return request

    async def _serve(self, respond: Callable[[], Response]) -> None:
        try:
            await self._send(respond())
        except Exception as error:  # noqa: BLE001 - `LoopbackServer.close` raises it; the client must not wait for ever
            self._failures.append(error)
            self._transport.abort()
            return
        self._task = None
        if self._keeps_alive:
            self._read()
        else:
            self._transport.close()

    async def _send(self, response: Response) -> None:
        self._on_end = response.on_end
        self._due = asyncio.get_running_loop().time()
        await self._play(response.before, chunked=False)
        chunked = response.chunked or not all(isinstance(step, bytes) for step in response.steps)
        # HTTP/1.0 has no chunks: the body ends with the connection.
        closes, chunked = chunked and self._is_old, chunked and not self._is_old
        self._keeps_alive = self._keeps_alive and not closes
        connection = "close" if not self._keeps_alive else "keep-alive" if self._is_old else None
        self._transport.write(response_head(response, chunked=chunked, closes=closes, connection=connection))
        if not self._is_head:
            await self._play(response.steps, chunked=chunked)
            if chunked:
                self._transport.write(b"0\r\n\r\n")
        await self._writable.wait()
        self._end(finished=True)

    async def _play(self, steps: Iterable[Step], *, chunked: bool) -> None:
        """Play steps. Consecutive bytes are sent together, because a system call for each is too slow."""
        collected: list[bytes] = []
        for step in steps:
            if isinstance(step, bytes):
                collected.append(frame(step) if chunked else step)
                continue
            await self._write(collected)
            if isinstance(step, Repeat):
                # This never ends, so later steps are not played.
                await self._play(cycle((step.piece, Pause(step.seconds))), chunked=chunked)
            elif isinstance(step, Pause):
                await self._pause(step.seconds)
            elif isinstance(step, Cut):
                await self._cut(step)
            else:
                await asyncio.Event().wait()
        await self._write(collected)

    async def _write(self, collected: list[bytes]) -> None:
        if collected:
            self._transport.write(b"".join(collected))
            collected.clear()
            if not self._writable.is_set():
                await self._writable.wait()

    async def _pause(self, seconds: float) -> None:
        """Wait. Pauses end at fixed times after the start of the reply, so that delays do not add up."""
        self._due += seconds
        # Even without a wait, the loop must get the chance to notice that the client closed the connection.
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))

    async def _cut(self, cut: Cut) -> None:
        """Break the connection, after a moment in which the client can read the bytes before."""
        self._end(finished=True)
        if cut.reset:
            # A reset discards the bytes that the client has not read yet, so its loop gets a moment first.
            await asyncio.sleep(0.02)
            linger = struct.pack("ii", 1, 0)
            cast("socket.socket", self._transport.get_extra_info("socket")).setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
            self._transport.abort()
        elif cut.half:
            self._transport.write_eof()
        else:
            self._transport.close()
        await asyncio.Event().wait()

    def _end(self, *, finished: bool) -> None:
        if self._on_end is not None:
            self._on_end(finished)
            self._on_end = None


class LoopbackServer:
    """Serves a handler on 127.0.0.1 in a daemon thread.

    Attributes:
        port: The port; if 0 was requested, the one that the system chose.
        connections_opened: The number of connections so far.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self._handler = handler
        self._connections: set[Connection] = set()
        self._failures: list[Exception] = []
        self.connections_opened = 0
        started: Started = Future()
        self._thread = threading.Thread(target=self._run, args=(port, started), name="openrouter-emulator", daemon=True)
        self._thread.start()
        self.port, self._loop, self._stop = started.result()

    @property
    def open_connections(self) -> int:
        """The number of connections that are open now."""
        return len(self._connections)

    def close(self) -> None:
        """Close all connections, free the port and end the thread. Closing twice does nothing.

        Raises:
            RuntimeError: The handler raised an exception, which is the cause of this one.
        """
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            if self._failures:
                raise RuntimeError("A request could not be served.") from self._failures[0]

    def _run(self, port: int, started: Started) -> None:
        try:
            asyncio.run(self._main(port, started))
        except OSError as error:
            started.set_exception(error)

    async def _main(self, port: int, started: Started) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(self._connect, "127.0.0.1", port, backlog=4096)
        started.set_result((server.sockets[0].getsockname()[1], loop, stop))
        await stop.wait()
        # A connection that is being accepted is still a task. If the server were closed first, its socket would leak.
        while self._connections or len(asyncio.all_tasks()) > 1:
            for connection in tuple(self._connections):
                connection.close()
            await asyncio.sleep(0)
        server.close()
        await server.wait_closed()

    def _connect(self) -> Connection:
        self.connections_opened += 1
        return Connection(self._handler, self._connections, self._failures)
