"""Repair the arguments of one tool call as they are streamed, mainly by decoding values that were encoded twice.

Text that was passed on cannot be withdrawn, so text that may be wrong is held back:

- all of the arguments, if they do not begin like an object;
- a delta that begins with everything before it, because some hosts send all arguments so far in each delta;
- a string where the tool's schema allows only an object or an array, until the string ends;
- text after the object, until the call ends.

Everything else passes immediately.
"""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal

from langchain_kimi._kimi.markup.grammar import MARKER, parsed
from langchain_kimi._openrouter.json import MULTILINE_DECODER
from langchain_kimi._openrouter.json_schema import resolve, types_of
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._patterns import lazy_pattern

_INSIDE = re.compile(r'["\\]')
_OUTSIDE = re.compile(r'["{}\[\]:,]')
_EDGES = lazy_pattern(rf"(?:\s|{MARKER.pattern}|<\|close\|>\s{{0,8}}\w{{0,8}}\s{{0,8}}<\|sep\|>|<\|end_of_msg\|>)+")
_BLANKS_BEFORE = lazy_pattern(r"[\s\u200b-\u200d\u2060\ufeff]*")
"""Blanks and invisible characters before the arguments, of which JSON allows only four."""
_JSON_BLANKS = frozenset(" \t\r\n")
_BLOCK = lazy_pattern(r"```\w*\s(.*)```", re.DOTALL)
_CONTAINERS: dict[str, type] = {"object": dict, "array": list}

_State = Literal["start", "object", "ended", "wrapped", "escaped", "growing"]
"""How the arguments are read.

`start`: undecided; `object`: inside the object; `ended`: after it. In the other states the deltas are held back until
the call ends: `wrapped` for arguments that do not begin like an object, `escaped` for an object whose quotation marks
are escaped, `growing` if each delta repeats the ones before it.
"""


class _Frame:
    """An open object or array, with its schema and its last key."""

    __slots__ = ("expects_key", "is_object", "key", "schema")

    def __init__(self, schema: JSONObject, *, is_object: bool) -> None:
        self.schema = schema
        self.is_object = is_object
        self.key: str | None = None
        self.expects_key = True


class ArgumentStream:
    """Takes the deltas of one call's arguments and returns the text that can be passed on.

    Attributes:
        decoded: The number of values that were decoded, or removed as repetitions.
    """

    def __init__(
        self, schema: JSONObject | None, arguments_in_markup: Callable[[str], str | None] | None = None
    ) -> None:
        """Begin a call.

        Args:
            schema: The schema of the tool's parameters; None for an unknown tool.
            arguments_in_markup: Returns the arguments of the call if a text is the whole call as markup.
        """
        self.decoded = 0
        self._arguments_in_markup = arguments_in_markup
        self._root = schema or {}
        self._needs_no_arguments = schema is not None and not schema.get("required")
        self._frames: list[_Frame] = []
        self._passed: list[str] = []
        self._length = self._counted = 0
        self._held: list[str] = []
        self._state: _State = "start"
        self._has_begun = False
        self._in_string = self._after_backslash = self._string_is_key = self._is_plain = False
        self._string: list[str] = []
        self._expected_types: tuple[type, ...] = ()

    def pass_unchanged(self, text: str) -> bool:
        """Take the next delta if it lies inside a string that passes immediately; return whether it was taken."""
        if not self._is_plain or '"' in text or "\\" in text:
            return False
        self._passed.append(text)
        return True

    def feed(self, text: str) -> str:
        """Take the next delta, and return the text that can be passed on."""
        if not (self._has_begun or self._passed) and not (text := _without_odd_blanks(text)):
            return ""
        if not self._has_begun and text.strip():
            self._begin("".join(self._passed) + text)
        if self._state == "object" and text[0] == "{" and self._grows(text):
            self._state, self._is_plain = "growing", False
        if self._state == "object":
            text = self._walk(text)
        elif self._state in ("wrapped", "escaped", "ended", "growing"):
            self._held.append(text)
            return ""
        if text:
            self._passed.append(text)
        return text

    def _begin(self, text: str) -> None:
        """Decide by the first two characters whether the arguments are an object."""
        begin = text.lstrip()
        rest = begin[1:].lstrip()
        self._has_begun = begin[0] != "{" or bool(rest)
        if begin[0] != "{":
            self._state = "wrapped"
        else:
            self._state = "escaped" if rest[:1] == "\\" else "object"

    def close(self) -> str:
        """Take the end of the call, and return the rest of the arguments."""
        pieces, self._held = self._held, []
        held = "".join(pieces)
        if self._state == "wrapped":
            return self._unwrapped(held)
        if self._state == "escaped":
            return self._unescaped(held)
        if self._state == "growing":
            return self._grown(pieces)
        if self._state == "ended":
            return "" if self._repeats(held) else held
        return "".join(self._string) if self._expected_types else ""

    def _unwrapped(self, held: str) -> str:
        """Return arguments without their wrapping: a JSON string, a code fence, markers, or the markup of a call."""
        text = _bare(held)
        if self._arguments_in_markup and (in_markup := self._arguments_in_markup(held)) is not None:
            text = in_markup
        if block := _BLOCK.fullmatch(text):
            text = block[1]
        value: Any = parsed(text)
        is_encoded = isinstance(value, str)
        while isinstance(value, str):
            text = value or "null"
            value = parsed(text)
        if text.strip() == "null" and self._needs_no_arguments:
            value, text = {}, "{}"
        if is_encoded and value is None and self._arguments_in_markup:
            text = self._arguments_in_markup(text) or text
            value = parsed(text)
        if not isinstance(value, dict):
            return held
        return self._decoded(text)

    def _decoded(self, text: str) -> str:
        inner = ArgumentStream(self._root)
        text = inner.feed(text) + inner.close()
        self.decoded += 1 + inner.decoded
        return text

    def _unescaped(self, held: str) -> str:
        """Return the rest of an object whose quotation marks are escaped, as in a JSON string without quotes."""
        before = "".join(self._passed)
        text = parsed(f'"{before}{held}"')
        if not (isinstance(text, str) and isinstance(parsed(text), dict) and text.startswith(before)):
            return held
        return self._decoded(text)[len(before) :]

    def _grows(self, text: str) -> bool:
        """Return whether a delta begins with everything before it, which hardly ever happens inside an object."""
        # Joined only if the delta is longer than everything before it, so that the work stays linear.
        self._length += sum(map(len, self._passed[self._counted :]))
        self._counted = len(self._passed)
        return 0 < self._length < len(text) and text.startswith("".join(self._passed))

    def _grown(self, pieces: list[str]) -> str:
        """Return the part that the last delta adds, if each contains the one before and their sum is not JSON.

        Reported: hosts that send all arguments so far in each delta (NousResearch/hermes-agent issue 35592).
        """
        before, joined = "".join(self._passed), "".join(pieces)
        grown = [before, *filter(str.strip, pieces)]
        is_growth = all(later.startswith(earlier) for earlier, later in pairwise(grown))
        if isinstance(parsed(before + joined), dict) or not (is_growth and isinstance(parsed(grown[-1]), dict)):
            return joined
        self.decoded += 1
        return grown[-1][len(before) :]

    def _repeats(self, held: str) -> bool:
        """Return whether only the same object again, or markers, follow the object."""
        first, position = parsed("".join(self._passed)), _after_edge(held, 0)
        while position < len(held):
            try:
                value, position = MULTILINE_DECODER.raw_decode(held, position)
            except (ValueError, RecursionError):
                return False
            if first is None or (parsed(value) if isinstance(value, str) else value) != first:
                return False
            position = _after_edge(held, position)
        self.decoded += bool(held.strip())
        return True

    def _walk(self, text: str) -> str:
        """Read more of the object, and return the text that can be passed on."""
        out: list[str] = []
        position = 0
        while position < len(text):
            if self._state == "ended":
                self._held.append(text[position:])
                break
            position = (self._read_string if self._in_string else self._read_structure)(text, position, out)
        self._is_plain = self._in_string and not (self._after_backslash or self._string_is_key or self._expected_types)
        return "".join(out)

    def _read_string(self, text: str, position: int, out: list[str]) -> int:
        """Read the string up to its end, its next escape, or the end of the text; return the position after it."""
        if self._after_backslash:
            self._after_backslash = False
            special, end = None, position + 1
        else:
            special = _INSIDE.search(text, position)
            end = special.end() if special else len(text)
        if self._string_is_key or self._expected_types:
            self._string.append(text[position:end])
        if not self._expected_types:
            out.append(text[position:end])
        if special:
            self._after_backslash = special[0] == "\\"
            self._in_string = self._after_backslash
        if not self._in_string:
            self._end_string(out)
        return end

    def _end_string(self, out: list[str]) -> None:
        """Handle the end of a string: store a key, or pass on a value, which may be decoded."""
        raw, self._string = "".join(self._string), []
        if self._string_is_key:
            self._frames[-1].key = parsed(raw)
        elif self._expected_types:
            inner = parsed(raw)
            is_encoded = isinstance(inner, str) and isinstance(parsed(inner), self._expected_types)
            self.decoded += is_encoded
            out.append(inner.strip() if is_encoded else raw)
        self._expected_types, self._string_is_key = (), False

    def _read_structure(self, text: str, position: int, out: list[str]) -> int:
        """Read up to the next sign outside strings, and return the position after it."""
        special = _OUTSIDE.search(text, position)
        if special is None:
            out.append(text[position:])
            return len(text)
        character, frame = special[0], self._frames[-1] if self._frames else None
        if character == '"' and frame:
            self._in_string = True
            self._string_is_key = frame.is_object and frame.expects_key
            self._expected_types = () if self._string_is_key else self._containers(self._schema_here())
            self._string = ['"'] if self._string_is_key or self._expected_types else []
        elif character in "{[":
            self._frames.append(_Frame(self._schema_here() if frame else self._root, is_object=character == "{"))
        elif character in "}]":
            self._frames.pop()
            self._state = "object" if self._frames else "ended"
        else:
            # The arguments begin with a bracket, so a frame is open.
            self._frames[-1].expects_key = character == ","
        out.append(text[position : special.start() if self._expected_types else special.end()])
        return special.end()

    def _schema_here(self) -> JSONObject:
        """Return the schema of the value that begins here; empty without a schema."""
        frame = self._frames[-1]
        schema = self._resolved(frame.schema)
        if not frame.is_object:
            value = schema.get("items")
        else:
            properties = schema.get("properties")
            declared = properties if isinstance(properties, dict) else {}
            value = declared.get(frame.key, schema.get("additionalProperties"))
        return value if isinstance(value, dict) else {}

    def _resolved(self, schema: JSONObject) -> JSONObject:
        """Return a schema with its reference followed, and in place of branches the only object or array of them."""
        followed_references: set[str] = set()
        while True:
            if isinstance(reference := schema.get("$ref"), str):
                schema = {} if reference in followed_references else self._referred(reference)
                followed_references.add(reference)
            elif branches := _branches(schema):
                containers = [branch for branch in branches if self._containers(branch)]
                schema = containers[0] if len(containers) == 1 else {}
            else:
                return schema

    def _referred(self, reference: str) -> JSONObject:
        return resolve(self._root, reference) or {}

    def _containers(self, schema: JSONObject, followed: frozenset[str] = frozenset()) -> tuple[type, ...]:
        """Return the Python types (dict, list) of a value that must be an object or array; empty if it may differ."""
        if isinstance(reference := schema.get("$ref"), str):
            return () if reference in followed else self._containers(self._referred(reference), followed | {reference})
        if branches := _branches(schema):
            each = [self._containers(branch, followed) for branch in branches if branch != {"type": "null"}]
            return tuple(set().union(*each)) if all(each) else ()
        names = {str(name) for name in types_of(schema)}
        if names and names <= {*_CONTAINERS, "null"}:
            return tuple(_CONTAINERS[name] for name in sorted(names - {"null"}))
        return ()


def _bare(text: str) -> str:
    """Return a text without the white space and the markers at its ends."""
    begin = _after_edge(text, 0)
    ends = next((edge.start() for edge in _EDGES.finditer(text, begin) if edge.end() == len(text)), len(text))
    return text[begin:ends]


def _without_odd_blanks(text: str) -> str:
    """Return a text without the blanks at its beginning if JSON does not allow them there."""
    blanks = _BLANKS_BEFORE.match(text)
    return text[blanks.end() :] if blanks and not _JSON_BLANKS.issuperset(blanks[0]) else text


def _after_edge(text: str, position: int) -> int:
    edge = _EDGES.match(text, position)
    return edge.end() if edge else position


def _branches(schema: JSONObject) -> list[JSONObject]:
    branches = schema.get("anyOf") or schema.get("oneOf")
    return [branch for branch in branches if isinstance(branch, dict)] if isinstance(branches, list) else []
