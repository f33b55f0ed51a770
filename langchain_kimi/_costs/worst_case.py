"""Compute the maximum cost of a request."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any, cast

from langchain_core.messages import BaseMessage

from langchain_kimi._costs.charges import NO_COST
from langchain_kimi._kimi.profiles import profile
from langchain_kimi._openrouter.later_tools import with_all_tools
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._schemas.tools import tools_to_wire
from langchain_kimi._tokens.model import Counting, count, count_text, max_reply_tokens, prices_of
from langchain_kimi.errors import KimiUsageError

MARGIN = 1.2
"""The factor between the upper bound and the estimate of a prompt's tokens. Estimates of prompts in a known form are at
most 15 % off; see `docs/token-estimate.md`."""
_MILLION = 1_000_000
_SMALLEST = Decimal("1e-12")
_DEFAULTS = Counting("")


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Upper bounds of the tokens and the cost of a request.

    Attributes:
        prompt_tokens: The maximum number of tokens of the prompt.
        reply_tokens: The maximum number of tokens of all replies together.
        cost: US dollars at the highest eligible price.
    """

    prompt_tokens: int
    reply_tokens: int
    cost: Decimal

    @property
    def tokens(self) -> int:
        """The maximum number of tokens, input and output together."""
        return self.prompt_tokens + self.reply_tokens


def worst_case(
    body: Mapping[str, Any],
    prices: Mapping[str, float] | None = None,
    *,
    margin: float = MARGIN,
    is_priced: bool = True,
) -> WorstCase:
    """Return upper bounds of the tokens and the cost of a request.

    Each reply has at most `max_tokens` tokens, or as many as the model can write. The price is the highest of all
    models in the request and all hosts that its provider preferences allow. Plugins, searches and other server tools
    cost extra and are not included.

    Args:
        body: The body of the request, in OpenRouter's form.
        prices: The user's prices in US dollars per million tokens: `{"prompt": ..., "completion": ...}`; None: the list
            prices.
        margin: The factor between the upper bound and the estimate of the prompt's tokens.
        is_priced: Whether the cost is needed. If not, it is 0, and prices may be unknown.

    Raises:
        KimiUsageError: A price is needed but unknown, or the length of the reply has no limit.
    """
    cases = [_case(slug, body, prices, margin, is_priced=is_priced) for slug in _slugs(body)]
    return WorstCase(
        max(case.prompt_tokens for case in cases),
        max(case.reply_tokens for case in cases),
        max(case.cost for case in cases),
    )


def body_of_call(messages: Sequence[BaseMessage], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with all fields that determine the maximum cost of a call.

    Args:
        messages: The conversation.
        parameters: The invocation parameters of the call, as LangChain passes them to callbacks.

    Raises:
        KimiUsageError: A message or a tool cannot be sent, or the parameters name no model.
    """
    parameters = {**parameters, **(parameters.get("extra_body") or {})}
    slugs = [slug for name in ("model_name", "model") if isinstance(slug := parameters.get(name), str) and slug]
    if not slugs:
        raise KimiUsageError("The maximum cost of the call is unknown, because it names no model.", advice=_ADVICE)
    names = ("max_tokens", "max_completion_tokens", "n", "provider", "response_format")
    body: dict[str, Any] = {name: value for name in names if (value := parameters.get(name)) is not None}
    body["model"] = slugs[0]
    body["models"] = [*slugs[1:], *(parameters.get("models") or ())]
    body["messages"] = messages_to_wire(messages)
    if tools := parameters.get("tools"):
        body["tools"] = tools_to_wire(tools, strict=None)
    return cast("dict[str, Any]", with_all_tools(cast("WireBody", body)))


_ADVICE = "Pass Budget(reserve=...), US dollars to reserve for each call."


def _slugs(body: Mapping[str, Any]) -> Iterable[str]:
    return dict.fromkeys(slug for slug in (body.get("model"), *(body.get("models") or ())) if slug)


def _case(
    slug: str, body: Mapping[str, Any], prices: Mapping[str, float] | None, margin: float, *, is_priced: bool
) -> WorstCase:
    """Return the upper bounds of the request for one of its models, because models have different chat templates."""
    prompt = prompt_tokens({**body, "model": slug}, margin)
    limits = [body[name] for name in ("max_tokens", "max_completion_tokens") if body.get(name)]
    # Both factors: if the prompt has fewer tokens than estimated, more of the context is left for the reply.
    reply = min(limits) if limits else max_reply_tokens(profile(slug), int(prompt / margin / MARGIN))
    if reply is None:
        raise KimiUsageError(
            f"The maximum cost of a call of {slug} is unknown, because its reply has no limit.",
            advice="Set max_tokens, or the amount that a Budget reserves (reserve=...).",
        )
    replies = reply * (body.get("n") or 1)
    if not is_priced:
        return WorstCase(prompt, replies, NO_COST)
    price = prices_of(slug, prices, body.get("provider"))
    dollars = prompt * price.highest_prompt + replies * price.highest_completion
    return WorstCase(prompt, replies, _rounded_up(dollars / _MILLION))


def prompt_tokens(body: Mapping[str, Any], margin: float = MARGIN) -> int:
    """Return an upper bound of the tokens of a request's prompt; see `worst_case`."""
    tokens = count(cast("WireBody", body), (), _DEFAULTS, is_whole=False).tokens
    if body.get("response_format"):
        # Some hosts write the schema into the prompt.
        tokens += count_text(json.dumps(body["response_format"]), body["model"], _DEFAULTS)
    return math.ceil(tokens * margin)


def _rounded_up(dollars: float) -> Decimal:
    """Return dollars rounded up to the precision of costs, without the rounding errors of floats."""
    return Decimal(f"{dollars:.15f}").quantize(_SMALLEST, ROUND_CEILING).normalize()
