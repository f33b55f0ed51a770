"""Repair the order and the content of the turns in a conversation."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence

from langchain_kimi._openrouter.conversation import unusual_messages
from langchain_kimi._openrouter.wire import WireMessage


def results_are_in_place(messages: Sequence[WireMessage]) -> bool:
    """Return whether all tool calls are directly followed by their results, in the order of the calls.

    This is the form of nearly all conversations, and it needs no further check of pairs: a thousand messages take 180
    µs here and 940 µs in `calls_of_results`.
    """
    open_ids: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if not open_ids or open_ids.pop() != (message.get("tool_call_id") or ""):
                return False
        elif open_ids:
            return False
        elif "tool_calls" in message:
            open_ids = [call.get("id") or "" for call in message["tool_calls"]]
            open_ids.reverse()
    return not open_ids


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

    A repeated id refers to the newest turn, and in it to the first call that has no result yet. If several turns with
    one id have no result, a row of results answers as many of them as it has results, the newest ones in their order.

    Returns:
        For the position of a result, the position of the turn with the call, and the index of the call in the turn.
    """
    open_calls: dict[str, list[tuple[int, deque[int]]]] = defaultdict(list)
    answered: dict[int, tuple[int, int]] = {}
    row: dict[str, deque[tuple[int, int]]] | None = None
    for position, message in enumerate(messages):
        for index, call in enumerate(message.get("tool_calls") or ()):
            turns = open_calls[call.get("id") or ""]
            if not turns or turns[-1][0] != position:
                turns.append((position, deque()))
            turns[-1][1].append(index)
        if message["role"] != "tool":
            row = None
            continue
        if row is None:
            numbers = Counter(_ids_in_row(messages, position))
            row = {one: _answered(open_calls[one], number) for one, number in numbers.items() if one in open_calls}
        if calls := row.get(message.get("tool_call_id") or ""):
            answered[position] = calls.popleft()
    return answered


def _ids_in_row(messages: Sequence[WireMessage], position: int) -> Iterator[str]:
    """Yield the ids of the results from a position on, up to the next message of another kind."""
    while position < len(messages) and messages[position]["role"] == "tool":
        yield messages[position].get("tool_call_id") or ""
        position += 1


def _answered(turns: list[tuple[int, deque[int]]], number: int) -> deque[tuple[int, int]]:
    """Take a number of calls out of the newest turns, and return them in their order."""
    taken: deque[tuple[int, int]] = deque()
    while turns and len(taken) < number:
        turn, indexes = turns[-1]
        count = min(len(indexes), number - len(taken))
        taken.extendleft(reversed([(turn, indexes.popleft()) for _ in range(count)]))
        if not indexes:
            turns.pop()
    return taken


def without_empty_turns(messages: list[WireMessage]) -> list[WireMessage]:
    """Remove assistant turns that have neither content nor tool calls, which Moonshot AI refuses.

    These are turns of other models that consist of images or audio.

    Returns:
        The other messages; the same list if there are no such turns.
    """
    if not any(map(_is_empty_turn, unusual_messages(messages))):
        return messages
    return [message for message in messages if not _is_empty_turn(message)]


def _is_empty_turn(message: WireMessage) -> bool:
    return not message.get("content") and message["role"] == "assistant" and not message.get("tool_calls")
