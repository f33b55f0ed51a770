"""Read the cost of one call from its result, or from the error that ended it."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, cast

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_kimi._kimi import profiles
from langchain_kimi._openrouter.http.errors import NOT_CONNECTED
from langchain_kimi._openrouter.wire import WireUsage
from langchain_kimi._reply.usage import usage_from
from langchain_kimi.errors import KimiConnectionError, KimiError, KimiStatusError, KimiUsageError

NO_COST = Decimal(0)
_MILLION = 1_000_000
_MAX_COST = 1_000_000
"""US dollars. A call that reports a higher or an infinite cost counts with this cost, so that sums stay finite."""
logger = logging.getLogger("langchain_kimi")


@dataclass(frozen=True, slots=True)
class CallCost:
    """The cost of a call.

    Attributes:
        model: The model that answered; None if it was not reported.
        provider: The host that served the call; None if it was not reported.
        usage: The tokens; None if they were not reported.
        cost: US dollars that OpenRouter charged; None if unknown.
        upstream_cost: US dollars that the host charges to the caller's own key.
        generation_id: OpenRouter's id of the call; None if it was not reported.
        lacks_upstream_cost: Whether the caller's own key was charged with an amount that was not reported.
    """

    model: str | None = None
    provider: str | None = None
    usage: UsageMetadata | None = None
    cost: Decimal | None = None
    upstream_cost: Decimal = NO_COST
    generation_id: str | None = None
    lacks_upstream_cost: bool = False

    @property
    def is_known(self) -> bool:
        """Whether all charges of the call are known."""
        return self.cost is not None and not self.lacks_upstream_cost


def cost_of_record(record: Any) -> CallCost | None:
    """Return the cost of a call from its record at `/generation`; None if the record lacks a cost.

    Args:
        record: The record, as a mapping or as an object with the same names.
    """
    read: Callable[[str], Any] = record.get if isinstance(record, Mapping) else partial(_attribute, record)
    cost = _dollars(read("total_cost"))
    upstream = _dollars(read("upstream_inference_cost")) if read("is_byok") else NO_COST
    if cost is None or upstream is None:
        return None
    details = {
        "prompt_tokens_details": {"cached_tokens": read("native_tokens_cached")},
        "completion_tokens_details": {"reasoning_tokens": read("native_tokens_reasoning")},
    }
    prompt, completion = read("native_tokens_prompt"), read("native_tokens_completion")
    tokens = {"prompt_tokens": prompt, "completion_tokens": completion, **details}
    return CallCost(
        model=_text(read("model")),
        provider=_text(read("provider_name")),
        usage=None if prompt is None and completion is None else usage_from(cast("WireUsage", tokens)),
        cost=cost,
        upstream_cost=upstream,
        generation_id=_text(read("id")),
    )


def _attribute(record: Any, name: str) -> Any:
    return getattr(record, name, None)


def cost_by_list(call_cost: CallCost) -> Decimal | None:
    """Return the cost of a call in US dollars by the list prices of its model; None without prices or tokens."""
    listed = profiles.prices(call_cost.model) if call_cost.model else None
    if listed is None or call_cost.usage is None:
        return None
    tokens = call_cost.usage
    # Usage that was written by other code may lack any of its keys.
    read, written = plausible_tokens(tokens.get("input_tokens")), plausible_tokens(tokens.get("output_tokens"))
    return Decimal(str((read * listed.prompt + written * listed.completion) / _MILLION))


def dollars_of(call_cost: CallCost) -> Decimal | None:
    """Return all charges for a call in US dollars, with list prices in place of unknown ones.

    Returns:
        The sum; None if a charge is unknown and there are no prices or tokens.
    """
    reported = (call_cost.cost or NO_COST) + call_cost.upstream_cost
    if call_cost.is_known:
        return reported
    by_list = cost_by_list(call_cost)
    return None if by_list is None else by_list + reported


def price_sources(call_cost: CallCost) -> frozenset[str]:
    """Return the source and the date of the list prices of a call's model; empty without list prices."""
    listed = profiles.prices(call_cost.model) if call_cost.model else None
    return frozenset() if listed is None else frozenset({f"{listed.source}, {listed.date}"})


_MAX_TOKENS = 10**12
"""A call that reports more tokens counts with this number, so that sums stay plausible."""


def plausible_tokens(count: Any) -> int:
    """Return a reported number of tokens, limited to a trillion; 0 if it is negative or missing."""
    return min(max(count or 0, 0), _MAX_TOKENS)


def cost_of_result(result: LLMResult | None) -> CallCost:
    """Return the cost of a call from its result, which may be incomplete. Without a message everything is unknown."""
    message = _message(result)
    if message is None:
        return CallCost()
    metadata = message.response_metadata
    tokens = _mapping(metadata.get("token_usage"))
    # Some packages report the cost in the token usage.
    wire = {**tokens, **metadata}
    return CallCost(
        model=_text(metadata.get("model_name")),
        provider=_text(metadata.get("provider")),
        usage=message.usage_metadata or usage_from(cast("WireUsage", tokens)),
        generation_id=_text(metadata.get("id")),
        **_money(wire),
    )


def cost_of_error(error: BaseException, result: LLMResult | None = None) -> CallCost:
    """Return the cost of a call that failed, from its error and the part of the result that arrived before it.

    A call that was refused before the model began costs nothing. The cost of a call that was cancelled or cut off stays
    unknown, because some hosts continue and charge, and others stop.
    """
    partial = cost_of_result(result)
    if partial.usage is not None or partial.cost is not None:
        return partial
    if not isinstance(error, KimiError):
        return CallCost()
    usage = error.usage or {}
    names: dict[str, Any] = {"model": error.model, "provider": error.provider, "generation_id": error.generation_id}
    if not usage and not _may_be_billed(error):
        return CallCost(cost=NO_COST, **names)
    return CallCost(usage=usage_from(cast("WireUsage", usage)), **names, **_money(usage))


def is_cache_hit(result: LLMResult) -> bool:
    """Return whether the result came from LangChain's cache.

    The cache writes a `total_cost` of zero into the usage and leaves `llm_output` empty. The second check is needed
    when two equal calls overlap: the hit of the second writes into the message of the first, which is not counted
    yet.
    """
    message = _message(result)
    usage = cast("Mapping[str, Any]", (message and message.usage_metadata) or {})
    return usage.get("total_cost") == 0 and not result.llm_output


def _message(result: LLMResult | None) -> AIMessage | None:
    """Return the first message of a result. If there are several (`n`), each of them has the usage of all."""
    generation = next((choices[0] for choices in result.generations[:1] if choices), None) if result else None
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return message if isinstance(message, AIMessage) else None


def _money(wire: Mapping[str, Any]) -> dict[str, Any]:
    details = _mapping(wire.get("cost_details"))
    # The upstream cost is additional only with the caller's own key (BYOK). Otherwise it is included in `cost`.
    upstream = _dollars(details.get("upstream_inference_cost")) if wire.get("is_byok") else NO_COST
    return {
        "cost": _dollars(wire.get("cost")),
        "upstream_cost": upstream or NO_COST,
        "lacks_upstream_cost": upstream is None,
    }


def _text(value: Any) -> str | None:
    """Return a non-empty string; None for any other value, which other packages may store under these names."""
    return value if isinstance(value, str) and value else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _dollars(value: Any) -> Decimal | None:
    """Return a reported cost as a decimal, so that sums of many small costs stay exact; None if it is unknown.

    Hosts have reported negative costs. They count as unknown, because otherwise a budget would grow with each call.
    """
    if isinstance(value, str):
        # Some gateways report decimals as text.
        value = _number_in(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # `math.isnan` raises an error for an integer of 400 digits.
    if isinstance(value, float) and math.isnan(value):
        return None
    if value < 0:
        logger.warning("A reply reports a negative cost. The call counts as a call of unknown cost.")
        return None
    if value > _MAX_COST:
        logger.warning("A reply reports a cost above %s USD. The call counts with that cost.", f"{_MAX_COST:,}")
        return Decimal(_MAX_COST)
    return Decimal(str(value))


def _number_in(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _may_be_billed(error: KimiError) -> bool:
    if isinstance(error, KimiConnectionError):
        return type(error.__cause__).__name__ not in NOT_CONNECTED
    if isinstance(error, KimiStatusError):
        partial = error.partial
        return partial is not None and bool(partial.content or partial.additional_kwargs or partial.invalid_tool_calls)
    return not isinstance(error, KimiUsageError)
