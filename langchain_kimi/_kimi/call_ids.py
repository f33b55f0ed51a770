"""The ids of tool calls: Kimi's own form on the way out, unique ones on the way in.

To the K2 generations a call's function is known by its id alone, `functions.{name}:{n}`, n counting over the whole
conversation. A history whose ids are of another form shows them calls without a name: they stop calling, or answer with
nothing (getkimchi/kimchi issue 1063: one turn of ten acted before, twelve of twelve after the ids were rewritten).
"""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import cast

from langchain_kimi._openrouter.wire import WireMessage, WireToolCall

_NUMBERED = re.compile(r"(.*:)(\d+)", re.DOTALL)


def with_positional_ids(messages: list[WireMessage]) -> list[WireMessage]:
    """Give the messages with the ids of all calls and results in Kimi's form; what is changed is copied first.

    Results are paired with calls by id, and where ids repeat, with the oldest call of that id that has no result yet.
    The same messages always get the same ids, and those that have them already come back as they are.
    """
    number = 0
    waiting: dict[str, list[str]] = {}
    renamed: list[WireMessage] = []
    for message in messages:
        if calls := message.get("tool_calls"):
            new_ids = [canonical_id(call, number + position) for position, call in enumerate(calls)]
            number += len(calls)
            # An id that an earlier turn has used means this turn's calls from here on.
            waiting |= {call.get("id") or "": [] for call in calls}
            for call, new_id in zip(calls, new_ids, strict=True):
                waiting[call.get("id") or ""].append(new_id)
            renamed.append(_with_calls(message, calls, new_ids))
        elif message.get("role") == "tool" and (ids := waiting.get(message.get("tool_call_id") or "")):
            # The last call stays, for results that come twice.
            renamed.append(_with_id(message, ids.pop(0) if len(ids) > 1 else ids[0]))
        else:
            renamed.append(message)
    return messages if all(new is old for new, old in zip(renamed, messages, strict=True)) else renamed


def canonical_id(call: WireToolCall, number: int) -> str:
    """Give the id that Kimi was trained to see for a call."""
    return f"functions.{(call.get('function') or {}).get('name') or 'unknown_tool'}:{number}"


def _with_calls(message: WireMessage, calls: list[WireToolCall], new_ids: list[str]) -> WireMessage:
    if [call.get("id") for call in calls] == new_ids:
        return message
    renamed = [{**call, "id": new_id} for call, new_id in zip(calls, new_ids, strict=True)]
    return cast("WireMessage", {**message, "tool_calls": renamed})


def _with_id(message: WireMessage, new_id: str) -> WireMessage:
    if message.get("tool_call_id") == new_id:
        return message
    return cast("WireMessage", {**message, "tool_call_id": new_id})


class UniqueIds:
    """Hands out ids that no other call of the conversation has."""

    def __init__(self, taken: Callable[[], Iterable[str]], first: Callable[[], int]) -> None:
        """Begin a reply; the conversation, which may be long, is looked through with its first call.

        Args:
            taken: Gives the ids that the conversation holds.
            first: Gives how many calls it holds.
        """
        self._given = taken
        self._first = first

    @cached_property
    def _taken(self) -> set[str]:
        return set(self._given())

    def unique(self, given: str) -> str:
        """Give the id itself, or one like it where it is taken."""
        if given not in self._taken:
            self._taken.add(given)
            return given
        numbered = _NUMBERED.fullmatch(given)
        stem, number = (numbered[1], self._first()) if numbered else (f"{given}_", 1)
        unique = given
        while unique in self._taken:
            unique = f"{stem}{number}"
            number += 1
        self._taken.add(unique)
        return unique
