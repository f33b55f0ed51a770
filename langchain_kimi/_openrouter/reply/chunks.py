"""Check and convert single chunks of a stream."""

import math
from collections.abc import Sequence
from itertools import count
from typing import Any, cast

from langchain_kimi._openrouter.error_messages import NO_MESSAGE
from langchain_kimi._openrouter.errors import find_error
from langchain_kimi._openrouter.json import JSON
from langchain_kimi._openrouter.wire import CONTENT_KEYS, JSONObject, WireChoice, WireEvent

_LONGEST_INDEX = 10
"""An index that is a string has fewer digits. Python refuses to parse thousands of digits, and no request has as many
choices."""


def holds_only_content(chunk: JSONObject) -> bool:
    """Return whether a chunk is one delta with content in the expected form, without error and finish reason."""
    choices = chunk.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or chunk.get("error"):
        return False
    choice = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") is not None or choice.get("error"):
        return False
    delta = choice.get("delta")
    return isinstance(delta, dict) and not isinstance(chunk.get("provider"), dict) and has_content_in(delta)


def has_content_in(delta: JSONObject) -> bool:
    """Return whether a delta has content in the expected form, which a call without a list of calls is not."""
    calls = delta.get("tool_calls")
    if delta.get("function_call"):
        return False
    if calls is not None:
        return isinstance(calls, list) and (bool(calls) or any(map(delta.get, CONTENT_KEYS)))
    return bool(delta.get("content") or delta.get("reasoning")) or any(map(delta.get, CONTENT_KEYS))


def has_content(choices: list[WireChoice]) -> bool:
    """Return whether the deltas of a chunk contain a part of the answer."""
    return any(any(map((choice.get("delta") or {}).get, CONTENT_KEYS)) for choice in choices)


def choices_of(reply: WireEvent) -> list[WireChoice]:
    """Return the choices of a reply or chunk that have the documented form, or that `with_documented_calls` gives it.

    An empty list, which PHP writes for an empty object, becomes an object in them.
    """
    choices = reply.get("choices")
    items = map(with_documented_calls, choices) if isinstance(choices, list) else ()
    return [_with_objects(choice) for choice in items if is_valid(choice)]


def with_documented_calls(choice: Any) -> Any:
    """Return a choice whose message or delta has its calls as a list under `tool_calls`.

    Other forms are OpenAI's first one, `function_call`, an object in place of the list, and other empty values.
    """
    if not isinstance(choice, dict):
        return choice
    changed = {key: _with_list_of_calls(choice[key]) for key in ("delta", "message") if key in choice}
    return {**choice, **changed} if any(choice[key] is not value for key, value in changed.items()) else choice


def _with_list_of_calls(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    calls, function = message.get("tool_calls"), message.get("function_call")
    if not calls and isinstance(function, dict) and (function.get("name") or function.get("arguments")):
        others = {key: value for key, value in message.items() if key != "function_call"}
        return {**others, "tool_calls": [{"index": 0, "type": "function", "function": function}]}
    if isinstance(calls, dict) and calls:
        # The object is a call, or has the calls under their numbers, as PHP writes a list with gaps.
        return {**message, "tool_calls": [*calls.values()] if all(map(str.isdecimal, calls)) else [calls]}
    return message if calls or calls is None or calls == [] else {**message, "tool_calls": None}


def _with_objects(choice: WireChoice) -> WireChoice:
    wire = cast("JSONObject", choice)
    empty: JSONObject = {key: {} for key in ("delta", "message") if not isinstance(wire.get(key), dict | None)}
    return cast("WireChoice", {**wire, **empty}) if empty else choice


def numbered(choices: Sequence[Any]) -> list[tuple[int, Any]]:
    """Return choices with their indices, in the order of the indices. Choices without one get the free numbers."""
    indices = [_index_of(choice) for choice in choices]
    taken = set(indices)
    free = (number for number in count() if number not in taken)
    pairs = zip((next(free) if index is None else index for index in indices), choices, strict=True)
    return sorted(pairs, key=lambda pair: pair[0])


def _index_of(choice: Any) -> int | None:
    index = choice.get("index") if isinstance(choice, dict) else None
    if isinstance(index, str) and index.isdecimal() and len(index) < _LONGEST_INDEX:
        return int(index)
    return int(index) if isinstance(index, int | float) and 0 <= index < math.inf else None


def is_valid(choice: Any) -> bool:
    """Return whether a choice has the documented form."""
    if not isinstance(choice, dict):
        return False
    message = choice.get("delta") or choice.get("message") or {}
    is_object = isinstance(message, dict) and isinstance(choice.get("finish_reason"), str | None)
    return is_object and isinstance(cast("JSONObject", message).get("tool_calls"), list | None)


def is_every_choice(choices: list[WireChoice], reply: WireEvent) -> bool:
    """Return whether `choices_of` left none out. An absence of choices may be sent as null, 0, an empty list or not."""
    return len(choices) == len(cast("list[WireChoice]", reply.get("choices"))) if choices else not reply.get("choices")


def without_finish(choice: WireChoice) -> WireChoice:
    """Return a choice with its finish reason removed."""
    return cast("WireChoice", {**choice, "finish_reason": None}) if choice.get("finish_reason") else choice


def without_list(value: Any) -> Any:
    """Return the error in a list, which is Google's format; any other value is returned unchanged."""
    first = value[0] if isinstance(value, list) and value else None
    return first if isinstance(first, dict) and find_error(cast("WireEvent", first)) else value


def as_error_chunk(payload: bytes) -> WireEvent:
    """Return the payload of an event named `error` in the form of a chunk with an `error`."""
    # orjson refuses subclasses of bytes.
    value = without_list(JSON.parse(bytes(payload)))
    if value is None:
        value = payload.decode("utf-8", errors="replace").strip()
    if isinstance(value, dict) and find_error(cast("WireEvent", value)):
        return cast("WireEvent", value)
    return cast("WireEvent", {"error": value or NO_MESSAGE})


def as_chunk(reply: WireEvent) -> WireEvent:
    """Return a plain reply in the form of the only chunk of a stream."""
    choices = [{**choice, "delta": choice.get("message") or {}} for choice in choices_of(reply)]
    return cast("WireEvent", {**reply, "choices": choices})
