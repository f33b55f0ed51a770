"""Convert the tool calls of assistant messages to wire tool calls.

Each call is sent once, with arguments that are a JSON object. A call with invalid arguments would make every later
request of the conversation fail. It is left out, unless it has a tool message: then it is sent with `{}`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage

from langchain_kimi._openrouter.json import COMPACT_ENCODER, JSON, parse_strict
from langchain_kimi._openrouter.wire import WireToolCall
from langchain_kimi._request.results import result_of
from langchain_kimi.errors import KimiUsageError


class Call(NamedTuple):
    """A tool call, from whichever field of a LangChain message."""

    id: str | None
    name: str | None
    arguments: Any
    """A dict, its JSON text, or None if there are no arguments."""
    is_invalid: bool = False
    """Whether the call is only sent if it has a result."""


def calls_to_wire(
    message: AIMessage, content_calls: Sequence[Call], messages: Sequence[BaseMessage], position: int
) -> list[WireToolCall]:
    """Return the wire tool calls of `messages[position]`.

    Args:
        message: The assistant message.
        content_calls: The calls in its content.
        messages: The whole conversation. The messages after this one show which invalid calls have results.
        position: The index of the message.

    Raises:
        KimiUsageError: An argument is not a JSON value.
    """
    has_invalid = bool(message.invalid_tool_calls) or any(call.is_invalid for call in content_calls)
    if not has_invalid and (usual := usual_calls(message.tool_calls)):
        return usual
    answers: dict[str, str | None] | None = None
    wire: list[WireToolCall] = []
    for call in _calls(message, content_calls, position):
        arguments = _arguments_at(call, position)
        call_id = call.id if isinstance(call.id, str) else None
        name = call.name
        if call.is_invalid or arguments is None or not name:
            answers = _answers(messages[position + 1 :]) if answers is None else answers
            if (call.is_invalid or arguments is None) and (not call_id or call_id not in answers):
                continue
            # Every host refuses a call without a name, and a result without its call.
            name = name or answers.get(call_id or "") or "unknown_tool"
        wire.append(_wire_call(call_id, name, arguments or "{}"))
    return wire


def usual_calls(calls: Sequence[ToolCall]) -> list[WireToolCall] | None:
    """Return the wire calls for calls with ids, names and plain arguments, or None if one has another form.

    Nearly all calls have this form. It takes a third of the time of the general way, which gives the same calls.
    """
    wire: list[WireToolCall] = []
    for call in calls:
        call_id, name, arguments = call.get("id"), call["name"], call["args"]
        if not (type(call_id) is str and type(name) is str and type(arguments) is dict and call_id and name):
            return None
        if (text := JSON.plain_text(arguments)) is None:
            return None
        wire.append({"id": call_id, "type": "function", "function": {"name": name, "arguments": text}})
    return wire


def _calls(message: AIMessage, content_calls: Sequence[Call], position: int) -> Iterable[Call]:
    """Return the calls of one field only, because several fields usually repeat the same calls.

    Calls of a provider's own tools are only in the content.
    """
    if message.tool_calls or message.invalid_tool_calls:
        ids = {call.get("id") for call in (*message.tool_calls, *message.invalid_tool_calls)}
        return [
            *(Call(call.get("id"), call["name"], call["args"]) for call in message.tool_calls),
            *(
                Call(call.get("id"), call.get("name"), call.get("args"), is_invalid=True)
                for call in message.invalid_tool_calls
            ),
            *(call for call in content_calls if call.is_invalid and call.id not in ids),
        ]
    return content_calls or _calls_in_kwargs(message.additional_kwargs, position)


def _calls_in_kwargs(kwargs: Mapping[str, Any], position: int) -> Iterator[Call]:
    """Yield the calls that other chat models store in `additional_kwargs`, in wire form."""
    raw_calls = kwargs.get("tool_calls")
    if isinstance(raw_calls, Mapping):
        # Some hosts send a single call in place of the list.
        raw_calls = [raw_calls]
    for raw_call in raw_calls if isinstance(raw_calls, list) else []:
        if isinstance(raw_call, Mapping) and isinstance(function := raw_call.get("function"), Mapping):
            yield Call(raw_call.get("id"), function.get("name"), function.get("arguments"))
    function_call = kwargs.get("function_call")
    if not raw_calls and isinstance(function_call, Mapping):
        # OpenAI's first form of tool calls has no ids. Function messages are paired with it by name.
        arguments = function_call.get("arguments")
        is_valid = isinstance(arguments, dict) or (isinstance(arguments, str) and _is_object(arguments))
        yield Call(f"function_call_{position}", function_call.get("name"), arguments if is_valid else None)


def content_call(block: Mapping[str, Any]) -> Call:
    """Return the call in a `tool_call`, `tool_call_chunk`, `invalid_tool_call`, `tool_use` or `function_call` block."""
    arguments = next((block[key] for key in ("args", "input", "arguments") if key in block), None)
    is_invalid = block["type"] == "invalid_tool_call"
    return Call(block.get("call_id") or block.get("id"), block.get("name"), arguments, is_invalid)


def _wire_call(call_id: str | None, name: str | None, arguments: str) -> WireToolCall:
    call: WireToolCall = {"id": call_id} if call_id else {}
    call["type"] = "function"
    call["function"] = {"name": name or "", "arguments": arguments}
    return call


def _arguments_at(call: Call, position: int) -> str | None:
    try:
        return arguments_to_wire(call.arguments)
    except (TypeError, ValueError, RecursionError) as error:
        raise KimiUsageError(
            f"messages[{position}]: the arguments of the tool call {call.name!r} are not JSON: {error}."
        ) from error


def arguments_to_wire(arguments: Any) -> str | None:
    """Return a call's arguments as JSON text, or None if they are not a JSON object.

    Text that is a JSON object is returned unchanged. A dict is serialized without spaces, in the order of its keys.

    Raises:
        TypeError: The dict contains something that is not a JSON value.
        ValueError: A key of the dict is NaN or infinite.
        RecursionError: The dict is nested too deeply, or contains itself.
    """
    if isinstance(arguments, dict):
        try:
            return COMPACT_ENCODER.encode(arguments)
        except ValueError:
            return COMPACT_ENCODER.encode(_without_nan(arguments))
    if arguments is None or arguments == "":
        return "{}"
    return arguments if isinstance(arguments, str) and _is_object(arguments) else None


def _is_object(text: str) -> bool:
    try:
        return isinstance(parse_strict(text), dict)
    except ValueError:
        return False


def _without_nan(value: Any) -> Any:
    """Return a value in which NaN and infinity, which JSON does not have, are replaced by null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return [_without_nan(item) for item in value] if isinstance(value, list | tuple) else value


def _answers(later: Iterable[BaseMessage]) -> dict[str, str | None]:
    """Return the ids of the calls that have results, each with the tool's name if the result has one."""
    answers: dict[str, str | None] = {}
    for message in later:
        if isinstance(message, ToolMessage):
            answers[message.tool_call_id] = message.name
        elif isinstance(message.content, list):
            results = filter(None, map(result_of, message.content))
            answers |= {result.call_id: None for result in results if result.call_id}
    return answers
