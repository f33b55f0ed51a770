"""Whether the text at some point is quoted: code, a quotation, something that is talked about and not said."""

import re

_FENCE = re.compile(r" {0,3}(?:[-*+>]\s+|\d+[.)]\s+)*(`{3,}|~{3,})")
_BACKTICKS = re.compile(r"`+")
_ENGLISH = ("\u201c", "\u201d")
_GERMAN = ("\u201e", "\u201c")
_PAIRS = (("«", "»"), ("「", "」"), ("『", "』"))
_OPENING_APOSTROPHE = re.compile(r"(?:^|[\s(\[{:,=>-])['\u2018]$")


class Quotation:
    """Follows Markdown text; the work is done only when somebody asks."""

    def __init__(self) -> None:
        self._unread: list[str] = []
        self._fence = ""
        self._line = ""

    def add(self, text: str) -> None:
        """Take the next text."""
        if text:
            self._unread.append(text)

    @property
    def last_character(self) -> str:
        """The character that came last; empty at the beginning."""
        return self._unread[-1][-1:] if self._unread else self._line[-1:]

    def is_open(self) -> bool:
        """Say whether what comes next would stand in a code block, in inline code or in a quotation."""
        self._read()
        line = self._line
        if self._fence or line.lstrip().startswith(">"):
            return True
        return _in_code(line) or _in_quotes(line)

    def _read(self) -> None:
        """Read on to the end of what came."""
        *lines, self._line = (self._line + "".join(self._unread)).split("\n")
        self._unread = []
        for line in lines:
            self._read_line(line)

    def _read_line(self, line: str) -> None:
        fence = _FENCE.match(line)
        if not fence:
            return
        mark = fence[1]
        if not self._fence:
            # A fence of backticks that has backticks behind it is inline code.
            self._fence = "" if mark[0] == "`" and "`" in line[fence.end() :] else mark
        elif mark.startswith(self._fence) and not line[fence.end() :].strip():
            self._fence = ""


def _in_code(line: str) -> bool:
    """Say whether a line ends in inline code, of Markdown or of HTML."""
    opened = ""
    for run in _BACKTICKS.findall(line):
        if not opened:
            opened = run
        elif run == opened:
            opened = ""
    return bool(opened) or any(line.count(f"<{tag}>") > line.count(f"</{tag}>") for tag in ("code", "pre"))


def _in_quotes(line: str) -> bool:
    if line.count('"') % 2 or _OPENING_APOSTROPHE.search(line):
        return True
    # German closes with the character that opens in English.
    pairs = (*_PAIRS, _GERMAN if _GERMAN[0] in line else _ENGLISH)
    return any(line.rfind(opening) > line.rfind(closing) for opening, closing in pairs)
