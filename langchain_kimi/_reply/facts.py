"""Metadata of a complete reply: the normalized finish reason, and the status of OpenRouter's response cache."""

from typing import Any, cast

from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import JSONObject, WireChoice, WireEvent, is_complete, reason_word

LIMITS = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
LIMITS |= {"length_limit", "max_length", "token_limit", "finish_reason_max_tokens"}
"""Finish reasons, as `reason_word` returns them, of a reply that the token limit cut off."""
_NORMALIZED = {
    **dict.fromkeys(LIMITS, "length"),
    **dict.fromkeys(("content_filter", "content_policy_violation", "safety"), "content_filter"),
    **dict.fromkeys(("tool_calls", "tool_call", "tool_use", "function_call"), "tool_call"),
    "stop": "stop",
    "refusal": "refusal",
    "error": "error",
}
_CACHE_STATUS = "x-openrouter-cache-status"
_CACHE_HEADERS = {
    "age": "x-openrouter-cache-age",
    "ttl": "x-openrouter-cache-ttl",
    "source_id": "x-openrouter-cache-source-id",
}


def normalized_finish_reason(choice: WireChoice) -> str | None:
    """Return the finish reason of a choice in the words that LangChain uses for all providers.

    langchain-core 1.8.4 and later read it in `response_metadata["normalized_finish_reason"]`. langchain-core names
    `stop`, `tool_call` and `refusal`; `length`, `content_filter` and `error` are OpenRouter's words.

    Returns:
        The word, or None if there is no finish reason or an unknown one.
    """
    message = choice.get("message") or {}
    reason: Any = choice.get("finish_reason")
    if not isinstance(reason, str):
        return None
    if message.get("refusal"):
        return "refusal"
    normalized = _NORMALIZED.get(reason) or _NORMALIZED.get(reason_word(reason))
    if normalized is None and is_complete(reason):
        normalized = "stop"
    return "tool_call" if normalized == "stop" and message.get("tool_calls") else normalized


def with_cache_status(reply: WireEvent, head: ResponseHead) -> WireEvent:
    """Return a reply with the status of OpenRouter's response cache, if the headers report one.

    It is `response_cache`: `status` is `HIT` or `MISS`; `age` and `ttl` are seconds; `source_id` is the id of the
    generation that was stored. Requests ask for the cache with the header `X-OpenRouter-Cache`.
    """
    status = head.headers.get(_CACHE_STATUS)
    if not status:
        return reply
    values = {name: head.headers.get(header) for name, header in _CACHE_HEADERS.items()}
    cache: JSONObject = {
        name: int(value) if value.isascii() and value.isdigit() else value for name, value in values.items() if value
    }
    return cast("WireEvent", {**reply, "response_cache": {"status": status, **cache}})
