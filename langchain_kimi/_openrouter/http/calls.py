"""One call and the state of its attempts: the deadlines, the errors so far, and the decision to retry.

This module does no I/O; `transport` makes the attempts.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import httpx

from langchain_kimi._openrouter.advice import advice_on_tool
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.decoding import Decoder, decoder_for
from langchain_kimi._openrouter.http.environment import proxy_urls, settings_of_environment
from langchain_kimi._openrouter.http.errors import error_of, is_timeout
from langchain_kimi._openrouter.redaction import Redactor, secrets_of
from langchain_kimi._openrouter.reply.bodies import ErrorBodyReader
from langchain_kimi._openrouter.reply.reading import Reader, ResponseHead, total_error
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.errors import KimiError

Part = TypeVar("Part")
Report = Callable[[KimiError, int, float], Awaitable[None] | None]
"""Called before each retry with the error, the number of the failed attempt (from 1) and the seconds to wait. An async
call awaits the result."""


class Clock(NamedTuple):
    """The source of time: monotonic seconds, seconds since the epoch, and sync and async sleep."""

    monotonic: Callable[[], float] = time.monotonic
    epoch: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    async_sleep: Callable[[float], Any] = asyncio.sleep


CLOCK = Clock()
PRECISION = 0.01
"""The number of seconds by which a timeout may occur too early."""


# Not frozen: that would take 3 µs more for each call.
@dataclass(slots=True, eq=False, repr=False)
class Call(Generic[Part]):
    """One call: the request, the reader of the response, and the rules for time and retries.

    If `url` is empty, the request is sent to the chat completions endpoint. The repr contains no secrets.
    """

    connection: Connection
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    new_reader: Callable[[ResponseHead], Reader[Part]]
    retries: Retries
    report: Report | None = None
    model: str | None = None
    run_id: UUID | None = None
    clock: Clock = field(default=CLOCK)
    method: str = "POST"
    url: str = ""
    own_names: Callable[[], Mapping[str, str]] = dict
    """Returns the user's names of tools that were sent under another name, by the sent name."""


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
        """Return the seconds until the total timeout, or None without one."""
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

        Unlike `wait_left`, this counts from the last piece of the body, or from the start of the connection, and
        includes the idle timeout. Bytes that are not part of the body do not extend it.
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

    def error_of(self, error: Exception) -> KimiError:
        """Return the `KimiError` for an exception of the HTTP client.

        Raises:
            KimiTimeoutError: It is a timeout, and the total timeout has passed.
        """
        if is_timeout(error):
            self.check_total()
        return error_of(error, self.call.connection, self.head)

    def end_body(self, error: Exception) -> None:
        """Handle a body that ended with an exception. A complete response is not affected by it.

        Raises:
            KimiError: The response is incomplete.
        """
        if self.head is None or not self.head.idle_timer.is_satisfied():
            raise self.error_of(error) from error

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
        if tool := advice_on_tool(error, self.call.body, self.call.own_names):
            error.update(advice=f"{tool} {error.advice}")
        connection = self.call.connection
        key = self.call.headers.get("Authorization", "").removeprefix("Bearer ")
        if sources := settings_of_environment(error, connection, key):
            error.update(advice=f"{error.advice} {sources}".strip())
        Redactor(secrets_of(self.call.headers, connection.url, connection.proxy, *proxy_urls())).error(error)
        self.errors.append(error)
        if reader is not None and reader.has_begun:
            return None
        return self.call.retries.wait_after(error, len(self.errors), self.time_left())

    def report(self, wait: float) -> Awaitable[None] | None:
        """Report the retry that follows in `wait` seconds."""
        report = self.call.report
        return report(self.errors[-1], len(self.errors), wait) if report else None
