"""The arguments of a tool call: a JSON object, or an invalid call that says why."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from langchain_core.messages import InvalidToolCall, ToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call

from langchain_kimi._openrouter.json import distinct_keys
from langchain_kimi._openrouter.limits import is_too_deep
from langchain_kimi._openrouter.wire import WireToolCall

NOT_WHOLE = "The reply ended before the call did."
NAMELESS = "The call names no tool."
CLOSER = {"{": "}", "[": "]"}
NONE: Mapping[str, str] = MappingProxyType({})


def parsed_arguments(text: str, *, ended: bool) -> dict[str, Any] | str:
    """Parse a call's arguments: the object, or the reason why they are none.

    Args:
        text: The arguments as they came; nothing at all means an empty object.
        ended: Whether the reply came to its own end. If not, having no arguments yet means nothing.
    """
    if not text.strip():
        return {} if ended else NOT_WHOLE
    try:
        # Hosts send line breaks inside strings as they are (Kimi, MoonshotAI/kimi-cli issue 1378).
        arguments = json.loads(text, strict=False, object_pairs_hook=distinct_keys)
    except (ValueError, RecursionError) as problem:
        return f"The arguments are not JSON: {problem}."
    if is_too_deep(arguments, text):
        return "The arguments are nested too deeply."
    if not isinstance(arguments, dict):
        return f"The arguments are not a JSON object but {type(arguments).__name__}."
    return arguments


def calls_from(
    calls: list[WireToolCall], *, ended: bool, faults: Mapping[str, str] = NONE
) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Part the calls of a whole reply into valid and invalid ones; `faults` says by id what is wrong with some."""
    valid, invalid = [], []
    for call in calls:
        name, text = _name(call), _arguments(call)
        arguments = faults.get(call.get("id") or "") or (parsed_arguments(text, ended=ended) if name else NAMELESS)
        if isinstance(arguments, dict):
            valid.append(tool_call(name=name, args=arguments, id=call.get("id")))
        else:
            invalid.append(_invalid(call, arguments))
    return valid, invalid


def cut_calls(calls: list[WireToolCall]) -> list[InvalidToolCall]:
    """Give the calls of a reply that failed on its way: all invalid, for none is known to be whole."""
    return [_invalid(call, NOT_WHOLE) for call in calls]


def break_off(call: WireToolCall, *, ended: bool, faults: Mapping[str, str] = NONE) -> str:
    """Give what must follow a call's pieces in a stream, so that LangChain takes it for valid only if it is."""
    text = _arguments(call)
    is_sound = _name(call) and call.get("id") not in faults
    valid = is_sound and isinstance(parsed_arguments(text, ended=ended), dict)
    return "" if valid else breaking_suffix(text)


def breaking_suffix(text: str) -> str:
    """Give what makes broken arguments stay broken when LangChain adds up the chunks of a stream.

    LangChain's parser completes JSON that was cut off, so that half an argument becomes a valid call. A closing
    bracket that fits nothing is the one thing that it takes for an error: closes an open string, then mismatches.
    """
    stack, inside, escaped = [], False, False
    for character in text:
        if inside:
            inside = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character in CLOSER:
            stack.append(CLOSER[character])
        elif character in CLOSER.values() and (not stack or stack.pop() != character):
            return ""
    string_end = ('""' if escaped else '"') if inside else ""
    return string_end + ("]" if stack[-1:] == ["}"] else "}")


def _name(call: WireToolCall) -> str:
    return (call.get("function") or {}).get("name") or ""


def _arguments(call: WireToolCall) -> str:
    return (call.get("function") or {}).get("arguments") or ""


def _invalid(call: WireToolCall, error: str) -> InvalidToolCall:
    return invalid_tool_call(name=_name(call) or None, args=_arguments(call), id=call.get("id"), error=error)
