"""Bulk runs through a batch API: rows are collected into batches, and their results come when a batch has ended."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from langchain_core.runnables import Runnable

from langchain_kimi._costs.worst_case import worst_case
from langchain_kimi._openrouter.http.calls import CLOCK, Clock
from langchain_kimi._settings import chosen_host
from langchain_kimi.batch.bodies import RowRequest, Submission, model_of, priced_slug, row_request
from langchain_kimi.batch.handle import EVERY, BatchHandle
from langchain_kimi.batch.lanes import lane_of
from langchain_kimi.batch.program import program_of
from langchain_kimi.batch.requests import arun, was_refused
from langchain_kimi.batch.results import BatchResult
from langchain_kimi.batch.submitting import OVERHEAD, WINDOW, draft_of_requests, most_rows, new_handle, row_size
from langchain_kimi.bulk.journal import Journal, OpenBatch
from langchain_kimi.bulk.options import Options, checked_options
from langchain_kimi.bulk.progress import progress_of
from langchain_kimi.bulk.purse import Purse
from langchain_kimi.bulk.results import RAW_AND_PARSED, BulkError, BulkResult, BulkStoppedError, line_of, result_of
from langchain_kimi.bulk.rows import Row
from langchain_kimi.bulk.sources import number_of_rows, rows_of
from langchain_kimi.bulk.store import Store
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.bulk.target import digest_of, target_of
from langchain_kimi.errors import KimiBudgetExceededError, KimiError, KimiUsageError

MOST_OPEN = 8
"""The most batches at a time. Their rows stay in memory until their results are written."""
NOTHING = Decimal(0)
_TABLES = frozenset({".parquet", ".sqlite", ".db"})


@dataclass(frozen=True, slots=True)
class RowInBatch:
    """A row with its request, and the bytes that this takes in a batch."""

    row: Row
    request: RowRequest = field(repr=False)
    size: int


class BatchRun:
    """One run through the batch API.

    Args:
        runnable: The runnable.
        out: The file of the results.
        options: The user's options.
        clock: The source of time and sleep.

    Attributes:
        summary: The sums so far.
        stop: Why no further rows are sent; None if nothing stopped the run.
        unsaved: The results that could not be written.

    Raises:
        KimiUsageError: An option is invalid, a batch cannot run the runnable, or the file cannot be used.
    """

    def __init__(
        self, runnable: Runnable[Any, Any], out: str | Path | None, options: Options, clock: Clock = CLOCK
    ) -> None:
        if out is None:
            raise KimiUsageError('lane="batch" needs `out`: batches take hours, and a later run must find them.')
        if Path(out).suffix.lower() in _TABLES:
            raise KimiUsageError(
                f'lane="batch" writes JSON lines, not {Path(out).suffix}.', advice="Choose a .jsonl file."
            )
        self._options = own = checked_options(options)
        self._program = program_of(runnable, own.config)
        self._host = chosen_host(self._program.model)
        self._lane = lane_of(self._host)
        self._target = target_of(runnable)
        description = self._target.description()
        self._digest = digest_of(description)
        self._purse = None if own.max_cost is None else Purse(own.max_cost)
        self._store = Store(Path(out), description)
        self._journal = Journal.at(Path(out).with_name(f"{Path(out).name}.batches.jsonl"))
        self._clock = clock
        self._results: asyncio.Queue[BulkResult | None] = asyncio.Queue()
        self._open = asyncio.Semaphore(MOST_OPEN)
        self._same: dict[str, list[Row]] = {}
        self._group: list[RowInBatch] = []
        self._size = OVERHEAD
        self._earlier: dict[str, list[RowInBatch]] = {}
        self._again: list[RowInBatch] = []
        self._is_last = not own.retries
        self._tasks: set[asyncio.Task[None]] = set()
        self.summary = BulkSummary()
        self._progress = progress_of(own.progress, self.summary)
        self._started = time.monotonic()
        self.stop: BaseException | None = None
        self.unsaved: list[BulkResult] = []

    async def results(self, source: Any) -> AsyncGenerator[BulkResult, None]:
        """Yield the results as they come."""
        self.summary.total = number_of_rows(source)
        feeding = asyncio.create_task(self._feed_all(source))
        try:
            while (result := await self._results.get()) is not None:
                self.summary.add(result)
                self._update()
                yield result
            await feeding
        finally:
            await self._end(feeding)
        self._update()
        if self.stop is not None:
            raise self._stopped(self.stop)

    async def _end(self, feeding: asyncio.Task[None]) -> None:
        tasks = [feeding, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._store.flush()
        self._store.close()
        self._progress.close()

    def _update(self) -> None:
        self.summary.seconds = time.monotonic() - self._started
        self._progress.update()

    async def _feed_all(self, source: Any) -> None:
        try:
            index = 0
            async with aclosing(rows_of(source)) as rows:
                async for value in rows:
                    if self.stop is not None:
                        break
                    await self._take(index, value)
                    index += 1
            self.summary.total = index if self.stop is None else self.summary.total
            await self._send_group()
            for key, entries in self._earlier.items():
                await self._spawn(self._continue(self._journal.batches[key], entries))
            await self._wait_for_tasks()
            for number in range(self._options.retries):
                self._is_last = number + 1 == self._options.retries
                await self._ask_again()
        except BaseException as problem:
            self.stop = self.stop or problem
            await self._wait_for_tasks()
            if not isinstance(problem, Exception):
                raise
        finally:
            self._results.put_nowait(None)

    async def _ask_again(self) -> None:
        again, self._again = self._again, []
        for entry in again:
            await self._add(entry)
        await self._send_group()
        await self._wait_for_tasks()

    async def _wait_for_tasks(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _spawn(self, work: Any) -> None:
        """Begin with a batch when one of the open ones has ended."""
        await self._open.acquire()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._closed)

    def _closed(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._open.release()
        if not task.cancelled() and (problem := task.exception()) is not None:
            self.stop = self.stop or problem

    async def _take(self, index: int, value: Any) -> None:
        """Begin with a row: find its result or its batch, or send it."""
        try:
            key = self._key_of(value)
            line = self._store.find(key)
            is_new = line is None or (not line.ok and not line.own and self._options.retry_failed)
            if is_new and key not in self._same:
                entry = await self._prepared(Row(index, key, value))
        except Exception as problem:  # noqa: BLE001 - a row that cannot be rendered is an error of the row
            key = digest_of({"row": repr(value)}).hex()
            error = BulkError("KimiUsageError", f"The row cannot be rendered: {type(problem).__name__}: {problem}")
            await self._finish(BulkResult(key, index, error=error, input=value))
            return
        if not is_new and line is not None:
            state = cast("Any", "duplicate" if line.own else "stored")
            self._results.put_nowait(result_of(line.content, self._target.schema, state, index, value))
        elif key in self._same:
            self._same[key].append(Row(index, key, value))
        else:
            self._same[key] = []
            if (batch := self._journal.batch_of(key)) is not None:
                self._earlier.setdefault(batch, []).append(entry)
            else:
                await self._add(entry)

    def _key_of(self, value: Any) -> str:
        key = self._options.key
        if key is None:
            return self._target.key_of(value, self._digest)
        own = value[key] if isinstance(key, str) else key(value)
        return str(own)

    async def _prepared(self, row: Row) -> RowInBatch:
        messages = self._program.messages_of(await self._program.abegin(row.value))
        request = row_request(self._program, messages, row.index)
        return RowInBatch(row, request, row_size(self._program, request, row.index))

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
            await self._spawn(self._send(group))

    async def _send(self, group: Sequence[RowInBatch]) -> None:
        """Submit a batch, and read its results. A batch that does not fit into the money is sent in halves."""
        if self.stop is not None:
            return
        key = uuid4().hex
        draft = draft_of_requests(self._program, [one.request for one in group], key)
        try:
            if self._purse is not None:
                await self._purse.reserve(cast("Any", key), self._most(group))
            draft.reserve()
        except KimiBudgetExceededError as problem:
            self._settle(key, NOTHING)
            half = len(group) // 2
            if not half:
                self.stop = self.stop or problem
                return
            await self._send(group[:half])
            await self._send(group[half:])
            return
        await asyncio.to_thread(self._journal.sending, key, self._clock.epoch(), [one.row.key for one in group])
        self.summary.requests += 1
        try:
            handle = draft.handle(await arun(self._lane.submit(draft.content), self._program, self._clock))
        except KimiError as problem:
            if was_refused(problem):
                self._settle(key, NOTHING)
                await asyncio.to_thread(self._journal.ended, key)
            draft.end(problem)
            raise
        await asyncio.to_thread(self._journal.submitted, key, handle.model_dump_json())
        await self._follow(handle, dict(enumerate(group)))

    def _most(self, group: Sequence[RowInBatch]) -> Decimal:
        bodies = [cast("Mapping[str, Any]", one.request.body) for one in group]
        priced = [{**body, "model": priced_slug(body)} for body in bodies]
        return sum((worst_case(body, self._options.prices).cost for body in priced), NOTHING)

    def _settle(self, key: str, cost: Decimal | None) -> None:
        if self._purse is not None:
            self._purse.settle(cast("Any", key), cost)

    async def _continue(self, batch: OpenBatch, entries: Sequence[RowInBatch]) -> None:
        """Go on with a batch of an earlier run: read its results, find it, or send its rows."""
        rows = {batch.rows.index(one.row.key): one for one in entries}
        if batch.handle is not None:
            handle = BatchHandle.model_validate(batch.handle).with_program(self._program)
            await self._follow(handle, rows)
            return
        model = model_of(cast("Mapping[str, Any]", entries[0].request.body), self._host)
        draft = Submission(batch.key, model, b"", len(batch.rows), WINDOW)
        looking = self._lane.find(draft, batch.since, self._journal.ids, EVERY)
        submitted = await arun(looking, self._program, self._clock)
        if submitted is None:
            await asyncio.to_thread(self._journal.ended, batch.key)
            await self._send(entries)
            return
        requests = {position: one.request for position, one in rows.items()}
        handle = new_handle(self._program, submitted, batch.key, requests, len(batch.rows))
        await asyncio.to_thread(self._journal.submitted, batch.key, handle.model_dump_json())
        await self._follow(handle, rows)

    async def _follow(self, handle: BatchHandle, rows: Mapping[int, RowInBatch]) -> None:
        """Write the results of a batch when it has ended."""
        started = self._clock.monotonic()
        state = await handle.wait_async(every=EVERY, clock=self._clock)
        results = await handle.aresults()
        seconds = round(self._clock.monotonic() - started, 6)
        for position, entry in rows.items():
            result = results[position]
            if result.error is not None and not self._is_last and getattr(result.error, "is_retryable", False):
                self._again.append(entry)
            else:
                await self._finish(_bulk_result(entry.row, result, state.provider, seconds))
            if result.error is not None and self._options.on_error == "raise":
                self.stop = self.stop or result.error
        self._settle(handle.key, None if state.cost is None else Decimal(str(state.cost)))
        if self.unsaved:
            # A later run reads the results again.
            return
        await asyncio.to_thread(self._journal.ended, handle.key)

    async def _finish(self, result: BulkResult) -> None:
        """Write a result, and hand it on with those of the equal rows."""
        line = line_of(result)
        writing = asyncio.ensure_future(self._store.append(result.key, line, ok=result.ok))
        await asyncio.wait([writing])
        if (problem := writing.exception()) is not None:
            self.stop = self.stop or problem
            self.unsaved.append(result)
            return
        self._results.put_nowait(result)
        for row in self._same.pop(result.key, ()):
            self._results.put_nowait(result_of(line, self._target.schema, "duplicate", row.index, row.value))

    def _stopped(self, problem: BaseException) -> BaseException:
        if isinstance(problem, KimiUsageError) and not isinstance(problem, KimiBudgetExceededError):
            return problem
        reason = problem.reason if isinstance(problem, KimiError) else f"{type(problem).__name__}: {problem}"
        self.summary.stopped = reason
        error = BulkStoppedError(
            f"The run stopped after {self.summary.rows:,} rows. {reason}",
            advice=f"{getattr(problem, 'advice', '')} Start the same run again to continue.".strip(),
        )
        error.summary, error.unsaved = self.summary, tuple(self.unsaved)
        error.__cause__ = problem
        return error


def _bulk_result(row: Row, result: BatchResult, provider: str | None, seconds: float) -> BulkResult:
    """Return the result of a row of a batch as that of a row of a run."""
    value, error = result.value, result.error
    if isinstance(value, dict) and value.keys() == RAW_AND_PARSED and value["parsing_error"] is not None:
        error, value = value["parsing_error"], None
    message = result.message
    metadata = message.response_metadata if message else {}
    usage: Mapping[str, Any] = (message.usage_metadata if message else None) or {}
    has_cost = result.cost is not None
    return BulkResult(
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
