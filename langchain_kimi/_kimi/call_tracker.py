"""Tool calls in a stream: which call a piece belongs to, whatever index and id the host gave it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, cast

from langchain_kimi._openrouter.wire import WireToolCall

NO_INDEX = -1
"""Of a piece that is no object: it goes on with no call that is one."""


@dataclass(slots=True)
class Piece:
    """A piece of a tool call, as the wire brought it; None and the empty text stand for what it does not say."""

    index: int | None
    id: str | None
    name: str | None
    arguments: str

    @classmethod
    def of(cls, wire: Any) -> Self:
        """Read a piece. What is no object stays as arguments that cannot be run; null says nothing."""
        if wire is not None and not isinstance(wire, dict):
            wire = {"index": NO_INDEX, "function": {"arguments": [wire]}}
        told = wire or {}
        # Without a function, name and arguments may stand beside the id.
        function = told if told.get("function") is None else told["function"]
        if not isinstance(function, dict):
            function = {"arguments": [function]}
        return cls(
            index=told.get("index"),
            id=str(told["id"]) if told.get("id") else None,
            name=str(function["name"]) if function.get("name") else None,
            arguments=arguments_text(function.get("arguments")),
        )


@dataclass(slots=True)
class OpenCall:
    """A tool call of which pieces may still come."""

    number: int
    wire_index: int | None
    wire_id: str | None = None
    id: str | None = None
    """The id that is passed on: the wire's, unless another call of the reply has that already."""
    name: str | None = None
    arguments: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether the arguments are a whole JSON object already."""
        # Parsing them at each piece would take too long; the last bracket is where it can become true.
        return bool(self.arguments) and self.arguments[-1].endswith("}") and is_json("".join(self.arguments))

    def add(self, arguments: str) -> None:
        """Add to the arguments; blanks at their end do not count."""
        if text := arguments.rstrip():
            self.arguments.append(text)

    def take(self, piece: Piece) -> WireToolCall | None:
        """Take a piece; gives what is new in it, or None when nothing is."""
        arguments = piece.arguments
        if not arguments.strip() and not self.arguments:
            # Blanks before the JSON say nothing, and alone they would not parse as the empty object they mean.
            arguments = ""
        self.add(arguments)
        told: dict[str, Any] = {"index": self.number, "type": "function", "function": {"arguments": arguments}}
        if piece.id and not self.wire_id:
            self.wire_id = piece.id
            told["id"] = self.id = self.id or piece.id
        if piece.name and not self.name:
            told["function"]["name"] = self.name = piece.name
        is_news = arguments or "id" in told or "name" in told["function"]
        return cast("WireToolCall", told) if is_news else None


class ToolCallTracker:
    """Numbers the calls of one reply and passes their pieces on: id and name once, arguments as they come.

    The numbers count from 0 in order of appearance; the wire's own index is only a hint. Recorded: fifteen calls all
    with index 0 and each with its own id (Gemini), a first index of 1 (GPT-5), id and name repeated in every piece
    (Novita, 2025), an id repeated beside an empty name (BaseTen), `id: null` and `type: ""` in later pieces
    (SiliconFlow, Chutes, Novita). Reported: no index at all, ids that arrive late, and one id for several calls.
    """

    def __init__(self) -> None:
        self._calls: list[OpenCall] = []

    def pieces(self, calls: Iterable[Any]) -> Iterator[WireToolCall]:
        """Yield the pieces of one delta, each with the number of its call and only with what is new."""
        for wire in calls:
            piece = Piece.of(wire)
            call = self._call_of(piece)
            if call and (told := call.take(piece)):
                yield told

    def continued(self, wire: Any) -> OpenCall | None:
        """Give the newest call if this is nothing but the next piece of its arguments, in the documented form."""
        if not self._calls or type(wire) is not dict or wire.get("id") is not None:
            return None
        call, function = self._calls[-1], wire.get("function")
        if not (call.arguments and wire.get("index") == call.number == call.wire_index and type(function) is dict):
            return None
        is_piece = function.get("name") is None and type(function.get("arguments")) is str and function["arguments"]
        return call if is_piece else None

    def missing_ids(self, first: int) -> Iterator[WireToolCall]:
        """Yield an id for each call that never got one: LangChain pairs calls and results by id.

        Args:
            first: How many calls the conversation held before this reply; Kimi's ids count over all of it.
        """
        for call in self._calls:
            if not call.id:
                call.id = f"functions.{call.name or 'unknown_tool'}:{first + call.number}"
                yield {"index": call.number, "id": call.id, "type": "function", "function": {"arguments": ""}}

    def _call_of(self, piece: Piece) -> OpenCall | None:
        """The call that a piece belongs to, a new one if need be; None for a piece that says nothing."""
        candidates = [call for call in self._calls if piece.index is None or call.wire_index == piece.index]
        if piece.id:
            same = [call for call in candidates if call.wire_id == piece.id] or self._moved(piece)
            candidates = same or [call for call in candidates[-1:] if not call.wire_id or _lacks(call, piece)]
        if candidates and not _opens_another(candidates[-1], piece):
            return candidates[-1]
        if not (piece.id or piece.name or piece.arguments.strip()):
            return None
        call = OpenCall(number=len(self._calls), wire_index=piece.index)
        if piece.id and any(piece.id == other.id for other in self._calls):
            # Calls and results are paired by id, so two calls of one reply cannot share theirs.
            call.id = f"{piece.id}_{call.number}"
        self._calls.append(call)
        return call

    def _moved(self, piece: Piece) -> list[OpenCall]:
        """Give the newest call if a piece goes on with it under another index."""
        moved = [call for call in self._calls[-1:] if call.wire_id == piece.id and _lacks(call, piece)]
        for call in moved:
            call.wire_index = piece.index
        return moved


def _lacks(call: OpenCall, piece: Piece) -> bool:
    """Say whether a piece with an id must be the rest of a call: it names no function, and the call is not whole.

    Reported: one id beside the name and another in all later pieces (poolsideai/pool issue 9).
    """
    return not piece.name and call.name is not None and not call.is_complete


def _opens_another(call: OpenCall, piece: Piece) -> bool:
    """Say whether a piece that could continue a call begins a new one.

    It does when it names another function, or the same one after the call's arguments were complete and with arguments
    of its own.
    """
    if not (piece.name and call.name):
        return False
    return piece.name != call.name or (bool(piece.arguments.strip()) and call.is_complete)


def arguments_text(arguments: Any) -> str:
    """Give a call's arguments as the text that the wire documents, whatever a host sent."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


def is_json(text: str) -> bool:
    """Say whether a text is one whole JSON value; line breaks inside strings are let pass, as hosts send them."""
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True
