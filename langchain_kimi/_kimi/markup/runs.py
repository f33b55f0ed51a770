"""The base class of the markup parsers, which parse a text that arrives in pieces step by step in linear time."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable

from langchain_kimi._kimi.markup.calls import LeakedCall
from langchain_kimi._patterns import lazy_pattern

_LONG = 4096
"""The number of characters after the parsed markup from which further blanks are collected instead of joined."""
_BLANKS = lazy_pattern(r"\s*")
_ENDS_ONLY = lazy_pattern(
    r"(?:\s*<\|(?:tool_calls?(?:_section)?_end|im_end|end_of_msg)\|>|\s*<\|close\|>\s*[a-z]+\s*<\|sep\|>)+"
)
LONGEST_WORDS = 200
"""The maximum number of characters between the beginning of a section and its first call."""
# Quotation marks between them show that the text is about the markup.
QUOTING = lazy_pattern('[`"\u201c\u201e«「]')


class Run(ABC):
    """Parses one run of markup, which ends where other text follows.

    A step is a method that parses a part of the run and returns whether the next step can continue; False means that it
    needs more text. Pieces are joined only when a step can continue: long values are read piece by piece, and blanks
    after a long value are collected.

    Attributes:
        calls: The calls so far, in order.
        words: Texts within the run that are not markup.
        channel: The last channel that the run opened (`think` or `response`), or None.
        is_done: Whether the run has ended.
        text: A text that contains the run and, if it is done, the text after it.
        end: The end of the parsed markup in `text`.
    """

    def __init__(self) -> None:
        self.calls: list[LeakedCall] = []
        self.words: list[str] = []
        self.channel: str | None = None
        self.is_done = False
        self.text = ""
        self.end = 0
        self._begin = 0
        self._is_begun = False
        self._accepted: list[str] = []
        self._pieces: list[str] = []
        self._pieces_length = 0
        self._tail = ""
        self._step: Callable[[], bool]

    @property
    def length(self) -> int:
        """The length of the text, with the pieces that are not joined yet."""
        return len(self.text) + self._pieces_length

    @property
    def has_markup(self) -> bool:
        """Whether any markup has been parsed."""
        return bool(self._accepted) or self.end > self._begin

    @property
    def is_end(self) -> bool:
        """Whether the run consists only of end markers."""
        return _ENDS_ONLY.fullmatch(self.raw) is not None

    @property
    def raw(self) -> str:
        """The text of the run so far."""
        return "".join([*self._accepted, self.text[self._begin : self.end]])

    @property
    def rest(self) -> str:
        """The text after the run."""
        return self.text[self.end :]

    def feed(self, text: str, position: int = 0) -> None:
        """Parse the next text.

        Args:
            text: The text.
            position: Where the run begins in the first text.
        """
        if not self._is_begun:
            self._is_begun = True
            self.text = text
            self._move(position)
        else:
            is_inside = self._is_inside_value(text)
            self._pieces.append(text)
            self._pieces_length += len(text)
            if is_inside or (text.isspace() and len(self.text) - self.end > _LONG):
                return
            self._join()
        while not self.is_done and self._step():
            """Continue until a step needs more text."""

    def close(self, *, clean: bool) -> None:
        """Finish at the end of the text.

        Args:
            clean: Whether the reply ended normally.
        """
        self._join()
        while not self.is_done:
            if not self._step():
                self._close_step(clean=clean)

    def _join(self) -> None:
        """Join the text after the parsed markup with the pieces that were collected."""
        if not self._pieces:
            return
        parsed = self.end
        if parsed > self._begin:
            self._accepted.append(self.text[self._begin : parsed])
        self.text = "".join([self.text[parsed:], *self._pieces])
        self._pieces.clear()
        self._pieces_length = 0
        self._move(-parsed)
        self._begin = 0

    def _move(self, distance: int) -> None:
        """Add a distance to all positions, because the beginning of the text has changed."""
        self._begin += distance
        self.end += distance

    def _after_blanks(self, position: int) -> int:
        """Return the position after the blanks at a position."""
        blanks = _BLANKS.match(self.text, position)
        return blanks.end() if blanks else position

    def _finds(self, pattern: re.Pattern[str], text: str, longest: int) -> bool:
        """Return whether a pattern matches in the next piece, or across the boundary to the text before it.

        Args:
            pattern: The pattern.
            text: The next piece.
            longest: The length of the longest match.
        """
        before = self._tail or self.text[-longest:]
        has_match = pattern.search(before + text) is not None
        self._tail = "" if has_match else (before + text)[-longest:]
        return has_match

    @abstractmethod
    def _is_inside_value(self, text: str) -> bool:
        """Read the next piece of a long value, and return whether the value continues after it."""

    @abstractmethod
    def _close_step(self, *, clean: bool) -> None:
        """Finish a step that waits for more text."""
