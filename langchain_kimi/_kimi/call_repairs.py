"""The tool calls of a reply, mended piece by piece: their names, ids and arguments.

What was handed out cannot be taken back, so a name is mended before it goes out, an id is made unique before it goes
out, and of arguments that much is held back as `ArgumentStream` says. A name that is missing is given at the end of the
reply, because it may still come.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_kimi._kimi.call_arguments import ArgumentStream
from langchain_kimi._kimi.call_ids import UniqueIds
from langchain_kimi._kimi.call_tracker import Piece, ToolCallTracker
from langchain_kimi._kimi.markup.calls import LeakedCall
from langchain_kimi._kimi.markup.grammar import parsed
from langchain_kimi._kimi.repairs import Repairs
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._openrouter.wire import WireFunction, WireToolCall


@dataclass(slots=True)
class IncomingCall:
    """A call as it is handed out.

    Attributes:
        number: Its place among the calls of the reply.
        wire_id: The id that the host gave it.
        error: Why it must not be run, beyond what its arguments show.
    """

    number: int
    id: str = ""
    wire_id: str = ""
    name: str = ""
    error: str | None = None
    stream: ArgumentStream | None = None
    pieces: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        return "".join(self.pieces)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is known against the call, and its arguments are an object."""
        return self.error is None and isinstance(parsed(self.arguments.strip() or "{}"), dict)

    def repeats(self, leaked: LeakedCall) -> bool:
        """Say whether a leaked call is this one once more."""
        if self.name != leaked.name:
            return False
        mine, other = self.arguments, leaked.arguments
        # The structured form of a call wins over what is left of it in the text.
        return bool(leaked.id and leaked.id == self.wire_id) or mine == other or _equal(parsed(mine), parsed(other))


class IncomingCalls:
    """Mends the calls of one reply.

    Attributes:
        calls: The calls by number.
        repaired: What was mended, and how often.
    """

    def __init__(
        self, offered: OfferedTools, repairs: Repairs, taken: Callable[[], Iterable[str]], first: Callable[[], int]
    ) -> None:
        """Begin a reply.

        Args:
            offered: The tools that may be called.
            repairs: What is to be mended.
            taken: Gives the call ids that the conversation holds.
            first: Gives how many calls it holds.
        """
        self.calls: dict[int, IncomingCall] = {}
        self.repaired: Counter[str] = Counter()
        self._offered = offered
        self._repairs = repairs
        self._first = first
        self._ids = UniqueIds(taken if "call_ids" in repairs else frozenset, first)
        self._tracker = ToolCallTracker()

    def passes(self, wire: list[Any]) -> bool:
        """Take the calls of a delta if they are no more than the next piece of one call; says whether it did."""
        if len(wire) != 1 or (newest := self._tracker.continued(wire[0])) is None:
            return False
        text: str = wire[0]["function"]["arguments"]
        call = self.calls[newest.number]
        if call.stream is not None and not call.stream.passes(text):
            return False
        newest.add(text)
        call.pieces.append(text)
        return True

    def feed(self, wire: list[Any]) -> Iterator[WireToolCall]:
        """Take the calls of a delta; yields what can be handed out of them."""
        for piece in self._tracker.pieces(wire):
            number = cast("int", piece["index"])
            call = self.calls.setdefault(number, IncomingCall(number))
            function = piece["function"]
            told: WireToolCall = {"index": number}
            if wire_id := piece.get("id"):
                call.wire_id = wire_id
                told["id"] = call.id = self._ids.unique(wire_id)
                self.repaired["call_ids"] += all(call.id != Piece.of(given).id for given in wire)
            told |= {"type": "function", "function": {}}
            if name := function.get("name"):
                told["function"]["name"] = call.name = self._name(name)
            told["function"]["arguments"] = self._arguments(call, function.get("arguments") or "")
            if len(told["function"]) > 1 or "id" in told or told["function"]["arguments"]:
                yield told

    def close(self) -> Iterator[WireToolCall]:
        """Take the end of the reply; yields what is missing of its calls."""
        for call in self.calls.values():
            rest = call.stream.close() if call.stream else ""
            function: WireFunction = {"arguments": rest}
            call.pieces.append(rest)
            self.repaired["arguments"] += call.stream.decoded if call.stream else 0
            name = (
                self._offered.meant_by_id(call.wire_id) if self._repairs_call("call_names") and not call.name else None
            )
            if name:
                function["name"] = call.name = name
                self.repaired["call_names"] += 1
            if rest or name:
                yield {"index": call.number, "type": "function", "function": function}
        for piece in self._tracker.missing_ids(self._first()) if self.calls else ():
            call = self.calls[cast("int", piece["index"])]
            call.id = self._ids.unique(self._made_up_id(call))
            self.repaired["call_ids"] += 1
            yield {**piece, "id": call.id}

    def add(self, leaked: LeakedCall) -> WireToolCall:
        """Add a call that was found as markup; gives it as a piece of its own."""
        call = IncomingCall(len(self.calls), wire_id=leaked.id, name=leaked.name, error=leaked.error)
        self.calls[call.number] = call
        call.id = self._ids.unique(leaked.id or self._made_up_id(call))
        arguments = self._arguments(call, leaked.arguments)
        if call.stream:
            rest = call.stream.close()
            call.pieces.append(rest)
            arguments += rest
            self.repaired["arguments"] += call.stream.decoded
        function: WireFunction = {"name": leaked.name, "arguments": arguments}
        return {"index": call.number, "id": call.id, "type": "function", "function": function}

    def _made_up_id(self, call: IncomingCall) -> str:
        return f"functions.{call.name or 'unknown_tool'}:{self._first() + call.number}"

    def _repairs_call(self, repair: str) -> bool:
        return repair in self._repairs

    def _name(self, name: str) -> str:
        meant = self._offered.meant(name) if self._repairs_call("call_names") else None
        self.repaired["call_names"] += bool(meant and meant != name)
        return meant or name

    def _arguments(self, call: IncomingCall, text: str) -> str:
        if text and call.stream is None and self._repairs_call("arguments"):
            name = call.name or self._offered.meant_by_id(call.wire_id) or ""
            call.stream = ArgumentStream(self._offered.schemas.get(name))
        passed = call.stream.feed(text) if call.stream and text else text
        call.pieces.append(passed)
        return passed


def _equal(one: object, other: object) -> bool:
    return one is not None and one == other
