"""An incremental parser for one run of K2's markup, from its first marker to its end."""

from collections.abc import Callable

from langchain_kimi._kimi.markup.calls import INCOMPLETE, LeakedCall, leaked_call
from langchain_kimi._kimi.markup.grammar import (
    ARGUMENTS_BEGIN,
    BARE,
    BOUNDARY,
    CALL_BEGIN,
    CALL_END,
    DOCUMENT_END,
    ID,
    LONGEST_MARKER,
    NEXT_TURN,
    SECTION_BEGIN,
    SECTION_END,
    TURN_END,
    JSONValue,
    cleaned_id,
    marker_at,
    may_follow_turn,
    parsed,
)
from langchain_kimi._kimi.markup.runs import LONGEST_WORDS, QUOTING, Run
from langchain_kimi._kimi.tools import OfferedTools


class MarkupRun(Run):
    """Parses one run of K2's markup, which ends where other text follows.

    A host that does not stop at `<|im_end|>` generates the turns after it. They are a part of the run, whose calls are
    only those before them.

    Attributes:
        has_next_turn: Whether another turn follows the end of this one.
    """

    def __init__(self, offered: OfferedTools, json_at: int | None = None, *, reads_turns: bool = True) -> None:
        """Begin a run.

        Args:
            offered: The tools of the request.
            json_at: The position of a bare call's arguments in the run; None if the run begins with a marker.
            reads_turns: Whether another turn after the end of this one belongs to the run.
        """
        super().__init__()
        self.has_next_turn = False
        self._offered = offered
        self._in_section = False
        self._reads_turns = reads_turns
        self._is_after_turn = False
        self._id = ""
        self._start = self._position = json_at or 0
        self._json = JSONValue(strict=json_at is not None)
        self._step: Callable[[], bool] = self._between if json_at is None else self._bare

    def _move(self, distance: int) -> None:
        super()._move(distance)
        self._start += distance
        self._position += distance

    def _is_inside_value(self, text: str) -> bool:
        if self.has_next_turn:
            return True
        if self._step == self._invalid_arguments:
            return not self._finds(BOUNDARY, text, LONGEST_MARKER)
        if self._step not in (self._arguments, self._bare) or self._json.state != "open":
            return False
        before = self.length
        self._position = before + self._json.feed(text)
        return self._json.state == "open"

    def _close_step(self, *, clean: bool) -> None:
        """Finish a step that waits for more text."""
        self.is_done = True
        if self.has_next_turn:
            self.end = len(self.text)
        elif self._step == self._identify:
            self._close_id()
        elif self._step == self._follow:
            self._add(self.text[self._start : self._position], None if clean else INCOMPLETE)
            self.end = len(self.text)
        elif self._step in (self._arguments, self._invalid_arguments):
            self._close_arguments()
        elif (
            self._step == self._between and self.has_markup and self.text.startswith("<", self._after_blanks(self.end))
        ):
            # The text ends with the beginning of another marker.
            self.end = len(self.text)

    def _between(self) -> bool:
        """Parse the markers around calls."""
        position = self._after_blanks(self.end)
        marker = marker_at(self.text, position) if position < len(self.text) else True
        if marker is True:
            return False
        if marker is None and self._is_after_turn:
            return self._after_turn(position)
        if marker == CALL_BEGIN:
            self._begin_call(position + len(CALL_BEGIN))
        elif marker in SECTION_BEGIN | SECTION_END | {CALL_END, TURN_END}:
            self._in_section = marker in SECTION_BEGIN or (self._in_section and marker == CALL_END)
            self._is_after_turn = self._reads_turns and marker == TURN_END
            self.end = position + len(str(marker))
        elif self._in_section and self.text.startswith(BARE, position):
            # The marker before the id was lost.
            self._begin_call(position)
        elif self._in_section and BARE.startswith(self.text[position : position + len(BARE)]):
            return False
        elif self._in_section and not self.calls:
            self._step = self._words
        else:
            self.is_done = True
        return True

    def _after_turn(self, position: int) -> bool:
        """Parse the text after the end of the turn."""
        if self.text.startswith(DOCUMENT_END, position):
            self.end = position + len(DOCUMENT_END)
        elif NEXT_TURN.match(self.text, position):
            self.has_next_turn = True
            return False
        elif DOCUMENT_END.startswith(self.text[position : position + len(DOCUMENT_END)]) or may_follow_turn(
            self.text, position
        ):
            return False
        else:
            self.is_done = True
        return True

    def _words(self) -> bool:
        """Parse words between the marker of a section and its first call."""
        opened = self.text.find("<|", self.end, self.end + LONGEST_WORDS)
        marker = marker_at(self.text, opened) if opened >= 0 else None
        words = self.text[self.end : opened if opened >= 0 else self.end + LONGEST_WORDS]
        if QUOTING.search(words) or (opened < 0 and len(words) == LONGEST_WORDS):
            self.is_done = True
        elif opened < 0 or marker is True:
            return False
        elif marker == CALL_BEGIN:
            self.words.append(words)
            self._begin_call(opened + len(CALL_BEGIN))
        else:
            self.is_done = True
        return True

    def _begin_call(self, position: int) -> None:
        self._start = position
        self._step = self._identify

    def _identify(self) -> bool:
        """Parse a call's id, up to its arguments or its end."""
        written = ID.match(self.text, self._start)
        end = written.end() if written else self._start
        marker = marker_at(self.text, end) if end < len(self.text) else True
        if marker is True:
            return False
        self._id = cleaned_id(written[1]) if written else ""
        if marker == CALL_BEGIN and not self._id:
            self.end = end
            self._start = end + len(CALL_BEGIN)
        elif marker == ARGUMENTS_BEGIN or self.text[end] == "{":
            self._start = self._position = end + (len(ARGUMENTS_BEGIN) if marker else 0)
            self._json = JSONValue()
            self._step = self._arguments if self._offered.schemas else self._text
        elif marker in SECTION_END | {CALL_END}:
            self._add("", None)
            self._finish_call(end)
        else:
            self.is_done = True
        return True

    def _text(self) -> bool:
        """End the run: without tools, a call is text, and its arguments need not be held back."""
        self._add("", None)
        self.end = self._start
        self.is_done = True
        return True

    def _arguments(self) -> bool:
        """Parse a call's JSON."""
        if self._json.state == "open":
            self._position = self._json.feed(self.text, self._position)
        if self._json.state == "open":
            return False
        if self._json.state == "broken" and (again := marker_at(self.text, self._after_blanks(self._start))):
            if again is True:
                return False
            if again == ARGUMENTS_BEGIN:
                # The marker is repeated.
                self._start = self._position = self._after_blanks(self._start) + len(ARGUMENTS_BEGIN)
                self._json = JSONValue()
                return True
        self._step = self._follow if self._json.state == "whole" else self._invalid_arguments
        return True

    def _follow(self) -> bool:
        """Check the text after the JSON: a marker, other text, or characters that make the arguments invalid."""
        position = self._after_blanks(self._position)
        marker = marker_at(self.text, position) if position < len(self.text) else True
        if marker is True:
            return False
        if marker == ARGUMENTS_BEGIN or (marker is None and self.text[position] in '{}[]",:'):
            self._step = self._invalid_arguments
        else:
            self._add(self.text[self._start : self._position], None)
            self._finish_call(position if marker else self._position)
        return True

    def _invalid_arguments(self) -> bool:
        """Parse arguments that are not JSON, up to the next marker."""
        boundary = BOUNDARY.search(self.text, self._start)
        if boundary is None:
            return False
        self._add(self.text[self._start : boundary.start()], None)
        self._finish_call(boundary.start())
        return True

    def _bare(self) -> bool:
        """Parse the JSON of a bare call. If it is not a complete object, the text is not a call."""
        self._position = self._json.feed(self.text, self._position)
        if self._json.state == "open":
            return False
        arguments = self.text[self._start : self._position]
        if isinstance(parsed(arguments), dict):
            self._id = self.text[self.end : self._start].strip()
            self._add(arguments, None)
            self.end = self._position
        self.is_done = True
        return False

    def _finish_call(self, position: int) -> None:
        self.end = position + (len(CALL_END) if self.text.startswith(CALL_END, position) else 0)
        self._step = self._between

    def _close_id(self) -> None:
        """Handle a text that ends within an id."""
        written = ID.match(self.text, self._start)
        begun = cleaned_id(written[1]) if written else ""
        spellings = [f"{prefix}{name}:" for name in self._offered.schemas for prefix in (BARE, "")]
        if not begun:
            self.end = len(self.text)
        elif self._offered.find_by_id(begun):
            self._id = begun
            self._add("", INCOMPLETE)
            self.end = len(self.text)
        elif any(spelling.startswith(begun) for spelling in spellings):
            self.calls.append(LeakedCall("", "", begun, INCOMPLETE, is_certain=True))
            self.end = len(self.text)

    def _close_arguments(self) -> None:
        """Handle a text that ends within the arguments."""
        if boundary := BOUNDARY.search(self.text, self._start):
            self._add(self.text[self._start : boundary.start()], None)
            self._finish_call(boundary.start())
            self.is_done = False
        elif self.text[self._after_blanks(self._start) :][:1] in ("", "{", "[", '"', "`"):
            end = self.text.rfind("<|", max(self._start, len(self.text) - LONGEST_MARKER))
            cut = end if end >= 0 and marker_at(self.text, end) is True else len(self.text)
            self._add(self.text[self._start : cut], INCOMPLETE)
            self.end = len(self.text)

    def _add(self, arguments: str, error: str | None) -> None:
        self.calls.append(leaked_call(self._offered, self._id, arguments, error))
