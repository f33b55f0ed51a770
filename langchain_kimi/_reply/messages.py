"""Convert wire replies and deltas to LangChain messages and chunks."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._openrouter.reply.assembly import text_of
from langchain_kimi._openrouter.wire import JSONObject, WireChoice, WireEvent, WireMessage, WireToolCall, is_complete
from langchain_kimi._reply import chunks as fast_chunks
from langchain_kimi._reply.chunk_sums import breaking_message, last_message
from langchain_kimi._reply.facts import normalized_finish_reason
from langchain_kimi._reply.tool_calls import NO_ERRORS, breaking_suffix, calls_from, cut_calls, invalid_call
from langchain_kimi._reply.usage import usage_from

PROVIDER = fast_chunks.PROVIDER
IN_DETAILS = "reasoning_details"
"""The `reasoning_key` of a message whose reasoning was received, and is sent back, only in `reasoning_details`."""

_CONVERTED = frozenset({"role", "content", "tool_calls", "reasoning", "reasoning_content"})
"""Keys of a wire message that do not become `additional_kwargs` under the same name."""
_NOT_IN_METADATA = frozenset({"choices", "usage", "error", "model"})
_CHOICE_KEYS_NOT_IN_METADATA = frozenset({"index", "message", "delta", "error", "usage"})
_COST_KEYS = ("cost", "cost_details", "is_byok", "server_tool_use_details")
"""Keys of the wire's usage that become response metadata."""
_GENERATION_KEYS = (
    "finish_reason",
    "native_finish_reason",
    "logprobs",
    "model_name",
    "model_provider",
    "provider",
    "system_fingerprint",
    "service_tier",
    "id",
    "created",
    "object",
)
"""Keys of the response metadata that are also in `generation_info`, as in ChatOpenRouter and ChatOpenAI."""
_OUTPUT_KEYS = (
    "token_usage",
    "model_name",
    "model_provider",
    "system_fingerprint",
    "service_tier",
    "id",
    "created",
    "object",
)
"""Keys of the response metadata that are also in `llm_output`, as in ChatOpenRouter and ChatOpenAI."""


def message_from(reply: WireEvent, *, whole: bool = True) -> AIMessage:
    """Return the message of a reply.

    Args:
        reply: The reply. Only its first choice is read.
        whole: Whether the reply is complete. If not, all of its tool calls are invalid.
    """
    choice = (reply.get("choices") or [cast("WireChoice", {})])[0]
    message = choice.get("message") or {}
    calls = message.get("tool_calls") or []
    if whole:
        valid, invalid = calls_from(calls, ended=has_ended(choice), errors=call_errors(choice))
    else:
        valid, invalid = [], cut_calls(calls)
    return AIMessage(
        content=text_of(message.get("content")),
        tool_calls=valid,
        invalid_tool_calls=invalid,
        additional_kwargs={**_reasoning(message), **_other_fields(message)},
        response_metadata=metadata_from(reply, choice),
        usage_metadata=usage_from(reply.get("usage")),
    )


def has_ended(choice: WireChoice) -> bool:
    """Return whether the model ended the reply, so that a call without arguments is complete.

    Without a finish reason this is not certain: a gateway may end its stream properly after the provider was cut off.
    """
    return is_complete(choice.get("finish_reason"))


def generation_info(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `generation_info` of a message with this response metadata."""
    return {key: metadata[key] for key in _GENERATION_KEYS if key in metadata}


def llm_output(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `llm_output` of a result whose first message has this response metadata."""
    return {key: metadata[key] for key in _OUTPUT_KEYS if key in metadata}


def chunk_from(choice: WireChoice) -> ChatGenerationChunk | None:
    """Return the chunk for one delta, or None if it has no text, reasoning or tool calls.

    Everything else in a reply is part of the last chunk.
    """
    text, reasoning, calls = delta_parts(choice)
    if not (text or reasoning or calls):
        return None
    return fast_chunks.new_chunk(text, reasoning, [_call_chunk(call) for call in calls] if calls else [])


def delta_parts(choice: WireChoice) -> tuple[str, str, list[WireToolCall] | None]:
    """Return the text, the reasoning and the pieces of tool calls in a delta."""
    delta = choice.get("delta") or {}
    content: Any = delta.get("content")
    reasoning: Any = delta.get("reasoning") or delta.get("reasoning_content")
    return (
        content if type(content) is str else "" if content is None else text_of(content),
        reasoning if type(reasoning) is str else _reasoning_of(delta) if reasoning else "",
        delta.get("tool_calls"),
    )


def _reasoning_of(delta: WireMessage) -> str:
    return text_of(delta.get("reasoning")) or text_of(delta.get("reasoning_content"))


def breaking_chunk_from(
    calls: Sequence[WireToolCall], *, ended: bool, errors: Mapping[str, str] = NO_ERRORS
) -> ChatGenerationChunk | None:
    """Return the chunk that keeps invalid tool calls invalid in the sum of the chunks, or None if all are valid.

    Args:
        calls: The calls as received so far, each with its index.
        ended: Whether the reply was not cut off.
        errors: The errors of calls whose arguments are valid JSON, by call id.
    """
    checked = [(call.get("index"), invalid_call(call, ended=ended, errors=errors)) for call in calls]
    invalid = [(index, call) for index, call in checked if call is not None]
    if not invalid:
        return None
    pieces: list[WireToolCall] = [
        {"index": index, "function": {"arguments": breaking_suffix(call["args"] or "")}} for index, call in invalid
    ]
    chunk = cast("ChatGenerationChunk", chunk_from({"delta": {"tool_calls": pieces}}))
    message = breaking_message(cast("AIMessageChunk", chunk.message), [call for _, call in invalid])
    return ChatGenerationChunk(message=message)


def last_chunk_from(reply: WireEvent, *, with_usage: bool = True) -> ChatGenerationChunk:
    """Return the last chunk of a stream, with all metadata.

    Args:
        reply: The sum of the stream.
        with_usage: Whether to include the token usage.
    """
    choice = (reply.get("choices") or [cast("WireChoice", {})])[0]
    message = choice.get("message") or {}
    reasoning = _reasoning(message)
    if reasoning.get("reasoning_key") != IN_DETAILS:
        # The earlier chunks contain it.
        reasoning.pop("reasoning_content", None)
    metadata = metadata_from(reply, choice)
    calls = message.get("tool_calls") or []
    valid, invalid = calls_from(calls, ended=has_ended(choice), errors=call_errors(choice)) if calls else ([], [])
    last = AIMessageChunk(
        content="",
        additional_kwargs={**reasoning, **_other_fields(message)},
        response_metadata=metadata,
        usage_metadata=usage_from(reply.get("usage")) if with_usage else None,
        chunk_position="last",
    )
    return ChatGenerationChunk(message=last_message(last, valid, invalid), generation_info=generation_info(metadata))


def call_errors(choice: WireChoice) -> Mapping[str, str]:
    """Return the errors that the repairs reported for tool calls, by call id."""
    report = cast("JSONObject", choice).get("kimi")
    return (report.get("invalid_tool_calls") or NO_ERRORS) if isinstance(report, dict) else NO_ERRORS


def metadata_from(reply: WireEvent, choice: WireChoice) -> JSONObject:
    """Return the `response_metadata` of a reply.

    Fields for which other LangChain chat models have a name use that name. All others keep their wire name.
    """
    usage = cast("JSONObject", reply.get("usage") or {})
    metadata: JSONObject = {"model_provider": PROVIDER}
    if reply.get("model"):
        metadata["model_name"] = reply["model"]
    metadata |= {key: value for key, value in reply.items() if key not in _NOT_IN_METADATA and value is not None}
    metadata |= {
        key: value for key, value in choice.items() if key not in _CHOICE_KEYS_NOT_IN_METADATA and value is not None
    }
    metadata |= {key: usage[key] for key in _COST_KEYS if usage.get(key) is not None}
    metadata.setdefault("finish_reason", None)
    if reason := normalized_finish_reason(choice):
        metadata["normalized_finish_reason"] = reason
    if usage:
        metadata["token_usage"] = usage
    return metadata


def _reasoning(message: WireMessage) -> dict[str, Any]:
    """Return the text of the reasoning, and its wire key if that is not OpenRouter's, to send it back unchanged."""
    if reasoning := message.get("reasoning"):
        return {"reasoning_content": reasoning}
    if reasoning := message.get("reasoning_content"):
        return {"reasoning_content": reasoning, "reasoning_key": "reasoning_content"}
    if reasoning := thoughts_in(message.get("reasoning_details")):
        return {"reasoning_content": reasoning, "reasoning_key": IN_DETAILS}
    return {}


def thoughts_in(details: Any) -> str:
    """Return the text in `reasoning_details`. Some hosts send reasoning only there."""
    parts = [part for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    texts = [part.get("text") or part.get("summary") for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def _other_fields(message: WireMessage) -> dict[str, Any]:
    return {
        key: value
        for key, value in message.items()
        if key not in _CONVERTED and value is not None and (value or key == "reasoning_details")
    }


def _call_chunk(call: WireToolCall) -> ToolCallChunk:
    function = call.get("function") or {}
    return {
        "name": function.get("name"),
        "args": function.get("arguments"),
        "id": call.get("id"),
        "index": call.get("index"),
        "type": "tool_call_chunk",
    }
