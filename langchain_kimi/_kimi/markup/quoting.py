"""Whether the text at some point is quoted: code, a quotation, something that is talked about and not said."""

import re

_FENCE = re.compile(r" {0,3}(?:[-*+>]\s+|\d+[.)]\s+)*(`{3,}|~{3,})")
_BACKTICKS = re.compile(r"`+")
_TAG = re.compile(r"<(/?)(?:code|pre|samp|kbd)(?=[\s>])")
_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_UNSETTLED = '`<>/codepresampkbd"\\'
"""What backticks, tags and quotation marks consist of: at the end of a text more of them may come."""

_ENGLISH = ("\u201c", "\u201d")
_GERMAN = ("\u201e", "\u201c")
_PAIRS = (_ENGLISH, _GERMAN, ("«", "»"), ("\u2039", "\u203a"), ("「", "」"), ("『", "』"))
_OPENING_APOSTROPHE = re.compile(r"(?:^|[\s(\[{:,=>-])['\u2018]$")
_INDENTATION = 4


class QuoteTracker:
    """Follows Markdown text; the work is done only when somebody asks, and each character is read once."""

    def __init__(self) -> None:
        self._unread: list[str] = []
        self.add = self._unread.append
        """Take the next text, which may not be empty."""
        self._fence = ""
        self._line = _Line(None)

    @property
    def last_character(self) -> str:
        """The character that came last; empty at the beginning of a line."""
        return (self._unread[-1] if self._unread else self._line.ending)[-1:]

    def is_open(self) -> bool:
        """Say whether what comes next would stand in a code block, in inline code or in a quotation."""
        first, *others = "".join(self._unread).split("\n")
        self._unread.clear()
        self._line.add(first)
        for text in others:
            self._line.add("\n")
            self._read_fence("".join(self._line.pieces))
            self._line = _Line(self._line)
            self._line.add(text)
        return bool(self._fence) or self._line.is_open()

    def _read_fence(self, line: str) -> None:
        fence = _FENCE.match(line)
        if not fence:
            return
        mark = fence[1]
        if not self._fence:
            # A fence of backticks that has backticks behind it is inline code.
            self._fence = "" if mark[0] == "`" and "`" in line[fence.end() :] else mark
        elif mark.startswith(self._fence) and not line[fence.end() :].strip():
            self._fence = ""


class _Line:
    """What is open in a line, as far as it came."""

    def __init__(self, before: "_Line | None") -> None:
        """Begin a line; pairs of quotation marks go on from the line before, up to the end of a paragraph."""
        self.pieces: list[str] = []
        self.ending = ""
        self.first = ""
        self._indented = ""
        self._unsettled = ""
        self._backticks = ""
        self._in_quotes = False
        self._last = ""
        extend_with = before is not None and not before.is_blank
        self.open: dict[tuple[str, str], bool] = (
            dict(before.open) if before and extend_with else dict.fromkeys(_PAIRS, False)
        )
        self.is_german: bool = before is not None and extend_with and before.is_german
        self._may_be_code = before is not None and (before.is_blank or before.is_code)
        # Within a line, tags may be talked about; those that begin one are markup, which goes on.
        extend_with = before is not None and (before.first == "<" or before.is_in_block)
        self.tags: int = before.tags if before and extend_with else 0
        self.is_in_block: bool = self.tags > 0

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in the line."""
        return not self.first

    @property
    def is_code(self) -> bool:
        """Whether the line is code by its indentation, which it can be only behind a blank line or more code."""
        return self._may_be_code and (self._indented[:1] == "\t" or len(self._indented) >= _INDENTATION)

    def add(self, text: str) -> None:
        """Take the next text."""
        self.pieces.append(text)
        self.ending = (self.ending + text)[-2:]
        if not self.first:
            written = text.lstrip()
            self._indented += text[: len(text) - len(written)].rstrip("\n")
            self.first = written[:1]
        text = self._unsettled + text
        settled = text.rstrip(_UNSETTLED)
        self._unsettled = text[len(settled) :]
        self._backticks = _in_backticks(settled, self._backticks)
        self.tags += _opened(settled)
        self._in_quotes = self._quoted(settled)
        self._last = settled[-1:] or self._last
        self.is_german = self.is_german or _GERMAN[0] in settled
        for pair in _PAIRS:
            opening, closing = map(settled.rfind, pair)
            if opening != closing:
                self.open[pair] = opening > closing

    def is_open(self) -> bool:
        """Say whether inline code or a quotation is open, or the line is quoted as a whole."""
        if self.first == ">" or self.is_code or _in_backticks(self._unsettled, self._backticks):
            return True
        if self.tags + _opened(self._unsettled) > 0 or self._quoted(self._unsettled):
            return True
        return bool(_OPENING_APOSTROPHE.search(self.ending)) or self._in_pair()

    def _quoted(self, text: str) -> bool:
        """Say whether straight quotation marks are open behind a text, of which none is escaped or means inches."""
        is_open = self._in_quotes
        for found in _QUOTE.finditer(text):
            if found[0] == '"':
                before = text[max(0, found.start() - 1) : found.start()] or self._last
                behind = text[found.end() : found.end() + 1]
                is_open = not is_open and not (before.isdigit() or behind.isspace())
        return is_open

    def _in_pair(self) -> bool:
        # German closes with the character that opens in English.
        other = _ENGLISH if self.is_german else _GERMAN
        return any(is_open for pair, is_open in self.open.items() if pair != other)


def _in_backticks(text: str, opened: str) -> str:
    """The run of backticks that is open behind a text; `opened` is the one that is open before it."""
    for run in _BACKTICKS.findall(text):
        if not opened:
            opened = run
        elif run == opened:
            opened = ""
    return opened


def _opened(text: str) -> int:
    """How many more tags of code a text opens than it closes."""
    return sum(-1 if slash else 1 for slash in _TAG.findall(text))
