from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_kimi._reply.messages import added_up, with_sums


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


def test_of_fields_that_do_not_add_up_the_first_counts() -> None:
    outputs = [{"model_name": "a"}, {"model_name": "b", "system_fingerprint": "fp"}]
    assert added_up(outputs) == {"model_name": "a", "system_fingerprint": "fp"}


@pytest.mark.parametrize("outputs", [[], [None], [None, {}], [{"token_usage": None}]])
def test_nothing_adds_up_to_nothing(outputs: list[Any]) -> None:
    assert added_up(outputs) == {}


def test_what_is_missing_counts_as_nothing() -> None:
    outputs = [None, {"token_usage": usage(1, 2)}, {"token_usage": {"prompt_tokens": 3}}]
    assert added_up(outputs)["token_usage"] == {
        "prompt_tokens": 4,
        "completion_tokens": 2,
        "total_tokens": 3,
        "cost": 0,
    }
    assert added_up([{"token_usage": {"prompt_tokens": 3}}]) == {"token_usage": {"prompt_tokens": 3}}


@pytest.mark.parametrize("odd", ["3", "x", [1], {"a": 1}, None])
def test_usage_that_is_not_a_number_does_not_break_the_answer(odd: Any) -> None:
    outputs = [{"token_usage": {"prompt_tokens": 3, "cost": odd}}, {"token_usage": {"prompt_tokens": odd}}]
    assert added_up(outputs) == {"token_usage": {"prompt_tokens": 3, "cost": 0}}


def answered(prompt: int, completion: int, cost: float | None = None, **facts: Any) -> AIMessage:
    wire = usage(prompt, completion, cost)
    tokens = UsageMetadata(input_tokens=prompt, output_tokens=completion, total_tokens=prompt + completion)
    return AIMessage("x", usage_metadata=tokens, response_metadata={"cost": cost, "token_usage": wire, **facts})


def test_one_message_stands_for_two() -> None:
    both = with_sums(answered(1, 2, 0.25, id="a", kept="no"), answered(10, 20, 0.5, id="b"))
    assert both.usage_metadata == {"input_tokens": 11, "output_tokens": 22, "total_tokens": 33}
    assert both.response_metadata == {"cost": 0.75, "token_usage": usage(11, 22, 0.75), "id": "b"}


def test_what_only_one_of_two_tells_stays() -> None:
    both = with_sums(answered(1, 2, 0.25), AIMessage("y"))
    assert both.usage_metadata == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert both.response_metadata == {"cost": 0.25, "token_usage": usage(1, 2, 0.25)}
    both = with_sums(AIMessage("y"), answered(1, 2))
    assert both.response_metadata == {"cost": None, "token_usage": usage(1, 2)}
    assert with_sums(AIMessage("y"), AIMessage("z")) == AIMessage("z")
