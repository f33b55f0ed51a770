"""Tool calls in a stream: which call a piece belongs to, whatever index and id the host gave it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_kimi.openrouter.assembly import json_text
from langchain_kimi.openrouter.wire import WireFunction, WireToolCall


@dataclass(slots=True)
class OpenCall:
    """A tool call of which pieces may still come."""

    number: int
    wire_index: int | None
    id: str | None = None
    name: str | None = None
    arguments: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether the arguments are whole JSON already."""
        return is_json("".join(self.arguments))


class ToolCallTracker:
    """Numbers the calls of one reply and passes their pieces on: id and name once, arguments as they come.

    The numbers count from 0 in order of appearance; the wire's own index is only a hint. Recorded: fifteen calls all
    with index 0 and each with its own id (Gemini), a first index of 1 (GPT-5), id and name repeated in every piece
    (Novita, 2025), an id repeated beside an empty name (BaseTen), `id: null` and `type: ""` in later pieces
    (SiliconFlow, Chutes, Novita). Reported: no index at all, and ids that arrive late.
    """

    def __init__(self) -> None:
        self._calls: list[OpenCall] = []

    def pieces(self, calls: list[WireToolCall]) -> Iterator[WireToolCall]:
        """Yield the pieces of one delta, each with the number of its call and only with what is new."""
        for piece in calls:
            function = piece.get("function") or cast("WireFunction", {})
            arguments = json_text(function.get("arguments"))
            call = self._call_of(piece, function, arguments)
            told: dict[str, Any] = {}
            if not call.id and piece.get("id"):
                told["id"] = call.id = str(piece["id"])
            named: dict[str, Any] = {}
            if not call.name and function.get("name"):
                named["name"] = call.name = function["name"]
            if not arguments.strip() and not call.arguments:
                # Blanks before the JSON say nothing, and alone they would not parse as the empty object they mean.
                arguments = ""
            if arguments:
                call.arguments.append(arguments)
            if told or named or arguments:
                function_told = cast("WireFunction", {**named, "arguments": arguments})
                yield cast(
                    "WireToolCall", {"index": call.number, **told, "type": "function", "function": function_told}
                )

    def missing_ids(self, first: int) -> Iterator[WireToolCall]:
        """Yield an id for each call that never got one: LangChain pairs calls and results by id.

        Args:
            first: How many calls the conversation held before this reply; Kimi's ids count over all of it.
        """
        for call in self._calls:
            if not call.id:
                call.id = f"functions.{call.name}:{first + call.number}"
                yield {"index": call.number, "id": call.id, "type": "function", "function": {"arguments": ""}}

    def _call_of(self, piece: WireToolCall, function: WireFunction, arguments: str) -> OpenCall:
        index = piece.get("index")
        candidates = [call for call in self._calls if index is None or call.wire_index == index]
        if piece.get("id"):
            same = [call for call in candidates if call.id == piece["id"]]
            late = [call for call in candidates[-1:] if not call.id]
            candidates = same or late
        if candidates and not _opens_another(candidates[-1], piece, function, arguments):
            return candidates[-1]
        call = OpenCall(number=len(self._calls), wire_index=index)
        self._calls.append(call)
        return call


def _opens_another(call: OpenCall, piece: WireToolCall, function: WireFunction, arguments: str) -> bool:
    """Say whether a piece without an id of its own, at an index in use, begins a new call.

    It does when it names a function after the call's arguments were complete and brings arguments of its own.
    """
    if piece.get("id") or not (function.get("name") and call.name):
        return False
    if function["name"] != call.name:
        return True
    return bool(arguments.strip()) and call.is_complete


def is_json(text: str) -> bool:
    """Say whether a text is one whole JSON value; control characters inside strings are let pass, as hosts send them."""
    try:
        json.loads(text, strict=False)
    except ValueError:
        return False
    return True
