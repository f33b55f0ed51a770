"""The check before a call that its prompt fits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import BaseMessage

from langchain_kimi._messages.token_counting import CountsTokens
from langchain_kimi.errors import KimiContextOverflowError
from langchain_kimi.kimi.profiles import profile
from langchain_kimi.openrouter.wire import JSONObject, WireBody

if TYPE_CHECKING:
    from langchain_kimi.kimi.counting import TokenCount

_COMPRESSION = "context-compression"


class ChecksContext(CountsTokens):
    """The part of a chat model that refuses prompts which do not fit, if `check_context` is set."""

    check_context: bool = False
    """Whether each prompt is counted before it is sent, and refused with a `KimiContextOverflowError` if it and
    `max_tokens` exceed the model's `max_input_tokens`. The count is an estimate without Kimi's vocabulary file. Models
    whose limit is not known, and prompts that OpenRouter shortens by itself, are never refused."""

    def refuse_overflow(self, body: WireBody, messages: Sequence[BaseMessage]) -> None:
        """Count a prompt before it is sent, if `check_context` is set.

        Args:
            body: The body that is to be sent.
            messages: The conversation that it holds.

        Raises:
            KimiContextOverflowError: the prompt does not fit; nothing was sent.
        """
        limit = self._limit(body) if self.check_context else None
        if limit is not None:
            self._check(body, messages, limit)

    def _limit(self, body: WireBody) -> int | None:
        """The most that any of the models takes that may answer; None if that is not known of one of them."""
        plugins = cast("JSONObject", body).get("plugins") or ()
        if any(plugin.get("id") == _COMPRESSION for plugin in plugins):
            return None
        limits = [self._limit_of(slug) for slug in (body["model"], *(body.get("models") or ()))]
        known = [limit for limit in limits if limit is not None]
        return max(known) if len(known) == len(limits) else None

    def _limit_of(self, slug: str) -> int | None:
        limits: Any = self.profile if slug == self.model_name else profile(slug)
        return (limits or {}).get("max_input_tokens")

    def _check(self, body: WireBody, messages: Sequence[BaseMessage], limit: int) -> None:
        parameters = cast("JSONObject", body)
        asked = parameters.get("max_tokens") or parameters.get("max_completion_tokens") or 0
        if self.count_body(body, messages).tokens + asked <= limit:
            return
        # What was billed for the last turn may have been a longer prompt, that was shortened so as to fit.
        count = self.count_body(body, messages, is_whole=False)
        if count.tokens + asked > limit:
            raise _overflow(body["model"], count, asked, limit)


def _overflow(model: str, count: "TokenCount", asked: int, limit: int) -> KimiContextOverflowError:
    told = f"The prompt has {count.tokens:,} tokens ({'counted' if count.exact else 'estimated'})"
    if asked:
        told += f" and max_tokens asks for {asked:,} more"
    return KimiContextOverflowError(
        f"{told}, but the model takes {limit:,}.",
        model=model,
        is_retryable=False,
        advice="Nothing was sent. Shorten the conversation" + (", or lower max_tokens." if asked else "."),
    )
