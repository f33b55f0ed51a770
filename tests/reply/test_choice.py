from typing import Any

import pytest

from langchain_kimi._reply.choice import with_advice

THOUGHTS = {"completion_tokens_details": {"reasoning_tokens": 199}}


def reply(message: Any, *, finish: str = "length", usage: Any = None, **choice: Any) -> Any:
    return {"id": "gen-1", "usage": usage, "choices": [{"finish_reason": finish, "message": message, **choice}]}


def hint_of(*args: Any, **facts: Any) -> str:
    noted: Any = with_advice(reply(*args, **facts))
    hint: str = noted["choices"][0]["kimi"]["hint"]
    return hint


@pytest.mark.parametrize(
    ("message", "usage", "leads"),
    [
        ({"reasoning": "Hm"}, THOUGHTS, "Thinking (199 tokens) took all that max_tokens leaves"),
        ({"reasoning": "Hm", "content": " "}, None, "Thinking took all that"),
        ({"reasoning_content": "Hm"}, {"completion_tokens": 5}, "Thinking took all that"),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}, None, "Thinking took all that"),
        ({"role": "assistant", "content": None}, THOUGHTS, "Thinking (199 tokens) took all"),
    ],
)
def test_an_answer_cut_while_thinking_gets_a_hint(message: Any, usage: Any, leads: str) -> None:
    hint = hint_of(message, usage=usage)
    assert hint.startswith(leads)
    assert "raise max_tokens" in hint
    assert "reasoning={'effort': 'low'}" in hint
    assert "reasoning={'enabled': False}" in hint


@pytest.mark.parametrize("message", [None, {}, {"content": "", "role": "assistant", "tool_calls": []}])
def test_a_limit_before_anything_came(message: Any) -> None:
    assert hint_of(message) == "The token limit was reached before any text: raise max_tokens."


@pytest.mark.parametrize(
    "message",
    [
        {"content": "Hello", "reasoning": "Hm"},
        {"content": [{"type": "text", "text": "Hello"}]},
        {"reasoning": "Hm", "tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]},
        {"reasoning": "Hm", "images": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
    ],
)
def test_a_cut_answer_with_content_gets_no_hint(message: Any) -> None:
    given = reply(message)
    assert with_advice(given) is given


@pytest.mark.parametrize("finish", ["stop", "content_filter", "tool_calls", "error"])
def test_an_answer_that_was_not_cut_gets_no_hint(finish: str) -> None:
    given = reply({"reasoning": "Hm"}, finish=finish)
    assert with_advice(given) is given


def test_a_hint_is_added_to_the_repair_report_of_a_copy() -> None:
    given = reply({"reasoning": "Hm"}, kimi={"empty_answers": 1})
    noted: Any = with_advice(given)
    told = noted["choices"][0]["kimi"]
    assert told["empty_answers"] == 1
    assert told["hint"]
    assert given == reply({"reasoning": "Hm"}, kimi={"empty_answers": 1})
