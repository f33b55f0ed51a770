"""Tokens as LangChain asks for them: of texts, of messages and of tools, always offline."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import BaseMessage
from pydantic import Field

from langchain_kimi._kimi.outgoing import prepare
from langchain_kimi._openrouter.http.connection import BASE_URL
from langchain_kimi._openrouter.wire import JSONObject, WireBody
from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._request.routing import answers_in, host_of, serving_host
from langchain_kimi._schemas.tools import Tool, tools_to_wire

if TYPE_CHECKING:
    from langchain_kimi._tokens.counting import TokenCount, TokenCounter
from typing import TYPE_CHECKING

from langchain_kimi._kimi.profiles import profile
from langchain_kimi.errors import KimiContextOverflowError

if TYPE_CHECKING:
    from langchain_kimi._tokens.counting import TokenCount
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage

from langchain_kimi._kimi import profiles
from langchain_kimi._kimi.families import base_slug, family
from langchain_kimi._openrouter.parameters.merging import checked
from langchain_kimi._openrouter.wire import WireMessage
from langchain_kimi.errors import KimiUsageError

if TYPE_CHECKING:
    from langchain_kimi._tokens.counting import Billed


def billed_before(
    messages: Sequence[BaseMessage], sent: Sequence[WireMessage], slug: str, host: str | None
) -> "Billed | None":
    """Give what the conversation tells of the tokens of its last turn; None if it tells nothing of use.

    Args:
        messages: The conversation.
        sent: The same as it is sent, where a message may have been added.
        slug: The model that is asked. Answers of another one tell nothing.
        host: Who will serve the call. Answers of another host tell nothing.
    """
    from langchain_kimi._tokens.counting import Billed  # noqa: PLC0415 - a program that counts nothing needs none

    answers = list(answers_in(messages))
    places = [place for place, message in enumerate(sent) if message.get("role") == "assistant"]
    if len(answers) != len(places):
        return None
    for answer, place in zip(answers, reversed(places), strict=True):
        # What others loaded or made up may lack any of its keys.
        usage = cast("Mapping[str, Any]", answer.usage_metadata or {})
        if (tokens := usage.get("input_tokens") or 0) > 0 and place:
            fits = host_of(answer) in {host, None} and _is_same_model(answer, slug)
            return Billed(place, tokens) if fits else None
    return None


def _is_same_model(answer: AIMessage, slug: str) -> bool:
    name = answer.response_metadata.get("model_name")
    if not isinstance(name, str):
        return False
    kimi = family(slug)
    return kimi == family(name) if kimi else base_slug(name) == base_slug(slug)


class CountsTokens(BaseChatModel, defer_build=True):
    """The part of a chat model that counts tokens: by Kimi's vocabulary if it is on this machine, else by estimate.

    `custom_get_token_ids` takes the place of both for whatever is text.
    """

    model_name: str
    openrouter_api_base: str = BASE_URL
    provider: Any = None
    tokenizer_file: str | None = Field(default=None, exclude=True)

    @property
    def token_counter(self) -> "TokenCounter":
        """The counter of this model; all models of the same slug and file share it."""
        return self.counter_of(self.model_name)

    def get_token_ids(self, text: str) -> list[int]:
        """Give the ids of a text's tokens; without Kimi's vocabulary 0, 1, 2 and so on, as many as are estimated."""
        if self.custom_get_token_ids is not None:
            return self.custom_get_token_ids(text)
        return self.token_counter.token_ids(text)

    def get_num_tokens(self, text: str) -> int:
        """Count the tokens of a text by itself."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return self.token_counter.count_text(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Count the tokens of a prompt, the tools and the chat template's own included; see `count_tokens`.

        The messages may be any part of a conversation, in any order, as `trim_messages` hands them over; what was
        billed for an earlier turn is therefore left out of account.
        """
        return self.count_body(self._counted_body(messages, tools), messages, is_whole=False).tokens

    def count_tokens(self, messages: Sequence[BaseMessage], tools: Sequence[Tool] | None = None) -> "TokenCount":
        """Count the tokens of the prompt that these messages and tools make, and say how sure that is.

        Hosts write prompts in different forms. The count is for the host that the model's provider preferences name,
        or else the one that gave the last answer in the conversation. What that answer's usage says of its prompt is
        the base of the count, unless it is more than an eighth off: then the conversation was shortened since.

        Args:
            messages: The conversation, as it would be sent.
            tools: Tools in any form that `bind_tools` takes.

        Raises:
            KimiUsageError: a message or a tool cannot be sent, or there is no vocabulary at `tokenizer_file`.
        """
        return self.count_body(self._counted_body(messages, tools), messages)

    def count_body(self, body: WireBody, messages: Sequence[BaseMessage], *, is_whole: bool = True) -> "TokenCount":
        """Count the tokens of the prompt in a body that is ready to be sent.

        Args:
            body: The body.
            messages: What it was made of.
            is_whole: Whether the conversation is taken for what it was at its last turn, so that the count can go on
                from what was billed then.
        """
        encode = self.custom_get_token_ids
        measure = None if encode is None else lambda text: len(encode(text))
        host = serving_host(cast("JSONObject", body).get("provider") or {}, self.openrouter_api_base, messages)
        return self.counter_of(body["model"]).count_messages(
            body["messages"],
            body.get("tools"),
            measure,
            host=host,
            billed=billed_before(messages, body["messages"], body["model"], host) if is_whole else None,
        )

    def _counted_body(self, messages: Sequence[BaseMessage], tools: Sequence[Tool] | None) -> WireBody:
        body = {"model": self.model_name, "messages": messages_to_wire(messages)}
        if tools:
            body["tools"] = tools_to_wire(tools, strict=None)
        if self.provider:
            body["provider"] = self.provider.to_wire()
        return prepare(cast("WireBody", body))

    def counter_of(self, slug: str) -> "TokenCounter":
        """Give what counts for a model that a call names."""
        from langchain_kimi._tokens.counting import shared_counter  # noqa: PLC0415 - a program that counts nothing needs none

        return shared_counter(slug, self.tokenizer_file)


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


_MILLION = 1_000_000
_GIVEN = ("prompt", "completion")


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a call may cost, in US dollars.

    Attributes:
        prompt_tokens: The tokens of the prompt.
        exact: Whether they were counted; otherwise they are estimated.
        prompt_cost: What the prompt costs where nothing of it is cached.
        completion_tokens: The most that the model may write, thinking included and all `n` replies together: what
            `max_tokens` allows, or else the model's own limit; None if neither is known.
        most_cost: What the call costs if the model writes all of that; None if nobody knows how much that is.
        source: Where the prices come from; `given` if they were given.
        date: The day of the prices, as `YYYY-MM-DD`; None if they were given.
    """

    prompt_tokens: int
    exact: bool
    prompt_cost: float
    completion_tokens: int | None
    most_cost: float | None
    source: str
    date: str | None


class EstimatesCosts(CountsTokens):
    """The part of a chat model that says beforehand what a call may cost."""

    n: int = 1
    max_tokens: int | None = None
    max_completion_tokens: int | None = None

    def estimate_cost(
        self,
        messages: Sequence[BaseMessage],
        tools: Sequence[Tool] | None = None,
        max_tokens: int | None = None,
        prices: Mapping[str, float] | None = None,
    ) -> CostEstimate:
        """Estimate, offline, what a call with these messages and tools may cost.

        Hosts differ in their prices and count tokens a little differently, and plugins and searches cost extra: only a
        reply's own `cost` is what was paid.

        Args:
            messages: The conversation, as it would be sent.
            tools: Tools in any form that `bind_tools` takes.
            max_tokens: The call's own limit; None is that of the model's settings, or else the model's.
            prices: US dollars per million tokens, `{"prompt": 0.6, "completion": 2.5}`; None is the list prices of the
                model.

        Raises:
            KimiUsageError: the model's prices are not known and none are given, or a message, a tool, the limit or
                the prices make no request.
        """
        asked = checked({"max_tokens": max_tokens})["max_tokens"]
        prompt_price, completion_price, source, date = self._prices(prices)
        count = self.count_tokens(messages, tools)
        prompt_cost = count.tokens * prompt_price / _MILLION
        most = asked or self.max_tokens or self.max_completion_tokens or self._room_for_reply(count.tokens)
        completion = None if most is None else most * self.n
        return CostEstimate(
            prompt_tokens=count.tokens,
            exact=count.exact,
            prompt_cost=prompt_cost,
            completion_tokens=completion,
            most_cost=None if completion is None else prompt_cost + completion * completion_price / _MILLION,
            source=source,
            date=date,
        )

    def _prices(self, given: Mapping[str, float] | None) -> tuple[float, float, str, str | None]:
        if given is not None:
            told = [given.get(name) for name in _GIVEN]
            known = [price for price in told if isinstance(price, int | float) and 0 <= price < math.inf]
            if len(known) != len(_GIVEN):
                raise KimiUsageError("prices must hold `prompt` and `completion`, US dollars per million tokens.")
            return known[0], known[1], "given", None
        listed = profiles.prices(self.model_name)
        if listed is None:
            raise KimiUsageError(
                f"The prices of {self.model_name} are not known here.",
                advice='Pass prices={"prompt": ..., "completion": ...}, US dollars per million tokens.',
            )
        return listed.prompt, listed.completion, listed.source, listed.date

    def _room_for_reply(self, prompt_tokens: int) -> int | None:
        profile = self.profile or {}
        written, context = profile.get("max_output_tokens"), profile.get("max_input_tokens")
        limits = [written, None if context is None else max(context - prompt_tokens, 0)]
        return min((limit for limit in limits if limit is not None), default=None)
