"""What one call cost, read from its result or from the error that ended it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_kimi._kimi import profiles
from langchain_kimi._openrouter.http.errors import NOT_CONNECTED
from langchain_kimi._openrouter.wire import WireUsage
from langchain_kimi._reply.usage import usage_from
from langchain_kimi.errors import KimiConnectionError, KimiError, KimiStatusError, KimiUsageError

NOTHING = Decimal(0)
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class CallCost:
    """What is known of the price of a call.

    Attributes:
        model: Who answered; None where nobody said.
        provider: The host that served the call; None where nobody said.
        usage: The tokens; None when they were not reported.
        cost: US dollars that OpenRouter charged; None when they are not known.
        upstream_cost: US dollars that the host bills to a key of the caller's own.
    """

    model: str | None = None
    provider: str | None = None
    usage: UsageMetadata | None = None
    cost: Decimal | None = None
    upstream_cost: Decimal = NOTHING


def cost_by_list(call_cost: CallCost) -> Decimal | None:
    """Reckon what a call cost by the list prices of its model; None where they or its tokens are not known."""
    listed = profiles.prices(call_cost.model) if call_cost.model else None
    if listed is None or call_cost.usage is None:
        return None
    tokens = call_cost.usage
    dollars = (tokens["input_tokens"] * listed.prompt + tokens["output_tokens"] * listed.completion) / _MILLION
    return Decimal(str(dollars))


def cost_of_result(result: LLMResult | None) -> CallCost:
    """Read the bill from a result, also from one that did not come to its end; all is unknown where none came."""
    message = _message(result)
    if message is None:
        return CallCost()
    metadata = message.response_metadata
    tokens = _mapping(metadata.get("token_usage"))
    # Some packages leave the cost among the tokens.
    wire = {**tokens, **metadata}
    return CallCost(
        model=_word(metadata.get("model_name")),
        provider=_word(metadata.get("provider")),
        usage=message.usage_metadata or usage_from(cast("WireUsage", tokens)),
        **_money(wire),
    )


def cost_of_error(error: BaseException, result: LLMResult | None = None) -> CallCost:
    """Read the bill from the error that ended a call, and from what had come by then.

    A call that was refused before the model said anything cost nothing. Of one that was cancelled or broke off, the
    cost stays unknown: hosts go on or stop, and charge, as they like.
    """
    told = cost_of_result(result)
    if told.usage is not None or told.cost is not None:
        return told
    if not isinstance(error, KimiError):
        return CallCost()
    usage = error.usage or {}
    call_cost = CallCost(error.model, error.provider, usage_from(cast("WireUsage", usage)), **_money(usage))
    if not usage and not _may_be_billed(error):
        return CallCost(error.model, error.provider, cost=NOTHING)
    return call_cost


def is_cache_hit(result: LLMResult) -> bool:
    """Whether LangChain's cache gave the result.

    It then writes a `total_cost` of zero into the usage, and gives no `llm_output`. The second matters where a call
    and its twin overlap: the twin's hit writes into the message that the call is about to be counted by.
    """
    message = _message(result)
    usage = cast("Mapping[str, Any]", (message and message.usage_metadata) or {})
    return usage.get("total_cost") == 0 and not result.llm_output


def _message(result: LLMResult | None) -> AIMessage | None:
    """The first answer; where several were asked for, each of them tells the usage of all."""
    generation = next((choices[0] for choices in result.generations[:1] if choices), None) if result else None
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return message if isinstance(message, AIMessage) else None


def _money(wire: Mapping[str, Any]) -> dict[str, Any]:
    details = _mapping(wire.get("cost_details"))
    # Without a key of the caller's own, this is not owed beside the cost: it is a part of it.
    upstream = _dollars(details.get("upstream_inference_cost")) if wire.get("is_byok") else None
    return {"cost": _dollars(wire.get("cost")), "upstream_cost": upstream or NOTHING}


def _word(value: Any) -> str | None:
    """What other packages put under these names may be anything."""
    return value if isinstance(value, str) and value else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _dollars(value: Any) -> Decimal | None:
    """As a decimal number, so that sums of many small costs stay exact."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return Decimal(str(value))


def _may_be_billed(error: KimiError) -> bool:
    if isinstance(error, KimiConnectionError):
        return type(error.__cause__).__name__ not in NOT_CONNECTED
    if isinstance(error, KimiStatusError):
        said = error.partial
        return said is not None and bool(said.content or said.additional_kwargs or said.invalid_tool_calls)
    return not isinstance(error, KimiUsageError)
