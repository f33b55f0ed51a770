from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_kimi.verify import Case
from langchain_kimi.verify.judging import Judgement, judge
from tests.verify.answers import CALLING, PLANNING, TALKING


def judged(case: Case, content: str = "", finish: str = "stop", **more: Any) -> Judgement:
    return judge(AIMessage(content, response_metadata={"finish_reason": finish}, **more), case)


def calls(name: str = "get_weather", **arguments: Any) -> list[dict[str, Any]]:
    return [{"name": name, "args": arguments, "id": "a", "type": "tool_call"}]


def test_a_valid_call() -> None:
    judgement = judged(CALLING, finish="tool_calls", tool_calls=calls(city="Oslo"))
    assert judgement == Judgement(
        called=True, valid=True, structured=None, leaked=False, empty=False, finish="tool_calls"
    )
    assert judgement.finish_fits


@pytest.mark.parametrize(
    "made", [calls(), calls(city=1), calls("other", city="Oslo")], ids=["missing", "wrong type", "unknown tool"]
)
def test_a_call_that_does_not_fit(made: list[dict[str, Any]]) -> None:
    judgement = judged(CALLING, tool_calls=made)
    assert judgement.valid is False
    assert not judgement.finish_fits


def test_an_invalid_call_counts_as_a_call() -> None:
    broken = {"name": "get_weather", "args": "{", "id": "a", "error": "not JSON", "type": "invalid_tool_call"}
    judgement = judged(CALLING, invalid_tool_calls=[broken])
    assert (judgement.called, judgement.valid, judgement.empty) == (True, False, False)


@pytest.mark.parametrize(
    ("text", "leaked"),
    [
        ("<|tool_calls_section_begin|>x", True),
        ("<|tool_call_begin|>", True),
        ("<|open|>tools", True),
        ("</tool_call>", True),
        ("a <| b", False),
        ("Hello.", False),
    ],
)
def test_markup_in_the_text_is_found(text: str, leaked: object) -> None:
    assert judged(TALKING, text).leaked is leaked
    thought = AIMessage("Hi.", additional_kwargs={"reasoning_content": text})
    assert judge(thought, TALKING).leaked is leaked


@pytest.mark.parametrize(("text", "fits"), [('{"city": "Oslo"}', True), ("{}", False), ("Sure!", False)])
def test_structured_output_is_checked(text: str, fits: object) -> None:
    assert judged(PLANNING, text).structured is fits


def test_an_answer_without_anything_is_empty() -> None:
    assert judged(TALKING, " \n").empty
    assert judged(TALKING, "Hello.") == Judgement(
        called=False, valid=None, structured=None, leaked=False, empty=False, finish="stop"
    )
