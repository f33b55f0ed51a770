"""The maximum cost of a request."""

import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi._costs.worst_case import body_of_call, worst_case
from langchain_kimi._kimi.profiles import prices
from langchain_kimi.errors import KimiUsageError
from tests.conftest import KEY

SLUG = "moonshotai/kimi-k2-0905"
BODY: dict[str, Any] = {"model": SLUG, "messages": [{"role": "user", "content": "Hello, you!"}], "max_tokens": 100}
PRICES = {"prompt": 1.0, "completion": 10.0}


def test_the_price_is_that_of_the_most_expensive_host() -> None:
    listed = prices(SLUG)
    assert listed is not None
    case = worst_case(BODY)
    dollars = (case.prompt_tokens * listed.highest_prompt + 100 * listed.highest_completion) / 1e6
    assert float(case.cost) == pytest.approx(dollars)
    assert (case.reply_tokens, case.tokens) == (100, case.prompt_tokens + 100)


def test_the_prompt_is_an_upper_bound_of_its_estimate() -> None:
    estimated = ChatKimi(api_key=KEY).get_num_tokens_from_messages([HumanMessage("Hello, you!")])
    assert worst_case(BODY).prompt_tokens >= 1.15 * estimated
    assert worst_case(BODY, margin=3).prompt_tokens > 2 * worst_case(BODY).prompt_tokens


def test_several_replies_and_both_limits_count() -> None:
    case = worst_case({**BODY, "n": 3, "max_completion_tokens": 40}, PRICES)
    assert case.reply_tokens == 120
    assert float(case.cost) == pytest.approx((case.prompt_tokens + 1_200) / 1e6)


def test_without_a_limit_the_reply_has_as_many_tokens_as_the_model_writes() -> None:
    profile = ChatKimi(api_key=KEY).profile or {}
    case = worst_case({**BODY, "max_tokens": None})
    assert 0 < case.reply_tokens <= profile["max_output_tokens"]


def test_the_reply_may_fill_the_context_after_a_prompt_that_is_shorter_than_its_bound() -> None:
    profile = ChatKimi(api_key=KEY).profile or {}
    long = {**BODY, "max_tokens": None, "messages": [{"role": "user", "content": "word " * 210_000}]}
    case = worst_case(long)
    estimated = case.prompt_tokens / 1.2
    assert profile["max_input_tokens"] - estimated < profile["max_output_tokens"]
    assert case.reply_tokens >= profile["max_input_tokens"] - estimated / 1.15
    assert worst_case(long, margin=3).reply_tokens == pytest.approx(case.reply_tokens, abs=2)


def test_a_schema_and_tools_are_part_of_the_prompt() -> None:
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    schema = {"type": "json_schema", "json_schema": {"name": "Answer", "schema": {"title": "A long title" * 20}}}
    plain = worst_case(BODY).prompt_tokens
    assert worst_case({**BODY, "tools": [tool]}).prompt_tokens > plain
    assert worst_case({**BODY, "response_format": schema}).prompt_tokens > plain + 20


def test_of_several_models_the_most_expensive_counts() -> None:
    both = worst_case({**BODY, "models": ["moonshotai/kimi-k3"]})
    alone = worst_case({**BODY, "model": "moonshotai/kimi-k3"})
    assert both.cost == max(alone.cost, worst_case(BODY).cost)


@pytest.mark.parametrize("limit", [0.5, "0.5"])
def test_the_request_s_own_limit_to_prices_bounds_them(limit: Any) -> None:
    case = worst_case({**BODY, "provider": {"max_price": {"prompt": limit, "completion": 0}}})
    assert float(case.cost) == pytest.approx(case.prompt_tokens * 0.5 / 1e6)


def test_only_hosts_that_may_serve_the_request_count() -> None:
    at_any = worst_case({**BODY, "model": "moonshotai/kimi-k2.6"})
    at_one = worst_case({**BODY, "model": "moonshotai/kimi-k2.6", "provider": {"only": ["deepinfra"]}})
    assert at_one.cost <= at_any.cost


def test_without_a_price_or_a_limit_nothing_is_known() -> None:
    other = {**BODY, "model": "acme/one"}
    with pytest.raises(KimiUsageError, match="prices"):
        worst_case(other)
    assert worst_case(other, is_priced=False).cost == 0
    assert worst_case(other, PRICES).cost > 0
    with pytest.raises(KimiUsageError, match="max_tokens"):
        worst_case({**other, "max_tokens": None}, PRICES)


def test_a_call_of_the_model_has_the_body_that_it_sends() -> None:
    model = ChatKimi(api_key=KEY, max_tokens=64, n=2)
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    parameters = model._get_invocation_params(tools=[tool], model_name="moonshotai/kimi-k2.6", extra_body={"n": 4})
    body = body_of_call([HumanMessage("Hello")], parameters)
    assert json.loads(json.dumps(body)) == body
    assert (body["model"], body["models"]) == ("moonshotai/kimi-k2.6", [SLUG])
    assert (body["max_tokens"], body["n"], len(body["tools"]), len(body["messages"])) == (64, 4, 1, 1)
    assert "tools" not in body_of_call([], {"model": SLUG})


def test_a_call_without_a_model_has_no_body() -> None:
    with pytest.raises(KimiUsageError, match="names no model"):
        body_of_call([], {"model": None})
