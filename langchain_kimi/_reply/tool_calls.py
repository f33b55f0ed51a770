"""Parse the tool calls of a reply into valid and invalid calls."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from langchain_core.messages import InvalidToolCall, ToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call

from langchain_kimi._openrouter.json import parse_unambiguous
from langchain_kimi._openrouter.limits import is_too_deep
from langchain_kimi._openrouter.wire import WireToolCall

INCOMPLETE = "The reply ended before the tool call was complete."
NAMELESS = "The tool call has no name."
NO_ERRORS: Mapping[str, str] = MappingProxyType({})
_CLOSING_BRACKETS = {"{": "}", "[": "]"}


def parsed_arguments(text: str, *, ended: bool) -> dict[str, Any] | str:
    """Return a call's arguments as a dict, or the reason why they are invalid.

    Args:
        text: The arguments as received. Empty text means an empty object.
        ended: Whether the reply was not cut off. If it was, empty text means that the arguments are missing.
    """
    if not text.strip():
        return {} if ended else INCOMPLETE
    try:
        arguments = parse_unambiguous(text)
    except ValueError as error:
        return f"The arguments are not valid JSON: {error}."
    if is_too_deep(arguments, text):
        return "The arguments are nested too deeply."
    if not isinstance(arguments, dict):
        return f"The arguments are not a JSON object but {type(arguments).__name__}."
    return arguments


def calls_from(
    calls: list[WireToolCall], *, ended: bool, errors: Mapping[str, str] = NO_ERRORS
) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Return the valid and the invalid calls of a full reply.

    Args:
        calls: The calls of the reply.
        ended: Whether the reply was not cut off.
        errors: The errors of calls whose arguments are valid JSON, by call id.
    """
    valid, invalid = [], []
    for call in calls:
        arguments = _checked_arguments(call, ended=ended, errors=errors)
        if isinstance(arguments, dict):
            valid.append(tool_call(name=_name(call), args=arguments, id=call.get("id")))
        else:
            invalid.append(_invalid(call, arguments))
    return valid, invalid


def cut_calls(calls: list[WireToolCall]) -> list[InvalidToolCall]:
    """Return the calls of a failed reply, all invalid, because any of them may be incomplete."""
    return [_invalid(call, INCOMPLETE) for call in calls]


def invalid_call(call: WireToolCall, *, ended: bool, errors: Mapping[str, str] = NO_ERRORS) -> InvalidToolCall | None:
    """Return a call as an invalid call with its error, or None if it is valid. See `calls_from` for the arguments."""
    error = _checked_arguments(call, ended=ended, errors=errors)
    return _invalid(call, error) if isinstance(error, str) else None


def breaking_suffix(text: str) -> str:
    """Return a suffix that makes arguments invalid for LangChain when it adds up the chunks of a stream.

    LangChain's parser completes truncated JSON, so half an argument would become a valid call. It only rejects a
    closing bracket without its opening bracket. The suffix closes an open string, then adds such a bracket.
    """
    stack, in_string, escaped = [], False, False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in _CLOSING_BRACKETS:
            stack.append(_CLOSING_BRACKETS[character])
        elif character in _CLOSING_BRACKETS.values() and (not stack or stack.pop() != character):
            return ""
    string_end = ('""' if escaped else '"') if in_string else ""
    return string_end + ("]" if stack[-1:] == ["}"] else "}")


def _checked_arguments(call: WireToolCall, *, ended: bool, errors: Mapping[str, str]) -> dict[str, Any] | str:
    """Return a call's arguments, or the reason why the call is invalid."""
    if error := errors.get(call.get("id") or ""):
        return error
    return parsed_arguments(_arguments(call), ended=ended) if _name(call) else NAMELESS


def _name(call: WireToolCall) -> str:
    return (call.get("function") or {}).get("name") or ""


def _arguments(call: WireToolCall) -> str:
    return (call.get("function") or {}).get("arguments") or ""


def _invalid(call: WireToolCall, error: str) -> InvalidToolCall:
    return invalid_tool_call(name=_name(call) or None, args=_arguments(call), id=call.get("id"), error=error)
