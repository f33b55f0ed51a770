"""The cost of a call, read from results and errors of every kind."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from langchain_kimi._costs.charges import (
    CallCost,
    cost_by_list,
    cost_of_error,
    cost_of_record,
    cost_of_result,
    dollars_of,
    is_cache_hit,
    plausible_tokens,
    price_sources,
)
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiConnectionError,
    KimiEmptyReplyError,
    KimiError,
    KimiIncompleteStreamError,
    KimiServerError,
    KimiTimeoutError,
    KimiUsageError,
)

TOKENS = UsageMetadata(input_tokens=3, output_tokens=4, total_tokens=7)
WIRE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def result(usage: UsageMetadata | None = None, **metadata: Any) -> LLMResult:
    message = AIMessage("Yes.", usage_metadata=usage, response_metadata=metadata)
    return LLMResult(generations=[[ChatGeneration(message=message)]])


def after(cause: Exception, error: KimiError) -> KimiError:
    error.__cause__ = cause
    return error


def test_the_cost_is_read_from_the_message() -> None:
    cost_of_call = cost_of_result(result(TOKENS, model_name="kimi", provider="Host", cost=0.25))
    assert cost_of_call == CallCost("kimi", "Host", TOKENS, Decimal("0.25"))


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        ("moonshotai/kimi-k2:free", TOKENS, Decimal("0.0")),
        ("moonshotai/kimi-k2:free", None, None),
        ("moonshotai/kimi-k2:free", cast("UsageMetadata", {"output_tokens": 5}), Decimal("0.0")),
        ("maker/another", TOKENS, None),
        (None, TOKENS, None),
    ],
)
def test_the_cost_by_list_prices(model: str | None, usage: UsageMetadata | None, cost: Decimal | None) -> None:
    assert cost_by_list(CallCost(model, usage=usage)) == cost


@pytest.mark.parametrize(
    ("metadata", "cost", "upstream"),
    [
        ({"cost": 0}, Decimal(0), 0),
        ({"cost": 1e-07}, Decimal("1e-7"), 0),
        ({"token_usage": {"cost": 0.5}}, Decimal("0.5"), 0),
        ({"cost": 0.5, "cost_details": {"upstream_inference_cost": 0.5}}, Decimal("0.5"), 0),
        ({"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}}, Decimal("0.5"), 0),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}, Decimal(0), Decimal("0.5")),
        ({"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, Decimal("0.1"), 0),
        ({"cost": 0.1, "is_byok": True, "cost_details": "free"}, Decimal("0.1"), 0),
        ({}, None, 0),
        ({"cost": None}, None, 0),
        ({"cost": "0.5"}, Decimal("0.5"), 0),
        ({"cost": "1e-7"}, Decimal("1e-7"), 0),
        ({"cost": "-0.5"}, None, 0),
        ({"cost": "nan"}, None, 0),
        ({"cost": "free"}, None, 0),
        (
            {"cost": "0.1", "is_byok": True, "cost_details": {"upstream_inference_cost": "0.5"}},
            Decimal("0.1"),
            Decimal("0.5"),
        ),
        ({"cost": True}, None, 0),
        ({"cost": float("nan")}, None, 0),
        ({"cost": float("inf")}, Decimal(1_000_000), 0),
        ({"cost": -float("inf")}, None, 0),
        ({"cost": -5}, None, 0),
        ({"cost": -0.0001}, None, 0),
        ({"cost": 10**400}, Decimal(1_000_000), 0),
        ({"cost": 1e300}, Decimal(1_000_000), 0),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": -5}}, Decimal(0), 0),
    ],
)
def test_costs_are_read_from_every_place(metadata: dict[str, Any], cost: Decimal | None, upstream: Decimal) -> None:
    cost_of_call = cost_of_result(result(TOKENS, **metadata))
    assert (cost_of_call.cost, cost_of_call.upstream_cost) == (cost, upstream)


@pytest.mark.parametrize(
    ("metadata", "is_known"),
    [
        ({"cost": 0.1}, True),
        ({"cost": 0.1, "is_byok": False, "cost_details": None}, True),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0}}, True),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, False),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": -1}}, False),
        ({"cost": 0, "is_byok": True}, False),
        ({"is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}, False),
    ],
)
def test_a_cost_is_known_if_the_charge_for_an_own_key_is_too(metadata: dict[str, Any], *, is_known: bool) -> None:
    assert cost_of_result(result(TOKENS, **metadata)).is_known == is_known


def test_a_record_without_the_charge_for_an_own_key_has_no_cost() -> None:
    record = {"total_cost": 0.0, "is_byok": True, "upstream_inference_cost": None}
    assert cost_of_record(record) is None
    assert cost_of_record({**record, "is_byok": False}) == CallCost(cost=Decimal("0.0"))


def test_list_prices_replace_unknown_charges() -> None:
    slug, fee = "moonshotai/kimi-k3", Decimal("0.5")
    listed = cost_by_list(CallCost(slug, usage=TOKENS))
    assert listed
    assert dollars_of(CallCost(slug, usage=TOKENS)) == listed
    assert dollars_of(CallCost(slug, usage=TOKENS, cost=fee, lacks_upstream_cost=True)) == listed + fee
    assert dollars_of(CallCost(slug, usage=TOKENS, cost=fee, upstream_cost=fee)) == 1
    assert dollars_of(CallCost(cost=fee, lacks_upstream_cost=True)) is None


def test_tokens_are_read_from_the_wire_without_usage_metadata() -> None:
    assert cost_of_result(result(None, token_usage=WIRE)).usage == TOKENS


@pytest.mark.parametrize(
    "odd",
    [
        None,
        LLMResult(generations=[]),
        LLMResult(generations=[[]]),
        LLMResult(generations=[[Generation(text="Yes.")]]),
        LLMResult(generations=[[ChatGeneration(message=HumanMessage("Yes."))]]),
        result(None, model_name=7, provider={"error": "none"}, token_usage=["many"]),
    ],
)
def test_a_result_without_a_message_has_an_unknown_cost(odd: LLMResult | None) -> None:
    assert cost_of_result(odd) == CallCost()


@pytest.mark.parametrize(
    ("error", "cost"),
    [
        # Refused, or never sent.
        (KimiUsageError("no"), 0),
        (KimiAuthenticationError("no", status=401), 0),
        (KimiServerError("no", status=503), 0),
        (KimiServerError("no", partial=AIMessage("")), 0),
        (after(type("ConnectError", (Exception,), {})(), KimiConnectionError("no")), 0),
        (after(type("ConnectTimeout", (Exception,), {})(), KimiTimeoutError("no")), 0),
        # Somebody may have gone on.
        (after(type("ReadError", (Exception,), {})(), KimiConnectionError("no")), None),
        (KimiTimeoutError("no"), None),
        (KimiIncompleteStreamError("no"), None),
        (KimiServerError("no", partial=AIMessage("Half an")), None),
        (KimiServerError("no", partial=AIMessage("", additional_kwargs={"reasoning_content": "Hm"})), None),
        (asyncio.CancelledError(), None),
        (GeneratorExit(), None),
        (RuntimeError("mine"), None),
        # It says so.
        (KimiEmptyReplyError("no", usage={**WIRE, "cost": 0.5}), Decimal("0.5")),
        (KimiServerError("no", usage={**WIRE, "cost": 0}), 0),
        (KimiServerError("no", usage=WIRE), None),
    ],
)
def test_the_cost_of_an_error_is_read_from_its_usage(error: BaseException, cost: Decimal | None) -> None:
    assert cost_of_error(error).cost == cost


def test_an_error_names_the_model_and_the_host() -> None:
    refused = cost_of_error(KimiServerError("no", model="kimi", provider="Host"))
    assert (refused.model, refused.provider) == ("kimi", "Host")
    billed = cost_of_error(KimiServerError("no", model="kimi", provider="Host", usage=WIRE))
    assert (billed.model, billed.provider, billed.usage) == ("kimi", "Host", TOKENS)


def test_the_cost_of_an_abandoned_stream_is_that_of_its_partial_result() -> None:
    assert cost_of_error(GeneratorExit(), result(TOKENS, cost=0.5)) == CallCost(None, None, TOKENS, Decimal("0.5"))
    assert cost_of_error(GeneratorExit(), result()) == CallCost()


def test_a_cache_hit_is_recognized() -> None:
    free: Any = {**TOKENS, "total_cost": 0}
    hit = result()
    message: Any = hit.generations[0][0]
    assert not is_cache_hit(hit)
    message.message = AIMessage("Yes.").model_copy(update={"usage_metadata": free})
    assert is_cache_hit(hit)
    assert not is_cache_hit(hit.model_copy(update={"llm_output": {"model_name": "kimi"}}))
    assert not is_cache_hit(LLMResult(generations=[]))


def test_an_implausible_cost_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    cost_of_result(result(TOKENS, cost=-1))
    cost_of_result(result(TOKENS, cost=10**400))
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "negative cost" in caplog.text
    assert "above 1,000,000 USD" in caplog.text


@pytest.mark.parametrize(("count", "tokens"), [(None, 0), (-3, 0), (7, 7), (10**4_000, 10**12)])
def test_implausible_numbers_of_tokens_are_clamped(count: int | None, tokens: int) -> None:
    assert plausible_tokens(count) == tokens


def test_list_prices_have_a_source_and_a_date() -> None:
    [source] = price_sources(CallCost("moonshotai/kimi-k3"))
    assert source.startswith("genai-prices")
    assert source[-10:].count("-") == 2
    assert price_sources(CallCost("maker/another")) == price_sources(CallCost()) == frozenset()


def test_the_record_of_a_call_may_be_an_object() -> None:
    record = SimpleNamespace(total_cost=0.5, is_byok=True, upstream_inference_cost=0.25, model="kimi")
    cost = cost_of_record(record)
    assert cost is not None
    assert (float(cost.cost or 0), float(cost.upstream_cost), cost.model, cost.usage) == (0.5, 0.25, "kimi", None)
    assert cost_of_record({}) is None
