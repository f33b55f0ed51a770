"""Bulk runs by batches: rows are collected into batches, and their results come when a batch has ended."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from langchain_core.runnables import Runnable

from langchain_kimi._costs.worst_case import worst_case
from langchain_kimi._openrouter.http.calls import CLOCK, Clock
from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._settings import chosen_host
from langchain_kimi.batch.bodies import RowRequest, Submission, model_of, priced_slug, row_request
from langchain_kimi.batch.handle import EVERY, BatchHandle
from langchain_kimi.batch.lanes import lane_of
from langchain_kimi.batch.program import program_of
from langchain_kimi.batch.requests import arun, was_refused
from langchain_kimi.batch.results import BatchResult, BatchStatus
from langchain_kimi.batch.submitting import OVERHEAD, WINDOW, draft_of_requests, most_rows, new_handle, row_size
from langchain_kimi.bulk.asking import with_earlier
from langchain_kimi.bulk.base_run import BaseRun
from langchain_kimi.bulk.journal import Journal, OpenBatch
from langchain_kimi.bulk.options import Options, checked_options
from langchain_kimi.bulk.purse import ZERO
from langchain_kimi.bulk.results import RAW_AND_PARSED, BulkError, BulkResult
from langchain_kimi.bulk.rows import Row
from langchain_kimi.bulk.tables import lines_path
from langchain_kimi.errors import KimiBudgetExceededError, KimiError, KimiUsageError

MOST_OPEN = 8
"""The maximum number of batches at a time. Their rows stay in memory until their results are written."""
MOST_WAITING = 1_000
"""The maximum number of results that wait for the caller while further rows are read."""
_KEPT = 30 * 86_400
"""Seconds for which OpenRouter keeps results; see https://openrouter.ai/docs/guides/features/batch-api."""
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, slots=True)
class RowInBatch:
    """A row with its request, and the bytes that this takes in a batch."""

    row: Row
    request: RowRequest = field(repr=False)
    size: int


class BatchRun(BaseRun[RowInBatch]):
    """One run through the batch API.

    Args:
        runnable: The runnable.
        out: The file of the results.
        options: The user's options.
        clock: The source of time and sleep.

    Raises:
        KimiUsageError: An option is invalid, a batch cannot run the runnable, or the file cannot be used.
    """

    def __init__(
        self, runnable: Runnable[Any, Any], out: str | Path | None, options: Options, clock: Clock = CLOCK
    ) -> None:
        if out is None:
            raise KimiUsageError('lane="batch" needs `out`: batches take hours, and a later run must find them.')
        checked = checked_options(options)
        self._program = program_of(runnable, checked.config)
        self._host = chosen_host(self._program.model)
        self._lane = lane_of(self._host)
        super().__init__(runnable, Path(out), checked)
        self._journal = self._opened_journal(lines_path(Path(out)))
        self._clock = clock
        self._open = asyncio.Semaphore(MOST_OPEN)
        self._taken = asyncio.Event()
        self._group: list[RowInBatch] = []
        self._size = OVERHEAD
        self._earlier: dict[str, list[RowInBatch]] = {}
        self._again: list[RowInBatch] = []

    def _opened_journal(self, lines: Path) -> Journal:
        try:
            journal = Journal.at(lines.with_name(f"{lines.name}.batches.jsonl"))
        except BaseException:
            self._store.close()
            self._progress.close()
            raise
        if self._purse is not None:
            self._purse.spent += sum((batch.max_cost for batch in journal.batches.values()), ZERO)
        return journal

    async def _wait_for_place(self) -> None:
        while self._results.qsize() + len(self._tasks) > MOST_WAITING:
            self._taken.clear()
            await self._taken.wait()

    def _free_place(self) -> None:
        self._taken.set()

    async def _prepared(self, row: Row) -> RowInBatch:
        messages = self._program.messages_of(await self._program.abegin(row.input))
        request = row_request(self._program, messages, row.index)
        return RowInBatch(row, request, row_size(self._program, request, row.index))

    async def _ask_for(self, prepared: RowInBatch) -> None:
        if (batch := self._journal.batch_of(prepared.row.key)) is not None:
            self._earlier.setdefault(batch, []).append(prepared)
        else:
            await self._add(prepared)

    async def _send_rest(self) -> None:
        await self._send_group()
        for key, entries in self._earlier.items():
            await self._spawn_batch(self._settled(key, self._continue(self._journal.batches[key], entries)))

    async def _ask_again(self) -> None:
        again, self._again = self._again, []
        for entry in again:
            await self._add(entry)
        await self._send_group()

    async def _spawn_batch(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin with a batch when one of the open ones has ended."""
        await self._open.acquire()
        self._spawn(work).add_done_callback(lambda _: self._open.release())

    async def _add(self, entry: RowInBatch) -> None:
        """Add a row to the next batch, and send the batch that is full."""
        is_full = len(self._group) >= most_rows(self._host)
        if self._group and (is_full or (self._host.batch_bytes and self._size + entry.size > self._host.batch_bytes)):
            await self._send_group()
        self._group.append(entry)
        self._size += entry.size

    async def _send_group(self) -> None:
        group, self._group, self._size = self._group, [], OVERHEAD
        if group:
            await self._spawn_batch(self._send(group))

    async def _send(self, group: Sequence[RowInBatch]) -> None:
        """Submit a batch, and read its results. A batch that does not fit into the money is sent in halves."""
        if self.stop is None:
            key = uuid4().hex
            await self._settled(key, self._send_as(key, group))

    async def _send_as(self, key: str, group: Sequence[RowInBatch]) -> None:
        draft = draft_of_requests(self._program, [one.request for one in group], key)
        max_cost = ZERO
        try:
            if self._purse is not None:
                await self._purse.reserve(key, max_cost := self._max_cost(group))
            draft.reserve()
        except KimiBudgetExceededError as error:
            self._settle(key, ZERO)
            half = len(group) // 2
            if not half:
                self.stop = self.stop or error
                return
            await self._send(group[:half])
            await self._send(group[half:])
            return
        rows = [one.row.key for one in group]
        await asyncio.to_thread(self._journal.begin, key, self._clock.epoch(), rows, max_cost)
        self.summary.requests += 1
        try:
            handle = draft.handle(await arun(self._lane.submit(draft.content), self._program, self._clock))
        except KimiError as error:
            if was_refused(error):
                self._settle(key, ZERO)
                await asyncio.to_thread(self._journal.end, key, rows)
            draft.end(error)
            raise
        await asyncio.to_thread(self._journal.add_handle, key, handle.model_dump_json())
        await self._follow(handle, dict(enumerate(group)))

    def _max_cost(self, group: Sequence[RowInBatch]) -> Decimal:
        bodies = [cast("Mapping[str, Any]", one.request.body) for one in group]
        priced = [{**body, "model": priced_slug(body)} for body in bodies]
        return sum((worst_case(body, self._options.prices).cost for body in priced), ZERO)

    async def _settled(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Do the work of a batch. If its cost is not known in the end, its maximum cost counts as spent.

        Other batches may wait for the reserved money, so none stays reserved after any error, such as a full disk.
        """
        try:
            await work
        except (KimiError, OSError) as error:
            # Before other batches begin, which would fail for want of money, and hide the reason.
            self.stop = self.stop or error
            raise
        finally:
            self._settle(key, None)

    def _settle(self, key: str, cost: Decimal | None) -> None:
        if self._purse is not None:
            self._purse.settle(key, cost)

    async def _continue(self, batch: OpenBatch, entries: Sequence[RowInBatch]) -> None:
        """Go on with a batch of an earlier run: read its results, find it, or send its rows."""
        if self._purse is not None:
            # The highest cost of the batch counted as spent until now.
            self._purse.hold(batch.key, batch.max_cost)
        positions = {row: position for position, row in enumerate(batch.rows)}
        rows = {positions[one.row.key]: one for one in entries}
        if batch.handle is not None:
            handle = BatchHandle.model_validate(batch.handle).with_program(self._program)
            await self._follow(handle, rows)
            return
        submitted = await self._find(batch, entries)
        if submitted is None and self._clock.epoch() - batch.since > _KEPT:
            reason = "The server's list has no such batch, and results are deleted after 30 days."
            await self._lose(batch.key, "of an unknown id", KimiUsageError(reason), entries)
            return
        if submitted is None:
            await self._send_again(batch.key, entries)
            return
        requests = {position: one.request for position, one in rows.items()}
        handle = new_handle(self._program, submitted, batch.key, requests, len(batch.rows))
        await asyncio.to_thread(self._journal.add_handle, batch.key, handle.model_dump_json())
        await self._follow(handle, rows)

    async def _find(self, batch: OpenBatch, entries: Sequence[RowInBatch]) -> JSONObject | None:
        """Return the object of a batch without a handle, None if the server's list does not have it."""
        model = model_of(cast("Mapping[str, Any]", entries[0].request.body), self._host)
        draft = Submission(batch.key, model, b"", len(batch.rows), WINDOW)
        looking = self._lane.find(draft, batch.since, self._journal.ids, EVERY)
        return await arun(looking, self._program, self._clock)

    async def _send_again(self, key: str, entries: Sequence[RowInBatch]) -> None:
        self._settle(key, ZERO)
        await asyncio.to_thread(self._journal.end, key, [one.row.key for one in entries])
        await self._send(entries)

    async def _follow(self, handle: BatchHandle, rows: Mapping[int, RowInBatch]) -> None:
        """Write the results of a batch when it has ended."""
        started = self._clock.monotonic()
        try:
            state = await handle.wait_async(every=EVERY, clock=self._clock)
            results = await handle.aresults()
        except KimiError as error:
            if error.status not in _GONE:
                raise
            await self._lose(handle.key, handle.id, error, list(rows.values()))
            return
        seconds = round(self._clock.monotonic() - started, 6)
        for position, entry in rows.items():
            await self._take_result(entry, results[position], state, seconds)
        if state.cost is not None:
            self._settle(handle.key, Decimal(str(state.cost)))
        if self.unsaved:
            # A later run reads the results again.
            return
        await asyncio.to_thread(self._journal.end, handle.key, [one.row.key for one in rows.values()])

    async def _take_result(self, entry: RowInBatch, result: BatchResult, state: BatchStatus, seconds: float) -> None:
        error, outcome = result.error, _bulk_result(entry.row, result, state.provider, seconds)
        if error is not None and not self._is_last_round and getattr(error, "is_retryable", False):
            entry.row.earlier = outcome
            self._again.append(entry)
        else:
            await self._finish(outcome)
        if error is not None and self._options.on_error == "raise":
            self.stop = self.stop or error

    async def _lose(self, key: str, name: str, problem: KimiError, entries: Sequence[RowInBatch]) -> None:
        """Go on without a batch that the server does not have any more.

        Its rows may have been charged, and the key may be that of another account, so they become failed rows. If a run
        that asks failed rows again does not find the batch either, they are sent again.
        """
        if self._journal.batches[key].is_lost and self._options.retry_failed:
            warn_user(f"The server does not have the batch {name}: {len(entries):,} rows are sent and paid again.")
            await self._send_again(key, entries)
            return
        reason = (
            f"{problem.reason} The batch {name} was deleted, is too old, or belongs to another account than this key. "
            "The row may have been charged. Use the key that submitted it, or ask the failed rows again, which sends "
            "them once more."
        )
        warn_user(f"{reason} {len(entries):,} rows have this error.")
        error = BulkError(type(problem).__name__, reason, problem.status)
        for one in entries:
            failed = BulkResult(one.row.key, one.row.index, error=error, input=one.row.value, unknown_costs=1)
            await self._finish(with_earlier(failed, one.row.earlier))
        if self._options.on_error == "raise":
            self.stop = self.stop or problem
        if not self.unsaved:
            await asyncio.to_thread(self._journal.mark_lost, key)


def _bulk_result(row: Row, result: BatchResult, provider: str | None, seconds: float) -> BulkResult:
    """Return the result of a row of a batch as that of a row of a run."""
    value, error = result.value, result.error
    if isinstance(value, dict) and value.keys() == RAW_AND_PARSED and value["parsing_error"] is not None:
        error, value = value["parsing_error"], None
    message = result.message
    metadata = message.response_metadata if message else {}
    usage: Mapping[str, Any] = (message.usage_metadata if message else None) or {}
    has_cost = result.cost is not None
    outcome = BulkResult(
        key=row.key,
        index=row.index,
        value=value,
        error=None if error is None else BulkError.of(error),
        input=row.value,
        model=metadata.get("model_name"),
        provider=metadata.get("provider") or provider,
        input_tokens=usage.get("input_tokens", 0),
        output_tokens=usage.get("output_tokens", 0),
        cost=float(result.cost or 0),
        unknown_costs=int(message is not None and not has_cost),
        seconds=seconds,
    )
    return with_earlier(outcome, row.earlier)
