"""Repair the order and the content of the turns in a conversation."""

from collections import defaultdict, deque
from collections.abc import Sequence

from langchain_kimi._openrouter.conversation import non_text_messages
from langchain_kimi._openrouter.wire import WireMessage


def with_results_in_place(messages: list[WireMessage]) -> list[WireMessage]:
    """Move tool results directly after their calls, in the order of the calls.

    Hosts refuse other messages between a call and its result, but agents produce them: the first of two parallel tools
    adds a message, a middleware inserts a reminder, or an answer comes while a tool is still running.

    Returns:
        The messages in the new order; the same list if no result has to be moved. Results without a call stay.
    """
    answered = calls_of_results(messages)
    if not answered:
        return messages
    results: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for position, (turn, index) in answered.items():
        results[turn].append((index, position))
    order: list[int] = []
    for position in range(len(messages)):
        if position not in answered:
            order.append(position)
            order += [result for _, result in sorted(results.get(position, ()))]
    return messages if order == list(range(len(messages))) else [messages[position] for position in order]


def calls_of_results(messages: Sequence[WireMessage]) -> dict[int, tuple[int, int]]:
    """Return the call of each result, by the position of the result; results without a call are left out.

    A repeated id refers to the newest turn, and in it to the first call that has no result yet.

    Returns:
        For the position of a result, the position of the turn with the call, and the index of the call in the turn.
    """
    open_calls: dict[str, list[tuple[int, deque[int]]]] = defaultdict(list)
    answered: dict[int, tuple[int, int]] = {}
    for position, message in enumerate(messages):
        for index, call in enumerate(message.get("tool_calls") or ()):
            turns = open_calls[call.get("id") or ""]
            if not turns or turns[-1][0] != position:
                turns.append((position, deque()))
            turns[-1][1].append(index)
        if message["role"] == "tool" and (turns := open_calls.get(message.get("tool_call_id") or "", [])):
            turn, indexes = turns[-1]
            answered[position] = (turn, indexes.popleft())
            if not indexes:
                turns.pop()
    return answered


def without_empty_turns(messages: list[WireMessage]) -> list[WireMessage]:
    """Remove assistant turns that have neither content nor tool calls, which Moonshot AI refuses.

    These are turns of other models that consist of images or audio.

    Returns:
        The other messages; the same list if there are no such turns.
    """
    if not any(map(_is_empty_turn, non_text_messages(messages))):
        return messages
    return [message for message in messages if not _is_empty_turn(message)]


def _is_empty_turn(message: WireMessage) -> bool:
    return not message.get("content") and message["role"] == "assistant" and not message.get("tool_calls")
