"""Whether the text at some point is quoted: code, a quotation, something that is talked about and not said."""

import re

_FENCE = re.compile(r" {0,3}(?:[-*+>]\s+|\d+[.)]\s+)*(`{3,}|~{3,})")
_BACKTICKS = re.compile(r"`+")
_TAGS = ("code", "pre")
_UNSETTLED = "`<>/codepr"
"""What backticks and tags consist of: at the end of a text more of them may come."""

_ENGLISH = ("\u201c", "\u201d")
_GERMAN = ("\u201e", "\u201c")
_PAIRS = (_ENGLISH, _GERMAN, ("«", "»"), ("「", "」"), ("『", "』"))
_OPENING_APOSTROPHE = re.compile(r"(?:^|[\s(\[{:,=>-])['\u2018]$")


class Quotation:
    """Follows Markdown text; the work is done only when somebody asks, and each character is read once."""

    def __init__(self) -> None:
        self._unread: list[str] = []
        self.add = self._unread.append
        """Take the next text, which may not be empty."""
        self._fence = ""
        self._line = _Line()

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
            self._read_fence("".join(self._line.pieces))
            self._line = _Line()
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

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.ending = ""
        self._first = ""
        self._unsettled = ""
        self._backticks = ""
        self._tags = dict.fromkeys(_TAGS, 0)
        self._quotes = 0
        self._open = dict.fromkeys(_PAIRS, False)
        self._is_german = False

    def add(self, text: str) -> None:
        """Take the next text."""
        self.pieces.append(text)
        self.ending = (self.ending + text)[-2:]
        self._first = self._first or text.lstrip()[:1]
        text = self._unsettled + text
        settled = text.rstrip(_UNSETTLED)
        self._unsettled = text[len(settled) :]
        self._backticks = _in_backticks(settled, self._backticks)
        for tag in _TAGS:
            self._tags[tag] += _opened(tag, settled)
        self._quotes += settled.count('"')
        self._is_german = self._is_german or _GERMAN[0] in settled
        for pair in _PAIRS:
            opening, closing = map(settled.rfind, pair)
            if opening != closing:
                self._open[pair] = opening > closing

    def is_open(self) -> bool:
        """Say whether inline code or a quotation is open."""
        if self._first == ">" or _in_backticks(self._unsettled, self._backticks):
            return True
        if any(self._tags[tag] + _opened(tag, self._unsettled) > 0 for tag in _TAGS):
            return True
        return self._quotes % 2 == 1 or bool(_OPENING_APOSTROPHE.search(self.ending)) or self._in_pair()

    def _in_pair(self) -> bool:
        # German closes with the character that opens in English.
        other = _ENGLISH if self._is_german else _GERMAN
        return any(is_open for pair, is_open in self._open.items() if pair != other)


def _in_backticks(text: str, opened: str) -> str:
    """The run of backticks that is open behind a text; `opened` is the one that is open before it."""
    for run in _BACKTICKS.findall(text):
        if not opened:
            opened = run
        elif run == opened:
            opened = ""
    return opened


def _opened(tag: str, text: str) -> int:
    return text.count(f"<{tag}>") - text.count(f"</{tag}>")
