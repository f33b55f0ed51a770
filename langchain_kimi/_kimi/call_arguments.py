"""The arguments of one tool call as they stream by, with what was encoded twice decoded.

Arguments that were handed out cannot be taken back, so only what may be wrong is held back: all of them if they begin
as a JSON string, a code block, a marker or null instead of an object; pieces that begin with all that came before
them, because some hosts send the whole so far each time; a string where the tool's schema takes an object or a list
and no string, until the string ends; and whatever follows the end of the object, until the end of the call.
Everything else passes at once.
"""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from langchain_kimi._kimi.markup.grammar import MARKER, parsed
from langchain_kimi._openrouter.json_schema import resolve
from langchain_kimi._openrouter.wire import JSONObject

_INSIDE = re.compile(r'["\\]')
_OUTSIDE = re.compile(r'["{}\[\]:,]')
_LEFT_OVER = re.compile(rf"(?:\s|{MARKER.pattern})+")
_BLOCK = re.compile(r"```\w*\s(.*)```", re.DOTALL)
_KINDS = {"{": "object", '"': "wrapped", "`": "wrapped", "<": "wrapped", "n": "wrapped"}
_CONTAINERS: dict[str, type] = {"object": dict, "array": list}


@dataclass(slots=True)
class _Frame:
    """An object or a list that is open, the schema of it, and the key that came last."""

    is_object: bool
    schema: JSONObject
    key: str | None = None
    expects_key: bool = True


class ArgumentStream:
    """Takes the pieces of one call's arguments and gives what can be handed out.

    Attributes:
        decoded: How many values were decoded or, being repetitions, left out.
    """

    def __init__(self, schema: JSONObject | None) -> None:
        """Begin a call; `schema` is that of the tool's parameters, None if it is not known."""
        self.decoded = 0
        self._root = schema or {}
        self._needs_nothing = schema is not None and not schema.get("required")
        self._frames: list[_Frame] = []
        self._passed: list[str] = []
        self._held: list[str] = []
        self._kind = ""
        self._inside = self._escaped = self._is_key = self._is_plain = False
        self._string: list[str] = []
        self._wanted: tuple[type, ...] = ()

    def passes(self, text: str) -> bool:
        """Take the next piece if it is the middle of a string that is handed out at once; says whether it did."""
        if not self._is_plain or '"' in text or "\\" in text:
            return False
        self._passed.append(text)
        return True

    def feed(self, text: str) -> str:
        """Take the next piece; gives what can be handed out."""
        if not self._kind and text.strip():
            self._kind = _KINDS.get(text.lstrip()[0], "other")
        if self._kind == "object" and text[0] == "{" and self._grows(text):
            self._kind, self._is_plain = "growing", False
        if self._kind == "object":
            text = self._walk(text)
        elif self._kind in ("wrapped", "ended", "growing"):
            self._held.append(text)
            return ""
        if text:
            self._passed.append(text)
        return text

    def close(self) -> str:
        """Take the end of the call; gives what is left."""
        pieces, self._held = self._held, []
        held = "".join(pieces)
        if self._kind == "wrapped":
            return self._whole(held)
        if self._kind == "growing":
            return self._grown(pieces)
        if self._kind == "ended":
            return "" if self._repeats(held) else held
        return "".join(self._string) if self._wanted else ""

    def _whole(self, held: str) -> str:
        """Decode arguments that came as a JSON string, in a code block or between markers."""
        text = _bare(held)
        if block := _BLOCK.fullmatch(text):
            text = block[1]
        value: Any = parsed(text)
        while isinstance(value, str):
            text = value or "null"
            value = parsed(text)
        if text.strip() == "null" and self._needs_nothing:
            value, text = {}, "{}"
        if not isinstance(value, dict):
            return held
        inner = ArgumentStream(self._root)
        text = inner.feed(text) + inner.close()
        self.decoded += 1 + inner.decoded
        return text

    def _grows(self, text: str) -> bool:
        """Say whether a piece begins with all that came before it, which in an object hardly ever happens."""
        # Of many pieces the sum is longer than one piece, and need not be put together.
        before = "".join(self._passed) if len(self._passed) < len(text) else ""
        return bool(before) and len(text) > len(before) and text.startswith(before)

    def _grown(self, pieces: list[str]) -> str:
        """Give what the last piece adds, if each has all of the one before and their sum is no JSON.

        Reported: hosts that send all of the arguments so far in every piece (NousResearch/hermes-agent issue 35592).
        """
        before, joined = "".join(self._passed), "".join(pieces)
        grown = [before, *filter(str.strip, pieces)]
        is_growth = all(later.startswith(earlier) for earlier, later in pairwise(grown))
        if isinstance(parsed(before + joined), dict) or not (is_growth and isinstance(parsed(grown[-1]), dict)):
            return joined
        self.decoded += 1
        return grown[-1][len(before) :]

    def _repeats(self, held: str) -> bool:
        """Say whether what follows the object is that object again, or markers, and nothing else."""
        first, rest = parsed("".join(self._passed)), _bare(held)
        while rest:
            try:
                value, end = json.JSONDecoder(strict=False).raw_decode(rest)
            except ValueError:
                return False
            if first is None or value != first:
                return False
            rest = _bare(rest[end:])
        self.decoded += bool(held.strip())
        return True

    def _walk(self, text: str) -> str:
        """Read on in the object; gives the text of it that can be handed out."""
        out: list[str] = []
        position = 0
        while position < len(text):
            if self._kind == "ended":
                self._held.append(text[position:])
                break
            position = (self._read_string if self._inside else self._read_structure)(text, position, out)
        self._is_plain = self._inside and not (self._escaped or self._is_key or self._wanted)
        return "".join(out)

    def _read_string(self, text: str, position: int, out: list[str]) -> int:
        if self._escaped:
            self._escaped = False
            found, end = None, position + 1
        else:
            found = _INSIDE.search(text, position)
            end = found.end() if found else len(text)
        if self._is_key or self._wanted:
            self._string.append(text[position:end])
        if not self._wanted:
            out.append(text[position:end])
        if found:
            self._escaped = found[0] == "\\"
            self._inside = self._escaped
        if not self._inside:
            self._end_string(out)
        return end

    def _end_string(self, out: list[str]) -> None:
        raw, self._string = "".join(self._string), []
        if self._is_key:
            self._frames[-1].key = parsed(raw)
        elif self._wanted:
            inner = parsed(raw)
            is_meant = isinstance(inner, str) and isinstance(parsed(inner), self._wanted)
            self.decoded += is_meant
            out.append(inner.strip() if is_meant else raw)
        self._wanted, self._is_key = (), False

    def _read_structure(self, text: str, position: int, out: list[str]) -> int:
        found = _OUTSIDE.search(text, position)
        if found is None:
            out.append(text[position:])
            return len(text)
        character, frame = found[0], self._frames[-1] if self._frames else None
        if character == '"' and frame:
            self._inside = True
            self._is_key = frame.is_object and frame.expects_key
            self._wanted = () if self._is_key else self._containers(self._schema_here())
            self._string = ['"'] if self._is_key or self._wanted else []
        elif character in "{[":
            self._frames.append(_Frame(character == "{", self._schema_here() if frame else self._root))
        elif character in "}]":
            self._frames.pop()
            self._kind = "object" if self._frames else "ended"
        else:
            # What begins the arguments is a bracket, so there is an object or a list around this.
            self._frames[-1].expects_key = character == ","
        out.append(text[position : found.start() if self._wanted else found.end()])
        return found.end()

    def _schema_here(self) -> JSONObject:
        """The schema of the value that begins here; empty where none is known."""
        frame = self._frames[-1]
        schema = self._resolved(frame.schema)
        if not frame.is_object:
            found = schema.get("items")
        else:
            found = (schema.get("properties") or {}).get(frame.key, schema.get("additionalProperties"))
        return found if isinstance(found, dict) else {}

    def _resolved(self, schema: JSONObject) -> JSONObject:
        """Follow references, and of several branches take the one that is an object or a list."""
        followed: set[str] = set()
        while True:
            if isinstance(reference := schema.get("$ref"), str):
                schema = {} if reference in followed else self._referred(reference)
                followed.add(reference)
            elif branches := _branches(schema):
                holding = [branch for branch in branches if self._containers(branch)]
                schema = holding[0] if len(holding) == 1 else {}
            else:
                return schema

    def _referred(self, reference: str) -> JSONObject:
        return resolve(self._root, reference) or {}

    def _containers(self, schema: JSONObject, followed: frozenset[str] = frozenset()) -> tuple[type, ...]:
        """The types that a value must have, where it must be an object or a list and can be no string."""
        if isinstance(reference := schema.get("$ref"), str):
            return () if reference in followed else self._containers(self._referred(reference), followed | {reference})
        if branches := _branches(schema):
            found = [self._containers(branch, followed) for branch in branches if branch != {"type": "null"}]
            return tuple({kind for one in found for kind in one}) if all(found) else ()
        kinds = schema.get("type") or ()
        names = {kinds} if isinstance(kinds, str) else set(kinds)
        if names and names <= {*_CONTAINERS, "null"}:
            return tuple(_CONTAINERS[name] for name in sorted(names - {"null"}))
        return ()


def _bare(text: str) -> str:
    """Strip blanks and markers from both ends of a text."""
    begins = _LEFT_OVER.match(text)
    text = text[begins.end() if begins else 0 :]
    ends = next((found.start() for found in _LEFT_OVER.finditer(text) if found.end() == len(text)), len(text))
    return text[:ends]


def _branches(schema: JSONObject) -> list[JSONObject]:
    branches = schema.get("anyOf") or schema.get("oneOf") or []
    return [branch for branch in branches if isinstance(branch, dict)]
