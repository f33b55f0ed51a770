"""What a call may cost, told before it is made."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage

from langchain_kimi._messages.token_counting import CountsTokens
from langchain_kimi._messages.tools import Tool
from langchain_kimi.errors import KimiRequestError
from langchain_kimi.kimi import profiles
from langchain_kimi.openrouter.parameters import checked

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
            KimiRequestError: the model's prices are not known and none are given, or a message, a tool, the limit or
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
                raise KimiRequestError("prices must hold `prompt` and `completion`, US dollars per million tokens.")
            return known[0], known[1], "given", None
        listed = profiles.prices(self.model_name)
        if listed is None:
            raise KimiRequestError(
                f"The prices of {self.model_name} are not known here.",
                advice='Pass prices={"prompt": ..., "completion": ...}, US dollars per million tokens.',
            )
        return listed.prompt, listed.completion, listed.source, listed.date

    def _room_for_reply(self, prompt_tokens: int) -> int | None:
        profile = self.profile or {}
        written, context = profile.get("max_output_tokens"), profile.get("max_input_tokens")
        limits = [written, None if context is None else max(context - prompt_tokens, 0)]
        return min((limit for limit in limits if limit is not None), default=None)
