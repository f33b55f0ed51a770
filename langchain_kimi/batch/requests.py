"""The requests of the batch API, and how a model's connection, headers, key and retries make calls of them."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import urlencode

from langchain_kimi._calls import connection, headers
from langchain_kimi._keys import aresolve, resolve
from langchain_kimi._openrouter.http.calls import CLOCK, Call, Clock
from langchain_kimi._openrouter.http.errors import NOT_CONNECTED
from langchain_kimi._openrouter.http.transport import aexchange, exchange
from langchain_kimi._openrouter.reply.data import BytesReader, ObjectReader
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi._settings import chosen_host
from langchain_kimi.batch.program import Program
from langchain_kimi.catalog import operations
from langchain_kimi.catalog.operations import Wait
from langchain_kimi.errors import KimiConnectionError, KimiError, KimiStatusError, KimiUsageError

T = TypeVar("T")
_REQUEST_TIMEOUT, _SERVER_ERRORS = 408, 500


@dataclass(frozen=True, slots=True)
class Send:
    """A request.

    Attributes:
        method: The HTTP method.
        path: The path after the base URL.
        query: The query.
        body: The body.
        content_type: The type of the body.
        is_object: Whether the response is a JSON object, or else any bytes.
        is_repeatable: Whether the request may be sent again after a failure that leaves open whether it was accepted.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    is_object: bool = True
    is_repeatable: bool = True


Operation: TypeAlias = Generator[Send | Wait, Any, T]
"""Yields requests and waits, receives the responses, and returns a result; see `catalog.operations`."""


class RefusalRetries(Retries):
    """Retries only what the server has certainly not accepted: a refused request, or one that was never sent."""

    def wait_after(self, error: KimiError, attempts_made: int, time_left: float | None) -> float | None:
        """Return the seconds to wait before the next attempt; see `Retries.wait_after`."""
        return super().wait_after(error, attempts_made, time_left) if was_refused(error) else None


def was_refused(error: KimiError) -> bool:
    """Return whether the server has certainly not accepted the request of an error."""
    if isinstance(error, KimiConnectionError):
        return type(error.__cause__).__name__ in NOT_CONNECTED
    if isinstance(error, KimiStatusError):
        return error.status is not None and error.status < _SERVER_ERRORS and error.status != _REQUEST_TIMEOUT
    return isinstance(error, KimiUsageError)


def run(operation: Operation[T], program: Program, clock: Clock = CLOCK) -> T:
    """Return the result of an operation with the model of a program.

    Raises:
        KimiError: A request failed, and so did its retries.
    """
    key = resolve(program.model.openrouter_api_key, chosen_host(program.model))
    steps: Any = operations.run
    return cast("T", steps(operation, partial(_do, program, key, clock)))


async def arun(operation: Operation[T], program: Program, clock: Clock = CLOCK) -> T:
    """Return the result of an operation; the async version of `run`."""
    key = await aresolve(program.model.openrouter_api_key, chosen_host(program.model))
    steps: Any = operations.arun
    return cast("T", await steps(operation, partial(_ado, program, key, clock)))


def _do(program: Program, key: str, clock: Clock, step: Send | Wait) -> Any:
    if isinstance(step, Wait):
        return clock.sleep(step.seconds)
    [reply] = exchange(call_of(program, step, key, clock))
    return reply


async def _ado(program: Program, key: str, clock: Clock, step: Send | Wait) -> Any:
    if isinstance(step, Wait):
        return await clock.async_sleep(step.seconds)
    [reply] = [part async for part in aexchange(call_of(program, step, key, clock))]
    return reply


def call_of(program: Program, send: Send, key: str, clock: Clock) -> Call[Any]:
    """Return the call of a request."""
    settings, arguments = program.model, program.arguments
    here = connection(settings, arguments.get("timeout", arguments.get("request_timeout")))
    call_headers = headers(settings, arguments.get("extra_headers"), key=key, streamed=False)
    call_headers.pop("Content-Type", None)
    if send.body:
        call_headers["Content-Type"] = send.content_type
    retries = settings._retries(arguments.get("max_retries"))  # noqa: SLF001 - the model's own rule
    if not send.is_repeatable:
        retries = RefusalRetries(retries.max_retries, chance=retries.chance)
    reader = ObjectReader if send.is_object else BytesReader
    url = here.base_url.rstrip("/") + send.path
    return Call(
        connection=here,
        headers=call_headers,
        body=send.body,
        new_reader=partial(reader, idle=here.timeout.idle),
        retries=retries,
        clock=clock,
        method=send.method,
        url=f"{url}?{urlencode(send.query)}" if send.query else url,
    )
