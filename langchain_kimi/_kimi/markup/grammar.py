"""The markers of Kimi's tool-call markup, and an incremental reader of the JSON inside it.

The calls of a turn are `<|tool_calls_section_begin|>`, for each call
`<|tool_call_begin|>{id}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>`, and `<|tool_calls_section_end|>`.
The function's name is only in the id. The tokenizer does not treat the markers as special tokens, so they arrive as
text if the provider's parser misses them. The markers of the section also occur in the singular.
"""

import re
from typing import Any, Literal

from langchain_kimi._kimi.call_ids import PREFIX
from langchain_kimi._openrouter.json import MULTILINE_DECODER
from langchain_kimi._patterns import lazy_pattern

SECTION_BEGIN = frozenset({"<|tool_calls_section_begin|>", "<|tool_call_section_begin|>"})
SECTION_END = frozenset({"<|tool_calls_section_end|>", "<|tool_call_section_end|>"})
CALL_BEGIN = "<|tool_call_begin|>"
ARGUMENTS_BEGIN = "<|tool_call_argument_begin|>"
CALL_END = "<|tool_call_end|>"
TURN_END = "<|im_end|>"
DOCUMENT_END = "[EOS]"
"""The special token after `<|im_end|>` in Kimi's generation configuration. Alone it is a word of texts."""
MARKERS = (*sorted(SECTION_BEGIN | SECTION_END), CALL_BEGIN, ARGUMENTS_BEGIN, CALL_END, TURN_END)

TAG_OPEN = "<|open|>"
TAG_CLOSE = "<|close|>"
TAG_END = "<|sep|>"
MESSAGE_END = "<|end_of_msg|>"
K3_MARKERS = frozenset({TAG_OPEN, TAG_CLOSE, TAG_END, MESSAGE_END})
"""The markers of K3's tags, which `tags` parses."""

TAG_NAMES = ("message", "think", "response", "tools", "call", "argument", "json")
"""The names of K3's tags."""
ANY_TAG_NAME = "|".join(TAG_NAMES)
BEGIN_OF_TAG = lazy_pattern(rf"<\|(?:open|close)\|>\s{{0,8}}(?:(?:{ANY_TAG_NAME})\b|\w{{0,8}}\Z|\s*\Z)")
"""The beginning of a tag. A marker that other text follows does not begin a tag."""

BARE = PREFIX
"""The beginning of a call whose markers were stripped: `functions.name:0{...}`."""

MARKER = lazy_pattern("|".join(map(re.escape, MARKERS)))
_ALL_MARKERS = (*MARKERS, *sorted(K3_MARKERS))
LONGEST_MARKER = max(map(len, _ALL_MARKERS))
"""The number of characters of the longest marker."""
_ANY_MARKER = lazy_pattern("|".join(map(re.escape, _ALL_MARKERS)))
BEGIN_OF_CALL = lazy_pattern(r"<\|tool_calls?_(?:section_)?begin\|>|<\|open\|>\s*(?:tools|call)\b")
NEXT_TURN = lazy_pattern(r"<\|im_(?:user|assistant|system)\|>[^<>\n]{0,64}<\|im_middle\|>")
"""The beginning of a turn in the chat template of K2."""
_NEXT_ROLES = ("<|im_user|>", "<|im_assistant|>", "<|im_system|>")
_PARTIAL_NEXT_TURN = lazy_pattern(r"<\|im_(?:user|assistant|system)\|>[^<>\n]{0,64}(?:<[|im_dle]{0,11})?\Z")
BOUNDARY = lazy_pattern("|".join(map(re.escape, (*SECTION_END, CALL_END, TURN_END, CALL_BEGIN))))
"""The end of arguments that are not JSON or have an unclosed string."""
TRIGGER = lazy_pattern(r"<\||(?<![\w`'\"/(\[{-])functions\.")
_BARE_BEGINNINGS = tuple(BARE[:length] for length in range(1, len(BARE)))

# Observed ids: `functions.name:0`, `name:0`, `call_abc`, `chatcmpl-tool-...`, `0`.
# Blanks beside dots and colons are part of the id. Quotation marks around it and brackets around its number are not.
ID = lazy_pattern(r"\s*((?:[\w.:\-/\"'`#()\[\]]|(?<=[.:]) | (?=[.:])){0,256})\s*")
_AROUND_ID = "\"'`"
_NUMBER_OF_ID = lazy_pattern(r"[#(\[](\d{1,9})[)\]]?$")


def cleaned_id(text: str) -> str:
    """Return an id in Kimi's form: `"functions.name(0)"` with its quotation marks is `functions.name:0`."""
    return _NUMBER_OF_ID.sub(r":\1", text.replace(" ", "").strip(_AROUND_ID))


MarkerMatch = str | Literal[True] | None
"""A marker; True for a possible beginning of one at the end of the text; None for anything else."""


def is_clear(text: str) -> bool:
    """Return whether a text contains no `TRIGGER`, and no beginning of one at its end.

    It is called for nearly every delta, so it first searches for characters that are rare in texts.
    """
    if "<" in text and ("<|" in text or text.endswith("<")):
        return False
    return BARE[0] not in text or not (BARE in text or text.endswith(_BARE_BEGINNINGS))


def has_markers(text: str) -> bool:
    """Return whether a text may contain a marker."""
    return "<|" in text


def marker_at(text: str, position: int) -> MarkerMatch:
    """Return the marker at a position, or True if the text ends within a possible marker."""
    if marker_match := _ANY_MARKER.match(text, position):
        return marker_match[0]
    rest = text[position : position + LONGEST_MARKER + 1]
    if len(rest) > LONGEST_MARKER or not rest.startswith("<"[: len(rest)]):
        return None
    return True if any(marker.startswith(rest) for marker in _ALL_MARKERS) else None


def may_follow_turn(text: str, position: int) -> bool:
    """Return whether the rest of a text may become the beginning of another turn, or the end of the document."""
    rest = text[position : position + len(max(_NEXT_ROLES, key=len))]
    if any(token.startswith(rest) for token in (*_NEXT_ROLES, DOCUMENT_END)):
        return True
    return rest.startswith(_NEXT_ROLES) and _PARTIAL_NEXT_TURN.match(text, position) is not None


def partial_marker(text: str) -> int:
    """Return the position of a possible beginning of a marker at the end of a text, or the text's length."""
    opened = text.rfind("<", max(0, len(text) - LONGEST_MARKER))
    return opened if opened >= 0 and marker_at(text, opened) is True else len(text)


def partial_bare_call(text: str, before: str, names: dict[str, Any]) -> int:
    """Return the position of a possible beginning of a bare call at the end of a text, or the text's length.

    Args:
        text: The text, without a complete `functions.`.
        before: The character before the text.
        names: The offered functions.
    """
    for length in range(min(len(BARE) - 1, len(text)), 0, -1):
        ending = text[-length:]
        previous = text[-length - 1 : -length] or (before if length == len(text) else "")
        if BARE.startswith(ending) and not _NO_BEGINNING.match(previous) and names:
            return len(text) - length
    return len(text)


_NO_BEGINNING = lazy_pattern(r"[\w`'\"/(\[{-]")
_BARE_CALL = lazy_pattern(r"functions\.([\w-]*)(?:(:)(\d{0,9})(\s{0,2})(\{)?)?")


def bare_call_at(text: str, position: int, names: dict[str, Any]) -> int | Literal[True] | None:
    """Return the position of the JSON of a bare call; True if the text may become a bare call, None if not."""
    bare_call = _BARE_CALL.match(text, position)
    if bare_call is None:
        return None
    name, colon, number, _, brace = bare_call.groups()
    if brace:
        return bare_call.end() - 1 if name in names and number else None
    if bare_call.end() < len(text):
        return None
    possible = name in names if colon else any(offered.startswith(name) for offered in names)
    return True if possible else None


class JSONValue:
    """Finds the end of a JSON object or string in a text that arrives in pieces.

    It detects invalid JSON early, so that repeated attempts on a text take linear time: an attempt ends before the
    third beginning of a call after it, because one of the three is outside its strings.

    Args:
        strict: Whether unquoted characters that JSON does not use make the state `broken`.

    Attributes:
        state: `open` inside the value, `whole` after its end, `broken` if the text cannot be JSON.
    """

    _INSIDE = lazy_pattern(r'["\\]')
    _OUTSIDE = lazy_pattern(r'["{}\[\]<]')
    # The letters are those of true, false, null, NaN, Infinity and exponents.
    _STRICTLY_OUTSIDE = lazy_pattern(r"[^\s\d:,.+\-truefalsnNIityE]")
    _AFTER_STRING = lazy_pattern(r"\s*([^\s])?")

    def __init__(self, *, strict: bool = False) -> None:
        self.state: Literal["open", "whole", "broken"] = "open"
        self._tokens = self._STRICTLY_OUTSIDE if strict else self._OUTSIDE
        self._depth: list[str] = []
        self._in_string = False
        self._after_backslash = False
        self._has_begun = False
        self._is_after_string = False

    def feed(self, text: str, position: int = 0) -> int:
        """Read the next text and return the position after the value, or the text's length if it is still open."""
        while self.state == "open" and position < len(text):
            if self._after_backslash:
                self._after_backslash = False
                position += 1
            elif not self._has_begun:
                position = self._begin(text, position)
            elif self._is_after_string:
                position = self._follow_string(text, position)
            elif token := (self._INSIDE if self._in_string else self._tokens).search(text, position):
                position = token.end()
                self._read_token(token[0])
            else:
                return len(text)
        return position

    def _begin(self, text: str, position: int) -> int:
        """Skip white space before the value, or read its first character; return the position after it."""
        character = text[position]
        if character.isspace():
            return position + 1
        self._has_begun = True
        if character not in '{"':
            self.state = "broken"
            return position
        self._read_token(character)
        return position + 1

    def _follow_string(self, text: str, position: int) -> int:
        """Check the character after a string."""
        following = self._AFTER_STRING.match(text, position)
        if following is None or following[1] is None:
            return len(text)
        self._is_after_string = False
        if following[1] not in ":,}]":
            self.state = "broken"
        return following.start(1)

    def _read_token(self, character: str) -> None:
        """Update the state for a quotation mark, a backslash, a bracket or a character that makes the value invalid."""
        if self._in_string:
            self._after_backslash = character == "\\"
            self._in_string = self._after_backslash
            self._is_after_string = not self._in_string and bool(self._depth)
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth.append("}" if character == "{" else "]")
        elif not self._depth or self._depth.pop() != character:
            self.state = "broken"
        if not (self._depth or self._in_string or self.state == "broken"):
            self.state = "whole"


def parsed(text: str) -> Any:
    """Return the value of a JSON text, which may have line breaks inside strings, or None if it is invalid."""
    try:
        return MULTILINE_DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
