"""Post a request body and feed the bytes of the response to a reader, sync and async.

Exceptions of the HTTP client, httpx or httpx2, become `KimiError`s here (see `errors`).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

from langchain_kimi._openrouter.http.clients import AsyncLease, sync_client_for
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.decoding import Decoder, DecodingError, decoder_for
from langchain_kimi._openrouter.http.errors import client_errors, error_of, is_timeout, translated_loop_errors
from langchain_kimi._openrouter.http.lean_client import Lean
from langchain_kimi._openrouter.http.watchdog import Watch, shut_down
from langchain_kimi._openrouter.redaction import Redactor, secrets_of
from langchain_kimi._openrouter.reply.bodies import ErrorBodyReader
from langchain_kimi._openrouter.reply.reading import Reader, ResponseHead, total_error
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.errors import KimiError, KimiUsageError

Part = TypeVar("Part")
Report = Callable[[KimiError, int, float], Awaitable[None] | None]
"""Called before each retry with the error, the number of the failed attempt (from 1) and the seconds to wait. An async
call awaits the result."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The source of time: monotonic seconds, seconds since the epoch, and sync and async sleep."""

    monotonic: Callable[[], float] = time.monotonic
    epoch: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    async_sleep: Callable[[float], Any] = asyncio.sleep


CLOCK = Clock()
PRECISION = 0.01
"""Seconds. A timeout may occur this much too early."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Part]):
    """One call: the request, the reader of the response, and the rules for time and retries.

    The repr contains no secrets.
    """

    connection: Connection
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    new_reader: Callable[[ResponseHead], Reader[Part]]
    retries: Retries
    report: Report | None = None
    model: str | None = None
    clock: Clock = field(default=CLOCK)


class Attempts(Generic[Part]):
    """The state of one call over all its attempts, for the sync and the async loop."""

    def __init__(self, call: Call[Part]) -> None:
        self.call = call
        self.errors: list[KimiError] = []
        self.head: ResponseHead | None = None
        self.reader: Reader[Part] | None = None
        self.closing_parts: Iterable[Part] = ()
        self.decoder: Decoder | None = None
        self.is_read = False
        self.is_waiting = False
        self.waiting_since = call.clock.monotonic()
        total = call.connection.timeout.total
        self._deadline = None if total is None else call.clock.monotonic() + total

    def time_left(self) -> float | None:
        """Return the seconds until the total timeout, or None when there is none."""
        return None if self._deadline is None else self._deadline - self.call.clock.monotonic()

    def wait_left(self) -> float | None:
        """Return the seconds to wait for the next bytes, or None when only the HTTP client's own timeout applies."""
        idle_left = self.head.idle_timer.left if self.head else None
        if self._deadline is None:
            return idle_left
        left = self._deadline - self.call.clock.monotonic()
        return left if idle_left is None else min(idle_left, left)

    def read_left(self) -> float | None:
        """Return the seconds that the network may take for the next bytes, or None when there is no limit.

        Other than `wait_left` this counts from the last piece of the body, or from the start of the connection, and it
        includes the idle timeout. Bytes that yield no piece of the body do not extend it.
        """
        monotonic = self.call.clock.monotonic
        idle_left = self.head.idle_timer.left if self.head else None
        limit = self.call.connection.timeout.idle if idle_left is None else idle_left
        left = None if limit is None else self.waiting_since + limit - monotonic()
        if self._deadline is None:
            return left
        total = self._deadline - monotonic()
        return total if left is None else min(left, total)

    def restart(self) -> None:
        """Start the idle timeout, because a connection has been opened."""
        self.waiting_since = self.call.clock.monotonic()

    def start_reading(self, response: Any) -> Reader[Part]:
        """Return a reader for the body of a response, by its status.

        Raises:
            KimiError: The body has a content encoding that cannot be decoded.
        """
        headers = {name.lower(): value for name, value in response.headers.items()}
        # A cookie identifies the client, and errors carry these headers.
        headers.pop("set-cookie", None)
        self.head = ResponseHead(response.status_code, headers, self.call.clock.epoch())
        self.decoder = decoder_for(self.head)
        if httpx.codes.is_success(response.status_code):
            self.reader = self.call.new_reader(self.head)
        else:
            self.reader = ErrorBodyReader(self.head, self.call.headers)
        return self.reader

    def check_total(self) -> None:
        """Raise `KimiTimeoutError` when the total timeout has passed."""
        left = self.time_left()
        if left is not None and left <= PRECISION:
            raise total_error(self.call.connection.timeout.total)

    def end_body(self, problem: Exception) -> None:
        """Handle a body that ended by an exception.

        Raises:
            KimiError: The response is incomplete. Nothing is raised when the reader has a complete response.
        """
        if self.head is None or not self.head.idle_timer.is_satisfied():
            raise _kimi_error(problem, self) from problem

    def wait_after(self, error: KimiError) -> float | None:
        """Add the data of the call to an error and decide whether to retry.

        Returns:
            The seconds to wait before the next attempt. None when there is no further attempt: the caller then yields
            `closing_parts` and raises the error.
        """
        reader, self.reader, self.head = self.reader, None, None
        self.closing_parts = () if reader is None else reader.explain(error)
        # An error response does not name the requested model.
        error.update(attempts=tuple(self.errors), model=error.model or self.call.model)
        Redactor(secrets_of(self.call.headers, self.call.connection.proxy)).error(error)
        self.errors.append(error)
        if reader is not None and reader.has_begun:
            return None
        return self.call.retries.wait_after(error, len(self.errors), self.time_left())

    def report(self, wait: float) -> Awaitable[None] | None:
        """Report the retry that follows in `wait` seconds."""
        report = self.call.report
        return report(self.errors[-1], len(self.errors), wait) if report else None


def exchange(call: Call[Part]) -> Iterator[Part]:
    """Make a call and yield the parts that its reader returns.

    Raises:
        KimiError: The call failed, and so did its retries.
    """
    attempts = Attempts(call)
    while True:
        try:
            with _open(attempts) as (reader, pieces):
                for piece, waited in pieces:
                    yield from reader.feed(piece, waited)
            yield from reader.close()
        except KimiError as error:
            wait = attempts.wait_after(error)
            if wait is None:
                yield from attempts.closing_parts
                raise
        else:
            return
        attempts.report(wait)
        call.clock.sleep(wait)


async def aexchange(call: Call[Part]) -> AsyncGenerator[Part, None]:
    """Make a call and yield the parts that its reader returns; the async version of `exchange`."""
    attempts = Attempts(call)
    while True:
        try:
            async with _AsyncExchange(attempts) as (reader, pieces):
                async for piece, waited in pieces:
                    for part in reader.feed(piece, waited):
                        yield part
            for part in reader.close():
                yield part
        except KimiError as error:
            wait = attempts.wait_after(error)
            if wait is None:
                for part in attempts.closing_parts:
                    yield part
                raise
        else:
            return
        if (reported := attempts.report(wait)) is not None:
            await reported
        await call.clock.async_sleep(wait)


@contextmanager
def _open(attempts: Attempts[Part]) -> Iterator[tuple[Reader[Part], Iterator[tuple[bytes, float]]]]:
    with _translated_errors(attempts), sync_client_for(attempts.call.connection, attempts.time_left) as client:
        request = _request(client, attempts)
        response = client.send(request, stream=True, auth=None, follow_redirects=False)
        with closing(response):
            try:
                yield attempts.start_reading(response), _pieces(response, attempts, client)
            except BaseException:
                if isinstance(client, Lean):
                    client.close()
                raise
        _finish(client, attempts)


class _AsyncExchange:
    """The async version of `_open`.

    It is not a generator with `asynccontextmanager`: an unfinished async generator that is garbage is closed by its
    event loop, in a task of its own, at the same time as the generators around it.
    """

    def __init__(self, attempts: Attempts[Part]) -> None:
        self._attempts: Attempts[Any] = attempts
        self._client: Any = None
        self._response: Any = None
        self._pieces: _AsyncPieces | None = None
        self._lease = AsyncLease(attempts.call.connection, attempts.time_left)

    async def __aenter__(self) -> tuple[Reader[Any], "_AsyncPieces"]:
        attempts = self._attempts
        try:
            with _translated_errors(attempts):
                self._client = await self._lease.__aenter__()
                request = _request(self._client, attempts)
                with translated_loop_errors(attempts.call.connection):
                    self._response = await _send(self._client, request, attempts)
                reader = attempts.start_reading(self._response)
                self._pieces = _AsyncPieces(self._response, attempts, self._client)
                return reader, self._pieces
        except BaseException:
            await self._end(is_failed=True)
            raise

    async def __aexit__(self, kind: object, problem: BaseException | None, traceback: object) -> None:
        with _translated_errors(self._attempts):
            await self._end(is_failed=problem is not None)

    async def _end(self, *, is_failed: bool) -> None:
        if is_failed and isinstance(self._client, Lean):
            # Any await could be interrupted by another cancellation. The loop closes the generators of httpcore.
            self._client.close()
            self._lease.end()
            return
        try:
            if is_failed and self._response is not None:
                shut_down(self._response)
            if self._pieces is not None:
                await self._pieces.aclose()
            if self._response is not None:
                await self._response.aclose()
            if not is_failed:
                _finish(self._client, self._attempts)
        finally:
            self._lease.end()


async def _send(client: Any, request: Any, attempts: Attempts[Any]) -> Any:
    sending = client.send(request, stream=True, auth=None, follow_redirects=False)
    limit = None if isinstance(client, Lean) else attempts.time_left()
    if limit is None:
        return await sending
    async with asyncio.timeout(limit):
        return await sending


def _request(client: Any, attempts: Attempts[Any]) -> Any:
    call = attempts.call
    attempts.check_total()
    if client.is_closed:
        raise KimiUsageError("The HTTP client that was passed to the model is closed.")
    attempts.is_read = attempts.is_waiting = False
    attempts.restart()
    if isinstance(client, Lean):
        client.limit(attempts)
    return client.build_request(
        "POST",
        call.connection.url,
        content=call.body,
        headers=call.headers,
        extensions={"timeout": call.connection.timeout.for_attempt(attempts.wait_left)},
    )


def _finish(client: Any, attempts: Attempts[Any]) -> None:
    if attempts.is_read and isinstance(client, Lean):
        client.finish()


def _pieces(response: Any, attempts: Attempts[Any], client: Any) -> Iterator[tuple[bytes, float]]:
    """Yield each piece of the body with the seconds spent waiting for it, without the time of the consumer."""
    monotonic = attempts.call.clock.monotonic
    pieces = (
        iter(response.stream) if isinstance(client, Lean) or _is_raw(response) else _user_pieces(response, attempts)
    )
    with Watch(None if isinstance(client, Lean) else response) as watch:
        while (limit := attempts.wait_left()) is None or limit > 0:
            since = attempts.waiting_since
            watch.shut_down_in(limit)
            try:
                piece = next(pieces, None)
            except client_errors() as problem:
                return attempts.end_body(TimeoutError() if watch.has_shut_down else problem)
            if piece is None:
                attempts.is_read = not watch.has_shut_down
                return attempts.end_body(TimeoutError()) if watch.has_shut_down else None
            if attempts.decoder is None:
                yield piece, monotonic() - since
            else:
                yield from _decoded(attempts, attempts.decoder, piece, monotonic() - since)
            attempts.waiting_since = monotonic()
    attempts.end_body(TimeoutError())


class _AsyncPieces:
    """The async version of `_pieces`."""

    def __init__(self, response: Any, attempts: Attempts[Any], client: Any) -> None:
        self._attempts = attempts
        self._is_shared = isinstance(client, Lean)
        is_raw = self._is_shared or _is_raw(response)
        self._stream: Any = aiter(response.stream) if is_raw else _auser_pieces(response, attempts)
        self._decoded: Iterator[tuple[bytes, float]] = iter(())
        self._monotonic = attempts.call.clock.monotonic

    def __aiter__(self) -> "_AsyncPieces":
        return self

    async def __anext__(self) -> tuple[bytes, float]:
        attempts = self._attempts
        if attempts.decoder is not None and (part := next(self._decoded, None)) is not None:
            return part
        if attempts.is_waiting:
            attempts.waiting_since = self._monotonic()
        attempts.is_waiting = True
        limit = attempts.wait_left()
        if limit is not None and limit <= 0:
            attempts.end_body(TimeoutError())
            raise StopAsyncIteration
        try:
            # A shared client knows the limits itself. A timer, or a context manager that does nothing, costs
            # measurable time.
            if limit is None or self._is_shared:
                piece = await anext(self._stream, None)
            else:
                async with asyncio.timeout(limit):
                    piece = await anext(self._stream, None)
        except client_errors() as problem:
            attempts.end_body(problem)
            raise StopAsyncIteration from None
        if piece is None:
            attempts.is_read = True
            raise StopAsyncIteration
        waited = self._monotonic() - attempts.waiting_since
        if attempts.decoder is None:
            return piece, waited
        self._decoded = _decoded(attempts, attempts.decoder, piece, waited)
        return next(self._decoded)

    async def aclose(self) -> None:
        await self._stream.aclose()


def _decoded(attempts: Attempts[Any], decoder: Decoder, piece: bytes, waited: float) -> Iterator[tuple[bytes, float]]:
    """Yield the decoded pieces, and an empty one, because the time spent waiting counts also without any."""
    try:
        for part in decoder.decode(piece):
            yield part, waited
            waited = 0.0
    except DecodingError as problem:
        attempts.end_body(problem)
    yield b"", waited


def _is_raw(response: Any) -> bool:
    """Return whether the stream yields the body itself, which is faster than the methods of the response."""
    return "content-encoding" not in response.headers and not response.is_stream_consumed


def _user_pieces(response: Any, attempts: Attempts[Any]) -> Iterator[bytes]:
    if response.is_stream_consumed:
        # A hook of the user's client has read and decoded the body.
        attempts.decoder = None
        return iter(response.iter_bytes())
    return iter(response.iter_raw())


def _auser_pieces(response: Any, attempts: Attempts[Any]) -> Any:
    if response.is_stream_consumed:
        attempts.decoder = None
        return aiter(response.aiter_bytes())
    return aiter(response.aiter_raw())


@contextmanager
def _translated_errors(attempts: Attempts[Any]) -> Iterator[None]:
    try:
        yield
    except Exception as problem:
        # At the exit of the interpreter a stream ends by GeneratorExit, when modules are gone already.
        if not isinstance(problem, client_errors()):
            raise
        raise _kimi_error(problem, attempts) from problem


def _kimi_error(problem: Exception, attempts: Attempts[Any]) -> KimiError:
    if is_timeout(problem):
        attempts.check_total()
    return error_of(problem, attempts.call.connection, attempts.head)
