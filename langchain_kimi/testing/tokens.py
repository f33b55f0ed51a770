"""Token counts and costs of the emulator's replies: approximate, but plausible and consistent."""

import hashlib
import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.catalog import Model

_TOKEN = re.compile(r" ?[A-Za-z]{1,9}| ?\d{1,3}| ?[^\W_]{1,2}| ?[^\w\s]{1,3}|_+|\s+")
_MEDIA_TOKENS = 258
_MESSAGE_TOKENS = 4


def split(text: str) -> list[str]:
    """Split a text into tokens. Joined, they are the text."""
    return _TOKEN.findall(text)


def estimate(text: str) -> int:
    """Return the estimated number of tokens in a prompt text."""
    return (len(text.encode()) + 3) // 4


_WRAPPERS = [
    {"name": "search_tools", "parameters": {"type": "object", "properties": {"query": {"type": "string"}}}},
    {
        "name": "call_tool",
        "parameters": {"type": "object", "properties": {"name": {"type": "string"}, "arguments": {}}},
    },
]
"""The tools that the model sees in place of deferred ones."""


def visible_tools(body: JSONObject) -> list[JSONObject]:
    """Return the tools that the model sees: with OpenRouter's deferred tools, wrappers in place of these."""
    tools: list[JSONObject] = body.get("tools") or []
    if not body.get("deferred_tools"):
        return tools
    return [tool for tool in tools if not (tool.get("function") or {}).get("defer_loading")] + _WRAPPERS


_RESULTS = 5


def _deferred_tokens(body: JSONObject) -> dict[Any, int]:
    """Return the tokens that OpenRouter's search for a deferred tool adds to the prompt, by the name of the tool.

    The result of a search has several definitions, here as many copies of the one that is called.
    """
    control = body.get("deferred_tools") or {}
    results = (control.get("search") or {}).get("max_results") or _RESULTS
    functions = [tool.get("function") or {} for tool in (body.get("tools") or ()) if control]
    return {
        function.get("name"): results * _tool_tokens([function])
        for function in functions
        if function.get("defer_loading")
    }


def _tool_tokens(tools: list[JSONObject] | None) -> int:
    return estimate(json.dumps(tools, sort_keys=True)) if tools else 0


def _message_tokens(message: JSONObject) -> int:
    content = message.get("content") or ""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    tokens = _MESSAGE_TOKENS + _tool_tokens(message.get("tools"))
    for part in parts:
        tokens += estimate(str(part.get("text", ""))) if part.get("type") == "text" else _MEDIA_TOKENS
    for key in ("tool_calls", "reasoning"):
        if message.get(key):
            tokens += estimate(json.dumps(message[key]))
    return tokens


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """The number of tokens in a prompt, and how many of them are cached."""

    total: int
    cached: int


class PromptCache:
    """Counts the tokens of prompts, and remembers their prefixes, message by message.

    Args:
        remembered: The number of prefixes to remember. The oldest are forgotten first.
    """

    def __init__(self, remembered: int = 20_000) -> None:
        self._remembered = remembered
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def count(self, body: JSONObject, *, host: str | None = None) -> PromptTokens:
        """Return the token counts of a request's prompt. The longest prefix that a host remembers counts as cached."""
        visible = visible_tools(body)
        tools = json.dumps(visible, sort_keys=True) if visible else ""
        total, cached = _tool_tokens(visible), 0
        deferred = _deferred_tokens(body)
        chain = hashlib.sha256(f"{host or ''}{body.get('model')}{tools}".encode())
        for message in body["messages"]:
            chain.update(json.dumps(message).encode())
            total += _message_tokens(message)
            if deferred:
                called = [call.get("function") or {} for call in message.get("tool_calls") or ()]
                total += sum(deferred.get(function.get("name"), 0) for function in called)
            prefix = chain.digest()
            if prefix in self._seen:
                cached = total
            self._seen[prefix] = None
            self._seen.move_to_end(prefix)
        while len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return PromptTokens(total, cached)


def usage(prompt: PromptTokens, completion_tokens: int, reasoning_tokens: int, model: Model) -> JSONObject:
    """Return the usage of a reply: tokens, their details, and the cost in dollars."""
    prompt_cost = (prompt.total - prompt.cached) * model.prompt_price + prompt.cached * model.cache_price
    prompt_cost = round(prompt_cost / 1e6, 12)
    completion_cost = round(completion_tokens * model.completion_price / 1e6, 12)
    cost = round(prompt_cost + completion_cost, 12)
    return {
        "prompt_tokens": prompt.total,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt.total + completion_tokens,
        "cost": cost,
        "is_byok": False,
        "prompt_tokens_details": {
            "cached_tokens": prompt.cached,
            "cache_write_tokens": 0,
            "audio_tokens": 0,
            "video_tokens": 0,
        },
        "cost_details": {
            "upstream_inference_cost": cost,
            "upstream_inference_prompt_cost": prompt_cost,
            "upstream_inference_completions_cost": completion_cost,
        },
        "completion_tokens_details": {"reasoning_tokens": reasoning_tokens, "image_tokens": 0, "audio_tokens": 0},
    }
