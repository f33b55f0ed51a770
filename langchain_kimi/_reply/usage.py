"""Convert token usage from the wire, and add up tokens and costs of several messages."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata, add_usage

from langchain_kimi._openrouter.retry_after import number_of
from langchain_kimi._openrouter.wire import JSONObject, WireUsage

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")
_LARGEST = 10**15
"""Counts and costs above this are not plausible, and are not added."""
_ADDED_UP = ("cost", "cost_details", "token_usage")
"""Keys of `response_metadata` that are added up when two replies become one message."""


def usage_from(usage: WireUsage | None) -> UsageMetadata | None:
    """Return the usage in LangChain's form, with integer counts; None without usage.

    Details that were not reported are left out.
    """
    if not usage:
        return None
    wire = cast("JSONObject", usage)
    prompt, completion = _details(wire, "prompt_tokens_details"), _details(wire, "completion_tokens_details")
    if (input_tokens := _count(wire, "prompt_tokens")) is None:
        input_tokens = _count(wire, "input_tokens") or 0
    if (output_tokens := _count(wire, "completion_tokens")) is None:
        output_tokens = _count(wire, "output_tokens") or 0
    total = _count(wire, "total_tokens")
    result = UsageMetadata(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens if total is None else total,
    )
    # Moonshot's own API reports cached tokens next to the totals.
    cached = _count(prompt, "cached_tokens")
    inputs = {
        "cache_read": _count(wire, "cached_tokens") if cached is None else cached,
        "cache_creation": _count(prompt, "cache_write_tokens"),
        "audio": _count(prompt, "audio_tokens"),
    }
    outputs = {"reasoning": _count(completion, "reasoning_tokens"), "audio": _count(completion, "audio_tokens")}
    # Details may exceed their sum: recorded hosts count reasoning tokens separately.
    if details := {key: value for key, value in inputs.items() if value is not None}:
        result["input_token_details"] = cast("InputTokenDetails", details)
    if details := {key: value for key, value in outputs.items() if value is not None}:
        result["output_token_details"] = cast("OutputTokenDetails", details)
    return result


def _count(usage: JSONObject, name: str) -> int | None:
    value: Any = usage.get(name)
    if value is None or (type(value) is int and 0 <= value <= _LARGEST):
        return value
    # Some hosts send counts as floats, which LangChain refuses to add, or as text. Negative counts are not known.
    number = number_of(value)
    return None if number is None else int(number)


def _details(usage: JSONObject, name: str) -> JSONObject:
    details = usage.get(name)
    return details if isinstance(details, dict) else {}


def added_up(llm_outputs: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    """Return the combined `llm_output` of a batch: tokens and costs are added up; of other fields the first is used."""
    outputs = [output for output in llm_outputs if output]
    usages = [output["token_usage"] for output in outputs if output.get("token_usage")]
    combined = {key: value for output in reversed(outputs) for key, value in output.items() if key != "token_usage"}
    if usages:
        combined["token_usage"] = _sums_of_counts(usages)
    return combined


def _sums_of_counts(usages: Sequence[Mapping[str, Any]]) -> dict[str, int | float]:
    sums: dict[str, int | float] = {}
    # Loops, because nested comprehensions take three times as long, and this runs for each call with a single usage.
    for usage in usages:
        for key in _COUNTS:
            if key in usage:
                sums[key] = sums.get(key, 0) + _number(usage[key])
    return {key: sums[key] for key in _COUNTS if key in sums}


def _number(value: Any) -> int | float:
    # Some hosts send text instead of a number. An integer with hundreds of digits cannot be added to a float.
    return value if isinstance(value, int | float) and abs(value) <= _LARGEST else 0


def with_sums(first: AIMessage, second: AIMessage) -> AIMessage:
    """Return the second of two messages, with the tokens and the cost of both."""
    sums = {key: _sum(first.response_metadata.get(key), second.response_metadata.get(key)) for key in _ADDED_UP}
    # For two messages without usage, LangChain returns zeros.
    tokens = add_usage(first.usage_metadata, second.usage_metadata) if first.usage_metadata else second.usage_metadata
    metadata = {**second.response_metadata, **{key: value for key, value in sums.items() if value is not None}}
    return second.model_copy(update={"usage_metadata": tokens, "response_metadata": metadata})


def _sum(one: Any, other: Any) -> Any:
    """Return the sum of two numbers or of two objects of numbers; for other values the second, or the first if None."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {key: _sum(one.get(key), other.get(key)) for key in {**one, **other}}
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(other, bool):
        return one + other if max(abs(one), abs(other)) <= _LARGEST else other
    return one if other is None else other
