"""Usage of several calls, added up."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import add_usage

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
