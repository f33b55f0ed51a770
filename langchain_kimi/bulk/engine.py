"""The engine of bulk runs: rows in, results out, with a bounded number of rows open at any time."""

import asyncio
import pickle
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable

from langchain_kimi.bulk.admission import OwnAdmission
from langchain_kimi.bulk.asking import ask, is_hopeless, unrenderable
from langchain_kimi.bulk.options import Options, checked_options
from langchain_kimi.bulk.progress import progress_of
from langchain_kimi.bulk.purse import Purse
from langchain_kimi.bulk.results import BulkResult, BulkStoppedError, line_of, result_of
from langchain_kimi.bulk.rows import Row, RunGate
from langchain_kimi.bulk.sources import number_of_rows, rows_of
from langchain_kimi.bulk.store import Line, Store
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.bulk.tables import lines_path, table_path, write_table
from langchain_kimi.bulk.target import digest_of, target_of
from langchain_kimi.errors import KimiBudgetExceededError, KimiError, KimiUsageError


class Run:
    """One run.

    Args:
        runnable: The runnable that is asked for every row.
        out: The file of the results; None for a temporary one.
        options: The user's options.

    Attributes:
        summary: The sums so far.
        stop: Why no further rows are asked; None if nothing stopped the run.
        unsaved: The results that could not be written.

    Raises:
        KimiUsageError: An option is invalid, the runnable has no `ChatKimi`, or the file cannot be used.
    """

    def __init__(self, runnable: Runnable[Any, Any], out: str | Path | None, options: Options) -> None:
        self._runnable = runnable
        self._options = own = checked_options(options)
        self._target = target_of(runnable)
        description = self._target.description()
        self._digest = digest_of(description)
        purse = None if own.max_cost is None else Purse(own.max_cost)
        self._admission = OwnAdmission(own.limits, purse)
        self._gate = RunGate(self._admission, own.estimates)
        self._table = None if out is None else table_path(Path(out))
        self._store = Store(None if out is None else lines_path(Path(out)), description)
        self.summary = BulkSummary()
        self._progress = progress_of(own.progress, self.summary)
        self._slots = asyncio.Semaphore(2 * own.limits.max_concurrency)
        self._results: asyncio.Queue[BulkResult | None] = asyncio.Queue()
        self._same: dict[str, list[Row]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_round = False
        self.stop: BaseException | None = None
        self.unsaved: list[BulkResult] = []
        self._started = time.monotonic()

    async def results(self, source: Any) -> AsyncGenerator[BulkResult, None]:
        """Yield the results as they come."""
        self.summary.total = number_of_rows(source)
        feeding = asyncio.create_task(self._feed_all(source))
        try:
            while (result := await self._results.get()) is not None:
                self.summary.add(result)
                self._update()
                yield result
                self._slots.release()
            await feeding
            await self._make_table()
        finally:
            await self._end(feeding)
        self._update()
        if self.stop is not None:
            raise stopped(self.stop, self.summary, self.unsaved)

    async def _make_table(self) -> None:
        if self._table is None or isinstance(self.stop, OSError):
            return
        try:
            await asyncio.to_thread(write_table, self._store.lines(), self._table)
        except OSError as problem:
            self.stop = self.stop or problem

    async def _end(self, feeding: asyncio.Task[None]) -> None:
        tasks = [feeding, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._store.flush()
        self._store.close()
        self._progress.close()

    async def _feed_all(self, source: Any) -> None:
        try:
            index = 0
            async with aclosing(rows_of(source)) as rows:
                async for value in rows:
                    await self._slots.acquire()
                    if self.stop is not None:
                        break
                    self._take(index, value)
                    index += 1
            self.summary.total = index if self.stop is None else self.summary.total
            await self._wait_for_tasks()
            for number in range(self._options.retries):
                self._last_round = number + 1 == self._options.retries
                await self._ask_again()
        except BaseException as problem:
            self.stop = self.stop or problem
            await self._wait_for_tasks()
            if not isinstance(problem, Exception):
                raise
        finally:
            self._results.put_nowait(None)

    async def _ask_again(self) -> None:
        for row in self._store.waiting():
            await self._slots.acquire()
            if self.stop is not None:
                break
            self._start(pickle.loads(row))  # noqa: S301 - this process wrote it
        await self._wait_for_tasks()

    async def _wait_for_tasks(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _take(self, index: int, value: Any) -> None:
        """Begin with a row: find its result, or ask."""
        try:
            key = self._key_of(value)
        except Exception as problem:  # noqa: BLE001 - a row that cannot be rendered is an error of the row
            self._spawn(self._finish(unrenderable(value, index, problem)))
            return
        row = Row(index, key, value)
        line = self._store.find(key)
        if line is not None and (line.ok or line.own or not self._options.retry_failed):
            self._results.put_nowait(self._read(line, row))
        elif key in self._same:
            self._same[key].append(row)
        else:
            self._same[key] = []
            self._start(row)

    def _read(self, line: Line, row: Row) -> BulkResult:
        return result_of(line.content, self._target.schema, "duplicate" if line.own else "stored", row.index, row.value)

    def _key_of(self, value: Any) -> str:
        key = self._options.key
        if key is None:
            return self._target.key_of(value, self._digest)
        own = value[key] if isinstance(key, str) else key(value)
        return str(own)

    def _start(self, row: Row) -> None:
        self._spawn(self._ask(row))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, row: Row) -> None:
        result, error = await ask(self._runnable, row, self._gate, self._options.config)
        if is_hopeless(error):
            self.stop = self.stop or error
        elif error is not None and self._is_put_aside(row, result, error):
            return
        if error is not None and self._options.on_error == "raise":
            self.stop = self.stop or error
        if not isinstance(error, KimiBudgetExceededError):
            await self._finish(result)
        else:
            self._forget(row)

    def _is_put_aside(self, row: Row, result: BulkResult, error: Exception) -> bool:
        """Keep a row that may succeed later for a round at the end of the run, and return whether it is kept."""
        if self._last_round or not self._options.retries or not getattr(error, "is_retryable", False):
            return False
        try:
            self._store.put_aside(pickle.dumps(replace(row, earlier=replace(result, input=None))))
        except (pickle.PicklingError, TypeError, AttributeError):
            return False
        self._slots.release()
        return True

    def _forget(self, row: Row) -> None:
        for _ in (row, *self._same.pop(row.key, ())):
            self._slots.release()

    async def _finish(self, result: BulkResult) -> None:
        """Write a result, and hand it on with those of the equal rows."""
        line = line_of(result)
        try:
            await self._store.append(result.key, line, ok=result.ok)
        except OSError as problem:
            self.stop = self.stop or problem
            self.unsaved.append(result)
            self._slots.release()
            return
        self._results.put_nowait(result)
        for row in self._same.pop(result.key, ()):
            self._results.put_nowait(result_of(line, self._target.schema, "duplicate", row.index, row.value))

    def _update(self) -> None:
        self.summary.seconds = time.monotonic() - self._started
        self.summary.requests, self.summary.refusals = self._admission.requests, self._admission.refusals
        self._progress.update()


def stopped(problem: BaseException, summary: BulkSummary, unsaved: Sequence[BulkResult]) -> BaseException:
    """Return the error of a run that a problem stopped: `BulkStoppedError`, or a usage error itself."""
    if isinstance(problem, KimiUsageError) and not isinstance(problem, KimiBudgetExceededError):
        return problem
    reason = problem.reason if isinstance(problem, KimiError) else f"{type(problem).__name__}: {problem}"
    summary.stopped = reason
    error = BulkStoppedError(
        f"The run stopped after {summary.rows:,} rows. {reason}",
        advice=f"{getattr(problem, 'advice', '')} Start the same run again to continue.".strip(),
    )
    error.summary, error.unsaved = summary, tuple(unsaved)
    error.__cause__ = problem
    return error
