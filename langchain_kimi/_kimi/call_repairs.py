"""Repairs of the tool calls of a response: their names, ids and arguments.

Deltas that were passed on cannot be taken back. So names and ids are repaired before they are passed on, and arguments
are held back where `ArgumentStream` says so. A missing name is added at the end of the response, because it may still
come.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_kimi._kimi.call_arguments import ArgumentStream
from langchain_kimi._kimi.call_ids import UniqueIds, positional_id
from langchain_kimi._kimi.call_tracker import CallDelta, ToolCallTracker
from langchain_kimi._kimi.markup.calls import LeakedCall
from langchain_kimi._kimi.markup.grammar import parsed
from langchain_kimi._kimi.repairs import Repairs
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._openrouter.wire import WireFunction, WireToolCall


@dataclass(slots=True)
class IncomingCall:
    """A call as it was passed on.

    Attributes:
        number: Its position among the calls of the response.
        id: Its id; empty until one is passed on.
        wire_id: The host's id.
        name: The function's name.
        error: The reason why it must not be run, if that is not visible in its arguments.
        stream: The repair of its arguments.
        deltas: The arguments, as they were passed on.
    """

    number: int
    id: str = ""
    wire_id: str = ""
    name: str = ""
    error: str | None = None
    stream: ArgumentStream | None = None
    deltas: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        return "".join(self.deltas)

    @property
    def is_sound(self) -> bool:
        """Whether the call has no error, and its arguments are an object."""
        return self.error is None and isinstance(parsed(self.arguments.strip() or "{}"), dict)

    def repeats(self, leaked: LeakedCall) -> bool:
        """Return whether a call in the text is this call again."""
        if self.name != leaked.name:
            return False
        mine, other = self.arguments, leaked.arguments
        # A structured call is more reliable than the rest of it in the text.
        return bool(leaked.id and leaked.id == self.wire_id) or mine == other or _equal(parsed(mine), parsed(other))


class IncomingCalls:
    """Repairs the calls of one response.

    Attributes:
        calls: The calls by number.
        repaired: The number of repairs, by name.
    """

    def __init__(
        self,
        offered: OfferedTools,
        repairs: Repairs,
        used_ids: Callable[[], Iterable[str]],
        number_of_calls: Callable[[], int],
    ) -> None:
        """Begin a response.

        Args:
            offered: The tools that may be called.
            repairs: The names of the repairs to make.
            used_ids: Returns the call ids of the conversation.
            number_of_calls: Returns the number of calls in the conversation.
        """
        self.calls: dict[int, IncomingCall] = {}
        self.repaired: Counter[str] = Counter()
        self._offered = offered
        self._repairs = repairs
        self._number_of_calls = number_of_calls
        self._ids = UniqueIds(used_ids if "call_ids" in repairs else frozenset, number_of_calls)
        self._tracker = ToolCallTracker()

    def passes(self, wire: list[Any]) -> bool:
        """Take the calls of a delta if they only continue one call's arguments; return whether they do."""
        if len(wire) != 1 or (newest := self._tracker.continued(wire[0])) is None:
            return False
        text: str = wire[0]["function"]["arguments"]
        call = self.calls[newest.number]
        if call.stream is not None and not call.stream.passes(text):
            return False
        newest.add(text)
        call.deltas.append(text)
        return True

    def feed(self, wire: list[Any]) -> Iterator[WireToolCall]:
        """Take the calls of a delta, and yield the parts of them that can be passed on."""
        for delta in self._tracker.deltas(wire):
            number = cast("int", delta["index"])
            call = self.calls.setdefault(number, IncomingCall(number))
            function = delta["function"]
            passed: WireToolCall = {"index": number}
            if wire_id := delta.get("id"):
                call.wire_id = wire_id
                passed["id"] = call.id = self._ids.unique(wire_id)
                self.repaired["call_ids"] += all(call.id != CallDelta.of(entry).id for entry in wire)
            passed |= {"type": "function", "function": {}}
            if name := function.get("name"):
                passed["function"]["name"] = call.name = self._name(name)
            passed["function"]["arguments"] = self._arguments(call, function.get("arguments") or "")
            if len(passed["function"]) > 1 or "id" in passed or passed["function"]["arguments"]:
                yield passed

    def close(self) -> Iterator[WireToolCall]:
        """Take the end of the response, and yield the missing parts of its calls."""
        for call in self.calls.values():
            rest = self._close_arguments(call)
            function: WireFunction = {"arguments": rest}
            if name := self._missing_name(call):
                function["name"] = call.name = name
                self.repaired["call_names"] += 1
            if rest or name:
                yield {"index": call.number, "type": "function", "function": function}
        for call in self.calls.values():
            if not call.id:
                # LangChain pairs calls and results by id.
                call.id = self._new_id(call)
                self.repaired["call_ids"] += 1
                yield {"index": call.number, "id": call.id, "type": "function", "function": {"arguments": ""}}

    def add(self, leaked: LeakedCall) -> WireToolCall:
        """Add a call that was markup in a text, and return it as one delta."""
        call = IncomingCall(len(self.calls), wire_id=leaked.id, name=leaked.name, error=leaked.error)
        self.calls[call.number] = call
        call.id = self._ids.unique(leaked.id) if leaked.id else self._new_id(call)
        arguments = self._arguments(call, leaked.arguments) + self._close_arguments(call)
        function: WireFunction = {"name": leaked.name, "arguments": arguments}
        return {"index": call.number, "id": call.id, "type": "function", "function": function}

    def _new_id(self, call: IncomingCall) -> str:
        return self._ids.unique(positional_id(call.name, self._number_of_calls() + call.number))

    def _name(self, name: str) -> str:
        meant = self._offered.meant(name) if "call_names" in self._repairs else None
        self.repaired["call_names"] += bool(meant and meant != name)
        return meant or name

    def _missing_name(self, call: IncomingCall) -> str | None:
        if call.name or "call_names" not in self._repairs:
            return None
        return self._offered.meant_by_id(call.wire_id)

    def _arguments(self, call: IncomingCall, text: str) -> str:
        if text and call.stream is None and "arguments" in self._repairs:
            name = call.name or self._offered.meant_by_id(call.wire_id) or ""
            call.stream = ArgumentStream(self._offered.schemas.get(name))
        passed = call.stream.feed(text) if call.stream and text else text
        call.deltas.append(passed)
        return passed

    def _close_arguments(self, call: IncomingCall) -> str:
        if call.stream is None:
            return ""
        rest = call.stream.close()
        call.deltas.append(rest)
        self.repaired["arguments"] += call.stream.decoded
        return rest


def _equal(one: object, other: object) -> bool:
    return one is not None and one == other
