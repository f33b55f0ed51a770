from typing import Any

import pytest

from langchain_kimi._reply.choice import ChoiceReader, with_advice
from langchain_kimi.errors import KimiEmptyReplyError

THOUGHTS = {"completion_tokens_details": {"reasoning_tokens": 199}}


def reply(message: Any, *, finish: str = "length", usage: Any = None, **choice: Any) -> Any:
    return {"id": "gen-1", "usage": usage, "choices": [{"finish_reason": finish, "message": message, **choice}]}


def hint_of(*args: Any, **facts: Any) -> str:
    reply_with_hint: Any = with_advice(reply(*args, **facts))
    hint: str = reply_with_hint["choices"][0]["kimi"]["hint"]
    return hint


@pytest.mark.parametrize(
    ("message", "usage", "start"),
    [
        ({"reasoning": "Hm"}, THOUGHTS, "Reasoning (199 tokens) used up max_tokens before any text"),
        ({"reasoning": "Hm", "content": " "}, None, "Reasoning used up max_tokens"),
        ({"reasoning_content": "Hm"}, {"completion_tokens": 5}, "Reasoning used up max_tokens"),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}, None, "Reasoning used up max_tokens"),
        ({"role": "assistant", "content": None}, THOUGHTS, "Reasoning (199 tokens) used up max_tokens"),
    ],
)
def test_a_reply_cut_while_reasoning_gets_a_hint(message: Any, usage: Any, start: str) -> None:
    hint = hint_of(message, usage=usage)
    assert hint.startswith(start)
    assert "raise max_tokens" in hint
    assert "reasoning={'effort': 'low'}" in hint
    assert "reasoning={'enabled': False}" in hint


@pytest.mark.parametrize("message", [None, {}, {"content": "", "role": "assistant", "tool_calls": []}])
def test_a_reply_cut_before_any_output_gets_a_hint(message: Any) -> None:
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
def test_a_cut_reply_with_content_gets_no_hint(message: Any) -> None:
    wire = reply(message)
    assert with_advice(wire) is wire


@pytest.mark.parametrize("finish", ["stop", "content_filter", "tool_calls", "error"])
def test_a_reply_that_was_not_cut_gets_no_hint(finish: str) -> None:
    wire = reply({"reasoning": "Hm"}, finish=finish)
    assert with_advice(wire) is wire


def test_a_hint_is_added_to_the_repair_report_of_a_copy() -> None:
    wire = reply({"reasoning": "Hm"}, kimi={"empty_answers": 1})
    reply_with_hint: Any = with_advice(wire)
    report = reply_with_hint["choices"][0]["kimi"]
    assert report["empty_answers"] == 1
    assert report["hint"]
    assert wire == reply({"reasoning": "Hm"}, kimi={"empty_answers": 1})


def read(message: Any, finish: str | None) -> ChoiceReader:
    """Return the reader of a choice after its only delta."""
    reader = ChoiceReader({"model": "moonshotai/kimi-k2.5"})
    choice: Any = {"delta": message, "finish_reason": finish}
    reader.add({"id": "gen-1", "choices": [choice]}, choice)
    list(reader.close())
    return reader


@pytest.mark.parametrize(
    ("message", "finish", "reason"),
    [
        ({}, "stop", r"neither text nor a tool call\."),
        ({}, None, r"neither text nor a tool call\."),
        ({"content": " \u200b\n"}, "stop", r"neither text nor a tool call\."),
        ({"reasoning": "Hm."}, "stop", r"neither text nor a tool call, only reasoning\."),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]}, "eos", "only reasoning"),
    ],
)
def test_a_reply_that_the_model_ended_without_an_answer_is_empty(message: Any, finish: Any, reason: str) -> None:
    with pytest.raises(KimiEmptyReplyError, match=reason) as caught:
        read(message, finish).full_reply()
    assert caught.value.generation_id == "gen-1"


@pytest.mark.parametrize(
    ("message", "finish"),
    [({"reasoning": "Hm."}, "length"), ({}, "content_filter"), ({"refusal": "No."}, "stop"), ({"content": "Hi"}, None)],
)
def test_an_answer_or_a_finish_reason_that_explains_its_absence_is_not_empty(message: Any, finish: Any) -> None:
    reader = read(message, finish)
    assert reader.full_reply()["id"] == "gen-1"
