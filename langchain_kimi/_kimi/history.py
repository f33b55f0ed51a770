"""Check and repair the pairs of tool calls and results in a conversation: each needs the other.

Hosts refuse a conversation with an unpaired call or result, and their error rarely names it (MoonshotAI/kimi-cli issue
1977).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from langchain_kimi._kimi.turns import calls_of_results
from langchain_kimi._openrouter.conversation import non_text_messages, with_replaced
from langchain_kimi._openrouter.wire import WireBody, WireMessage
from langchain_kimi.errors import KimiUsageError

STUB = "There is no result: the call was interrupted."
ADVICE = (
    "Each tool call needs one ToolMessage with its id after it, and each ToolMessage needs a call before it. "
    'With repairs=["all", "orphans"], results without a call are removed, and calls without a result get one.'
)


class _OpenCall(NamedTuple):
    position: int
    id: str
    name: str


class _Unpaired(NamedTuple):
    """The calls without a result, and the positions of the results without a call."""

    calls: list[_OpenCall]
    results: list[int]


def has_calls(messages: Sequence[WireMessage]) -> bool:
    """Return whether a conversation has tool calls or results. Without them, pairs need no check."""
    return any("tool_calls" in message or message["role"] == "tool" for message in non_text_messages(messages))


def number_of_calls(body: WireBody) -> int:
    """Return the number of tool calls in the conversation of a request."""
    return sum(len(message.get("tool_calls") or ()) for message in non_text_messages(body.get("messages", [])))


def check_pairs(messages: Sequence[WireMessage]) -> None:
    """Check that each call has a result, and each result a call.

    Raises:
        KimiUsageError: One is missing. The error names the first by its id and its position.
    """
    unpaired = _unpaired(messages)
    if unpaired.results:
        position = unpaired.results[0]
        call_id = messages[position].get("tool_call_id")
        if (first := _result_before(messages, position)) is not None:
            raise KimiUsageError(
                f"messages[{position}] is a second result of the tool call {call_id!r}: messages[{first}] is its "
                "result.",
                advice=ADVICE,
            )
        raise KimiUsageError(
            f"messages[{position}] is the result of the tool call {call_id!r}, but no call before it has this id.",
            advice=ADVICE,
        )
    if unpaired.calls:
        call = unpaired.calls[0]
        raise KimiUsageError(
            f"messages[{call.position}] calls {call.name!r} with the id {call.id!r}, but no result follows.",
            advice=ADVICE,
        )


def _result_before(messages: Sequence[WireMessage], position: int) -> int | None:
    """Return the position of an earlier result with the same id that has a call, or None."""
    call_id = messages[position].get("tool_call_id")
    has_call = False
    for earlier, message in enumerate(messages[:position]):
        has_call = has_call or any(call.get("id") == call_id for call in message.get("tool_calls") or ())
        if has_call and message["role"] == "tool" and message.get("tool_call_id") == call_id:
            return earlier
    return None


def with_pairs(messages: list[WireMessage]) -> list[WireMessage]:
    """Remove results without a call, and add a result to each call without one.

    Returns:
        The paired messages; the same list if all are paired.
    """
    unpaired = _unpaired(messages)
    if not (unpaired.calls or unpaired.results):
        return messages
    stubs: dict[int, list[WireMessage]] = defaultdict(list)
    for call in unpaired.calls:
        stubs[call.position].append(_stub(call))
    removed = set(unpaired.results)
    paired: list[WireMessage] = []
    waiting: list[WireMessage] = []
    for position, message in enumerate(messages):
        if message.get("role") != "tool":
            paired += waiting
            waiting = stubs[position]
        if position not in removed:
            paired.append(message)
    return [*paired, *waiting]


def without_blanks(messages: list[WireMessage]) -> list[WireMessage]:
    """Replace blank content of messages with tool calls by null: some hosts send it, and others refuse it.

    Returns:
        The messages; the same list if nothing was replaced.
    """
    if not any(map(_has_blank, non_text_messages(messages))):
        return messages
    cleaned: list[WireMessage] = [
        {**message, "content": None} if _has_blank(message) else message for message in messages
    ]
    return with_replaced(messages, cleaned)


def _has_blank(message: WireMessage) -> bool:
    content = message.get("content")
    return isinstance(content, str) and bool(message.get("tool_calls")) and not content.strip()


def _stub(call: _OpenCall) -> WireMessage:
    return {"role": "tool", "tool_call_id": call.id, "content": STUB}


def _unpaired(messages: Sequence[WireMessage]) -> _Unpaired:
    """Return the calls without a result, and the results without a call."""
    unpaired = _Unpaired([], [])
    answered = calls_of_results(messages)
    with_result = set(answered.values())
    for position, message in enumerate(messages):
        for index, call in enumerate(message.get("tool_calls") or ()):
            if (position, index) not in with_result:
                name = (call.get("function") or {}).get("name") or ""
                unpaired.calls.append(_OpenCall(position, call.get("id") or "", name))
        if message.get("role") == "tool" and position not in answered:
            unpaired.results.append(position)
    return unpaired
