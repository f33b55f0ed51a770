"""The engine of bulk runs: rows in, results out, with a bounded number of rows open at any time."""

import asyncio
import pickle
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from langchain_core.runnables import Runnable, RunnableConfig

from langchain_kimi._openrouter.http.gates import current_gate
from langchain_kimi.bulk.brake import Limits
from langchain_kimi.bulk.progress import Progress, progress_of
from langchain_kimi.bulk.purse import NOTHING, Purse
from langchain_kimi.bulk.results import RAW_AND_PARSED, BulkError, BulkResult, BulkStoppedError, line_of, result_of
from langchain_kimi.bulk.rows import Row, RowCosts, RunGate
from langchain_kimi.bulk.sources import number_of_rows, rows_of
from langchain_kimi.bulk.store import Line, Store
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.bulk.target import digest_of, target_of
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiBudgetExceededError,
    KimiError,
    KimiModerationError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiPermissionError,
    KimiUsageError,
)

OnError = Literal["keep", "raise"]
Key = str | Callable[[Any], str] | None
_HOPELESS = (
    KimiAuthenticationError,
    KimiPaymentRequiredError,
    KimiPermissionError,
    KimiNotFoundError,
    KimiBudgetExceededError,
)
"""Errors that every further row would end with too."""


class _Run:
    """The state of one run."""

    def __init__(self, runnable: Runnable[Any, Any], options: Mapping[str, Any]) -> None:
        self._runnable = runnable
        self._options = options
        self._target = target_of(runnable)
        description = self._target.description()
        self._digest = digest_of(description)
        limits: Limits = options["limits"]
        max_cost = options["max_cost"]
        purse = None if max_cost is None else Purse(NOTHING + _decimal(max_cost))
        self._gate = RunGate(limits, purse, options["prices"])
        self._store = Store(options["out"], description)
        self.summary = BulkSummary()
        self.progress: Progress = progress_of(options["progress"], self.summary)
        self._slots = asyncio.Semaphore(2 * limits.max_concurrency)
        self._results: asyncio.Queue[BulkResult | None] = asyncio.Queue()
        self._same: dict[str, list[Row]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_round = False
        self.stop: BaseException | None = None
        self.unsaved: list[BulkResult] = []
        self._started = time.monotonic()

    async def results(self, source: Any) -> AsyncIterator[BulkResult]:
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
        self.progress.close()

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
            for number in range(self._options["retries"]):
                self._last_round = number + 1 == self._options["retries"]
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
            key = digest_of({"row": repr(value)}).hex()
            error = BulkError("KimiUsageError", f"The row cannot be rendered: {type(problem).__name__}: {problem}")
            self._spawn(self._finish(BulkResult(key, index, error=error, input=value)))
            return
        row = Row(index, key, value)
        line = self._store.find(key)
        if line is not None and (line.ok or line.own or not self._options["retry_failed"]):
            self._results.put_nowait(self._read(line, row))
        elif key in self._same:
            self._same[key].append(row)
        else:
            self._same[key] = []
            self._start(row)

    def _read(self, line: Line, row: Row) -> BulkResult:
        return result_of(line.content, self._target.schema, "duplicate" if line.own else "stored", row.index, row.value)

    def _key_of(self, value: Any) -> str:
        key: Key = self._options["key"]
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
        purse = self._gate.purse
        costs = RowCosts((lambda _, __: None) if purse is None else purse.settle)
        current_gate.set(self._gate)
        started = time.monotonic()
        error: Exception | None = None
        value: Any = None
        try:
            value = await self._runnable.ainvoke(row.value, _with(self._options["config"], costs))
        except Exception as problem:  # noqa: BLE001 - every failure of a row is kept as its error
            error = problem
        if isinstance(value, dict) and value.keys() == RAW_AND_PARSED and value["parsing_error"] is not None:
            error, value = value["parsing_error"], None
        if isinstance(error, _HOPELESS) and not isinstance(error, KimiModerationError):
            self.stop = self.stop or error
        elif error is not None and self._is_put_aside(row, error):
            return
        total = costs.total
        result = BulkResult(
            key=row.key,
            index=row.index,
            value=value,
            error=None if error is None else BulkError.of(error),
            input=row.value,
            model=_last(costs.models),
            provider=_last(costs.providers),
            input_tokens=total.input_tokens,
            output_tokens=total.output_tokens,
            cost=float(total.charged + total.charged_upstream),
            unknown_costs=total.unknown,
            seconds=round(time.monotonic() - started, 6),
        )
        if error is not None and self._options["on_error"] == "raise":
            self.stop = self.stop or error
        if not isinstance(error, KimiBudgetExceededError):
            await self._finish(result)
        else:
            self._forget(row)

    def _is_put_aside(self, row: Row, error: Exception) -> bool:
        """Keep a row that may succeed later for a round at the end of the run, and return whether it is kept."""
        if self._last_round or not self._options["retries"] or not getattr(error, "is_retryable", False):
            return False
        try:
            self._store.put_aside(pickle.dumps(row))
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
        self.summary.requests, self.summary.refusals = self._gate.requests, self._gate.refusals
        self.progress.update()

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


async def arun(
    runnable: Runnable[Any, Any],
    rows: Any,
    *,
    out: str | Path | None = None,
    key: Key = None,
    max_concurrency: int = 64,
    requests_per_minute: float | None = None,
    tokens_per_minute: float | None = None,
    max_cost: float | None = None,
    prices: Mapping[str, float] | None = None,
    retries: int = 2,
    retry_failed: bool = False,
    on_error: OnError = "keep",
    progress: bool | Callable[[BulkSummary], None] = False,
    config: RunnableConfig | None = None,
) -> AsyncIterator[BulkResult]:
    """Ask a runnable for every row, and yield the results as they come.

    Args:
        runnable: A `ChatKimi`, or a binding, chain or structured output of one.
        rows: The inputs of the runnable: any iterable or async iterable, or the path of a file of JSON lines, CSV or
            Parquet. They are read as needed.
        out: The file of the results, JSON lines. A run with a file continues where an earlier one ended; without a
            file nothing is kept.
        key: The name of the column, or a function of the row, that identifies a row. By default a digest of the
            request, so a changed prompt is asked anew.
        max_concurrency: The most requests at once. The number in use adapts to what the host accepts.
        requests_per_minute: The most requests that begin within a minute.
        tokens_per_minute: The most estimated tokens of prompts within a minute.
        max_cost: US dollars that the run may cost. Each call reserves the most that it can cost, so set `max_tokens`
            on the model. Fees of plugins are not included.
        prices: US dollars per million tokens, `{"prompt": ..., "completion": ...}`, in place of the list prices.
        retries: How often the rows that failed and may succeed are asked again, at the end of the run.
        retry_failed: Whether the failed rows of an earlier run are asked again.
        on_error: `keep` a failed row as a result with its error, or `raise` and stop.
        progress: Whether to show the progress on standard error or in the log, or a function that takes the sums.
        config: The configuration of the runnable's calls.

    Raises:
        KimiUsageError: The runnable has no `ChatKimi`, the rows or the output cannot be read, or the output belongs to
            another run.
        BulkStoppedError: The run ended early: the money is spent, the key is refused, the model does not exist, or the
            output cannot be written. All earlier results are in the output.
    """
    _check(on_error, retries, max_concurrency)
    options = {
        "out": None if out is None else Path(out),
        "key": key,
        "limits": Limits(max_concurrency, requests_per_minute, tokens_per_minute),
        "max_cost": max_cost,
        "prices": prices,
        "retries": retries,
        "retry_failed": retry_failed,
        "on_error": on_error,
        "progress": progress,
        "config": config,
    }
    run = _Run(runnable, options)
    async with aclosing(run.results(rows)) as results:
        async for result in results:
            yield result


def run(
    runnable: Runnable[Any, Any],
    rows: Any,
    *,
    out: str | Path | None = None,
    on_result: Callable[[BulkResult], None] | None = None,
    **options: Any,
) -> BulkSummary:
    """Ask a runnable for every row, and return the sums.

    Args:
        runnable: See `arun`.
        rows: See `arun`.
        out: The file of the results; see `arun`.
        on_result: Called with each result.
        **options: The other arguments of `arun`.

    Raises:
        KimiUsageError: See `arun`. Also if the results would go nowhere, because neither `out` nor `on_result` is set.
        BulkStoppedError: See `arun`.
    """
    if out is None and on_result is None:
        raise KimiUsageError("The results would be lost.", advice="Pass out=..., on_result=..., or use bulk.arun.")
    summaries: list[BulkSummary] = []

    async def run_all() -> None:
        async with aclosing(arun(runnable, rows, out=out, _summaries=summaries, **options)) as results:
            async for result in results:
                if on_result is not None:
                    on_result(result)

    _run_anywhere(run_all())
    return summaries[0]
