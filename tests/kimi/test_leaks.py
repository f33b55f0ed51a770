from typing import Any

from langchain_kimi.kimi.leaks import Leaks
from langchain_kimi.kimi.offered_tools import OfferedTools
from tests.kimi.corpus.calls import ONE
from tests.kimi.corpus.cases import SECTION, TOOLS


def leaks() -> Leaks:
    return Leaks(OfferedTools({"tools": TOOLS}))


def detail(text: str, **others: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "text": text, "index": 0, **others}


def test_a_healthy_delta_is_passed_on_itself() -> None:
    followed = leaks()
    delta: Any = {"role": "assistant", "content": "a", "reasoning": "b", "reasoning_details": [detail("b")]}
    assert followed.feed(delta) is delta
    assert followed.is_idle
    assert followed.found == 0
    assert followed.close(clean=True) == {}


def test_the_reasoning_is_cleaned_in_both_places_and_counts_once() -> None:
    followed = leaks()
    delta: Any = {"reasoning": f"b{ONE}", "reasoning_details": [detail(f"b{ONE}", id="r")]}
    assert followed.feed(delta) == {"reasoning": "b", "reasoning_details": [detail("b", id="r")]}
    assert followed.close(clean=True) == {}
    assert followed.found == 1
    assert [call.name for call in followed.calls(has_others=False)] == ["get_weather"]
    assert followed.calls(has_others=True) == []


def test_reasoning_that_is_told_in_details_only() -> None:
    followed = leaks()
    followed.feed({"reasoning_details": [detail(ONE)]})
    followed.close(clean=True)
    assert len(followed.calls(has_others=False)) == 1


def test_signed_and_encrypted_reasoning_is_left_as_it_is() -> None:
    details = [detail(ONE, signature="s"), {"type": "reasoning.encrypted", "data": "x"}, "odd", detail("")]
    delta: Any = {"reasoning_details": details}
    followed = leaks()
    assert followed.feed(delta) is delta
    odd: Any = {"reasoning_details": "odd", "content": 5}
    assert dict(followed.feed(odd))["reasoning_details"] == "odd"
    assert followed.close(clean=True) == {}


def test_what_the_reasoning_held_back_comes_before_the_answer() -> None:
    followed = leaks()
    assert followed.feed({"reasoning": "a <", "reasoning_details": [detail("a <")]}) == {
        "reasoning": "a ",
        "reasoning_details": [detail("a ")],
    }
    assert followed.feed({"content": "b"}) == {"content": "b", "reasoning": "<", "reasoning_details": [detail("<")]}
    assert followed.feed({"reasoning": "c <"}) == {"reasoning": "c "}
    assert followed.feed({"reasoning": "d", "content": "e"}) == {"reasoning": "<d", "content": "e"}
    assert followed.feed({"reasoning": "f <", "content": "g"}) == {"reasoning": "f <", "content": "g"}


def test_a_call_in_the_reasoning_waits_for_the_end() -> None:
    followed = leaks()
    assert followed.feed({"reasoning": f"a{SECTION}"}) == {"reasoning": "a"}
    assert followed.feed({"content": "\n"}) == {"content": "\n"}
    assert not followed.is_idle
    assert not followed.has_spoken


def test_what_is_held_at_the_end_is_given() -> None:
    followed = leaks()
    followed.feed({"reasoning_details": [detail("a <|")]})
    followed.feed({"reasoning": "a <|"})
    assert followed.close(clean=True) == {"reasoning_details": [detail("<|")], "reasoning": "<|"}
    followed = leaks()
    followed.feed({"content": "<"})
    assert followed.close(clean=True) == {"content": "<"}
    assert followed.has_spoken
