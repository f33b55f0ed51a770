from typing import Any

import pytest

from langchain_kimi._kimi.markup.texts import LeakedMarkup
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.calls import ONE
from tests.kimi.corpus.cases import SECTION, TOOLS
from tests.kimi.corpus.tags import closed, opened


def leaks() -> LeakedMarkup:
    return LeakedMarkup(OfferedTools({"tools": TOOLS}))


def detail(text: str, **others: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "text": text, "index": 0, **others}


def test_a_delta_without_markup_is_returned_itself() -> None:
    followed = leaks()
    delta: Any = {"role": "assistant", "content": "a", "reasoning": "b", "reasoning_details": [detail("b")]}
    assert followed.feed(delta) is delta
    assert followed.is_idle
    assert followed.count == 0
    assert followed.close(clean=True) == {}
    assert followed.calls(has_others=False, finish="stop") == []
    assert leaks().calls(has_others=False, finish="stop") == []


def test_reasoning_is_cleaned_in_both_fields_and_counted_once() -> None:
    followed = leaks()
    delta: Any = {"reasoning": f"b{ONE}", "reasoning_details": [detail(f"b{ONE}", id="r")]}
    assert followed.feed(delta) == {"reasoning": "b", "reasoning_details": [detail("b", id="r")]}
    assert followed.close(clean=True) == {}
    assert followed.count == 1
    assert [call.name for call in followed.calls(has_others=False, finish="stop")] == ["get_weather"]
    assert followed.calls(has_others=True, finish="stop") == []


def test_an_answer_in_the_reasoning_is_the_content() -> None:
    """The details repeat the text, and more content may follow, also as a list of parts."""
    followed = leaks()
    text = f"a{closed('think')}{opened('response')}b"
    assert followed.feed({"reasoning": text, "reasoning_details": [detail(text)]}) == {
        "reasoning": "a",
        "reasoning_details": [detail("a")],
        "content": "b",
    }
    parts: Any = [{"type": "text", "text": "d"}]
    assert dict(followed.feed({"reasoning": "c", "content": parts}))["content"] == "cd"
    followed.feed({"reasoning": "<"})
    assert followed.close(clean=True) == {"content": "<"}


def test_reasoning_in_details_only() -> None:
    followed = leaks()
    followed.feed({"reasoning_details": [detail(ONE)]})
    followed.close(clean=True)
    assert len(followed.calls(has_others=False, finish="stop")) == 1


def test_signed_and_encrypted_reasoning_is_unchanged() -> None:
    details = [detail(ONE, signature="s"), {"type": "reasoning.encrypted", "data": "x"}, "odd", detail("")]
    delta: Any = {"reasoning_details": details}
    followed = leaks()
    assert followed.feed(delta) is delta
    odd: Any = {"reasoning_details": "odd", "content": 5}
    assert dict(followed.feed(odd))["reasoning_details"] == "odd"
    assert followed.close(clean=True) == {}


def test_pending_reasoning_is_released_before_the_answer() -> None:
    followed = leaks()
    assert followed.feed({"reasoning": "a <", "reasoning_details": [detail("a <")]}) == {
        "reasoning": "a ",
        "reasoning_details": [detail("a ")],
    }
    assert followed.feed({"content": "b"}) == {"content": "b", "reasoning": "<", "reasoning_details": [detail("<")]}
    assert followed.feed({"reasoning": "c <"}) == {"reasoning": "c "}
    assert followed.feed({"reasoning": "d", "content": "e"}) == {"reasoning": "<d", "content": "e"}
    assert followed.feed({"reasoning": "f <", "content": "g"}) == {"reasoning": "f <", "content": "g"}


def test_a_partial_call_in_the_reasoning_is_not_released() -> None:
    followed = leaks()
    assert followed.feed({"reasoning": f"a{SECTION}"}) == {"reasoning": "a"}
    assert followed.feed({"content": "\n"}) == {"content": "\n"}
    assert not followed.is_idle
    assert not followed.has_text


def test_pending_text_is_released_at_the_end() -> None:
    followed = leaks()
    followed.feed({"reasoning_details": [detail("a <|")]})
    followed.feed({"reasoning": "a <|"})
    assert followed.close(clean=True) == {"reasoning_details": [detail("<|")], "reasoning": "<|"}
    followed = leaks()
    followed.feed({"content": "<"})
    assert followed.close(clean=True) == {"content": "<"}
    assert followed.has_text


def begun() -> LeakedMarkup:
    """Return the state of a reply with reasoning and content."""
    followed = leaks()
    followed.feed({"reasoning": "a", "reasoning_details": [detail("a")]})
    followed.feed({"content": "b"})
    return followed


PLAIN: list[dict[str, Any]] = [
    {"content": "if a"},
    {"content": "a < b", "reasoning": None, "reasoning_details": []},
    {"content": ""},
    {"role": "assistant"},
    {"reasoning": "if a"},
    {"content": "", "reasoning": "c", "reasoning_details": [detail("c")]},
]
NOT_PLAIN: list[dict[str, Any]] = [
    {"content": "a <"},
    {"content": "a <|"},
    {"content": "x functions."},
    {"content": "x functi"},
    {"content": "if"},
    {"content": [{"type": "text", "text": "a"}]},
    {"content": "c", "reasoning": "c"},
    {"reasoning_content": "c"},
    {"reasoning": "<|"},
    {"reasoning": ["c"]},
    {"reasoning_details": [detail("c")]},
    {"reasoning": "c", "reasoning_details": {"text": "c"}},
    {"reasoning": "c", "reasoning_details": [detail("c"), detail("c")]},
    {"reasoning": "c", "reasoning_details": ["c"]},
    {"reasoning": "c", "reasoning_details": [detail("d")]},
    {"reasoning": "c", "reasoning_details": [detail("c", signature="s")]},
]


@pytest.mark.parametrize("delta", PLAIN, ids=str)
def test_plain_deltas_pass(delta: Any) -> None:
    assert begun().pass_unchanged(delta)


@pytest.mark.parametrize("delta", NOT_PLAIN, ids=str)
def test_deltas_that_need_scanning_do_not_pass(delta: Any) -> None:
    assert not begun().pass_unchanged(delta)


def test_the_first_delta_of_each_kind_does_not_pass() -> None:
    assert not leaks().pass_unchanged({"content": "a"})
    assert not leaks().pass_unchanged({"reasoning": "a"})
    followed = leaks()
    followed.feed({"reasoning": "a"})
    assert followed.pass_unchanged({"reasoning": "b"})
    assert not followed.pass_unchanged({"reasoning": "b", "reasoning_details": [detail("b")]})


def test_no_delta_passes_pending_text() -> None:
    followed = begun()
    followed.feed({"reasoning": "<", "reasoning_details": [detail("<")]})
    assert not followed.pass_unchanged({"content": "b"})
    assert not followed.pass_unchanged({"content": ""})
    assert not followed.pass_unchanged({"reasoning": "b"})
    assert not followed.has_no_text({"content": None})
    followed.feed({"content": "b <"})
    assert not followed.pass_unchanged({"content": "c"})
    assert followed.pass_unchanged({"reasoning": "c"})


def test_quotes_in_passed_texts_count() -> None:
    followed = begun()
    assert followed.pass_unchanged({"content": " `"})
    assert followed.feed({"content": f"{ONE}`"}) == {"content": f"{ONE}`"}


def test_deltas_without_text() -> None:
    assert begun().has_no_text({"content": "", "reasoning": None, "reasoning_details": []})
    assert not begun().has_no_text({"content": "a"})
    assert not begun().has_no_text({"reasoning_content": "a"})
    assert not begun().has_no_text({"reasoning_details": [detail("a")]})
