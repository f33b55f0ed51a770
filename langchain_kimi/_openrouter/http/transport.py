"""Post a request body and feed the bytes of the response to a reader, sync and async.

Exceptions of the HTTP client, httpx or httpx2, become `KimiError`s here (see `errors`).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

from langchain_kimi._openrouter.http.clients import async_client_for, sync_client_for
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.errors import (
    client_errors,
    encoding_error,
    error_of,
    is_timeout,
    translated_loop_errors,
    unsupported_encoding,
)
from langchain_kimi._openrouter.http.watchdog import Watch, shutdown_on_failure
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

    def start_reading(self, response: Any) -> Reader[Part]:
        """Return a reader for the body of a response, by its status.

        Raises:
            KimiError: The body has a content encoding that the client does not decode.
        """
        headers = {name.lower(): value for name, value in response.headers.items()}
        # A cookie identifies the client, and errors carry these headers.
        headers.pop("set-cookie", None)
        self.head = ResponseHead(response.status_code, headers, self.call.clock.epoch())
        if (encoding := unsupported_encoding(response)) is not None:
            raise encoding_error(encoding, self.head)
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
            async with _aopen(attempts) as (reader, pieces):
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
        response = client.send(_request(client, attempts), stream=True, auth=None, follow_redirects=False)
        with closing(response):
            yield attempts.start_reading(response), _pieces(response, attempts)


@asynccontextmanager
async def _aopen(attempts: Attempts[Part]) -> AsyncIterator[tuple[Reader[Part], AsyncIterator[tuple[bytes, float]]]]:
    with _translated_errors(attempts):
        async with async_client_for(attempts.call.connection, attempts.time_left) as client:
            with translated_loop_errors(attempts.call.connection):
                response = await client.send(_request(client, attempts), stream=True, auth=None, follow_redirects=False)
            with shutdown_on_failure(response):
                async with aclosing(response), aclosing(_apieces(response, attempts)) as pieces:
                    yield attempts.start_reading(response), pieces


def _request(client: Any, attempts: Attempts[Any]) -> Any:
    call = attempts.call
    attempts.check_total()
    if client.is_closed:
        raise KimiUsageError("The HTTP client that was passed to the model is closed.")
    return client.build_request(
        "POST",
        call.connection.url,
        content=call.body,
        headers=call.headers,
        extensions={"timeout": call.connection.timeout.for_attempt(attempts.wait_left)},
    )


def _pieces(response: Any, attempts: Attempts[Any]) -> Iterator[tuple[bytes, float]]:
    """Yield each piece of the body with the seconds spent waiting for it, without the time of the consumer."""
    monotonic = attempts.call.clock.monotonic
    pieces = iter(response.stream) if _is_raw(response) else response.iter_bytes()
    with Watch(response) as watch:
        while (limit := attempts.wait_left()) is None or limit > 0:
            since = monotonic()
            watch.shut_down_in(limit)
            try:
                piece = next(pieces, None)
            except client_errors() as problem:
                return attempts.end_body(TimeoutError() if watch.has_shut_down else problem)
            if piece is None:
                return attempts.end_body(TimeoutError()) if watch.has_shut_down else None
            yield piece, monotonic() - since
    attempts.end_body(TimeoutError())


async def _apieces(response: Any, attempts: Attempts[Any]) -> AsyncGenerator[tuple[bytes, float], None]:
    monotonic = attempts.call.clock.monotonic
    async with aclosing(aiter(response.stream) if _is_raw(response) else response.aiter_bytes()) as pieces:
        while (limit := attempts.wait_left()) is None or limit > 0:
            since = monotonic()
            try:
                # Most pieces need no timer. A timer, or a context manager that does nothing, costs measurable time.
                if limit is None:
                    piece = await anext(pieces, None)
                else:
                    async with asyncio.timeout(limit):
                        piece = await anext(pieces, None)
            except client_errors() as problem:
                attempts.end_body(problem)
                return
            if piece is None:
                return
            yield piece, monotonic() - since
    attempts.end_body(TimeoutError())


def _is_raw(response: Any) -> bool:
    """Return whether the stream yields the body itself, which is faster: it is not compressed and not yet consumed."""
    return "content-encoding" not in response.headers and not response.is_stream_consumed


@contextmanager
def _translated_errors(attempts: Attempts[Any]) -> Iterator[None]:
    try:
        yield
    except client_errors() as problem:
        raise _kimi_error(problem, attempts) from problem


def _kimi_error(problem: Exception, attempts: Attempts[Any]) -> KimiError:
    if is_timeout(problem):
        attempts.check_total()
    return error_of(problem, attempts.call.connection, attempts.head)
