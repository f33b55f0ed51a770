"""The only place that does I/O: posts a body and feeds the reply's bytes to a reader, in both colours.

Whatever an HTTP client raises is translated here (see `client_errors`), whether it is httpx or its continuation httpx2.
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
    encoded,
    error_of,
    is_timeout,
    loops_told_apart,
    unread_encoding,
)
from langchain_kimi._openrouter.http.watchdog import Watch, hung_up_on_failure
from langchain_kimi._openrouter.redaction import Redactor, secrets_of
from langchain_kimi._openrouter.reply.bodies import ErrorBodyReader
from langchain_kimi._openrouter.reply.reading import Reader, ResponseHead, total_error
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.errors import KimiError, KimiUsageError

Part = TypeVar("Part")
Report = Callable[[KimiError, int, float], Awaitable[None] | None]
"""Told of each retry: why, which attempt failed (from 1), how many seconds are waited. An async call awaits it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as a parameter: monotonic seconds, seconds since the epoch, and the two ways to wait."""

    monotonic: Callable[[], float] = time.monotonic
    epoch: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    async_sleep: Callable[[float], Any] = asyncio.sleep


CLOCK = Clock()
PRECISION = 0.01
"""Seconds: time-outs come this much early."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Part]):
    """One call: what is posted where, who reads the reply, how long, how often. Its repr tells no secret."""

    connection: Connection
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    new_reader: Callable[[ResponseHead], Reader[Part]]
    retries: Retries
    report: Report | None = None
    model: str | None = None
    clock: Clock = field(default=CLOCK)


class Attempts(Generic[Part]):
    """The state of one call over its attempts, the same in both colours: the loops only obey it."""

    def __init__(self, call: Call[Part]) -> None:
        self.call = call
        self.errors: list[KimiError] = []
        self.opened: ResponseHead | None = None
        self.reader: Reader[Part] | None = None
        self.closing_parts: Iterable[Part] = ()
        total = call.connection.timeout.total
        self._deadline = None if total is None else call.clock.monotonic() + total

    def time_left(self) -> float | None:
        """Seconds until the total time is over; None when it is not limited."""
        return None if self._deadline is None else self._deadline - self.call.clock.monotonic()

    def wait_left(self) -> float | None:
        """Seconds that the next bytes may take; None: as long as the HTTP client's own limit says."""
        patience = self.opened.idle_timer.left if self.opened else None
        if self._deadline is None:
            return patience
        left = self._deadline - self.call.clock.monotonic()
        return left if patience is None else min(patience, left)

    def read(self, response: Any) -> Reader[Part]:
        """Begin to read a reply that was opened."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        # It tells clients apart, and an error keeps the headers.
        headers.pop("set-cookie", None)
        self.opened = ResponseHead(response.status_code, headers, self.call.clock.epoch())
        if (unread := unread_encoding(response)) is not None:
            raise encoded(unread, self.opened)
        if httpx.codes.is_success(response.status_code):
            self.reader = self.call.new_reader(self.opened)
        else:
            self.reader = ErrorBodyReader(self.opened, self.call.headers)
        return self.reader

    def check_total(self) -> None:
        """Raise when the total time is over."""
        left = self.time_left()
        if left is not None and left <= PRECISION:
            raise total_error(self.call.connection.timeout.total)

    def broke_off(self, problem: Exception) -> None:
        """Take it that the bytes stopped before their end: nothing to the reader that has enough, else an error."""
        if self.opened is None or not self.opened.idle_timer.is_satisfied():
            raise _as_ours(problem, self) from problem

    def wait_after(self, error: KimiError) -> float | None:
        """Add to an error all that is known of the call, and return the seconds to wait before the next attempt.

        Returns:
            None when no other attempt is due: then the `closing_parts` are handed out, and the error is raised.
        """
        reader, self.reader, self.opened = self.reader, None, None
        self.closing_parts = () if reader is None else reader.explain(error)
        # What refuses a request does not say which model it was for.
        error.update(attempts=tuple(self.errors), model=error.model or self.call.model)
        Redactor(secrets_of(self.call.headers, self.call.connection.proxy)).error(error)
        self.errors.append(error)
        if reader is not None and reader.has_begun:
            return None
        return self.call.retries.wait_after(error, len(self.errors), self.time_left())

    def report(self, wait: float) -> Awaitable[None] | None:
        """Report the retry that is due after `wait` seconds."""
        report = self.call.report
        return report(self.errors[-1], len(self.errors), wait) if report else None


def exchange(call: Call[Part]) -> Iterator[Part]:
    """Make a call and yield the parts of its reply as its reader gives them.

    Raises:
        KimiError: the call failed, and so did as many further attempts as it was allowed.
    """
    attempts = Attempts(call)
    while True:
        try:
            with _opened(attempts) as (reader, pieces):
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
    """Make a call and yield the parts of its reply as its reader gives them; see `exchange`."""
    attempts = Attempts(call)
    while True:
        try:
            async with _aopened(attempts) as (reader, pieces):
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
        if (told := attempts.report(wait)) is not None:
            await told
        await call.clock.async_sleep(wait)


@contextmanager
def _opened(attempts: Attempts[Part]) -> Iterator[tuple[Reader[Part], Iterator[tuple[bytes, float]]]]:
    with _translated(attempts), sync_client_for(attempts.call.connection, attempts.time_left) as client:
        response = client.send(_request(client, attempts), stream=True, auth=None, follow_redirects=False)
        with closing(response):
            yield attempts.read(response), _pieces(response, attempts)


@asynccontextmanager
async def _aopened(attempts: Attempts[Part]) -> AsyncIterator[tuple[Reader[Part], AsyncIterator[tuple[bytes, float]]]]:
    with _translated(attempts):
        async with async_client_for(attempts.call.connection, attempts.time_left) as client:
            with loops_told_apart(attempts.call.connection):
                response = await client.send(_request(client, attempts), stream=True, auth=None, follow_redirects=False)
            with hung_up_on_failure(response):
                async with aclosing(response), aclosing(_apieces(response, attempts)) as pieces:
                    yield attempts.read(response), pieces


def _request(client: Any, attempts: Attempts[Any]) -> Any:
    call = attempts.call
    attempts.check_total()
    if client.is_closed:
        raise KimiUsageError("The HTTP client that was given to the model is closed.")
    return client.build_request(
        "POST",
        call.connection.url,
        content=call.body,
        headers=call.headers,
        extensions={"timeout": call.connection.timeout.for_attempt(attempts.wait_left)},
    )


def _pieces(response: Any, attempts: Attempts[Any]) -> Iterator[tuple[bytes, float]]:
    """Each piece with the seconds that were spent waiting for it; what the consumer takes does not count."""
    monotonic = attempts.call.clock.monotonic
    pieces = iter(response.stream) if _is_plain(response) else response.iter_bytes()
    with Watch(response) as watch:
        while (limit := attempts.wait_left()) is None or limit > 0:
            since = monotonic()
            watch.hang_up_in(limit)
            try:
                piece = next(pieces, None)
            except client_errors() as problem:
                return attempts.broke_off(TimeoutError() if watch.has_hung_up else problem)
            if piece is None:
                return attempts.broke_off(TimeoutError()) if watch.has_hung_up else None
            yield piece, monotonic() - since
    attempts.broke_off(TimeoutError())


async def _apieces(response: Any, attempts: Attempts[Any]) -> AsyncGenerator[tuple[bytes, float], None]:
    monotonic = attempts.call.clock.monotonic
    async with aclosing(aiter(response.stream) if _is_plain(response) else response.aiter_bytes()) as pieces:
        while (limit := attempts.wait_left()) is None or limit > 0:
            since = monotonic()
            try:
                # Most pieces are waited for without a timer: it would be felt, as would a context that does nothing.
                if limit is None:
                    piece = await anext(pieces, None)
                else:
                    async with asyncio.timeout(limit):
                        piece = await anext(pieces, None)
            except client_errors() as problem:
                attempts.broke_off(problem)
                return
            if piece is None:
                return
            yield piece, monotonic() - since
    attempts.broke_off(TimeoutError())


def _is_plain(response: Any) -> bool:
    """Say whether the bytes are the body's own, which cost less to read: neither compressed, nor read before."""
    return "content-encoding" not in response.headers and not response.is_stream_consumed


@contextmanager
def _translated(attempts: Attempts[Any]) -> Iterator[None]:
    """Translate what the HTTP client raises into our errors; one plain context manager serves both colours."""
    try:
        yield
    except client_errors() as problem:
        raise _as_ours(problem, attempts) from problem


def _as_ours(problem: Exception, attempts: Attempts[Any]) -> KimiError:
    if is_timeout(problem):
        attempts.check_total()
    return error_of(problem, attempts.call.connection, attempts.opened)
