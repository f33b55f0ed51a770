"""The arguments of a tool call: a JSON object, or an invalid call that says why."""

import json
from typing import Any

from langchain_core.messages import InvalidToolCall, ToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call

from langchain_kimi.openrouter.wire import WireToolCall

NOT_WHOLE = "The reply ended before the call did."
CLOSER = {"{": "}", "[": "]"}


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
        arguments = json.loads(text, strict=False)
    except ValueError as problem:
        return f"The arguments are not JSON: {problem}."
    if not isinstance(arguments, dict):
        return f"The arguments are not a JSON object but {type(arguments).__name__}."
    return arguments


def calls_from(calls: list[WireToolCall], *, ended: bool) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Part the calls of a whole reply into valid and invalid ones."""
    valid, invalid = [], []
    for call in calls:
        function = call.get("function") or {}
        name, text = function.get("name") or "", function.get("arguments") or ""
        arguments = parsed_arguments(text, ended=ended)
        if isinstance(arguments, dict):
            valid.append(tool_call(name=name, args=arguments, id=call.get("id")))
        else:
            invalid.append(invalid_tool_call(name=name, args=text, id=call.get("id"), error=arguments))
    return valid, invalid


def cut_calls(calls: list[WireToolCall]) -> list[InvalidToolCall]:
    """Give the calls of a reply that failed on its way: all invalid, for none is known to be whole."""
    return [
        invalid_tool_call(
            name=(call.get("function") or {}).get("name"),
            args=(call.get("function") or {}).get("arguments"),
            id=call.get("id"),
            error=NOT_WHOLE,
        )
        for call in calls
    ]


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
