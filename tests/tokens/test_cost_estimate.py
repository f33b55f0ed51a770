from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.profiles import prices
from langchain_kimi._tokens.counting import shared_counter
from langchain_kimi.errors import KimiUsageError
from tests.conftest import KEY

ASKED = [HumanMessage("Say hi in Portuguese")]
UNKNOWN = "somebody/some-model"


@pytest.fixture(autouse=True)
def no_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a developer's own vocabulary, and forget the counters of other tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    shared_counter.cache_clear()


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return city


def model(**settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, **settings)


def test_prices_come_from_the_profile() -> None:
    estimate = model().estimate_cost(ASKED, max_tokens=1000)
    listed = prices("moonshotai/kimi-k2-0905")
    assert listed is not None
    tokens = model().count_tokens(ASKED).tokens
    assert (estimate.prompt_tokens, estimate.exact, estimate.completion_tokens) == (tokens, False, 1000)
    assert estimate.prompt_cost == pytest.approx(tokens * listed.prompt / 1e6)
    assert estimate.max_cost == pytest.approx((tokens * listed.highest_prompt + 1000 * listed.highest_completion) / 1e6)
    assert (estimate.source, estimate.date) == (listed.source, listed.date)


def test_an_estimate_cannot_be_changed() -> None:
    estimate = model().estimate_cost(ASKED)
    for field in fields(estimate):
        with pytest.raises(FrozenInstanceError):
            setattr(estimate, field.name, None)


def test_a_binding_counts_its_tools_and_its_limit() -> None:
    kimi = model()
    bound: Any = kimi.bind_tools([get_weather], max_tokens=500)
    bindings: list[Any] = [bound, bound.with_config(tags=["a"]), kimi.bind(max_tokens=500).bind_tools([get_weather])]
    for one in bindings:
        assert one.count_tokens(ASKED) == kimi.count_tokens(ASKED, [get_weather])
        assert one.count_tokens(ASKED, tools=[]) == kimi.count_tokens(ASKED)
        assert one.get_num_tokens_from_messages([*ASKED]) == kimi.get_num_tokens_from_messages([*ASKED], [get_weather])
        assert one.estimate_cost(ASKED) == kimi.estimate_cost(ASKED, [get_weather], 500)
        assert one.estimate_cost(ASKED, max_tokens=7) == kimi.estimate_cost(ASKED, [get_weather], 7)
    assert kimi.bind(max_completion_tokens=9).estimate_cost("hi") == kimi.estimate_cost("hi", max_tokens=9)


def test_tools_raise_the_estimate() -> None:
    assert model().estimate_cost(ASKED, [get_weather]).prompt_cost > model().estimate_cost(ASKED).prompt_cost * 2


@pytest.mark.parametrize(
    ("settings", "limit", "most"),
    [
        ({"max_tokens": 50}, None, 50),
        ({"max_completion_tokens": 60}, None, 60),
        ({"max_tokens": 50}, 70, 70),
        ({"max_tokens": 50, "n": 3}, None, 150),
        ({}, None, 98_304),
        ({"profile": {"max_input_tokens": 100}}, None, 100 - 29),
        ({"profile": {"max_input_tokens": 10}}, None, 0),
        ({"profile": {"max_output_tokens": 30}}, None, 30),
    ],
)
def test_the_estimate_counts_max_tokens_of_output(settings: dict[str, Any], limit: int | None, most: int) -> None:
    estimate = model(**settings).estimate_cost(ASKED, max_tokens=limit)
    assert estimate.completion_tokens == most
    # One endpoint of this model costs 1.15 and 8 USD.
    assert estimate.max_cost == pytest.approx((estimate.prompt_tokens * 1.15 + most * 8) / 1e6)


def test_a_free_model_costs_nothing() -> None:
    assert model(model="moonshotai/kimi-k2:free").estimate_cost(ASKED).max_cost == 0


def test_an_unknown_model_has_no_price() -> None:
    with pytest.raises(KimiUsageError, match="prices of somebody/some-model are unknown") as caught:
        model(model=UNKNOWN).estimate_cost(ASKED)
    assert "prices={" in str(caught.value)


def test_prices_that_are_passed_in_are_used() -> None:
    estimate = model(model=UNKNOWN).estimate_cost(ASKED, prices={"prompt": 2, "completion": 10})
    assert estimate.prompt_cost == pytest.approx(estimate.prompt_tokens * 2 / 1e6)
    assert (estimate.completion_tokens, estimate.max_cost) == (None, None)
    assert (estimate.source, estimate.date) == ("given", None)
    with_limit = model().estimate_cost(ASKED, max_tokens=100, prices={"prompt": 0, "completion": 10})
    assert with_limit.max_cost == pytest.approx(0.001)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"prompt": 1},
        {"completion": 1},
        {"prompt": -1, "completion": 1},
        {"prompt": 1, "completion": float("nan")},
        {"prompt": float("inf"), "completion": 1},
        {"prompt": "0.6", "completion": "2.5"},
        {"prompt": True, "completion": 1},
        {"prompt": 1, "completion": 1, "cache_read": 0.1},
        {"moonshotai/kimi-k3": {"prompt": 1, "completion": 1}},
        {1: 2},
        (0.6, 2.5),
        "cheap",
    ],
)
def test_invalid_prices_are_refused(wrong: Any) -> None:
    with pytest.raises(KimiUsageError, match="`prompt` and `completion`"):
        model().estimate_cost(ASKED, prices=wrong)


def test_unknown_names_of_prices_are_in_the_error() -> None:
    with pytest.raises(KimiUsageError, match="not 'input', 'output'"):
        model().estimate_cost(ASKED, prices={"input": 0.6, "output": 2.5})


def test_an_invalid_limit_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="max_tokens"):
        model().estimate_cost(ASKED, max_tokens=0)


def test_the_maximum_cost_is_that_of_the_most_expensive_host() -> None:
    estimate = model(model="moonshotai/kimi-k3").estimate_cost(ASKED, max_tokens=1000)
    # One host has a faster endpoint for 4.5 USD and 22.5 USD.
    assert estimate.prompt_cost == pytest.approx(estimate.prompt_tokens * 3 / 1e6)
    assert estimate.max_cost == pytest.approx((estimate.prompt_tokens * 4.5 + 1000 * 22.5) / 1e6)
    batch = model(model="moonshotai/kimi-k3:batch").estimate_cost(ASKED, max_tokens=1000)
    assert batch.max_cost == pytest.approx((batch.prompt_tokens * 0.917 + 1000 * 6) / 1e6)


def most(**settings: Any) -> float:
    cost = model(**{"max_tokens": 1_000_000, **settings}).estimate_cost([HumanMessage("")]).max_cost
    assert cost is not None
    return cost


def test_the_most_is_at_most_the_price_that_the_preferences_allow() -> None:
    assert most(provider={"max_price": {"completion": 3}}) == pytest.approx(3, abs=0.01)
    assert most(provider={"max_price": {"completion": "99"}}) == pytest.approx(8, abs=0.01)


def test_a_more_expensive_fallback_counts_for_the_maximum_cost() -> None:
    assert most(models=["moonshotai/kimi-k3"]) == pytest.approx(22.5, abs=0.01)
    with pytest.raises(KimiUsageError, match=f"prices of {UNKNOWN} are unknown"):
        most(models=[UNKNOWN])


@pytest.mark.parametrize(
    ("limits", "prompt", "completion"),
    [
        ({"prompt": 3.5, "completion": 15}, 3.5, 15),
        ({"completion": "15.5"}, 4.5, 15.5),
        ({"prompt": 99, "image": 1}, 4.5, 22.5),
        ({}, 4.5, 22.5),
    ],
)
def test_hosts_above_the_maximum_price_do_not_count(limits: Any, prompt: float, completion: float) -> None:
    k3 = model(model="moonshotai/kimi-k3", provider={"max_price": limits})
    estimate = k3.estimate_cost(ASKED, max_tokens=1000)
    assert estimate.max_cost == pytest.approx((estimate.prompt_tokens * prompt + 1000 * completion) / 1e6)
    own = k3.estimate_cost(ASKED, max_tokens=1000, prices={"prompt": 100, "completion": 200})
    assert own.max_cost == pytest.approx((own.prompt_tokens * 100 + 1000 * 200) / 1e6)
