import copy
from typing import Any

import pytest

from langchain_kimi._kimi.history import STUB, check_pairs, with_pairs, without_blanks
from langchain_kimi.errors import KimiUsageError

USER: Any = {"role": "user", "content": "a"}


def turn(*call_ids: str, content: Any = None) -> Any:
    calls = [{"id": call_id, "function": {"name": "f"}} for call_id in call_ids]
    return {"role": "assistant", "content": content, "tool_calls": calls}


def result(call_id: str, content: str = "") -> Any:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


PAIRED: list[list[Any]] = [
    [],
    [USER, {"role": "assistant", "content": "b"}],
    [turn("x", "y"), result("y"), result("x"), USER],
    [turn("x", "x"), result("x"), result("x"), turn("x"), result("x")],
    [turn(""), result("")],
]


@pytest.mark.parametrize("messages", PAIRED)
def test_paired_messages_pass_unchanged(messages: list[Any]) -> None:
    check_pairs(messages)
    assert with_pairs(messages) is messages


@pytest.mark.parametrize(
    ("messages", "words", "repaired"),
    [
        ([USER, result("x")], r"messages\[1\] is the result of the tool call 'x'", [USER]),
        ([result("x"), turn("x"), result("x")], r"messages\[0\] is the result", [turn("x"), result("x")]),
        (
            [turn("x"), result("x"), USER, result("x")],
            r"messages\[3\] is a second result of the tool call 'x': messages\[1\] is its result",
            [turn("x"), result("x"), USER],
        ),
        (
            [result("x"), result("x"), turn("x"), result("x")],
            r"messages\[0\] is the result of the tool call 'x', but no call",
            [turn("x"), result("x")],
        ),
        ([USER, turn("x")], r"messages\[1\] calls 'f' with the id 'x'", [USER, turn("x"), result("x", STUB)]),
        (
            [turn("x", "y"), result("y"), USER],
            r"messages\[0\] calls 'f' with the id 'x'",
            [turn("x", "y"), result("y"), result("x", STUB), USER],
        ),
        (
            [turn("x"), USER, turn("x"), result("x")],
            r"messages\[0\] calls",
            [turn("x"), result("x", STUB), USER, turn("x"), result("x")],
        ),
    ],
)
def test_unpaired_messages_are_refused_or_repaired(messages: list[Any], words: str, repaired: list[Any]) -> None:
    before = copy.deepcopy(messages)
    with pytest.raises(KimiUsageError, match=words) as caught:
        check_pairs(messages)
    assert "orphans" in caught.value.advice
    assert with_pairs(messages) == repaired
    check_pairs(repaired)
    assert messages == before


@pytest.mark.parametrize("content", [" ", "", "\n\t"])
def test_white_space_beside_calls_becomes_null(content: str) -> None:
    messages = [turn("x", content=content)]
    assert without_blanks(messages) == [turn("x")]
    assert messages == [turn("x", content=content)]


@pytest.mark.parametrize("message", [turn("x", content="a"), turn("x"), {"role": "assistant", "content": " "}])
def test_other_content_is_not_changed(message: Any) -> None:
    messages = [message]
    assert without_blanks(messages) is messages
