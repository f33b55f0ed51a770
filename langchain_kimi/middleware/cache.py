"""Middleware that keeps the turns of a thread at one provider, and reports when its cache is lost."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, BaseMessage

from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiUsageError

_MAX_SESSION_ID = 256
"""The maximum number of characters of a session id that OpenRouter accepts."""
_TURNS = len(("before", "previous", "this"))


class KeepCacheWarm(AgentMiddleware[AgentState[Any], Any, Any]):
    """Keeps the turns of a thread at one provider, whose cache has the prompt, and warns if the cache is lost.

    Each request of a `ChatKimi` gets LangGraph's `thread_id` as its `session_id`, or the SHA-256 digest of a
    `thread_id` of more than 256 characters. A run without a thread gets an id derived from its conversation
    (`auto_session`). A `session_id` or `prompt_cache_key` of your own is not replaced. Calls of other models are not
    changed.

    A warning is issued after a turn (one model call) in which the cache was lost. The cached share of a turn is the
    number of tokens that it read from the cache, divided by the tokens of the previous turn's prompt: the part that
    could be in the cache, so a long tool result does not lower it. All of these conditions must be met:

    * the previous turn's prompt had at least `min_tokens` tokens,
    * the cached share of the previous turn was at least `high_share`,
    * the cached share of this turn is below `low_share`.

    The warning says whether the provider changed. Otherwise the beginning of the prompt changed (a time in the system
    message, other tools, removed messages), or the cache expired.

    Args:
        sticky_provider: Whether the provider of the last turn is tried first. This is a provider order, which turns off
            OpenRouter's own sticky routing and load balancing; see `ChatKimi.sticky_provider`.
        high_share: The lowest share of a working cache, 0 to 1.
        low_share: The share below which the cache is lost, 0 to `high_share`.
        min_tokens: The size of the smallest prompt to warn about, in tokens.

    Raises:
        KimiUsageError: A share is out of range.
    """

    def __init__(
        self, *, sticky_provider: bool = True, high_share: float = 0.5, low_share: float = 0.2, min_tokens: int = 1024
    ) -> None:
        super().__init__()
        if not 0 <= low_share <= high_share <= 1:
            raise KimiUsageError(f"0 <= low_share <= high_share <= 1 is required, got {low_share} and {high_share}.")
        self.sticky_provider = sticky_provider
        self.high_share = high_share
        self.low_share = low_share
        self.min_tokens = min_tokens

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model in the session of the thread."""
        response = handler(self._in_session(request))
        self._check(request.state["messages"], response.result)
        return response

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Call the model in the session of the thread."""
        response = await handler(self._in_session(request))
        self._check(request.state["messages"], response.result)
        return response

    def _in_session(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        model, settings = request.model, request.model_settings
        if not isinstance(model, ChatKimi):
            return request
        changes: dict[str, Any] = {}
        if self.sticky_provider and not model.sticky_provider:
            changes["sticky_provider"] = True
        if not (model.session_id or model.prompt_cache_key or {"session_id", "prompt_cache_key"} & settings.keys()):
            if session := session_of(request):
                settings = {**settings, "session_id": session}
            else:
                changes["auto_session"] = True
        model = model.model_copy(update=changes) if changes else model
        return request.override(model=model, model_settings=settings)

    def _check(self, earlier: Sequence[BaseMessage], result: Sequence[BaseMessage]) -> None:
        replies = [message for message in (*earlier, *result) if isinstance(message, AIMessage)][-_TURNS:]
        if len(replies) < _TURNS:
            return
        before, previous, this = replies
        share, tokens = cached_share(previous, before), _prompt_tokens(previous)
        new_share = cached_share(this, previous)
        if share is None or new_share is None or tokens < self.min_tokens:
            return
        if share >= self.high_share and new_share < self.low_share:
            warn_user(
                f"The prompt cache was lost: {new_share:.0%} of the previous prompt ({tokens} tokens) came from the "
                f"cache, after {share:.0%} in the previous turn. {_cause(previous, this)}"
            )


def session_of(request: ModelRequest[Any]) -> str | None:
    """Return the session id of a request: its thread's id, or the digest of a longer one; None without a thread."""
    info = request.runtime.execution_info
    thread = str(info.thread_id) if info is not None and info.thread_id else None
    if thread is None or len(thread) <= _MAX_SESSION_ID:
        return thread
    return hashlib.sha256(thread.encode()).hexdigest()


def cached_share(reply: AIMessage, previous: AIMessage) -> float | None:
    """Return which share of the previous prompt a reply's prompt read from the cache, 0 to 1; None if it is unknown."""
    details = reply.usage_metadata.get("input_token_details", {}) if reply.usage_metadata else {}
    tokens, cached = _prompt_tokens(previous), details.get("cache_read")
    return min(1.0, cached / tokens) if tokens and cached is not None else None


def _prompt_tokens(reply: AIMessage) -> int:
    return reply.usage_metadata["input_tokens"] if reply.usage_metadata else 0


def _cause(previous: AIMessage, this: AIMessage) -> str:
    old, new = (reply.response_metadata.get("provider") for reply in (previous, this))
    if old != new:
        return f"The provider changed from {old} to {new}."
    return f"The provider is still {new}: the beginning of the prompt changed, or the cache expired."
