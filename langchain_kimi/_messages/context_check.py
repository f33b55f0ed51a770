"""The check before a call that its prompt fits, and what the reply teaches about counting."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import BaseMessage

from langchain_kimi._messages.learning_reader import LearningReader
from langchain_kimi._messages.serving_host import host_of_url
from langchain_kimi._messages.token_counting import CountsTokens
from langchain_kimi.errors import KimiContextOverflowError
from langchain_kimi.kimi.profiles import profile
from langchain_kimi.openrouter.wire import JSONObject, WireBody

if TYPE_CHECKING:
    from langchain_kimi.kimi.counting import TokenCount

_COUNTED_OTHERWISE = frozenset({"models", "n", "plugins", "preset"})
"""Parameters under which a reply's usage may count another prompt than the one that was sent, or another model's."""

_COMPRESSION = "context-compression"


class ChecksContext(CountsTokens):
    """The part of a chat model that counts what it sends; nothing of it is on unless asked for."""

    check_context: bool = False
    """Whether each prompt is counted before it is sent, and refused with a `KimiContextOverflowError` if it and
    `max_tokens` exceed the model's `max_input_tokens`. The count is an estimate without Kimi's vocabulary file. Models
    whose limit is not known, and prompts that OpenRouter shortens by itself, are never refused."""

    learns_tokens: bool = False
    """Whether counts are set right by what replies say that their prompts had, for each host by itself. It costs an
    estimate a call, in each form that hosts may use."""

    def counted(
        self, new_reader: Callable[..., Any], body: WireBody, messages: Sequence[BaseMessage]
    ) -> Callable[..., Any]:
        """Count a prompt before it is sent, as far as the settings ask for it.

        Args:
            new_reader: Makes the reader of a reply.
            body: What is to be sent.
            messages: The conversation that it holds.

        Returns:
            What makes the readers of the call: `new_reader`, or what also learns from the reply's usage.

        Raises:
            KimiContextOverflowError: the prompt does not fit; nothing was sent.
        """
        limit = self._limit(body) if self.check_context else None
        learns = self._learns_from(body)
        if limit is None and not learns:
            return new_reader
        if limit is not None:
            self._check(body, messages, limit)
        if not learns:
            return new_reader
        # It is counted before the call: whatever goes wrong with it must not cost an answer that was paid for.
        counter = self.counter_of(body["model"])
        learn = partial(counter.learn, counter.lesson(body["messages"], body.get("tools")))
        own = host_of_url(self.openrouter_api_base)
        return lambda *opened: LearningReader(new_reader(*opened), lambda tokens, host: learn(tokens, host or own))

    def _learns_from(self, body: WireBody) -> bool:
        # What an encoder of the user's own counts says nothing about our estimates.
        if not self.learns_tokens or self.custom_get_token_ids is not None or _COUNTED_OTHERWISE & body.keys():
            return False
        # OpenRouter's own tools ask the model again, with what they found, and usage adds that up.
        return all(tool.get("type") == "function" for tool in body.get("tools") or ())

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
