"""Submit a batch, find one whose submission was interrupted, and split inputs into batches."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack, cast
from uuid import uuid4

from langchain_core.runnables import RunnableConfig

from langchain_kimi._costs.batches import release, reserve
from langchain_kimi._openrouter.host import Host
from langchain_kimi._openrouter.http.calls import CLOCK, Clock
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._settings import chosen_host
from langchain_kimi.batch.bodies import (
    RowRequest,
    Submission,
    check_size,
    line_of,
    priced_slug,
    row_request,
    submission,
)
from langchain_kimi.batch.handle import EVERY, BatchHandle, digest_of, reservation_key, trackers_of
from langchain_kimi.batch.lanes import lane_of
from langchain_kimi.batch.program import Program, checked_inputs, program_of
from langchain_kimi.batch.requests import Operation, arun, run, was_refused
from langchain_kimi.batch.results import status_of
from langchain_kimi.errors import KimiError, KimiMalformedReplyError, KimiUsageError

WINDOW = "24h"
_KEY = re.compile(r"[A-Za-z0-9_-]{1,48}")
"""Providers accept ids of rows with these characters and at most 64 of them, with the number of the row."""


def submit(
    runnable: Any,
    inputs: Iterable[Any],
    *,
    key: str | None = None,
    completion_window: str = WINDOW,
    config: RunnableConfig | None = None,
) -> BatchHandle:
    """Submit a batch of inputs, and return its handle. Nothing is submitted twice by retries.

    Args:
        runnable: A `ChatKimi`, a binding of one, its structured output, or a chain of steps with one of these in it.
            The steps before the model run now, those after it when the results are read.
        inputs: The inputs of the rows, each in any form that `invoke` accepts.
        key: The beginning of the rows' ids, at most 48 letters, digits, `-` and `_`, different for each batch; by
            default random. With a key of your own, `find` finds the batch if this process ends before it has the
            handle.
        completion_window: The time in which rows are answered: `24h` at OpenRouter, `12h` to `7d` at Moonshot.
        config: The configuration of the steps. A `Budget` among its callbacks, the model's callbacks or in the context
            reserves the maximum cost of all rows at the prices of batches.

    Raises:
        BatchLimitError: The rows are too many or too large for one batch; see `parts`.
        KimiUsageError: The runnable, an input or a setting cannot be sent in a batch. Nothing was sent.
        KimiBudgetExceededError: The batch does not fit into a budget. Nothing was sent.
        KimiError: The request failed. If the server may have accepted the batch anyway, the advice says so.
    """
    program = program_of(runnable, config)
    draft = draft_of(program, program.begin_all(inputs), key, completion_window)
    draft.reserve()
    try:
        return draft.handle(run(lane_of(draft.host).submit(draft.content), program))
    except BaseException as error:
        draft.end(error)
        raise


async def asubmit(
    runnable: Any,
    inputs: Iterable[Any],
    *,
    key: str | None = None,
    completion_window: str = WINDOW,
    config: RunnableConfig | None = None,
) -> BatchHandle:
    """Submit a batch of inputs; the async version of `submit`."""
    program = program_of(runnable, config)
    draft = draft_of(program, await program.abegin_all(inputs), key, completion_window)
    draft.reserve()
    try:
        return draft.handle(await arun(lane_of(draft.host).submit(draft.content), program))
    except BaseException as error:
        draft.end(error)
        raise


_OPTIONS = ("key", "completion_window", "config")


def submit_with(model: Any, inputs: Iterable[Any], arguments: Mapping[str, Any]) -> BatchHandle:
    """Submit a batch of a model; the options of `submit` and the parameters of the calls come together."""
    options, parameters = _split(arguments)
    return submit(model.bind(**parameters) if parameters else model, inputs, **options)


async def asubmit_with(model: Any, inputs: Iterable[Any], arguments: Mapping[str, Any]) -> BatchHandle:
    """Submit a batch of a model; the async version of `submit_with`."""
    options, parameters = _split(arguments)
    return await asubmit(model.bind(**parameters) if parameters else model, inputs, **options)


def _split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    options = {name: value for name, value in arguments.items() if name in _OPTIONS}
    return options, {name: value for name, value in arguments.items() if name not in _OPTIONS}


class FindOptions(TypedDict, total=False):
    """The options of `find` and `afind`.

    Attributes:
        others: The ids of batches that are not the one, for example because they belong to other submissions.
        every: The maximum interval between two requests of the list in seconds, by default 30.
        clock: The source of sleep.
        config: The configuration of the steps.
    """

    others: Collection[str]
    every: float
    clock: Clock
    config: RunnableConfig | None


def find(
    runnable: Any, inputs: Iterable[Any], *, key: str, since: float, **options: Unpack[FindOptions]
) -> BatchHandle | None:
    """Return the handle of a batch that was submitted with a key, None if the server has no such batch.

    It is for a process that ended between the submission and the handle: a second submission would be charged twice.
    OpenRouter's list of batches has no ids of rows, so this waits until batches of the same model and size have ended.
    A batch that failed as a whole has no rows, costs nothing, and is not found.

    Args:
        runnable: The runnable of the submission.
        inputs: The inputs of the submission.
        key: The key of the submission.
        since: When the submission began, in seconds since 1970.
        **options: See `FindOptions`.
    """
    search = _Search(**options)
    program = program_of(runnable, search.config)
    draft = draft_of(program, program.begin_all(inputs), key, WINDOW)
    batch = run(search.of(draft, since), program, search.clock)
    return None if batch is None else draft.handle(batch)


async def afind(
    runnable: Any, inputs: Iterable[Any], *, key: str, since: float, **options: Unpack[FindOptions]
) -> BatchHandle | None:
    """Return the handle of a batch that was submitted with a key; the async version of `find`."""
    search = _Search(**options)
    program = program_of(runnable, search.config)
    draft = draft_of(program, await program.abegin_all(inputs), key, WINDOW)
    batch = await arun(search.of(draft, since), program, search.clock)
    return None if batch is None else draft.handle(batch)


@dataclass(frozen=True, slots=True)
class _Search:
    """The options of `find` with their defaults."""

    others: Collection[str] = ()
    every: float = EVERY
    clock: Clock = CLOCK
    config: RunnableConfig | None = None

    def of(self, draft: "Draft", since: float) -> Operation[JSONObject | None]:
        """Return the search for a batch."""
        return lane_of(draft.host).find(draft.content, since, self.others, self.every)


def parts(runnable: Any, inputs: Iterable[Any], *, rows: int | None = None) -> Iterator[list[Any]]:
    """Split inputs into lists that fit into one batch each. They are read as they are needed.

    Args:
        runnable: The runnable of the batches.
        inputs: The inputs.
        rows: The maximum number of rows of a list; None for the server's own limit.

    Raises:
        BatchLimitError: One input alone is too large.
        KimiUsageError: An input cannot be sent in a batch.
    """
    program = program_of(runnable)
    host = chosen_host(program.model)
    lane_of(host)
    part: list[Any] = []
    size = 0
    for number, row in enumerate(checked_inputs(inputs)):
        length = row_size(program, row_request(program, program.messages_of(program.begin(row)), number), number)
        is_full = len(part) >= most_rows(host, rows)
        if part and (is_full or (host.batch_bytes and size + length > host.batch_bytes)):
            yield part
            part, size = [], 0
        part.append(row)
        size = (size or OVERHEAD) + length
    if part:
        yield part


_MOST_ROWS = 5_000
"""Rows of a batch at a server without a limit: OpenRouter's limit."""
OVERHEAD = 2_000
"""Bytes of a submission beside its rows."""


def row_size(program: Program, request: RowRequest, number: int) -> int:
    """Return the bytes that a row takes in a batch.

    Raises:
        BatchLimitError: The row alone is too large.
    """
    host = chosen_host(program.model)
    line = line_of(host, "k" * 48, number, request)
    check_size(host, 1, len(line) + OVERHEAD)
    return len(line) + 1


def most_rows(host: Host, wanted: int | None = None) -> int:
    """Return the maximum number of rows of a batch."""
    return min(filter(None, (wanted, host.batch_rows)), default=_MOST_ROWS)


@dataclass(frozen=True, slots=True)
class Draft:
    """A batch before its submission.

    Attributes:
        program: The runnable.
        host: The server.
        requests: The requests of its rows.
        content: What is sent.
    """

    program: Program
    host: Host
    requests: Sequence[RowRequest]
    content: Submission

    def reserve(self) -> None:
        """Reserve the maximum cost of the batch in budgets, at the prices of batches if they are listed."""
        bodies = [{**row.body, "model": priced_slug(cast("JSONObject", row.body))} for row in self.requests]
        reserve(trackers_of(self.program), reservation_key(self.content.key), bodies)

    def end(self, error: BaseException) -> None:
        """Free what was reserved, unless the server may have accepted the batch."""
        if not isinstance(error, KimiError) or not was_refused(error):
            if isinstance(error, KimiError):
                error.update(advice=f"{error.advice} {_OPEN.format(key=self.content.key)}".strip())
            return
        release(trackers_of(self.program), reservation_key(self.content.key))

    def handle(self, batch: JSONObject) -> BatchHandle:
        """Return the handle of the batch, with the program."""
        return new_handle(self.program, batch, self.content.key, dict(enumerate(self.requests)), len(self.requests))


def new_handle(
    program: Program, batch: JSONObject, key: str, requests: Mapping[int, RowRequest], rows: int
) -> BatchHandle:
    """Return the handle of a batch, with the program.

    Args:
        program: The runnable.
        batch: The object of the batch.
        key: The key of the submission.
        requests: The requests of its rows, or of some, by their positions.
        rows: The number of rows.

    Raises:
        KimiMalformedReplyError: The object has no id.
    """
    if not isinstance(batch.get("id"), str):
        raise KimiMalformedReplyError("The server's reply to the submission has no id of a batch.")
    body = cast("JSONObject", next(iter(requests.values())).body)
    return BatchHandle(
        id=batch["id"],
        host=chosen_host(program.model).name,
        base_url=program.model.openrouter_api_base or "",
        model=str(body["model"]),
        priced_as=priced_slug(body),
        key=key,
        rows=rows,
        digest=digest_of(program),
        call_ids={n: sorted(row.call_ids) for n, row in requests.items() if row.call_ids},
        created_at=status_of(batch).created_at,
    ).with_program(program)


_OPEN = "The server may have accepted the batch: look with langchain_kimi.batch.find(..., key={key!r}) first."


def draft_of(program: Program, values: Sequence[Any], key: str | None, window: str) -> Draft:
    """Return a batch of the outputs of the steps before the model.

    Raises:
        KimiUsageError: The key is invalid, or a row cannot be sent in a batch.
        BatchLimitError: The rows are too many or too large.
    """
    batch_key = uuid4().hex if key is None else key
    if _KEY.fullmatch(batch_key) is None:
        raise KimiUsageError("key must have 1 to 48 letters, digits, hyphens and underscores.")
    lane_of(chosen_host(program.model))
    requests = [row_request(program, program.messages_of(value), number) for number, value in enumerate(values)]
    return draft_of_requests(program, requests, batch_key, window)


def draft_of_requests(program: Program, requests: Sequence[RowRequest], key: str, window: str = WINDOW) -> Draft:
    """Return a batch of requests; see `draft_of`."""
    host = chosen_host(program.model)
    return Draft(program, host, requests, submission(host, key, requests, window))
