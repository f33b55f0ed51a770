"""The most that a request can cost."""

import json
from decimal import Decimal
from typing import Any

import pytest

from langchain_kimi import ChatKimi, KimiUsageError
from langchain_kimi._tokens.model import prices_of
from langchain_kimi.bulk.worst_case import prompt_tokens, worst_case

MODEL = ChatKimi(api_key="k", max_tokens=1_000)
PRICES = {"prompt": 1.0, "completion": 10.0}


def body(model: ChatKimi = MODEL, **arguments: Any) -> bytes:
    return json.dumps(model.request_body("word " * 1_000, **arguments)).encode()


def test_it_is_above_the_estimate() -> None:
    most, tokens = worst_case(body(), None)
    estimate = MODEL.estimate_cost("word " * 1_000)

    assert estimate.most_cost is not None
    assert float(most) > estimate.most_cost
    assert tokens == prompt_tokens(json.loads(body())) > MODEL.count_tokens("word " * 1_000).tokens


def test_the_users_prices_replace_the_list() -> None:
    most, tokens = worst_case(body(), PRICES)

    assert most == Decimal(str((tokens * 1.0 + 1_000 * 10.0) / 1_000_000))


def test_several_replies_count_several_times() -> None:
    single, tokens = worst_case(body(), PRICES)
    triple, _ = worst_case(body(n=3), PRICES)

    assert triple - single == Decimal(str(2 * 1_000 * 10.0 / 1_000_000))
    assert tokens > 0


def test_without_a_limit_the_model_may_write_as_much_as_it_can() -> None:
    most, _ = worst_case(body(ChatKimi(api_key="k")), PRICES)

    assert most > Decimal("0.1")


def test_the_dearest_fallback_counts() -> None:
    cheap, _ = worst_case(body(), None)
    dear, _ = worst_case(body(models=["moonshotai/kimi-k3"]), None)

    assert (
        prices_of("moonshotai/kimi-k3", None).highest_completion > prices_of(MODEL.model_name, None).highest_completion
    )
    assert dear > cheap


def test_a_model_without_prices_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="prices of acme/model are not known"):
        worst_case(body(ChatKimi(api_key="k", model="acme/model")), None)
