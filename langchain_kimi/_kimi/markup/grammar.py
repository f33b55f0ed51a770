"""The words of Kimi's tool-call markup, and the JSON inside it, read piece by piece.

A turn's calls are `<|tool_calls_section_begin|>`, for each call `<|tool_call_begin|>{id}<|tool_call_argument_begin|>
{arguments}<|tool_call_end|>`, and `<|tool_calls_section_end|>`. The function's name stands only in the id. The markers
are no special tokens of the tokenizer, so they arrive as text where a host's parser misses them; the section's also
occur in the singular.
"""

import json
import re
from typing import Any, Literal

from langchain_kimi._kimi.call_ids import PREFIX

SECTION_BEGIN = frozenset({"<|tool_calls_section_begin|>", "<|tool_call_section_begin|>"})
SECTION_END = frozenset({"<|tool_calls_section_end|>", "<|tool_call_section_end|>"})
CALL_BEGIN = "<|tool_call_begin|>"
ARGUMENTS_BEGIN = "<|tool_call_argument_begin|>"
CALL_END = "<|tool_call_end|>"
TURN_END = "<|im_end|>"
MARKERS = (*sorted(SECTION_BEGIN | SECTION_END), CALL_BEGIN, ARGUMENTS_BEGIN, CALL_END, TURN_END)

BARE = PREFIX
"""How a call begins whose markers were stripped: `functions.name:0{...}`."""

MARKER = re.compile("|".join(map(re.escape, MARKERS)))
BOUNDARY = re.compile("|".join(map(re.escape, (*SECTION_END, CALL_END, TURN_END, CALL_BEGIN))))
"""What ends arguments that are no JSON, and a string in them that is never closed."""
TRIGGER = re.compile(r"<\||(?<![\w`'\"/-])functions\.")
_BARE_BEGINNINGS = tuple(BARE[:length] for length in range(1, len(BARE)))

# An id in the wild: `functions.name:0`, `name:0`, `call_abc`, `chatcmpl-tool-...`, `0`.
# Blanks beside its dots and colons belong to it.
ID = re.compile(r"\s*((?:[\w.:\-/]|(?<=[.:]) | (?=[.:])){0,256})\s*")

Found = str | Literal[True] | None
"""A marker, True for what may yet become one, None for anything else."""


def is_clear(text: str) -> bool:
    """Say whether nothing in a text is a trigger, or at its end the beginning of one.

    It is asked of every delta, so what a text seldom holds is looked for first.
    """
    if "<" in text and ("<|" in text or text.endswith("<")):
        return False
    return BARE[0] not in text or not (BARE in text or text.endswith(_BARE_BEGINNINGS))


def marker_at(text: str, position: int) -> Found:
    """Tell which marker stands at a place, or whether the text ends before one could be told from other text."""
    if found := MARKER.match(text, position):
        return found[0]
    rest = text[position : position + 30]
    return True if any(marker.startswith(rest) for marker in MARKERS) else None


def unfinished_marker(text: str) -> int:
    """Tell where at the end of a text a marker may have begun; its length if nowhere."""
    opened = text.rfind("<", max(0, len(text) - 30))
    return opened if opened >= 0 and marker_at(text, opened) is True else len(text)


def unfinished_bare_call(text: str, before: str, names: dict[str, Any]) -> int:
    """Tell where at the end of a text a call without markers may have begun; its length if nowhere.

    Args:
        text: The text; it holds no whole beginning of a call that could be told to be one or none.
        before: The character before the text.
        names: The functions that are offered.
    """
    for length in range(min(len(BARE) - 1, len(text)), 0, -1):
        begun = text[-length:]
        ahead = text[-length - 1 : -length] or (before if length == len(text) else "")
        if BARE.startswith(begun) and not _NO_BEGINNING.match(ahead) and names:
            return len(text) - length
    return len(text)


_NO_BEGINNING = re.compile(r"[\w`'\"/-]")
_BARE_CALL = re.compile(r"functions\.([\w-]*)(?:(:)(\d*)(\s{0,2})(\{)?)?")


def bare_call_at(text: str, position: int, names: dict[str, Any]) -> int | Literal[True] | None:
    """Tell whether a call without markers stands at a place: where its JSON begins, True for perhaps, None for no."""
    found = _BARE_CALL.match(text, position)
    if found is None:
        return None
    name, colon, number, _, brace = found.groups()
    if brace:
        return found.end() - 1 if name in names and number else None
    if found.end() < len(text):
        return None
    possible = name in names if colon else any(known.startswith(name) for known in names)
    return True if possible else None


class JSONValue:
    """Finds the end of one JSON object, or of one JSON string, in a text that is fed to it.

    Attributes:
        state: `open` while more must come, `whole` at its end, `broken` when it can be no JSON.
    """

    _INSIDE = re.compile(r'["\\]')
    _OUTSIDE = re.compile(r'["{}\[\]<]')

    def __init__(self) -> None:
        self.state: Literal["open", "whole", "broken"] = "open"
        self._depth: list[str] = []
        self._inside = False
        self._escaped = False
        self._begun = False

    def feed(self, text: str, position: int = 0) -> int:
        """Take the next text; gives the place behind the value, or the text's end while it is open."""
        while self.state == "open" and position < len(text):
            if self._escaped:
                self._escaped = False
                position += 1
            elif not self._begun:
                position = self._begin(text, position)
            elif found := (self._INSIDE if self._inside else self._OUTSIDE).search(text, position):
                position = found.end()
                self._take(found[0])
            else:
                return len(text)
        return position

    def _begin(self, text: str, position: int) -> int:
        character = text[position]
        if character.isspace():
            return position + 1
        self._begun = True
        if character not in '{"':
            self.state = "broken"
            return position
        self._take(character)
        return position + 1

    def _take(self, character: str) -> None:
        if self._inside:
            self._escaped = character == "\\"
            self._inside = self._escaped
        elif character == '"':
            self._inside = True
        elif character in "{[":
            self._depth.append("}" if character == "{" else "]")
        elif not self._depth or self._depth.pop() != character:
            self.state = "broken"
        if not (self._depth or self._inside or self.state == "broken"):
            self.state = "whole"


def parsed(text: str) -> Any:
    """Parse JSON as hosts send it, with line breaks inside strings; None when it is none."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
