"""Mark answers that come from LangChain's cache."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation

_COST_KEYS = frozenset({"cost", "cost_details"})


def copies(generations: Sequence[Generation]) -> list[Generation]:
    """Return copies of cached generations.

    langchain-core modifies the generations that it reads from a cache, and an in-memory cache contains the same object
    that the first caller received.
    """
    return [generation.model_copy() for generation in generations]


def as_cached(generations: Sequence[ChatGeneration]) -> list[ChatGeneration]:
    """Return the generations marked as answers from a cache, which cost nothing.

    `response_metadata["kimi"]["from_cache"]` is True and every cost is 0. The token counts are those of the first call.
    """
    return [_as_cached(generation) for generation in generations]


def _as_cached(generation: ChatGeneration) -> ChatGeneration:
    message = generation.message
    if not isinstance(message, AIMessage):
        return generation
    metadata = _without_cost(message.response_metadata)
    if isinstance(usage := metadata.get("token_usage"), dict):
        metadata["token_usage"] = _without_cost(usage)
    report = metadata.get("kimi")
    metadata["kimi"] = {**(report if isinstance(report, dict) else {}), "from_cache": True}
    return generation.model_copy(update={"message": message.model_copy(update={"response_metadata": metadata})})


def _without_cost(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: _zero(value) if key in _COST_KEYS else value for key, value in fields.items()}


def _zero(value: Any) -> Any:
    """Return a value in which each number is replaced by 0."""
    if isinstance(value, dict):
        return {key: _zero(item) for key, item in value.items()}
    return 0.0 if isinstance(value, int | float) and not isinstance(value, bool) else value
