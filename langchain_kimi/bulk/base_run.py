"""The loop of a run: it reads rows, looks up the results that exist, and yields the results as they come."""

import asyncio
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from langchain_core.runnables import Runnable

from langchain_kimi.bulk.asking import storable, unrenderable
from langchain_kimi.bulk.options import CheckedOptions
from langchain_kimi.bulk.progress import progress_of
from langchain_kimi.bulk.purse import purse_of
from langchain_kimi.bulk.results import BulkResult, BulkStoppedError, result_of
from langchain_kimi.bulk.rows import Row, own_key
from langchain_kimi.bulk.sources import number_of_rows, rows_of
from langchain_kimi.bulk.store import Store
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.bulk.tables import lines_path, table_error, table_path
from langchain_kimi.bulk.target import digest_of, target_of
from langchain_kimi.errors import KimiBudgetExceededError, KimiError, KimiUsageError

P = TypeVar("P")


class BaseRun(ABC, Generic[P]):
    """One run. Subclasses decide how rows are asked; `P` is a row that is ready for that.

    Args:
        runnable: The runnable that is asked for every row.
        out: The file of the results; None for a temporary one.
        options: The user's options.

    Attributes:
        summary: The sums so far.
        stop: Why no further rows are read; None if nothing stopped the run.
        is_halted: Whether the rows that were read and wait are not sent either.
        unsaved: The results that could not be written.

    Raises:
        KimiUsageError: The runnable has no `ChatKimi`, or the file cannot be used.
    """

    def __init__(self, runnable: Runnable[Any, Any], out: Path | None, options: CheckedOptions) -> None:
        self._options = options
        self._target = target_of(runnable)
        description = self._target.description()
        self._digest = digest_of(description)
        self._table = None if out is None else table_path(out)
        self._store = Store(None if out is None else lines_path(out), description)
        self._purse = purse_of(options.max_cost, self._store.cost)
        self.summary = BulkSummary(earlier_cost=float(self._store.cost))
        self._progress = progress_of(options.progress, self.summary)
        self._results: asyncio.Queue[BulkResult | None] = asyncio.Queue()
        self._same: dict[str, list[Row]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_last_round = not options.retries
        self.stop: BaseException | None = None
        self.is_halted = False
        self.unsaved: list[BulkResult] = []
        self._started = time.monotonic()

    @abstractmethod
    async def _prepared(self, row: Row) -> P:
        """Return the argument of `_ask_for` for a row.

        Raises:
            Exception: The prompt cannot be made of the row.
        """

    @abstractmethod
    async def _ask_for(self, prepared: P) -> None:
        """Begin to ask for a row that has no result."""

    @abstractmethod
    async def _send_rest(self) -> None:
        """Send what waits for further rows, when there are none."""

    @abstractmethod
    async def _ask_again(self) -> None:
        """Ask for the rows that were put aside."""

    async def _wait_for_place(self) -> None:
        """Wait until another row may be open."""

    def _free_place(self) -> None:
        """Note that a row is not open any more: its result was taken, or is lost."""

    async def results(self, source: Any) -> AsyncGenerator[BulkResult, None]:
        """Yield the results as they come."""
        feeding = asyncio.create_task(self._feed_all(source))
        try:
            while (result := await self._results.get()) is not None:
                self.summary.add(result)
                self._update()
                yield result
                self._free_place()
            await feeding
            await self._make_table()
        finally:
            await self._end(feeding)
        self._update()
        if self.stop is not None:
            raise stopped(self.stop, self.summary, self.unsaved)

    async def _make_table(self) -> None:
        if self._table is not None and not isinstance(self.stop, OSError):
            error = await table_error(self._store.lines(), self._table)
            self.stop = self.stop or error

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
            is_file = isinstance(source, str | Path)
            total = await asyncio.to_thread(number_of_rows, source) if is_file else number_of_rows(source)
            self.summary.total = total
            await self._read(source)
            await self._send_rest()
            await self._wait_for_tasks()
            for number in range(self._options.retries):
                self._is_last_round = number + 1 == self._options.retries
                await self._ask_again()
                await self._wait_for_tasks()
        except BaseException as error:
            self.stop = self.stop or error
            await self._wait_for_tasks()
            if not isinstance(error, Exception):
                raise
        finally:
            self._results.put_nowait(None)

    async def _read(self, source: Any) -> None:
        index = 0
        async with aclosing(rows_of(source)) as rows:
            async for value in rows:
                await self._wait_for_place()
                if self.stop is not None:
                    return
                await self._take(index, value)
                index += 1
        self.summary.total = index

    async def _wait_for_tasks(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.stop = self.stop or error

    async def _take(self, index: int, value: Any) -> None:
        """Begin with a row: find its result, or ask."""
        try:
            filled = self._target.filled(value)
            row = Row(index, self._key_of(value, filled), value, filled=filled)
            if self._emit_earlier(row) or self._join_equal(row):
                return
            prepared = await self._prepared(row)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - a row that cannot be rendered is an error of the row
            self._fail(error)
            self._spawn(self._finish(unrenderable(value, index, error)))
            return
        self._same[row.key] = []
        await self._ask_for(prepared)

    def _key_of(self, value: Any, filled: Any) -> str:
        key = self._options.key
        if key is None:
            return self._target.key_of(value if filled is None else filled, self._digest)
        return own_key(value, key)

    def _emit_earlier(self, row: Row) -> bool:
        """Yield the result of an earlier run or an equal row, and return whether there is one."""
        line = self._store.find(row.key)
        if line is None or (not line.ok and not line.own and self._options.retry_failed):
            return False
        self._emit(line.content, row, "duplicate" if line.own else "stored")
        return True

    def _join_equal(self, row: Row) -> bool:
        """Let a row wait for the result of an equal row in progress, and return whether there is one."""
        if (same := self._same.get(row.key)) is None:
            return False
        same.append(row)
        return True

    def _emit(self, line: bytes, row: Row, state: Literal["stored", "duplicate"]) -> None:
        self._results.put_nowait(result_of(line, self._target.schema, state, row.index, row.value))

    async def _finish(self, result: BulkResult) -> None:
        """Write a result, and yield it for its row and the equal rows."""
        result, line, problem = storable(result)
        if problem is not None:
            self._fail(problem)
        try:
            await self._store.append(result.key, line, ok=result.ok)
        except OSError as error:
            self._halt(error)
            self.unsaved.append(result)
            self._forget(result.key)
            return
        self._results.put_nowait(result)
        for row in self._same.pop(result.key, ()):
            self._emit(line, row, "duplicate")

    def _fail(self, error: Exception) -> None:
        """Stop because of a failed row, if the options say so."""
        if self._options.on_error == "raise":
            self._halt(error)

    def _halt(self, error: BaseException) -> None:
        """Stop, and do not send what waits."""
        self.stop = self.stop or error
        self.is_halted = True

    def _forget(self, key: str) -> None:
        """Free the places of a row without a result and of its equal rows."""
        for _ in (key, *self._same.pop(key, ())):
            self._free_place()

    def _update(self) -> None:
        self.summary.seconds = time.monotonic() - self._started
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
