"""`run` and `arun`."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

from langchain_core.runnables import Runnable

from langchain_kimi.bulk.call_run import CallRun
from langchain_kimi.bulk.options import Options
from langchain_kimi.bulk.results import BulkResult
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.errors import KimiUsageError

if TYPE_CHECKING:
    from langchain_kimi.bulk.batch_run import BatchRun


async def arun(
    runnable: Runnable[Any, Any], rows: Any, *, out: str | Path | None = None, **options: Unpack[Options]
) -> AsyncGenerator[BulkResult, None]:
    """Invoke a runnable with every row, and yield the results as they arrive.

    Args:
        runnable: A `ChatKimi`, or a binding, chain or structured output of one.
        rows: The inputs of the runnable: any iterable or async iterable, or the path of a JSON Lines, CSV or Parquet
            file. They are read when they are needed.
        out: The file of the results, in the form of JSON Lines. A run with an existing file continues it. A `.parquet`,
            `.sqlite` or `.db` file is created from these lines at the end, and the lines stay in a file beside it.
            Without a file, nothing is stored.
        **options: See `Options`.

    Raises:
        KimiUsageError: The runnable has no `ChatKimi`, the rows or the file cannot be read, the file belongs to another
            run, or an option is invalid.
        BulkStoppedError: The run ended early: the budget is spent, the key is refused, the model does not exist, or the
            file cannot be written. All earlier results are in the file.
    """
    async with aclosing(_new_run(runnable, out, options).results(rows)) as results:
        async for result in results:
            yield result


def run(
    runnable: Runnable[Any, Any],
    rows: Any,
    *,
    out: str | Path | None = None,
    on_result: Callable[[BulkResult], None] | None = None,
    **options: Unpack[Options],
) -> BulkSummary:
    """Invoke a runnable with every row, and return a summary at the end.

    Args:
        runnable: See `arun`.
        rows: See `arun`.
        out: See `arun`.
        on_result: A function that is called with each result when it arrives.
        **options: See `Options`.

    Raises:
        KimiUsageError: See `arun`. Also if neither `out` nor `on_result` is set, because the results would be lost.
        BulkStoppedError: See `arun`.
    """
    if out is None and on_result is None:
        raise KimiUsageError("The results would be lost.", advice="Pass out=..., on_result=..., or use bulk.arun.")

    async def run_all() -> BulkSummary:
        this = _new_run(runnable, out, options)
        async with aclosing(this.results(rows)) as results:
            async for result in results:
                if on_result is not None:
                    on_result(result)
        return this.summary

    return finished(run_all())


def _new_run(runnable: Runnable[Any, Any], out: str | Path | None, options: Options) -> "CallRun | BatchRun":
    if options.get("lane") != "batch":
        return CallRun(runnable, out, options)
    from langchain_kimi.bulk.batch_run import BatchRun  # noqa: PLC0415 - a run of calls does not import it

    return BatchRun(runnable, out, options)


async def _awake(work: Coroutine[Any, Any, BulkSummary], longest_wait: float) -> BulkSummary:
    """Await a coroutine in a loop that wakes up regularly.

    Python handles a signal that arrives directly before the loop waits only after the wait.
    """

    async def wake() -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing but the time
            await asyncio.sleep(longest_wait)

    waking = asyncio.create_task(wake())
    try:
        return await work
    finally:
        waking.cancel()


def finished(work: Coroutine[Any, Any, BulkSummary], longest_wait: float = 0.1) -> BulkSummary:
    """Run a coroutine to its end, in a thread of its own if this one has a running loop, as in a notebook.

    Args:
        work: The coroutine.
        longest_wait: The seconds after which an interrupt of this thread is noticed at the latest.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_awake(work, longest_wait))
    started: Future[Callable[[], object]] = Future()

    async def cancellable() -> BulkSummary:
        loop, task = asyncio.get_running_loop(), cast("asyncio.Task[BulkSummary]", asyncio.current_task())
        started.set_result(partial(loop.call_soon_threadsafe, task.cancel))
        return await work

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(asyncio.run, cancellable())
        try:
            # Python handles a signal that arrives directly before a wait only after the wait.
            while not wait([future], timeout=longest_wait).done:
                continue
            return future.result()
        except KeyboardInterrupt:
            # The notebook's interrupt reaches this thread only, and the end of the `with` waits for the other one.
            with suppress(RuntimeError):
                started.result()()
            raise
