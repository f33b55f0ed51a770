from decimal import Decimal
from typing import Any

import pytest

from langchain_kimi._kimi.profiles import prices
from langchain_kimi.batch.prices import LISTED, REPORTED, SHARE, with_costs

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
