"""Calls and results in a conversation: each has the other, or nothing is sent.

Hosts refuse a conversation in which one is missing, with an error that seldom says which one it is
(MoonshotAI/kimi-cli issue 1977).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from langchain_kimi._openrouter.wire import WireBody, WireMessage
from langchain_kimi.errors import KimiUsageError

STUB = "There is no result: the call was interrupted."
ADVICE = (
    "Each tool call needs one ToolMessage with its id behind it, and each ToolMessage a call before it. "
    'With repairs={"all", "orphans"} such results are left out, and such calls are given a result that says so.'
)


class _OpenCall(NamedTuple):
    position: int
    id: str
    name: str


@dataclass(slots=True)
class _Pairing:
    """What has no partner: the calls, and the positions of the results."""

    calls: list[_OpenCall] = field(default_factory=list)
    results: list[int] = field(default_factory=list)


def has_calls(messages: Sequence[WireMessage]) -> bool:
    """Say whether there is a call or a result in a conversation; most have none, and need no look at their pairs."""
    # A comprehension takes a fraction of what `any` takes, and most conversations are seen to their end.
    return bool([None for message in messages if "tool_calls" in message or message["role"] == "tool"])


def number_of_calls(body: WireBody) -> int:
    """Count the calls in the conversation of a request."""
    return sum(len(message.get("tool_calls") or ()) for message in body.get("messages", ()))


def check_pairs(messages: Sequence[WireMessage]) -> None:
    """Refuse calls without a result, and results without a call.

    Raises:
        KimiUsageError: Names the first one by its id and by its place.
    """
    pairing = _pairing(messages)
    for position in pairing.results[:1]:
        call_id = messages[position].get("tool_call_id")
        raise KimiUsageError(
            f"messages[{position}] is the result of a tool call {call_id!r}, but no call before it has this id.",
            advice=ADVICE,
        )
    for call in pairing.calls[:1]:
        raise KimiUsageError(
            f"messages[{call.position}] calls {call.name!r} with the id {call.id!r}, but no result of it follows.",
            advice=ADVICE,
        )


def with_pairs(messages: list[WireMessage]) -> list[WireMessage]:
    """Leave out results without a call, and give calls without a result one; the same list if all are paired."""
    pairing = _pairing(messages)
    if not (pairing.calls or pairing.results):
        return messages
    paired: list[WireMessage] = []
    owed: list[_OpenCall] = []
    for position, message in enumerate(messages):
        if message.get("role") != "tool":
            paired += map(_stub, owed)
            owed = [call for call in pairing.calls if call.position == position]
        if position not in pairing.results:
            paired.append(message)
    return [*paired, *map(_stub, owed)]


def without_blanks(messages: list[WireMessage]) -> list[WireMessage]:
    """Put null for white space beside calls, which some hosts send and others refuse."""
    cleaned = [_without_blank(message) for message in messages]
    return messages if all(new is old for new, old in zip(cleaned, messages, strict=True)) else cleaned


def _without_blank(message: WireMessage) -> WireMessage:
    content = message.get("content")
    if message.get("tool_calls") and isinstance(content, str) and not content.strip():
        return cast("WireMessage", {**message, "content": None})
    return message


def _stub(call: _OpenCall) -> WireMessage:
    return {"role": "tool", "tool_call_id": call.id, "content": STUB}


def _pairing(messages: Sequence[WireMessage]) -> _Pairing:
    pairing = _Pairing()
    for position, message in enumerate(messages):
        for call in message.get("tool_calls") or ():
            name = (call.get("function") or {}).get("name") or ""
            pairing.calls.append(_OpenCall(position, call.get("id") or "", name))
        if message.get("role") == "tool":
            call_id = message.get("tool_call_id") or ""
            matching = [call for call in pairing.calls if call.id == call_id]
            if matching:
                # Ids that repeat mean the newest turn, and in it the first call that is still open.
                newest = max(call.position for call in matching)
                pairing.calls.remove(next(call for call in matching if call.position == newest))
            else:
                pairing.results.append(position)
    return pairing
