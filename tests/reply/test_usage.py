from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_kimi._reply.usage import added_up, usage_from, with_sums


def usage(prompt: int, completion: int, cost: float | None = None) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cost": cost,
        "is_byok": False,
        "cost_details": {"upstream_inference_cost": cost},
    }


def test_tokens_and_cost_are_added_up() -> None:
    outputs = [{"token_usage": usage(1, 2, 0.25)}, {"token_usage": usage(10, 20, 0.5)}]
    assert added_up(outputs) == {
        "token_usage": {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33, "cost": 0.75}
    }


def test_fields_that_are_not_counts_are_those_of_the_first() -> None:
    outputs = [{"model_name": "a"}, {"model_name": "b", "system_fingerprint": "fp"}]
    assert added_up(outputs) == {"model_name": "a", "system_fingerprint": "fp"}


@pytest.mark.parametrize("outputs", [[], [None], [None, {}], [{"token_usage": None}]])
def test_the_sum_of_no_outputs_is_empty(outputs: list[Any]) -> None:
    assert added_up(outputs) == {}


def test_missing_counts_are_zero() -> None:
    outputs = [None, {"token_usage": usage(1, 2)}, {"token_usage": {"prompt_tokens": 3}}]
    assert added_up(outputs)["token_usage"] == {
        "prompt_tokens": 4,
        "completion_tokens": 2,
        "total_tokens": 3,
        "cost": 0,
    }
    assert added_up([{"token_usage": {"prompt_tokens": 3}}]) == {"token_usage": {"prompt_tokens": 3}}


@pytest.mark.parametrize("odd", ["3", "x", [1], {"a": 1}, None, 10**400, -(10**400), float("inf"), float("nan")])
def test_usage_that_is_not_a_number_is_ignored(odd: Any) -> None:
    outputs = [{"token_usage": {"prompt_tokens": 3, "cost": odd}}, {"token_usage": {"prompt_tokens": odd}}]
    assert added_up(outputs) == {"token_usage": {"prompt_tokens": 3, "cost": 0}}


def message(prompt: int, completion: int, cost: float | None = None, **facts: Any) -> AIMessage:
    wire = usage(prompt, completion, cost)
    tokens = UsageMetadata(input_tokens=prompt, output_tokens=completion, total_tokens=prompt + completion)
    return AIMessage("x", usage_metadata=tokens, response_metadata={"cost": cost, "token_usage": wire, **facts})


def test_tokens_and_cost_of_two_messages_are_added() -> None:
    both = with_sums(message(1, 2, 0.25, id="a", other="no"), message(10, 20, 0.5, id="b"))
    assert both.usage_metadata == {"input_tokens": 11, "output_tokens": 22, "total_tokens": 33}
    assert both.response_metadata == {"cost": 0.75, "token_usage": usage(11, 22, 0.75), "id": "b"}


def test_usage_of_only_one_message_is_used() -> None:
    both = with_sums(message(1, 2, 0.25), AIMessage("y"))
    assert both.usage_metadata == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert both.response_metadata == {"cost": 0.25, "token_usage": usage(1, 2, 0.25)}
    both = with_sums(AIMessage("y"), message(1, 2))
    assert both.response_metadata == {"cost": None, "token_usage": usage(1, 2)}
    assert with_sums(AIMessage("y"), AIMessage("z")) == AIMessage("z")


def test_a_cost_that_is_not_plausible_is_not_added() -> None:
    odd = AIMessage("y", response_metadata={"cost": 10**400})
    assert with_sums(odd, message(1, 2, 0.25)).response_metadata["cost"] == 0.25


@pytest.mark.parametrize(
    ("wire", "tokens"),
    [
        ({"prompt_tokens": 100.7, "completion_tokens": "40", "total_tokens": "140"}, (100, 40, 140, None, None)),
        ({"prompt_tokens": -5, "completion_tokens": -4, "total_tokens": -9}, (0, 0, 0, None, None)),
        ({"prompt_tokens": 1e300, "completion_tokens": 10**400, "total_tokens": True}, (0, 0, 0, None, None)),
        ({"prompt_tokens": "many", "completion_tokens": [4], "total_tokens": None}, (0, 0, 0, None, None)),
        ({"prompt_tokens_details": {"cached_tokens": "64"}}, (100, 40, 140, 64, None)),
        ({"prompt_tokens_details": {"cached_tokens": -64}}, (100, 40, 140, None, None)),
        # Details that exceed their sum.
        ({"prompt_tokens_details": {"cached_tokens": 1000}}, (100, 40, 140, 1000, None)),
        ({"completion_tokens_details": {"reasoning_tokens": 1000}}, (100, 40, 140, None, 1000)),
    ],
)
def test_counts_are_plausible_numbers(wire: Any, tokens: tuple[Any, ...]) -> None:
    counts: Any = {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140, **wire}
    tally: Any = usage_from(counts)
    inputs, outputs = tally.get("input_token_details", {}), tally.get("output_token_details", {})

    sums = tally["input_tokens"], tally["output_tokens"], tally["total_tokens"]
    assert (*sums, inputs.get("cache_read"), outputs.get("reasoning")) == tokens
