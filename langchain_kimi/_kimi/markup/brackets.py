"""Track the brackets, apostrophes and marks of emphasis that a line opens directly before markup."""

import re

from langchain_kimi._patterns import lazy_pattern

# An opening bracket directly before markup, unless it ends an emoticon, or an opening apostrophe.
_OPENED_BRACKET = lazy_pattern(
    r"(?<![:;-])\((?=<\|)|[\[{\uff08【《〈](?=<\|)"
    r"|(?<=[\s(\[{:,=>-])(?:[bBrRuUfF]{0,2}'|[\u2018\u201a])(?=<\|)|(?<=[\s(\[{])(?:\*{1,3}|_{1,3}|~{1,2})(?=<\|)"
)
_BRACKETS = {"(": lazy_pattern(r"[()]"), "[": lazy_pattern(r"[\[\]]"), "{": lazy_pattern(r"[{}]")}
_BRACKETS |= {"\uff08": lazy_pattern("[\uff08\uff09]"), "【": lazy_pattern("[【】]"), "《": lazy_pattern("[《》]")}
_BRACKETS["〈"] = lazy_pattern("[〈〉]")
# Markup ends with a marker, so an apostrophe inside a call's arguments is not a closing one.
_CLOSING_MARKS = {"\u2018": "\u2019", "\u201a": "\u2018"}
_BRACKETS |= {
    mark: lazy_pattern(rf"(?<=\|>){re.escape(_CLOSING_MARKS.get(mark, mark))}")
    for mark in ("'", "\u2018", "\u201a", "*", "**", "***", "_", "__", "___", "~", "~~")
}
_AFTER_BRACKET = lazy_pattern(r"[\[{\uff08【《〈]$")
# An opening mark of a quotation or of emphasis, or a parenthesis.
_OPENING_MARK = lazy_pattern(
    r"(?:^|[\s(\[{:,=>-])(?:[bBrRuUfF]{0,2}'|[\u2018\u201a])$|(?:^|[\s(\[{])(?:\*{1,3}|_{1,3}|~{1,2})$|(?<![:;-])\($"
)
_PREFIXES = "bBrRuUfF"
"""The letters before a string of Python."""


class BracketTracker:
    """Counts the brackets of one kind in a line, from one that was opened directly before markup up to its end."""

    def __init__(self) -> None:
        # The bracket or apostrophe, and how many of its kind are open.
        self._bracket = ""
        self._count = 0

    def add(self, ending: str, text: str) -> None:
        """Add a text.

        Args:
            ending: The last characters of the line before the text.
            text: The text.
        """
        before = f"\n{ending}"[-5:]
        text, position = before + text, 0
        while True:
            if not self._bracket:
                opened = _OPENED_BRACKET.search(text, position)
                if opened is None:
                    return
                self._bracket, self._count = opened[0].lstrip(_PREFIXES), 1
                position = opened.end()
            else:
                position = max(position, len(before))
                bracket = _BRACKETS[self._bracket].search(text, position)
                if bracket is None:
                    return
                is_opening = bracket[0] == self._bracket and bracket.re.pattern[0] == "["
                self._count += 1 if is_opening else -1
                self._bracket = self._bracket if self._count else ""
                position = bracket.end()

    def is_open(self, ending: str, *, is_end: bool) -> bool:
        """Return whether the next text would be in brackets or between marks.

        Args:
            ending: The last characters of the line.
            is_end: Whether the next text is an end marker, which may follow a bracket of cut-off JSON.
        """
        if self._bracket or (_AFTER_BRACKET.search(ending) and not is_end):
            return True
        return _OPENING_MARK.search(ending) is not None
