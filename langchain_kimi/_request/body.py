"""A request's body: messages, the model's settings and the call's own, in one fixed order."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from langchain_kimi._openrouter.json import JSON, is_plain
from langchain_kimi._openrouter.parameters.merging import checked, merged
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._schemas.tools import response_format_to_wire, tool_choice_to_wire, tools_to_wire
from langchain_kimi.errors import KimiUsageError

INTERNAL = frozenset({"ls_structured_output_format", "structured_output_format", "stream", "run_manager"})
"""What is handed from method to method, by LangChain and by us; none of it is for the wire."""
OF_THE_CALL = frozenset({"timeout", "request_timeout", "max_retries", "retry_empty", "extra_headers", "stream_usage"})
"""Arguments of a call that say how it is made and not what is asked."""
_TEXT_ALONE = ("role", "content")


def request_body(
    messages: Sequence[BaseMessage],
    *,
    model: str,
    settings: Mapping[str, Any],
    given: Mapping[str, Any],
    streamed: bool,
) -> WireBody:
    """Compose the body of a request, not yet fitted to the model (see `langchain_kimi._kimi.outgoing`).

    Args:
        messages: The conversation; it is not changed.
        model: The slug, unless the call names another one.
        settings: The model's own parameters, in the wire's form.
        given: The call's parameters, as the caller gave them; None takes a setting back.
        streamed: Whether the reply is to be streamed.

    Raises:
        KimiUsageError: a parameter or a message cannot be sent; nothing was.
    """
    parameters = merged(settings, checked(_in_wire_form(given)))
    asked, also_asked = parameters.pop("model", None), parameters.pop("model_name", None)
    if streamed and parameters.get("n", 1) > 1:
        raise KimiUsageError("n must be 1 when streaming.", advice="Use invoke or batch for several answers.")
    body = {
        "model": asked or also_asked or model,
        "messages": messages_to_wire(messages),
        **parameters,
        **({"stream": True} if streamed else {}),
    }
    return cast("WireBody", body)


def call_ids_in(messages: Sequence[BaseMessage]) -> frozenset[str]:
    """Collect the ids of the tool calls in a conversation, as the user knows them."""
    ids: set[str | None] = set()
    for message in messages:
        if isinstance(message, AIMessage):
            ids.update(call.get("id") for call in (*message.tool_calls, *message.invalid_tool_calls))
        elif isinstance(message, ToolMessage):
            ids.add(message.tool_call_id)
    return frozenset(filter(None, ids))


def body_bytes(body: WireBody) -> bytes:
    """Serialize a body: compact, in the order it was composed in, so that the same call gives the same bytes."""
    # Most of a long conversation is texts, of which this is seen soonest.
    doubtful = [
        message
        for message in body["messages"]
        if len(message) != len(_TEXT_ALONE) or type(message.get("content")) is not str
    ]
    try:
        return JSON.encode_object(body, plain=("messages",) if is_plain(doubtful) else ())
    except (TypeError, ValueError) as problem:
        raise KimiUsageError(
            f"The request cannot be written as JSON: {problem}.",
            advice="Look at model_kwargs and the call's arguments.",
        ) from problem


def _in_wire_form(given: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {key: value for key, value in given.items() if key not in INTERNAL}
    if parameters.get("tools") is not None:
        parameters["tools"] = tools_to_wire(parameters["tools"], strict=None)
        choice = parameters.get("tool_choice")
        # A dict is the wire's own form, and goes out as it is.
        if choice is not None and not isinstance(choice, Mapping):
            parameters["tool_choice"] = tool_choice_to_wire(choice, parameters["tools"])
    if parameters.get("response_format") is not None:
        parameters["response_format"] = response_format_to_wire(parameters["response_format"], None)
    return parameters
