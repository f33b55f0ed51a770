"""Send a request and feed the bytes of the response to a reader, sync and async.

Exceptions of the HTTP client, httpx or httpx2, become `KimiError`s here (see `errors`).
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing, contextmanager
from typing import Any

from langchain_kimi._openrouter.http.calls import Attempts, Call, Part
from langchain_kimi._openrouter.http.clients import AsyncLease, sync_client_for
from langchain_kimi._openrouter.http.decoding import Decoder, DecodingError
from langchain_kimi._openrouter.http.errors import client_errors, translated_loop_errors
from langchain_kimi._openrouter.http.gates import Passage
from langchain_kimi._openrouter.http.shared import is_shared
from langchain_kimi._openrouter.http.watchdog import Watch, shut_down
from langchain_kimi._openrouter.reply.reading import Reader
from langchain_kimi.errors import KimiError, KimiUsageError


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
            # Tracebacks may show it.
            piece = b""
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
            async with Passage(call.connection.url, call.body, call.run_id):
                async with _AsyncExchange(attempts) as (reader, pieces):
                    async for piece, waited in pieces:
                        for part in reader.feed(piece, waited):
                            yield part
                for part in reader.close():
                    yield part
        except KimiError as error:
            # Tracebacks may show it.
            piece = b""
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
    """Send a request, and yield the reader of its response and the pieces of its body."""
    with _TranslatedErrors(attempts), sync_client_for(attempts.call.connection, attempts.time_left) as client:
        request = _request(client, attempts)
        response = client.send(request, stream=True, auth=None, follow_redirects=False)
        with closing(response):
            try:
                yield attempts.start_reading(response), _pieces(response, attempts, client)
            except BaseException:
                if is_shared(client):
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
        self._process = os.getpid()

    async def __aenter__(self) -> tuple[Reader[Any], "_AsyncPieces"]:
        attempts = self._attempts
        try:
            with _TranslatedErrors(attempts):
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

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        with _TranslatedErrors(self._attempts):
            await self._end(is_failed=error is not None)

    async def _end(self, *, is_failed: bool) -> None:
        """Finish the exchange: release the client, and close the connection if the exchange failed."""
        if is_failed and is_shared(self._client):
            # Any await could be interrupted by another cancellation. The loop closes the generators of httpcore.
            self._client.close()
            self._lease.end()
            return
        if is_failed and self._process != os.getpid():
            # A child process shares the connection and the event loop's selector with its parent.
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
    limit = None if is_shared(client) else attempts.time_left()
    if limit is None:
        return await sending
    async with asyncio.timeout(limit):
        return await sending


def _request(client: Any, attempts: Attempts[Any]) -> Any:
    """Return the request of the next attempt, after the checks of the time limit and of the client."""
    call = attempts.call
    attempts.check_total()
    if client.is_closed:
        raise KimiUsageError("The HTTP client that was passed to the model is closed.")
    attempts.is_read = attempts.is_waiting = False
    attempts.restart()
    if is_shared(client):
        client.limit(attempts)
    return client.build_request(
        call.method,
        call.url or call.connection.url,
        content=call.body,
        headers=call.headers,
        extensions={"timeout": call.connection.timeout.for_attempt(attempts.wait_left)},
    )


def _finish(client: Any, attempts: Attempts[Any]) -> None:
    if attempts.is_read and is_shared(client):
        client.finish()


def _pieces(response: Any, attempts: Attempts[Any], client: Any) -> Iterator[tuple[bytes, float]]:
    """Yield each piece of the body with the seconds spent waiting for it, without the time of the consumer."""
    monotonic = attempts.call.clock.monotonic
    pieces = iter(response.stream) if is_shared(client) or _is_raw(response) else _user_pieces(response, attempts)
    with Watch(None if is_shared(client) else response) as watch:
        while (limit := attempts.wait_left()) is None or limit > 0:
            since = attempts.waiting_since
            watch.shut_down_in(limit)
            try:
                piece = next(pieces, None)
            except client_errors() as error:
                return attempts.end_body(TimeoutError() if watch.has_shut_down else error)
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
        self._is_shared = is_shared(client)
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
        except client_errors() as error:
            attempts.end_body(error)
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
    """Yield the decoded pieces and an empty one, so that the time spent waiting counts even if there are no pieces."""
    try:
        for part in decoder.decode(piece):
            yield part, waited
            waited = 0.0
    except DecodingError as error:
        attempts.end_body(error)
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


class _TranslatedErrors:
    """Raises the exceptions of HTTP clients as `KimiError`s. As a generator it would take three times as long."""

    def __init__(self, attempts: Attempts[Any]) -> None:
        self._attempts = attempts

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        # At interpreter exit a stream ends with GeneratorExit, after modules have been removed.
        if isinstance(error, Exception) and isinstance(error, client_errors()):
            raise self._attempts.error_of(error) from error
