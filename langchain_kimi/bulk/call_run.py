"""Bulk runs by calls, with a bounded number of rows open at any time."""

import asyncio
import pickle
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable

from langchain_kimi.bulk.admission import NotSentError, OwnAdmission
from langchain_kimi.bulk.asking import ask, is_hopeless
from langchain_kimi.bulk.base_run import BaseRun
from langchain_kimi.bulk.options import Options, checked_options
from langchain_kimi.bulk.results import BulkResult
from langchain_kimi.bulk.rows import Row, RunGate
from langchain_kimi.errors import KimiBudgetExceededError


class CallRun(BaseRun[Row]):
    """One run of calls.

    Args:
        runnable: The runnable that is asked for every row.
        out: The file of the results; None for a temporary one.
        options: The user's options.

    Raises:
        KimiUsageError: An option is invalid, the runnable has no `ChatKimi`, or the file cannot be used.
    """

    def __init__(self, runnable: Runnable[Any, Any], out: str | Path | None, options: Options) -> None:
        checked = checked_options(options)
        super().__init__(runnable, None if out is None else Path(out), checked)
        self._runnable = runnable
        self._admission = OwnAdmission(checked.limits, self._purse, is_stopped=lambda: self.is_halted)
        self._gate = RunGate(self._admission, checked.estimates)
        self._slots = asyncio.Semaphore(2 * checked.limits.max_concurrency)
        self._aside: set[str] = set()
        """The keys of the rows that are put aside."""

    async def _wait_for_place(self) -> None:
        await self._slots.acquire()

    def _free_place(self) -> None:
        self._slots.release()

    async def _prepared(self, row: Row) -> Row:
        return row

    async def _ask_for(self, prepared: Row) -> None:
        self._spawn(self._ask(prepared))

    async def _send_rest(self) -> None:
        """Do nothing: no row waits for others."""

    async def _ask_again(self) -> None:
        for content in self._store.waiting():
            await self._slots.acquire()
            if self.stop is not None:
                return
            row: Row = pickle.loads(content)  # noqa: S301 - this process wrote it
            if row.earlier is None and (self._emit_earlier(row) or self._join_equal(row)):
                continue
            self._aside.discard(row.key)
            self._spawn(self._ask(row))

    def _join_equal(self, row: Row) -> bool:
        return (row.key in self._aside and self._put_aside(row)) or super()._join_equal(row)

    async def _ask(self, row: Row) -> None:
        result, error = await ask(self._runnable, row, self._gate, self._options.config)
        if error is not None and is_hopeless(error):
            self._halt(error)
        elif error is not None and self._keep_for_later(row, result, error):
            return
        if error is not None:
            self._fail(error)
        if not isinstance(error, KimiBudgetExceededError | NotSentError):
            await self._finish(result)
        else:
            self._forget(row.key)

    def _keep_for_later(self, row: Row, result: BulkResult, error: Exception) -> bool:
        """Keep a row that may succeed later for a round at the end of the run, and return whether it is kept."""
        if self._is_last_round or not getattr(error, "is_retryable", False):
            return False
        if not self._put_aside(replace(row, earlier=replace(result, input=None))):
            return False
        self._aside.add(row.key)
        # Equal rows would keep their places until the end, and leave none for the rows that are still to be read.
        self._same[row.key] = [equal for equal in self._same[row.key] if not self._put_aside(equal)]
        return True

    def _put_aside(self, row: Row) -> bool:
        """Keep a row for the next round and free its place. Return whether the row could be kept."""
        try:
            self._store.put_aside(pickle.dumps(row))
        except (pickle.PicklingError, TypeError, AttributeError, sqlite3.Error):
            return False
        self._slots.release()
        return True

    def _update(self) -> None:
        self.summary.requests, self.summary.refusals = self._admission.requests, self._admission.refusals
        super()._update()
