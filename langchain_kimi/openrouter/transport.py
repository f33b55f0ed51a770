"""The only place that does I/O: posts a body and feeds the reply's bytes to a reader, in both colours.

Whatever an HTTP client raises is translated here, whether it is httpx or its continuation httpx2; nothing outside
this file knows the difference.
"""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

from langchain_kimi.errors import (
    KimiConnectionError,
    KimiError,
    KimiRequestError,
    KimiStreamCutError,
    KimiTimeoutError,
)
from langchain_kimi.openrouter.clients import async_client_for, sync_client_for
from langchain_kimi.openrouter.connection import Connection
from langchain_kimi.openrouter.failures import error_from_response
from langchain_kimi.openrouter.reading import Opened, Reader, silence_error
from langchain_kimi.openrouter.retries import Retries

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


@dataclass(frozen=True, slots=True)
class Call(Generic[Part]):
    """One call: what is posted where, who reads the reply, and how long and how often it is tried."""

    connection: Connection
    headers: dict[str, str]
    body: bytes
    new_reader: Callable[[Opened], Reader[Part]]
    retries: Retries
    report: Report | None = None
    clock: Clock = field(default=CLOCK)


class Attempts(Generic[Part]):
    """The state of one call over its attempts, the same in both colours: the loops only obey it."""

    def __init__(self, call: Call[Part]) -> None:
        self.call = call
        self.errors: list[KimiError] = []
        self.reader: Reader[Part] | None = None
        total = call.connection.timeout.total
        self._deadline = None if total is None else call.clock.monotonic() + total

    def time_left(self) -> float | None:
        """Seconds until the total time is over; None when it is not limited."""
        return None if self._deadline is None else self._deadline - self.call.clock.monotonic()

    def read(self, opened: Opened) -> Reader[Part]:
        """Begin to read a reply that was opened."""
        self.reader = self.call.new_reader(opened)
        return self.reader

    def check_total(self) -> None:
        """Raise when the total time is over."""
        left = self.time_left()
        if left is not None and left <= 0:
            raise _total_error(self.call.connection.timeout.total)

    def wait_after(self, error: KimiError) -> float:
        """Seconds to wait before the next attempt; raises the error, with all that is known, when none is due."""
        reader, self.reader = self.reader, None
        if reader is not None:
            reader.explain(error)
        error.learn(attempts=tuple(self.errors))
        self.errors.append(error)
        if reader is not None and reader.has_begun:
            raise error
        wait = self.call.retries.wait_after(error, len(self.errors), self.time_left())
        if wait is None:
            raise error
        return wait

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
                for piece, waited in _timed(pieces, call.clock):
                    yield from reader.feed(piece, waited)
                    attempts.check_total()
            yield from reader.close()
        except KimiError as error:
            wait = attempts.wait_after(error)
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
                async for piece, waited in _atimed(pieces, call.clock):
                    for part in reader.feed(piece, waited):
                        yield part
                    attempts.check_total()
            for part in reader.close():
                yield part
        except KimiError as error:
            wait = attempts.wait_after(error)
        else:
            return
        if (told := attempts.report(wait)) is not None:
            await told
        await call.clock.async_sleep(wait)


@contextmanager
def _opened(attempts: Attempts[Part]) -> Iterator[tuple[Reader[Part], Iterator[bytes]]]:
    call = attempts.call
    with sync_client_for(call.connection) as client, _translated(attempts):
        response = client.send(_request(client, attempts), stream=True, auth=None, follow_redirects=False)
        with closing(response):
            if response.status_code != httpx.codes.OK:
                response.read()
                raise _refusal(response, call.clock)
            yield attempts.read(_head(response, call.clock)), response.iter_bytes()


@asynccontextmanager
async def _aopened(attempts: Attempts[Part]) -> AsyncIterator[tuple[Reader[Part], AsyncIterator[bytes]]]:
    call = attempts.call
    async with async_client_for(call.connection) as client:
        with _translated(attempts):
            response = await client.send(_request(client, attempts), stream=True, auth=None, follow_redirects=False)
            async with aclosing(response):
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    raise _refusal(response, call.clock)
                yield attempts.read(_head(response, call.clock)), response.aiter_bytes()


def _request(client: Any, attempts: Attempts[Any]) -> Any:
    call = attempts.call
    attempts.check_total()
    timeouts = call.connection.timeout.for_attempt(attempts.time_left())
    return client.build_request(
        "POST",
        call.connection.url,
        content=call.body,
        headers=call.headers,
        extensions={"timeout": timeouts},
    )


def _head(response: Any, clock: Clock) -> Opened:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Opened(response.status_code, headers, clock.epoch())


def _refusal(response: Any, clock: Clock) -> KimiError:
    head = _head(response, clock)
    return error_from_response(head.status, head.headers, response.text, now=head.now)


def _timed(pieces: Iterator[bytes], clock: Clock) -> Iterator[tuple[bytes, float]]:
    """Each piece with the seconds that were spent waiting for it; what the consumer takes does not count."""
    since = clock.monotonic()
    for piece in pieces:
        yield piece, clock.monotonic() - since
        since = clock.monotonic()


async def _atimed(pieces: AsyncIterator[bytes], clock: Clock) -> AsyncIterator[tuple[bytes, float]]:
    since = clock.monotonic()
    async for piece in pieces:
        yield piece, clock.monotonic() - since
        since = clock.monotonic()


@contextmanager
def _translated(attempts: Attempts[Any]) -> Iterator[None]:
    """Translate what the HTTP client raises into our errors; one plain context manager serves both colours."""
    try:
        yield
    except _client_errors() as problem:
        raise _as_ours(problem, attempts) from problem


def _client_errors() -> tuple[type[Exception], ...]:
    continuation = sys.modules.get("httpx2")
    kinds: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)
    if continuation is not None:
        kinds += (continuation.HTTPError, continuation.InvalidURL, continuation.StreamError)
    return kinds


def _as_ours(problem: Exception, attempts: Attempts[Any]) -> KimiError:
    timeout = attempts.call.connection.timeout
    name = type(problem).__name__
    told = f"{name}: {problem}" if str(problem) else name
    if name == "ReadTimeout":
        attempts.check_total()
        return silence_error(timeout.idle or 0.0)
    if name in {"ConnectTimeout", "PoolTimeout", "WriteTimeout"}:
        attempts.check_total()
        return KimiTimeoutError(
            f"No connection within {timeout.connect:g} seconds ({name}).",
            advice="Check the network, the proxy and base_url, or raise timeout={'connect': seconds}.",
        )
    if name in {"InvalidURL", "UnsupportedProtocol", "LocalProtocolError"}:
        return KimiRequestError(f"The request cannot be sent ({told}).", advice="Check base_url and the headers.")
    if attempts.reader is not None:
        return KimiStreamCutError(
            f"The connection broke before the reply ended ({told}).",
            advice="Trying again may help; what came so far is in `partial`.",
        )
    return KimiConnectionError(
        f"No connection to {attempts.call.connection.host} ({told}).",
        advice="Check the network, the proxy and base_url; trying again may help.",
    )


def _total_error(total: float | None) -> KimiTimeoutError:
    return KimiTimeoutError(
        f"The call took longer than its total time of {total or 0.0:g} seconds.",
        is_retryable=False,
        advice="Raise timeout={'total': seconds} or ask for less.",
    )
