"""The progress of a bulk run: a line on a terminal, a line a minute in the log, or the user's own function."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Protocol, TextIO

from langchain_kimi.bulk.summary import BulkSummary

logger = logging.getLogger("langchain_kimi")
ON_TERMINAL = 0.2
"""Seconds between two updates of the line."""
IN_LOG = 60.0
"""Seconds between two lines of the log."""


class Progress(Protocol):
    """Shows the progress."""

    def update(self) -> None:
        """Take note that the sums have changed."""

    def close(self) -> None:
        """Show the last state."""


class NoProgress:
    """Shows nothing."""

    def update(self) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


class EachTime:
    """Calls a function with the sums after each result."""

    def __init__(self, function: Callable[[BulkSummary], None], summary: BulkSummary) -> None:
        self._function = function
        self._summary = summary

    def update(self) -> None:
        """Call the function."""
        self._function(self._summary)

    def close(self) -> None:
        """Do nothing: the function has seen the last sums."""


class Lines:
    """Writes the state as a line, at most once in a period.

    Args:
        write: Writes a line.
        summary: The sums.
        period: Seconds between two lines.
        monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        summary: BulkSummary,
        period: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._summary = summary
        self._period = period
        self._now = monotonic
        self._last = monotonic()

    def update(self) -> None:
        """Write a line if the period has passed."""
        if self._now() - self._last >= self._period:
            self._last = self._now()
            self._write(self._summary.line())

    def close(self) -> None:
        """Write the last line."""
        self._write(self._summary.line())


def progress_of(wanted: bool | Callable[[BulkSummary], None], summary: BulkSummary) -> Progress:  # noqa: FBT001 - the user's value
    """Return what shows the progress."""
    if callable(wanted):
        return EachTime(wanted, summary)
    if not wanted:
        return NoProgress()
    if sys.stderr.isatty():
        return Lines(_on_terminal(sys.stderr), summary, ON_TERMINAL)
    return Lines(lambda line: logger.info("%s", line), summary, IN_LOG)


def _on_terminal(terminal: TextIO) -> Callable[[str], None]:
    def write(line: str) -> None:
        terminal.write(f"\r\x1b[K{line}")
        terminal.flush()

    return write
