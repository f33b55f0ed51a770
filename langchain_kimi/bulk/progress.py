"""The progress of a bulk run: a bar or a line on a terminal, a line a minute in the log, or the user's own function."""

import logging
import shutil
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol, TextIO

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
        end: Does what follows the last line.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        summary: BulkSummary,
        period: float,
        monotonic: Callable[[], float] = time.monotonic,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        self._write = write
        self._end = end
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
        self._end()


def progress_of(wanted: bool | Callable[[BulkSummary], None], summary: BulkSummary) -> Progress:  # noqa: FBT001 - the user's value
    """Return the object that shows the progress."""
    if callable(wanted):
        return EachTime(wanted, summary)
    if not wanted:
        return NoProgress()
    if sys.stderr.isatty():
        try:
            return Bar(summary, sys.stderr)
        except ImportError:
            terminal = Terminal(sys.stderr)
            return Lines(terminal.write, summary, ON_TERMINAL, end=terminal.end)
    return Lines(lambda line: logger.info("%s", line), summary, IN_LOG)


class Bar:
    """A bar on a terminal, with the state as text. It needs the library `rich`, which the extra `cli` installs.

    Args:
        summary: The sums.
        terminal: The terminal.

    Raises:
        ImportError: The library is not installed.
    """

    def __init__(self, summary: BulkSummary, terminal: TextIO) -> None:
        rich: Any = import_module("rich.progress")
        console = import_module("rich.console").Console(file=terminal)
        self._summary = summary
        # The library would make a mark of what is in brackets.
        text = rich.TextColumn("{task.description}", markup=False)
        # Its thread draws the bar some times a second, however many rows end in between.
        self._bar = rich.Progress(rich.SpinnerColumn(), rich.BarColumn(), text, console=console)
        self._task = self._bar.add_task(summary.line(), total=summary.total)
        self._bar.start()

    def update(self) -> None:
        """Take the sums."""
        sums = self._summary
        self._bar.update(self._task, description=sums.line(), completed=sums.rows, total=sums.total)

    def close(self) -> None:
        """Draw the last state, and leave it on the terminal."""
        self.update()
        self._bar.stop()


class Terminal:
    """A line on a terminal that is replaced by the next one."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, line: str) -> None:
        """Replace the line, cut to the width of the terminal, because a second line could not be replaced."""
        width = shutil.get_terminal_size().columns - 1
        self._terminal.write(f"\r\x1b[K{line[:width]}")
        self._terminal.flush()

    def end(self) -> None:
        """Keep the line, and begin a new one."""
        self._terminal.write("\n")
        self._terminal.flush()
