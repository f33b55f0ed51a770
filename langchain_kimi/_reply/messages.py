"""The wire's replies and chunks to LangChain's messages."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata, add_usage
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._openrouter.reply.assembly import text_of
from langchain_kimi._openrouter.wire import JSONObject, WireChoice, WireEvent, WireMessage, WireToolCall, WireUsage
from langchain_kimi._reply import chunks as fast_chunks
from langchain_kimi._reply.tool_calls import NONE, break_off, calls_from, cut_calls

PROVIDER = fast_chunks.PROVIDER
"""What LangChain calls the provider: its price tables and content-block translators go by it."""

CUT = frozenset({"length", "error"})
"""Finish reasons of a reply that was cut off: a call that has no arguments yet is then not a call without arguments."""

IN_DETAILS = "reasoning_details"
"""The `reasoning_key` of a message whose reasoning came in its details alone, and goes back so."""

SPOKEN = frozenset({"role", "content", "tool_calls", "reasoning", "reasoning_content"})
TOP_LEVEL = frozenset({"choices", "usage", "error", "model"})
CHOICE_LEVEL = frozenset({"index", "message", "delta", "error", "usage"})
MONEY = ("cost", "cost_details", "is_byok", "server_tool_use_details")


def message_from(reply: WireEvent, *, whole: bool = True) -> AIMessage:
    """Make the message of a whole reply, or of one as far as it came (`whole=False`: none of its calls is valid)."""
    choice = (reply.get("choices") or [cast("WireChoice", {})])[0]
    message = choice.get("message") or {}
    calls = message.get("tool_calls") or []
    valid, invalid = calls_from(calls, ended=choice.get("finish_reason") not in CUT, faults=faults_of(choice))
    if not whole:
        valid, invalid = [], cut_calls(calls)
    return AIMessage(
        content=text_of(message.get("content")),
        tool_calls=valid,
        invalid_tool_calls=invalid,
        additional_kwargs={**_reasoning(message), **_kept(message)},
        response_metadata=metadata_from(reply, choice),
        usage_metadata=usage_from(reply.get("usage")),
    )


def chunk_from(choice: WireChoice) -> ChatGenerationChunk | None:
    """Make the chunk of one delta: text, reasoning, pieces of tool calls; None when it holds none of them.

    Everything else of a reply comes once, with the last chunk.
    """
    text, reasoning, calls = spoken_in(choice)
    if not (text or reasoning or calls):
        return None
    return fast_chunks.new_chunk(text, reasoning, [_piece(call) for call in calls] if calls else [])


def spoken_in(choice: WireChoice) -> tuple[str, str, list[WireToolCall] | None]:
    """Give the text, the reasoning and the pieces of tool calls in a delta."""
    delta = choice.get("delta") or {}
    content: Any = delta.get("content")
    reasoning: Any = delta.get("reasoning") or delta.get("reasoning_content")
    return (
        content if type(content) is str else text_of(content),
        reasoning if type(reasoning) is str else _reasoning_of(delta) if reasoning else "",
        delta.get("tool_calls"),
    )


def _reasoning_of(delta: WireMessage) -> str:
    return text_of(delta.get("reasoning")) or text_of(delta.get("reasoning_content"))


def breaking_chunk_from(
    calls: Sequence[WireToolCall], *, ended: bool, faults: Mapping[str, str] = NONE
) -> ChatGenerationChunk | None:
    """Make the chunk that keeps broken tool calls broken in the sum of the chunks; None when all of them are whole.

    Args:
        calls: The calls as far as they came, each with its number.
        ended: Whether the reply came to its own end.
        faults: What is wrong with calls beyond that, by their ids.
    """
    broken: list[WireToolCall] = [
        {"index": call.get("index"), "function": {"arguments": suffix}}
        for call in calls
        if (suffix := break_off(call, ended=ended, faults=faults))
    ]
    return chunk_from({"delta": {"tool_calls": broken}}) if broken else None


def last_chunk_from(reply: WireEvent, *, with_usage: bool = True) -> ChatGenerationChunk:
    """Make the chunk that ends a stream from the sum of it: each one-off fact, once."""
    choice = (reply.get("choices") or [cast("WireChoice", {})])[0]
    message = choice.get("message") or {}
    spelling = _reasoning(message)
    if spelling.get("reasoning_key") != IN_DETAILS:
        # The pieces of it have been told.
        spelling.pop("reasoning_content", None)
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            additional_kwargs={**spelling, **_kept(message)},
            response_metadata=metadata_from(reply, choice),
            usage_metadata=usage_from(reply.get("usage")) if with_usage else None,
            chunk_position="last",
        )
    )


def faults_of(choice: WireChoice) -> Mapping[str, str]:
    """Give what the mending found wrong with calls whose arguments are whole, by their ids."""
    told = cast("JSONObject", choice).get("kimi")
    return (told.get("invalid_tool_calls") or NONE) if isinstance(told, dict) else NONE


def metadata_from(reply: WireEvent, choice: WireChoice) -> JSONObject:
    """Give the `response_metadata` of a reply: the peers' names where they have one, the wire's for all the rest."""
    usage = cast("JSONObject", reply.get("usage") or {})
    metadata: JSONObject = {"model_provider": PROVIDER}
    if reply.get("model"):
        metadata["model_name"] = reply["model"]
    metadata |= {key: value for key, value in reply.items() if key not in TOP_LEVEL and value is not None}
    metadata |= {key: value for key, value in choice.items() if key not in CHOICE_LEVEL and value is not None}
    metadata |= {key: usage[key] for key in MONEY if usage.get(key) is not None}
    metadata.setdefault("finish_reason", None)
    if usage:
        metadata["token_usage"] = usage
    return metadata


def usage_from(usage: WireUsage | None) -> UsageMetadata | None:
    """Give LangChain's usage: whole numbers only, zeros kept, what was not reported left out."""
    if not usage:
        return None
    wire = cast("JSONObject", usage)
    prompt, completion = _details(wire, "prompt_tokens_details"), _details(wire, "completion_tokens_details")
    read, written = _count(wire, "prompt_tokens", "input_tokens"), _count(wire, "completion_tokens", "output_tokens")
    total = _count(wire, "total_tokens")
    result = UsageMetadata(
        input_tokens=read or 0,
        output_tokens=written or 0,
        total_tokens=(read or 0) + (written or 0) if total is None else total,
    )
    # Moonshot's own API reports cached tokens beside the totals.
    cached = _count(prompt, "cached_tokens")
    inputs = {
        "cache_read": _count(wire, "cached_tokens") if cached is None else cached,
        "cache_creation": _count(prompt, "cache_write_tokens"),
        "audio": _count(prompt, "audio_tokens"),
    }
    outputs = {"reasoning": _count(completion, "reasoning_tokens"), "audio": _count(completion, "audio_tokens")}
    if known := {key: value for key, value in inputs.items() if value is not None}:
        result["input_token_details"] = cast("InputTokenDetails", known)
    if known := {key: value for key, value in outputs.items() if value is not None}:
        result["output_token_details"] = cast("OutputTokenDetails", known)
    return result


def _count(usage: JSONObject, *names: str) -> int | None:
    """Some hosts send counts as floats, which LangChain's sums refuse."""
    for name in names:
        value: Any = usage.get(name)
        if type(value) is int:
            return value
        if _is_number(value):
            return int(value)
    return None


def _is_number(value: Any) -> bool:
    # JSON as Python reads it has NaN and Infinity.
    return isinstance(value, int | float) and math.isfinite(value)


def _details(usage: JSONObject, name: str) -> JSONObject:
    details = usage.get(name)
    return details if isinstance(details, dict) else {}


def _reasoning(message: WireMessage) -> dict[str, Any]:
    """The reasoning's text, and its spelling where that is not OpenRouter's, so that it goes back as it came."""
    if reasoning := message.get("reasoning"):
        return {"reasoning_content": reasoning}
    if reasoning := message.get("reasoning_content"):
        return {"reasoning_content": reasoning, "reasoning_key": "reasoning_content"}
    if reasoning := thoughts_in(message.get("reasoning_details")):
        return {"reasoning_content": reasoning, "reasoning_key": IN_DETAILS}
    return {}


def thoughts_in(details: Any) -> str:
    """Give what `reasoning_details` say in words: some hosts tell the reasoning there alone."""
    parts = [part for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    texts = [part.get("text") or part.get("summary") for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def _kept(message: WireMessage) -> dict[str, Any]:
    return {
        key: value
        for key, value in message.items()
        if key not in SPOKEN and value is not None and (value or key == "reasoning_details")
    }


def _piece(call: WireToolCall) -> ToolCallChunk:
    function = call.get("function") or {}
    return {
        "name": function.get("name"),
        "args": function.get("arguments"),
        "id": call.get("id"),
        "index": call.get("index"),
        "type": "tool_call_chunk",
    }


COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")
SUMMED = ("cost", "cost_details", "token_usage")
"""What of `response_metadata` is added up where one message stands for two."""


def added_up(llm_outputs: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    """Add up the `llm_output`s of a batch: tokens and cost in `token_usage`, of the rest the first."""
    known = [output for output in llm_outputs if output]
    usages = [output["token_usage"] for output in known if output.get("token_usage")]
    combined = {key: value for output in reversed(known) for key, value in output.items() if key != "token_usage"}
    if usages:
        combined["token_usage"] = {
            key: sum(_number(usage.get(key)) for usage in usages)
            for key in COUNTS
            if any(key in usage for usage in usages)
        }
    return combined


def _number(value: Any) -> int | float:
    """Give a number; what a host sends in its place, such as a text, counts as nothing."""
    return value if isinstance(value, int | float) else 0


def with_sums(first: AIMessage, second: AIMessage) -> AIMessage:
    """Give the second of two answers with the tokens and the cost of both."""
    known = (first.response_metadata, second.response_metadata)
    sums = {key: _sum(*(metadata.get(key) for metadata in known)) for key in SUMMED}
    facts = {key: value for key, value in sums.items() if value is not None}
    # Of two that are not known LangChain makes zeros.
    tokens = add_usage(first.usage_metadata, second.usage_metadata) if first.usage_metadata else second.usage_metadata
    metadata = {**second.response_metadata, **facts}
    return second.model_copy(update={"usage_metadata": tokens, "response_metadata": metadata})


def _sum(one: Any, other: Any) -> Any:
    """Add up numbers, also inside objects; of anything else the later counts."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {key: _sum(one.get(key), other.get(key)) for key in {**one, **other}}
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(other, bool):
        return one + other
    return one if other is None else other
