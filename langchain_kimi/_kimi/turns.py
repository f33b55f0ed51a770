"""Repairs of the order and the content of turns in a conversation."""

from collections import defaultdict, deque
from collections.abc import Sequence

from langchain_kimi._openrouter.conversation import beyond_text
from langchain_kimi._openrouter.wire import WireMessage


def with_results_in_place(messages: list[WireMessage]) -> list[WireMessage]:
    """Move tool results directly behind their calls, in the order of the calls.

    Hosts refuse any message between a call and its results. Agents produce them: two parallel tools of which the first
    also adds a message, a reminder that a middleware inserts, an answer while a tool is still running.

    Returns:
        The messages in the new order; the same list if no result has to be moved. Results without a call stay.
    """
    answered = calls_of_results(messages)
    if not answered:
        return messages
    results: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for position, (turn, place) in answered.items():
        results[turn].append((place, position))
    order: list[int] = []
    for position in range(len(messages)):
        if position not in answered:
            order.append(position)
            order += [result for _, result in sorted(results.get(position, ()))]
    return messages if order == list(range(len(messages))) else [messages[position] for position in order]


def calls_of_results(messages: Sequence[WireMessage]) -> dict[int, tuple[int, int]]:
    """Return, for the position of each result with a call, the position of its turn and the call's place in the turn.

    A repeated id means the newest turn, and in it the first call that has no result yet.
    """
    open_calls: dict[str, list[tuple[int, deque[int]]]] = defaultdict(list)
    answered: dict[int, tuple[int, int]] = {}
    for position, message in enumerate(messages):
        for place, call in enumerate(message.get("tool_calls") or ()):
            turns = open_calls[call.get("id") or ""]
            if not turns or turns[-1][0] != position:
                turns.append((position, deque()))
            turns[-1][1].append(place)
        if message["role"] == "tool" and (turns := open_calls.get(message.get("tool_call_id") or "", [])):
            turn, places = turns[-1]
            answered[position] = (turn, places.popleft())
            if not places:
                turns.pop()
    return answered


def without_empty_turns(messages: list[WireMessage]) -> list[WireMessage]:
    """Remove assistant turns without content and tool calls, which Moonshot refuses.

    These are turns of other models that consist of images or audio.

    Returns:
        The other messages; the same list if there are no such turns.
    """
    if not any(map(_is_empty_turn, beyond_text(messages))):
        return messages
    return [message for message in messages if not _is_empty_turn(message)]


def _is_empty_turn(message: WireMessage) -> bool:
    return not message.get("content") and message["role"] == "assistant" and not message.get("tool_calls")
