"""Build the body of a request and serialize it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from langchain_kimi import _schemas
from langchain_kimi._openrouter.conversation import unusual_messages
from langchain_kimi._openrouter.json import JSON, is_plain
from langchain_kimi._openrouter.later_tools import with_all_tools
from langchain_kimi._openrouter.parameters.merging import checked, merged
from langchain_kimi._openrouter.wire import WireBody, WireMessage
from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._request.reasoning import is_openai, without_response_ids
from langchain_kimi.errors import KimiUsageError

INTERNAL = frozenset({"ls_structured_output_format", "structured_output_format", "stream", "run_manager"})
"""Keywords that LangChain and this package pass between methods. They are never sent."""
OF_THE_CALL = frozenset({"timeout", "request_timeout", "max_retries", "retry_empty", "extra_headers", "stream_usage"})
"""Keywords of a call that control how it is executed. They are not part of the body."""
_TOOL_KEYS = ("tools", "tool_choice", "parallel_tool_calls")
"""Parameters that hosts refuse without tools."""


def request_body(
    messages: Sequence[BaseMessage],
    *,
    model: str,
    settings: Mapping[str, Any],
    arguments: Mapping[str, Any],
    streamed: bool,
) -> WireBody:
    """Return the body of a request, before the repairs of `langchain_kimi._kimi.outgoing`.

    The keys have a fixed order: model, messages, settings, the call's own parameters, `stream`.

    Args:
        messages: The conversation. It is not modified.
        model: The slug of the model, which the call's parameters may override.
        settings: The model's own parameters, in wire form.
        arguments: The call's parameters as the caller wrote them. None removes a setting.
        streamed: Whether to request a streamed response.

    Raises:
        KimiUsageError: A parameter or a message cannot be sent.
    """
    if "tools" in arguments and not arguments["tools"]:
        # The call offers no tools, so parameters that were bound with tools do not apply.
        arguments = {**arguments, **dict.fromkeys(_TOOL_KEYS)}
    parameters = merged(settings, checked(_to_wire(arguments)))
    model_of_call, model_name_of_call = parameters.pop("model", None), parameters.pop("model_name", None)
    if streamed and parameters.get("n", 1) > 1:
        raise KimiUsageError("n must be 1 when streaming.", advice="Use invoke or batch for several answers.")
    slug = model_of_call or model_name_of_call or model
    wire_messages: list[WireMessage] = messages_to_wire(messages)
    if is_openai([slug, *(parameters.get("models") or ())]):
        wire_messages = without_response_ids(wire_messages)
    body = {
        "model": slug,
        "messages": wire_messages,
        **parameters,
        **({"stream": True} if streamed else {}),
    }
    return with_all_tools(cast("WireBody", body))


def call_ids_in(messages: Sequence[BaseMessage]) -> frozenset[str]:
    """Return the ids of all tool calls and tool results in a conversation, as the user wrote them."""
    ids: set[str | None] = set()
    for message in messages:
        if isinstance(message, AIMessage):
            ids.update(call.get("id") for call in (*message.tool_calls, *message.invalid_tool_calls))
        elif isinstance(message, ToolMessage):
            ids.add(message.tool_call_id)
    return frozenset(filter(None, ids))


def body_bytes(body: WireBody) -> bytes:
    """Return a body as compact JSON, with its keys in order, so that equal calls give equal bytes.

    Raises:
        KimiUsageError: The body contains something that is not a JSON value, or is nested too deeply.
    """
    try:
        # All other messages are plain.
        return JSON.encode_object(body, plain=("messages",) if is_plain(unusual_messages(body["messages"])) else ())
    except RecursionError:
        # Its traceback has thousands of lines.
        raise KimiUsageError(
            "The request cannot be written as JSON: it contains a value that is nested too deeply.",
            advice="Check model_kwargs and the arguments of the call, such as the schema of a response_format.",
        ) from None
    except (TypeError, ValueError) as error:
        raise KimiUsageError(
            f"The request cannot be written as JSON: {error}.",
            advice="Check model_kwargs and the arguments of the call.",
        ) from error


def _to_wire(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call in the wire format, without the internal ones."""
    parameters = {key: value for key, value in arguments.items() if key not in INTERNAL}
    if parameters.get("tools") is not None:
        parameters["tools"] = _schemas.tools.tools_to_wire(parameters["tools"], strict=None)
        choice = parameters.get("tool_choice")
        # A dict is in wire form already.
        if choice is not None and not isinstance(choice, Mapping):
            parameters["tool_choice"] = _schemas.tools.tool_choice_to_wire(choice, parameters["tools"])
    if parameters.get("response_format") is not None:
        parameters["response_format"] = _schemas.tools.response_format_to_wire(parameters["response_format"], None)
    return parameters
