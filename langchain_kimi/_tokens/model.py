"""Count the tokens of requests, check them against the context limit, and estimate their cost, all offline."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage, BaseMessage

from langchain_kimi._kimi import profiles
from langchain_kimi._kimi.families import base_slug, family
from langchain_kimi._kimi.outgoing import prepare
from langchain_kimi._openrouter.later_tools import with_all_tools
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireMessage
from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._request.routing import answers_in, host_of, serving_host
from langchain_kimi._schemas.tools import Tool, tools_to_wire
from langchain_kimi.errors import KimiContextOverflowError, KimiUsageError

if TYPE_CHECKING:
    from langchain_kimi._tokens.counting import Billed, TokenCount, TokenCounter


@dataclass(frozen=True, slots=True)
class Counting:
    """The settings of a model for counting tokens.

    Attributes:
        base_url: The base URL of the requests, which may identify the provider.
        tokenizer_file: The path of Kimi's vocabulary; None: the default locations are searched.
        encode: The user's own tokenizer, used for all text instead of the vocabulary and the estimate.
    """

    base_url: str
    tokenizer_file: str | None = None
    encode: Callable[[str], list[int]] | None = None


def counter_for(slug: str, counting: Counting) -> "TokenCounter":
    """Return the counter of a model; requests for the same slug and vocabulary share it."""
    # Imported here, so that programs that do not count tokens do not import it.
    from langchain_kimi._tokens.counting import shared_counter  # noqa: PLC0415 - imported when needed

    return shared_counter(slug, counting.tokenizer_file)


def token_ids(text: str, slug: str, counting: Counting) -> list[int]:
    """Return the token ids of a text; without a vocabulary, 0, 1, 2, ... up to the estimated number."""
    if counting.encode is not None:
        return counting.encode(text)
    return counter_for(slug, counting).token_ids(text)


def count_text(text: str, slug: str, counting: Counting) -> int:
    """Return the number of tokens of a text by itself."""
    if counting.encode is not None:
        return len(counting.encode(text))
    return counter_for(slug, counting).count_text(text)


def body_to_count(
    messages: Sequence[BaseMessage], tools: Sequence[Tool] | None, slug: str, provider: JSONObject | None
) -> WireBody:
    """Return the body whose prompt is counted for messages and tools.

    Raises:
        KimiUsageError: A message or a tool cannot be sent.
    """
    body: JSONObject = {"model": slug, "messages": messages_to_wire(messages)}
    if tools:
        body["tools"] = tools_to_wire(tools, strict=None)
    if provider:
        body["provider"] = provider
    return prepare(with_all_tools(cast("WireBody", body)))


def count(
    body: WireBody,
    messages: Sequence[BaseMessage],
    counting: Counting,
    *,
    is_whole: bool = True,
    is_part: bool = False,
) -> "TokenCount":
    """Count the tokens of the prompt in a request body.

    Args:
        body: The body, in the form that is sent.
        messages: The messages from which it was built.
        counting: The model's settings.
        is_whole: Whether the messages are the whole conversation. Then the count is based on the usage of its last
            reply.
        is_part: Whether the messages are an arbitrary part of a conversation. Then neither the usage nor the provider
            of a reply is used, and adding a message never lowers the count.

    Raises:
        KimiUsageError: There is no vocabulary at `tokenizer_file`.
    """
    encode = counting.encode
    measure = None if encode is None else lambda text: len(encode(text))
    preferences = cast("JSONObject", body).get("provider") or {}
    host = serving_host(preferences, counting.base_url, () if is_part else messages)
    return counter_for(body["model"], counting).count_messages(
        body["messages"],
        body.get("tools"),
        measure,
        host=host,
        billed=billed_before(messages, body["messages"], body["model"], host) if is_whole and not is_part else None,
        is_part=is_part,
    )


def billed_before(
    messages: Sequence[BaseMessage], sent: Sequence[WireMessage], slug: str, host: str | None
) -> "Billed | None":
    """Return the prompt tokens that the last reply in a conversation reported; None if they cannot be used.

    Args:
        messages: The conversation.
        sent: The same conversation in the form that is sent, where a message may have been added.
        slug: The model of the request. A reply of another model is not used.
        host: The provider that will serve the request. A reply of another provider is not used.
    """
    from langchain_kimi._tokens.counting import Billed  # noqa: PLC0415 - see counter_for

    answers = list(answers_in(messages))
    places = [place for place, message in enumerate(sent) if message.get("role") == "assistant"]
    if len(answers) != len(places):
        return None
    for answer, place in zip(answers, reversed(places), strict=True):
        # Usage that was loaded or written by other code may lack any of its keys.
        usage = cast("Mapping[str, Any]", answer.usage_metadata or {})
        if (tokens := usage.get("input_tokens") or 0) > 0 and place:
            is_usable = host_of(answer) in {host, None} and _is_same_model(answer, slug)
            return Billed(place, tokens) if is_usable else None
    return None


def _is_same_model(answer: AIMessage, slug: str) -> bool:
    name = answer.response_metadata.get("model_name")
    if not isinstance(name, str):
        return False
    kimi = family(slug)
    return kimi == family(name) if kimi else base_slug(name) == base_slug(slug)


_COMPRESSION = "context-compression"


def check_context(
    body: WireBody, messages: Sequence[BaseMessage], counting: Counting, own_profile: Mapping[str, Any] | None
) -> None:
    """Check that a prompt and its `max_tokens` fit into the model's context.

    A prompt passes if the limit of any of the request's models is unknown, or if OpenRouter shortens the prompt.

    Args:
        body: The body, in the form that is sent.
        messages: The messages from which it was built.
        counting: The model's settings.
        own_profile: The user's profile of the body's first model; None: the listed profile.

    Raises:
        KimiContextOverflowError: The prompt does not fit.
    """
    limit = _context_limit(body, own_profile)
    if limit is None:
        return
    parameters = cast("JSONObject", body)
    reply = parameters.get("max_tokens") or parameters.get("max_completion_tokens") or 0
    if count(body, messages, counting).tokens + reply <= limit:
        return
    # The prompt of the last turn may have been a longer one that was shortened since.
    prompt = count(body, messages, counting, is_whole=False)
    if prompt.tokens + reply > limit:
        raise _overflow(body["model"], prompt, reply, limit)


def _context_limit(body: WireBody, own_profile: Mapping[str, Any] | None) -> int | None:
    """Return the largest limit of the models that may serve the request; None if one of the limits is unknown."""
    plugins = cast("JSONObject", body).get("plugins") or ()
    if any(plugin.get("id") == _COMPRESSION for plugin in plugins):
        return None
    first = profiles.profile(body["model"]) if own_profile is None else own_profile
    listed = [first, *(profiles.profile(slug) for slug in body.get("models") or ())]
    limits: list[int | None] = [(one or {}).get("max_input_tokens") for one in listed]
    numbers = [limit for limit in limits if limit is not None]
    return max(numbers) if len(numbers) == len(limits) else None


def _overflow(model: str, prompt: "TokenCount", reply: int, limit: int) -> KimiContextOverflowError:
    text = f"The prompt has {prompt.tokens:,} tokens ({'counted' if prompt.exact else 'estimated'})"
    if reply:
        text += f" and max_tokens asks for {reply:,} more"
    return KimiContextOverflowError(
        f"{text}, but the model takes {limit:,}.",
        model=model,
        is_retryable=False,
        advice="Nothing was sent. Shorten the conversation" + (", or lower max_tokens." if reply else "."),
    )


_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """The estimated cost of a call, in US dollars.

    Attributes:
        prompt_tokens: The tokens of the prompt.
        exact: Whether they were counted; otherwise they are estimated.
        prompt_cost: The cost of the prompt at the list price if none of it is cached.
        completion_tokens: The maximum number of tokens that the model may write, including the reasoning and all `n`
            replies: `max_tokens`, or the model's own limit. None if neither is known.
        max_cost: The cost if the model writes `completion_tokens` tokens at the highest price: that of the most
            expensive host that the provider preferences allow (at most `provider.max_price`), or of a more expensive
            fallback model. None if `completion_tokens` is None.
        source: The source of the prices; `given` if the caller passed them.
        date: The date of the prices, `YYYY-MM-DD`. None if the caller passed them.
    """

    prompt_tokens: int
    exact: bool
    prompt_cost: float
    completion_tokens: int | None
    max_cost: float | None
    source: str
    date: str | None


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in US dollars per million tokens, with their source and date (see `CostEstimate`).

    The highest prices are those of the most expensive host, including those for writing a prompt to its cache.
    """

    prompt: float
    highest_prompt: float
    highest_completion: float
    source: str
    date: str | None


_PRICED = ("prompt", "completion")


def checked_prices(prices: Mapping[str, float]) -> tuple[float, float]:
    """Return the caller's prices of the prompt and the completion, in US dollars per million tokens.

    Raises:
        KimiUsageError: They are not a mapping of these two names to finite numbers of at least 0.
    """
    passed: Mapping[Any, Any] = prices if isinstance(prices, Mapping) else {}
    prompt, completion = (
        value
        if isinstance(value := passed.get(name), int | float) and not isinstance(value, bool) and 0 <= value < math.inf
        else None
        for name in _PRICED
    )
    if prompt is not None and completion is not None and len(passed) == len(_PRICED):
        return prompt, completion
    unknown = ", ".join(repr(name) for name in passed if name not in _PRICED)
    raise KimiUsageError(
        "prices must contain `prompt` and `completion`, US dollars per million tokens, as numbers"
        + (f", and not {unknown}." if unknown else "."),
        advice='For example: prices={"prompt": 0.6, "completion": 2.5}.',
    )


def prices_of(
    slugs: str | Sequence[str], prices: Mapping[str, float] | None, provider: Mapping[str, Any] | None = None
) -> Prices:
    """Return the caller's prices, or the list prices of a model.

    Args:
        slugs: The model, and its fallbacks, whose prices count for the highest prices.
        prices: The caller's prices; None: the list prices.
        provider: The provider preferences of the request.

    Raises:
        KimiUsageError: The caller's prices are invalid (see `checked_prices`), or the model has no list prices here.
    """
    if prices is not None:
        prompt, completion = checked_prices(prices)
        return Prices(prompt, prompt, completion, "given", None)
    listed = []
    for slug in [slugs] if isinstance(slugs, str) else slugs:
        model_prices = profiles.prices(slug, provider)
        if model_prices is None:
            raise KimiUsageError(
                f"The prices of {slug} are unknown.",
                advice='Call refresh(), or pass prices={"prompt": ..., "completion": ...}, US dollars per million '
                "tokens.",
            )
        listed.append(model_prices)
    return Prices(
        listed[0].prompt,
        max(one.highest_prompt for one in listed),
        max(one.highest_completion for one in listed),
        listed[0].source,
        listed[0].date,
    )


def estimate(prompt: "TokenCount", prices: Prices, most_tokens: int | None, n: int) -> CostEstimate:
    """Estimate the cost of a call.

    Args:
        prompt: The tokens of the prompt.
        prices: The prices.
        most_tokens: The maximum number of tokens of one reply; None if it is unknown.
        n: The number of replies.
    """
    completion = None if most_tokens is None else most_tokens * n
    max_cost = None
    if completion is not None:
        max_cost = (prompt.tokens * prices.highest_prompt + completion * prices.highest_completion) / _MILLION
    return CostEstimate(
        prompt_tokens=prompt.tokens,
        exact=prompt.exact,
        prompt_cost=prompt.tokens * prices.prompt / _MILLION,
        completion_tokens=completion,
        max_cost=max_cost,
        source=prices.source,
        date=prices.date,
    )


def max_reply_tokens(profile: Mapping[str, Any] | None, prompt_tokens: int) -> int | None:
    """Return the maximum number of tokens that a model can write after a prompt; None if its limits are unknown."""
    limits = profile or {}
    written, context = limits.get("max_output_tokens"), limits.get("max_input_tokens")
    bounds = [written, None if context is None else max(context - prompt_tokens, 0)]
    return min((bound for bound in bounds if bound is not None), default=None)
