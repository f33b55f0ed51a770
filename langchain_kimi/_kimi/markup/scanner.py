"""Finds tool calls that a host left in the text, in Kimi's own markup, while the text streams by.

Text that only talks about the markup stays as it is: in code or in quotation marks, or if what the markers enclose is
no call of an offered tool. What may become markup is held back until that is decided; all other text passes at once.
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
    unfinished_bare_call,
    unfinished_marker,
)
from langchain_kimi._kimi.markup.parser import Unit
from langchain_kimi._kimi.markup.quoting import QuoteTracker
from langchain_kimi._kimi.tools import OfferedTools

_OPENING = "<|"


class MarkupScanner:
    """Scans one text, the answer's or the reasoning's, as it comes.

    Attributes:
        calls: The calls found so far.
        removed: How many runs of markers without a call were taken out.
    """

    def __init__(self, offered: OfferedTools) -> None:
        self.calls: list[LeakedCall] = []
        self.removed = 0
        self._offered = offered
        self._quotation = QuoteTracker()
        self.take = self._quotation.add
        self._held = ""
        self._unit: Unit | None = None
        self._shown: list[str] = []
        self._talks = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing was found and nothing is held back."""
        return not (self.calls or self.removed or self._held or self._unit)

    @property
    def is_free(self) -> bool:
        """Whether no markup has begun, so that a clear text passes."""
        return not self._held and self._unit is None

    @property
    def holds(self) -> bool:
        """Whether text is held back that may yet be shown."""
        return bool(self._held)

    def feed(self, text: str) -> str:
        """Take the next text; gives what can be shown of all that came."""
        if self.is_free and is_clear(text):
            self.take(text)
            return text
        self._scan_on(text)
        return self._taken()

    def settle(self) -> str:
        """Take it that other things follow; gives what was held back, unless a call was begun."""
        self._show(self._held)
        self._held = ""
        return self._taken()

    def close(self, *, clean: bool) -> str:
        """Take the end of the text; gives the rest of it.

        Args:
            clean: Whether the reply came to its own end. If not, a call without its end marker is not whole.
        """
        while self._unit is not None:
            self._unit.close(clean=clean)
            self._scan_on(self._judge(self._unit, at_end=True))
        return self.settle()

    def _taken(self) -> str:
        text = "".join(self._shown)
        self._shown.clear()
        return text

    def _show(self, text: str) -> None:
        if text:
            self.take(text)
            self._shown.append(text)

    def _scan_on(self, text: str) -> None:
        while text:
            if self._unit is None:
                text = self._scan(self._held + text)
            if self._unit is not None:
                self._unit.feed(text)
                text = self._judge(self._unit, at_end=False) if self._unit.is_done else ""

    def _scan(self, text: str) -> str:
        """Show a text up to where markup begins; gives the text from there on, for the unit that was begun."""
        self._held, shown, position = "", 0, 0
        while found := TRIGGER.search(text, position):
            start, position = found.span()
            begins = self._begins(text, start)
            if begins is None:
                continue
            self._show(text[shown:start])
            shown = start
            if begins is True:
                self._held = text[start:]
                return ""
            if self._quotation.is_open():
                self._talks = True
            else:
                json_at = None if isinstance(begins, str) else begins - start
                self._unit = Unit(self._offered, json_at)
                return text[start:]
        cut = min(
            unfinished_marker(text),
            unfinished_bare_call(text, self._quotation.last_character, self._offered.schemas),
        )
        self._show(text[shown:cut])
        self._held = text[cut:]
        return ""

    def _begins(self, text: str, start: int) -> str | int | Literal[True] | None:
        """Tell what begins at a trigger: a marker, a bare call's JSON, True for perhaps, None for nothing."""
        if text.startswith(_OPENING, start):
            marker = marker_at(text, start)
            return None if marker == ARGUMENTS_BEGIN else marker
        before = self._quotation.last_character if start == 0 else ""
        if before and TRIGGER.search(before + text[: len(BARE)]) is None:
            return None
        return bare_call_at(text, start, self._offered.schemas)

    def _judge(self, unit: Unit, *, at_end: bool) -> str:
        """Take the calls of a unit, or show it as the text it is; gives the text behind it."""
        self._unit = None
        if any(call.is_known for call in unit.calls):
            self.calls += unit.calls
            return unit.rest
        # Markers at the very end are left over, unless the text talks about markers.
        is_left_over = self.calls or (at_end and not self._talks and not unit.rest.strip())
        if not unit.calls and unit.raw and is_left_over:
            self.removed += 1
            return unit.rest
        self._talks = True
        if unit.raw:
            self._show(unit.raw)
            return unit.rest
        # Not even the first marker led anywhere.
        opening = _OPENING if unit.rest.startswith(_OPENING) else BARE
        self._show(opening)
        return unit.rest[len(opening) :]
