"""The ids of tool calls: Kimi's own form in requests, unique ids in responses.

The K2 generations read the function of a call only from its id, `functions.{name}:{n}`, where n counts over the whole
conversation. If a history has ids of another form, these models see calls without a name: they stop calling tools or
return empty responses (getkimchi/kimchi issue 1063: 1 of 10 turns made a call before the ids were rewritten, 12 of 12
afterwards).
"""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import cast

from langchain_kimi._openrouter.conversation import non_text_messages, with_replaced
from langchain_kimi._openrouter.wire import WireMessage, WireToolCall
from langchain_kimi._patterns import lazy_pattern

PREFIX = "functions."
"""The beginning of an id in the form that Kimi was trained on."""
UNKNOWN_TOOL = "unknown_tool"
_NUMBERED = lazy_pattern(r"(.*:)(\d+)", re.DOTALL)


def positional_id(name: str | None, number: int) -> str:
    """Return the id in the form that Kimi was trained on, such as `functions.get_weather:0`.

    Args:
        name: The function's name; None or empty if it is missing.
        number: The number of calls in the conversation before this one.
    """
    return f"{PREFIX}{name or UNKNOWN_TOOL}:{number}"


def with_positional_ids(messages: list[WireMessage]) -> list[WireMessage]:
    """Return the messages with the ids of all calls and results in Kimi's form; changed messages are copies.

    Results are paired with calls by id. If an id repeats, a result belongs to the newest turn with that id, and in it
    to the first call that has no result yet. The function is deterministic, and returns the same list if all ids have
    this form already.
    """
    return messages if _are_positional(_turns(messages)) else _with_new_ids(messages, lambda _: False)


def with_distinct_ids(messages: list[WireMessage]) -> list[WireMessage]:
    """Return the messages with new ids in each turn that has a call without an id, or two calls with the same one.

    Hosts refuse both, and a history of another provider may contain them. The ids of other turns do not change.
    """
    return messages if all(map(_are_distinct, _turns(messages))) else _with_new_ids(messages, _are_distinct)


def _turns(messages: list[WireMessage]) -> list[list[WireToolCall]]:
    """Return the calls of each message that has some."""
    return [message["tool_calls"] for message in non_text_messages(messages) if message.get("tool_calls")]


def _are_positional(turns: list[list[WireToolCall]]) -> bool:
    """Return whether all ids have Kimi's form. They are then distinct too, and their results have the same ids.

    That is so in most conversations, and reading only the calls takes a sixth of the time of `_with_new_ids`.
    """
    calls = [call for turn in turns for call in turn]
    return all(
        call.get("id") == positional_id((call.get("function") or {}).get("name"), number)
        for number, call in enumerate(calls)
    )


def _are_distinct(calls: list[WireToolCall]) -> bool:
    ids = [call.get("id") for call in calls]
    return all(ids) and len({*ids}) == len(ids)


def _with_new_ids(messages: list[WireMessage], keeps_ids: Callable[[list[WireToolCall]], bool]) -> list[WireMessage]:
    """Return the messages with positional ids in each turn unless `keeps_ids` returns True for its calls."""
    number = 0
    pending: dict[str, list[str]] = {}
    renamed: list[WireMessage] = []
    for message in messages:
        if calls := message.get("tool_calls"):
            if keeps_ids(calls):
                new_ids = [call.get("id") or "" for call in calls]
            else:
                names = [(call.get("function") or {}).get("name") for call in calls]
                new_ids = [positional_id(name, position) for position, name in enumerate(names, start=number)]
            number += len(calls)
            # From here on, an id that an earlier turn used too refers to the call of this turn.
            pending |= {call.get("id") or "": [] for call in calls}
            for call, new_id in zip(calls, new_ids, strict=True):
                pending[call.get("id") or ""].append(new_id)
            renamed.append(_with_call_ids(message, calls, new_ids))
        elif message.get("role") == "tool" and (ids := pending.get(message.get("tool_call_id") or "")):
            # The last id is not removed, because a result may occur twice.
            renamed.append(_with_result_id(message, ids.pop(0) if len(ids) > 1 else ids[0]))
        else:
            renamed.append(message)
    unchanged = all(new is old for new, old in zip(renamed, messages, strict=True))
    return messages if unchanged else with_replaced(messages, renamed)


def _with_call_ids(message: WireMessage, calls: list[WireToolCall], new_ids: list[str]) -> WireMessage:
    if [call.get("id") for call in calls] == new_ids:
        return message
    renamed = [{**call, "id": new_id} for call, new_id in zip(calls, new_ids, strict=True)]
    return cast("WireMessage", {**message, "tool_calls": renamed})


def _with_result_id(message: WireMessage, new_id: str) -> WireMessage:
    if message.get("tool_call_id") == new_id:
        return message
    return {**message, "tool_call_id": new_id}


class UniqueIds:
    """Makes the call ids of one response unique in the conversation."""

    def __init__(self, used_ids: Callable[[], Iterable[str]], number_of_calls: Callable[[], int]) -> None:
        """Begin a response. The functions are first called for a tool call, because the conversation may be long.

        Args:
            used_ids: Returns the call ids of the conversation.
            number_of_calls: Returns the number of calls in the conversation.
        """
        self._used_ids = used_ids
        self._number_of_calls = number_of_calls
        self._next_numbers: dict[str, int] = {}

    @cached_property
    def _taken(self) -> set[str]:
        return set(self._used_ids())

    def unique(self, call_id: str) -> str:
        """Return the id, or a similar one if it is taken, and mark it as taken."""
        if call_id not in self._taken:
            self._taken.add(call_id)
            return call_id
        numbered = _NUMBERED.fullmatch(call_id)
        stem, number = (numbered[1], self._number_of_calls()) if numbered else (f"{call_id}_", 1)
        # The next number is stored, because a host may send the same id for thousands of calls.
        number = self._next_numbers.get(stem, number)
        while (unique := f"{stem}{number}") in self._taken:
            number += 1
        self._next_numbers[stem] = number + 1
        self._taken.add(unique)
        return unique
