"""Assign the deltas of tool calls in a stream to calls, whatever index and id the host sends."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, cast

from langchain_kimi._kimi.markup.grammar import JSONValue
from langchain_kimi._openrouter.json import MULTILINE_DECODER
from langchain_kimi._openrouter.wire import WireToolCall

_ARGUMENTS = ("arguments", "parameters", "input", "args")
"""The names of the arguments; all but the first are those of other APIs. Ignored arguments would become defaults."""
NOT_AN_OBJECT = -1
"""The index of deltas that are not objects; they belong to no other call."""


@dataclass(slots=True, eq=False, repr=False)
class CallDelta:
    """One entry of a delta's `tool_calls`. Missing parts are None; missing arguments are an empty string."""

    index: int | str | None
    id: str | None
    name: str | None
    arguments: str

    @classmethod
    def of(cls, wire: Any) -> Self:
        """Return the parts of an entry. A value that is not an object becomes invalid arguments; null has no parts."""
        if wire is not None and not isinstance(wire, dict):
            wire = {"index": NOT_AN_OBJECT, "function": {"arguments": [wire]}}
        entry = wire or {}
        # Some hosts send no `function`, but name and arguments next to the id. Custom tools have another key.
        function = next((entry[key] for key in ("function", "custom") if entry.get(key) is not None), entry)
        if not isinstance(function, dict):
            function = {"arguments": [function]}
        return cls(
            index=_hashable(entry.get("index")),
            id=str(entry["id"]) if entry.get("id") else None,
            name=str(function["name"]) if function.get("name") else None,
            arguments=arguments_text(
                next((function[key] for key in _ARGUMENTS if function.get(key) is not None), None)
            ),
        )


@dataclass(slots=True, eq=False, repr=False)
class TrackedCall:
    """A tool call that may still receive deltas.

    Attributes:
        number: Its position among the calls of the response.
        wire_index: The host's index, which is only a hint.
        wire_id: The host's id.
        id: The id to pass on: the host's, unless another call of the response has it already.
        name: The function's name.
        twin: The number of the earlier call with the same id and name, which this one may repeat.
        arguments: The deltas of the arguments.
    """

    number: int
    wire_index: int | str | None
    wire_id: str | None = None
    id: str | None = None
    name: str | None = None
    twin: int | None = None
    arguments: list[str] = field(default_factory=list)
    _value: JSONValue = field(default_factory=JSONValue)
    _checked: int = 0
    _is_json: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether the arguments are a complete JSON object."""
        # Each delta is read once, and the whole text is parsed once: some hosts repeat id and name in thousands of
        # deltas.
        for position in range(self._checked, len(self.arguments)):
            text = self.arguments[position]
            was_open = self._value.state == "open"
            end = self._value.feed(text)
            if self._value.state == "whole":
                self._is_json = was_open and end == len(text) and is_json("".join(self.arguments[: position + 1]))
        self._checked = len(self.arguments)
        return self._is_json

    def add_arguments(self, arguments: str) -> None:
        """Add to the arguments, without white space at the end."""
        if text := arguments.rstrip():
            self.arguments.append(text)

    def add_delta(self, delta: CallDelta) -> WireToolCall | None:
        """Add a delta and return its new parts; None if it has no new parts."""
        arguments = delta.arguments
        if not arguments.strip() and not self.arguments:
            # White space alone means an empty object, but would not parse as one.
            arguments = ""
        self.add_arguments(arguments)
        passed: dict[str, Any] = {"index": self.number, "type": "function", "function": {"arguments": arguments}}
        if delta.id and not self.wire_id:
            self.wire_id = delta.id
            passed["id"] = self.id = self.id or delta.id
        if delta.name and delta.name != self.name:
            passed["function"]["name"] = delta.name
            self.name = f"{self.name or ''}{delta.name}"
        is_new = arguments or "id" in passed or "name" in passed["function"]
        return cast("WireToolCall", passed) if is_new else None


class ToolCallTracker:
    """Numbers the calls of one response; passes on each id and name once, and the arguments as they arrive.

    The numbers count from 0 in order of appearance. Recorded: fifteen calls all with index 0 and each with its own id
    (Gemini), a first index of 1 (GPT-5), id and name repeated in every delta (Novita, 2025), an id repeated beside an
    empty name (BaseTen), `id: null` and `type: ""` in later deltas (SiliconFlow, Chutes, Novita). Reported: no index at
    all, ids that arrive late, and one id for several calls.
    """

    def __init__(
        self,
        may_begin_name: Callable[[str], bool] | None = None,
        find_name: Callable[[str], str | None] | None = None,
    ) -> None:
        """Begin a response.

        Args:
            may_begin_name: Returns whether a text may be the beginning of a function's name. Other texts in the field
                `name` may continue a name. None: each name arrives in one piece.
            find_name: Returns the function that a name refers to, or None. Without it, equal names are equal texts.
        """
        self.calls: list[TrackedCall] = []
        self._may_begin_name = may_begin_name
        self._find_name = find_name
        self._spellings: dict[str, str] = {}
        self._first_spellings: dict[str, str] = {}
        self._newest_at: dict[int | str | None, TrackedCall] = {}
        self._newest_with: dict[tuple[int | str | None, str], TrackedCall] = {}
        self._by_id: dict[str, TrackedCall] = {}

    def deltas(self, calls: Iterable[Any]) -> Iterator[WireToolCall]:
        """Yield the entries of one delta's `tool_calls` that have new parts, with the number of the call as index."""
        for wire in calls:
            delta = CallDelta.of(wire)
            if delta.name and self._find_name:
                delta.name = self._spellings.get(delta.name) or self._spelling(delta.name, self._find_name)
            call = self._call_of(delta)
            if call and (passed := call.add_delta(delta)):
                yield passed

    def continued(self, wire: Any) -> TrackedCall | None:
        """Return the newest call if an entry of the documented form only continues its arguments; otherwise None."""
        if not self.calls or type(wire) is not dict or wire.get("id") is not None:
            return None
        call, function = self.calls[-1], wire.get("function")
        if not (call.arguments and wire.get("index") == call.number == call.wire_index and type(function) is dict):
            return None
        is_plain = function.get("name") is None and type(function.get("arguments")) is str and function["arguments"]
        return call if is_plain else None

    def _spelling(self, name: str, find_name: Callable[[str], str | None]) -> str:
        """Return the first spelling of a function's name: a summary at the end may write it in another way."""
        function = None if "<|" in name else find_name(name)
        self._spellings[name] = name if function is None else self._first_spellings.setdefault(function, name)
        return self._spellings[name]

    def _call_of(self, delta: CallDelta) -> TrackedCall | None:
        """Return the call that a delta belongs to, which may be a new one; None for a delta without content."""
        candidate = self._candidate(delta)
        if candidate and (not _opens_another(candidate, delta) or self._continues_name(candidate, delta)):
            return self._registered(candidate, delta)
        if not (delta.id or delta.name or delta.arguments.strip()):
            return None
        call = TrackedCall(number=len(self.calls), wire_index=delta.index)
        same = self._by_id.get(delta.id) if delta.id else candidate
        if same and (delta.id or same.wire_id) and delta.name in (None, same.name):
            call.twin = same.number
        if delta.id and same:
            # Calls and results are paired by id, so two calls of one response cannot share theirs.
            call.id = f"{delta.id}_{call.number}"
        self.calls.append(call)
        return self._registered(call, delta)

    def _continues_name(self, call: TrackedCall, delta: CallDelta) -> bool:
        """Return whether a delta without an id continues a call's name: its text cannot begin another name."""
        if self._may_begin_name is None or delta.id or not (call.wire_id and delta.name) or call.arguments:
            return False
        return delta.name != call.name and not self._may_begin_name(delta.name)

    def _candidate(self, delta: CallDelta) -> TrackedCall | None:
        """Return the call that a delta continues, if it does not open another one."""
        newest = (self.calls[-1] if self.calls else None) if delta.index is None else self._newest_at.get(delta.index)
        if not delta.id:
            return newest
        same = self._by_id.get(delta.id) if delta.index is None else self._newest_with.get((delta.index, delta.id))
        if same or (same := self._moved(delta)):
            return same
        return newest if newest and (not newest.wire_id or _is_rest_of(newest, delta)) else None

    def _moved(self, delta: CallDelta) -> TrackedCall | None:
        """Return the newest call if the delta continues it under another index."""
        call = self.calls[-1] if self.calls else None
        if call is None or call.wire_id != delta.id or not _is_rest_of(call, delta):
            return None
        call.wire_index = delta.index
        return call

    def _registered(self, call: TrackedCall, delta: CallDelta) -> TrackedCall:
        """Register a call under its index and the id of the delta, and return it."""
        self._newest_at[call.wire_index] = call
        wire_id = call.wire_id or delta.id
        if wire_id:
            self._newest_with[call.wire_index, wire_id] = call
            if wire_id not in self._by_id or not call.wire_id:
                self._by_id[wire_id] = call
        return call


def _hashable(index: Any) -> int | str | None:
    return index if index is None or isinstance(index, int | str) else str(index)


def _is_rest_of(call: TrackedCall, delta: CallDelta) -> bool:
    """Return whether a delta with an id must continue a call: it has no name, and the call is not complete.

    Reported: one id beside the name and another in all later deltas (poolsideai/pool issue 9).
    """
    return not delta.name and call.name is not None and not call.is_complete


def _opens_another(call: TrackedCall, delta: CallDelta) -> bool:
    """Return whether a delta that could continue a call begins a new one.

    It does if it has another name, or the same name and arguments although the call's arguments are complete.
    """
    if not (delta.name and call.name):
        return False
    return delta.name != call.name or (bool(delta.arguments.strip()) and call.is_complete)


def arguments_text(arguments: Any) -> str:
    """Return a call's arguments as the string that the API documents, whatever a host sent."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def is_json(text: str) -> bool:
    """Return whether a text is one complete JSON value; line breaks inside strings, which hosts send, are allowed."""
    try:
        MULTILINE_DECODER.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
