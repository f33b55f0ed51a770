"""Finds tool calls that the provider left as markup in a streamed text.

Text about the markup stays unchanged: markup in code or quotation marks, and markers that do not enclose a call of an
offered tool. Text that may become markup is held back until that is decided. All other text passes at once.
"""

from typing import Literal

from langchain_kimi._kimi.markup.calls import LeakedCall
from langchain_kimi._kimi.markup.grammar import (
    ARGUMENTS_BEGIN,
    BARE,
    TRIGGER,
    bare_call_at,
    is_clear,
    marker_at,
    partial_bare_call,
    partial_marker,
)
from langchain_kimi._kimi.markup.parser import MarkupRun
from langchain_kimi._kimi.markup.quoting import QuoteTracker
from langchain_kimi._kimi.tools import OfferedTools

_OPENING = "<|"


class MarkupScanner:
    """Scans one streamed text: the content or the reasoning.

    Attributes:
        calls: The calls so far.
        removed: The number of removed runs of markers that contain no call.
        take: Adds a text that contains no trigger; a fast alternative to `feed`.
    """

    def __init__(self, offered: OfferedTools) -> None:
        self.calls: list[LeakedCall] = []
        self.removed = 0
        self._offered = offered
        self._quotes = QuoteTracker()
        self.take = self._quotes.add
        self._pending = ""
        self._run: MarkupRun | None = None
        self._shown: list[str] = []
        self._discusses_markup = False

    @property
    def is_idle(self) -> bool:
        """Whether there is no markup and no pending text."""
        return not (self.calls or self.removed or self._pending or self._run)

    @property
    def is_free(self) -> bool:
        """Whether no markup has begun, so that text without triggers passes."""
        return not self._pending and self._run is None

    @property
    def has_pending(self) -> bool:
        """Whether text is held back that may still be released."""
        return bool(self._pending)

    def feed(self, text: str) -> str:
        """Scan the next text and return the text that can be released."""
        if self.is_free and is_clear(text):
            self.take(text)
            return text
        self._feed_scan(text)
        return self._pop_shown()

    def flush(self) -> str:
        """Release the pending text, because other output follows. A partial call stays pending."""
        self._show(self._pending)
        self._pending = ""
        return self._pop_shown()

    def close(self, *, clean: bool) -> str:
        """Finish at the end of the text and return the rest of it.

        Args:
            clean: Whether the reply ended normally. If not, a call without its end marker is incomplete.
        """
        while self._run is not None:
            self._run.close(clean=clean)
            self._feed_scan(self._finish_run(self._run, at_end=True))
        return self.flush()

    def _pop_shown(self) -> str:
        text = "".join(self._shown)
        self._shown.clear()
        return text

    def _show(self, text: str) -> None:
        if text:
            self.take(text)
            self._shown.append(text)

    def _feed_scan(self, text: str) -> None:
        while text:
            if self._run is None:
                text = self._scan(self._pending + text)
            if self._run is not None:
                self._run.feed(text)
                text = self._finish_run(self._run, at_end=False) if self._run.is_done else ""

    def _scan(self, text: str) -> str:
        """Release the text up to the first markup, begin a run there, and return the text of the run."""
        self._pending, shown, position = "", 0, 0
        while trigger := TRIGGER.search(text, position):
            start, position = trigger.span()
            begins = self._begins(text, start)
            if begins is None:
                continue
            self._show(text[shown:start])
            shown = start
            if begins is True:
                self._pending = text[start:]
                return ""
            if self._quotes.is_open():
                self._discusses_markup = True
            else:
                json_at = None if isinstance(begins, str) else begins - start
                self._run = MarkupRun(self._offered, json_at)
                return text[start:]
        cut = min(
            partial_marker(text),
            partial_bare_call(text, self._quotes.last_character, self._offered.schemas),
        )
        self._show(text[shown:cut])
        self._pending = text[cut:]
        return ""

    def _begins(self, text: str, start: int) -> str | int | Literal[True] | None:
        """Return the marker at a trigger, the position of a bare call's JSON, True for a possible one, or None."""
        if text.startswith(_OPENING, start):
            marker = marker_at(text, start)
            return None if marker == ARGUMENTS_BEGIN else marker
        before = self._quotes.last_character if start == 0 else ""
        if before and TRIGGER.search(before + text[: len(BARE)]) is None:
            return None
        return bare_call_at(text, start, self._offered.schemas)

    def _finish_run(self, run: MarkupRun, *, at_end: bool) -> str:
        """Take the calls of a run, or release it as text, and return the text after it."""
        self._run = None
        if any(call.is_certain for call in run.calls):
            self.calls += run.calls
            return run.rest
        # Markers at the very end are leftovers, unless the text is about markers.
        is_left_over = self.calls or (at_end and not self._discusses_markup and not run.rest.strip())
        if not run.calls and run.raw and is_left_over:
            self.removed += 1
            return run.rest
        self._discusses_markup = True
        if run.raw:
            self._show(run.raw)
            return run.rest
        # The run did not get beyond its first marker.
        opening = _OPENING if run.rest.startswith(_OPENING) else BARE
        self._show(opening)
        return run.rest[len(opening) :]
