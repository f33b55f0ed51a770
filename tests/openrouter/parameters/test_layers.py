import re
from typing import Any

import pytest
from pydantic import ValidationError

from langchain_kimi._openrouter.parameters.merging import RequestParameters, checked, merged, wire_parameters
from langchain_kimi.errors import KimiUsageError


def test_unset_arguments_are_reported_and_unknown_ones_pass() -> None:
    odd = object()
    assert checked({"newer": odd, "temperature": None, "stop": [], "n": 1, "stop_words": None}) == {
        "temperature": None,
        "stop": None,
        "n": None,
        "newer": odd,
        "stop_words": None,
    }


def test_later_layers_win_and_none_takes_away() -> None:
    total = merged({"zeta": 1, "seed": 1, "stop": "a"}, {"temperature": 0.5, "seed": 2}, {"stop": None, "zeta": None})
    assert list(total.items()) == [("temperature", 0.5), ("seed", 2)]
    assert merged({"provider": {"only": ["a"], "zdr": True}}, {"provider": {"only": ["b"]}}) == {
        "provider": {"only": ["b"]}
    }


@pytest.mark.parametrize(
    ("settings", "call", "sent"),
    [
        ({"max_tokens": 9}, {"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
        ({"max_completion_tokens": 9}, {"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_tokens": 9}, {"max_completion_tokens": None}, {"max_tokens": 9}),
        ({"reasoning": {"effort": "high"}}, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        (
            {"reasoning": {"max_tokens": 9, "enabled": False, "exclude": True}},
            {"reasoning_effort": "low"},
            {"reasoning": {"exclude": True}, "reasoning_effort": "low"},
        ),
        ({"reasoning_effort": "low"}, {"reasoning": {"max_tokens": 9}}, {"reasoning": {"max_tokens": 9}}),
        ({"reasoning_effort": "low"}, {"reasoning": {"enabled": False}}, {"reasoning": {"enabled": False}}),
        (
            {"reasoning_effort": "low"},
            {"reasoning": {"enabled": True}},
            {"reasoning": {"enabled": True}, "reasoning_effort": "low"},
        ),
    ],
)
def test_two_names_of_one_thing_overrule_each_other(
    settings: dict[str, Any], call: dict[str, Any], sent: dict[str, Any]
) -> None:
    assert merged(settings, call) == sent
    assert merged(settings, {}) == settings


CONTRADICTIONS = [
    ({"reasoning": {"effort": "low"}, "reasoning_effort": "high"}, "is 'high', but reasoning.effort is 'low'"),
    ({"reasoning": {"max_tokens": 5}, "reasoning_effort": "high"}, "an alternative to reasoning.max_tokens"),
    ({"stop": "a", "stop_sequences": "b"}, "stop_sequences: an alias of stop, which has a different value"),
]


@pytest.mark.parametrize(("arguments", "complaint"), CONTRADICTIONS)
def test_contradictions_are_refused(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        RequestParameters(**arguments)
    with pytest.raises(KimiUsageError, match=re.escape(complaint)):
        checked(arguments)


def test_top_logprobs_needs_logprobs_in_the_whole_request() -> None:
    with pytest.raises(ValidationError, match="requires logprobs=True"):
        RequestParameters(top_logprobs=3)
    call = checked({"top_logprobs": 3})
    assert merged(wire_parameters(RequestParameters(logprobs=True)), call) == {"logprobs": True, "top_logprobs": 3}
    with pytest.raises(KimiUsageError, match="requires logprobs=True"):
        merged({}, call)
    with pytest.raises(KimiUsageError, match="requires logprobs=True"):
        merged(wire_parameters(RequestParameters(logprobs=True, top_logprobs=3)), {"logprobs": None})


def test_both_spellings_of_effort_may_agree() -> None:
    agreed = {"reasoning": {"effort": "low"}, "reasoning_effort": "low"}
    assert checked(agreed) == wire_parameters(RequestParameters(**agreed)) == agreed
