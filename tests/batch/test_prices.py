from decimal import Decimal
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.profiles import prices
from langchain_kimi.batch.bodies import custom_id
from langchain_kimi.batch.prices import LISTED, REPORTED, SHARE, with_costs
from langchain_kimi.callbacks import Budget
from tests.batch.driving import KEY

SLUG = "moonshotai/kimi-k3:batch"


def row(prompt: int, completion: int, **usage: Any) -> dict[str, Any]:
    tokens = {"prompt_tokens": prompt, "completion_tokens": completion, **usage}
    return {"response": {"body": {"usage": tokens}}}


def costs(rows: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    bodies = [one["response"]["body"] for one in rows if one["response"]]
    return [(body["usage"].get("cost"), (body.get("batch") or {}).get("cost_source")) for body in bodies]


def test_the_cost_of_a_batch_is_divided_by_the_prices_of_its_tokens() -> None:
    rows = with_costs({"usage": {"cost": 0.3}}, [row(100, 100), row(200, 200)], SLUG)

    (first, source), (second, _) = costs(rows)
    assert (first, second) == (pytest.approx(0.1), pytest.approx(0.2))
    assert Decimal(str(first)) + Decimal(str(second)) == Decimal("0.3")
    assert source == SHARE


def test_without_prices_it_is_divided_by_tokens() -> None:
    rows = with_costs({"usage": {"cost": 0.3, "is_byok": True}}, [row(100, 0), row(0, 200)], "nobody/nothing")

    assert [cost for cost, _ in costs(rows)] == [0.1, 0.2]
    assert rows[0]["response"]["body"]["usage"]["is_byok"] is True


def test_the_charge_for_an_own_key_is_divided_too() -> None:
    usage = {"cost": 0.0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.3}}
    rows = with_costs({"usage": usage}, [row(100, 0), row(0, 200)], "nobody/nothing")

    usages = [one["response"]["body"]["usage"] for one in rows]
    assert [one["cost_details"]["upstream_inference_cost"] for one in usages] == [0.1, 0.2]
    assert [(one["cost"], one["is_byok"]) for one in usages] == [(0.0, True)] * 2


def test_a_budget_has_the_charge_for_an_own_key(model: ChatKimi) -> None:
    budget = Budget(max_cost=1.0)
    handle = model.submit_batch(["a"], config={"callbacks": [budget]})
    tokens = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = {"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}], "usage": tokens}
    row = {"custom_id": custom_id(handle.key, 0), "response": {"status_code": 200, "body": body}}
    usage = {**tokens, "cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}}

    handle._read({"status": "completed", "usage": usage}, [row], KEY)

    assert (budget.spent, budget.total.cost, budget.total.upstream_cost) == (0.75, 0.25, 0.5)


def test_list_prices_of_rows_stand_for_the_charge_for_an_own_key_too() -> None:
    [only] = with_costs({"usage": {"is_byok": True}}, [row(1, 1)], SLUG)

    assert "is_byok" not in only["response"]["body"]["usage"]


def test_reported_costs_stay_and_the_rest_is_divided() -> None:
    rows = with_costs({"usage": {"cost": 0.3}}, [row(1, 1, cost=0.25), row(0, 0), row(0, 0)], SLUG)

    assert costs(rows) == [(0.25, REPORTED), (0.025, SHARE), (0.025, SHARE)]


def test_without_a_cost_of_the_batch_rows_have_list_prices() -> None:
    listed = prices(SLUG)
    assert listed is not None

    [(cost, source)] = costs(with_costs({}, [row(1000, 2000)], SLUG))

    assert cost == pytest.approx((1000 * listed.prompt + 2000 * listed.completion) / 1e6)
    assert source == LISTED
    assert costs(with_costs({"usage": None}, [row(1, 1)], "nobody/nothing")) == [(None, None)]


def test_a_usage_of_another_type_counts_as_missing() -> None:
    rows = with_costs({"usage": "unknown"}, [row(1_000_000, 0)], SLUG)

    assert [source for _, source in costs(rows)] == [LISTED]


def test_rows_without_usage_stay_as_they_are() -> None:
    odd: list[dict[str, Any]] = [
        {"response": None}, {"response": {"body": None}}, {"response": {"body": {"usage": []}}}, {"response": "x"}
    ]  # fmt: skip

    assert with_costs({"usage": {"cost": 0.3}}, odd, SLUG) == odd
    assert costs(with_costs({"usage": {"cost": True}}, [row(-1, 0, prompt_tokens=None)], SLUG)) == [(0.0, LISTED)]
