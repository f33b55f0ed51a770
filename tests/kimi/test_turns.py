import random
from typing import Any

import pytest

from langchain_kimi._kimi.history import with_pairs
from langchain_kimi._kimi.turns import results_are_in_place, with_results_in_place, without_empty_turns

USER: Any = {"role": "user", "content": "hi"}
SYSTEM: Any = {"role": "system", "content": "Remember."}
TEXT: Any = {"role": "assistant", "content": "Wait."}


def calls(*ids: str) -> Any:
    tool_calls = [{"id": one, "type": "function", "function": {"name": "f", "arguments": "{}"}} for one in ids]
    return {"role": "assistant", "content": None, "tool_calls": tool_calls}


def result(call_id: str, content: str = "1") -> Any:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


AB, A, B = calls("a", "b"), calls("a"), calls("b")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [USER],
        [USER, AB, result("a"), result("b"), USER],
        [USER, A, result("a"), B, result("b"), TEXT],
        [USER, A, result("a"), A, result("a")],
        [calls("", ""), result("", "1"), result("", "2")],
    ],
)
def test_results_behind_their_calls_are_not_moved(messages: list[Any]) -> None:
    assert with_results_in_place(messages) is messages


@pytest.mark.parametrize(
    ("messages", "ordered"),
    [
        ([USER, AB, result("a"), USER, result("b")], [USER, AB, result("a"), result("b"), USER]),
        ([USER, AB, result("b"), result("a")], [USER, AB, result("a"), result("b")]),
        ([A, SYSTEM, result("a")], [A, result("a"), SYSTEM]),
        ([A, TEXT, USER, result("a"), USER], [A, result("a"), TEXT, USER, USER]),
        ([A, B, result("a"), result("b")], [A, result("a"), B, result("b")]),
        ([A, B, result("b"), result("a")], [A, result("a"), B, result("b")]),
        # A repeated id: as many of the newest turns as there are results in a row, in their order.
        (
            [A, calls("a"), result("a", "1"), result("a", "2")],
            [A, result("a", "1"), calls("a"), result("a", "2")],
        ),
        (
            [A, AB, result("a", "1"), result("b"), result("a", "2")],
            [A, result("a", "1"), AB, result("a", "2"), result("b")],
        ),
        (
            [A, A, A, result("a", "2"), result("a", "3"), USER, result("a", "1")],
            [A, result("a", "1"), A, result("a", "2"), A, result("a", "3"), USER],
        ),
        (
            [A, calls("a", "a"), result("a", "2"), USER, result("a", "3"), result("a", "1")],
            [A, result("a", "3"), calls("a", "a"), result("a", "2"), result("a", "1"), USER],
        ),
        ([calls("a", "a"), USER, result("a", "1"), result("a", "2")], None),
        # Results without a call stay.
        ([result("x"), A, USER, result("a"), result("x")], [result("x"), A, result("a"), USER, result("x")]),
        ([A, USER, result("a"), result("a")], [A, result("a"), USER, result("a")]),
    ],
)
def test_results_move_behind_their_calls(messages: list[Any], ordered: list[Any] | None) -> None:
    before = list(messages)
    expected = ordered or [messages[0], messages[2], messages[3], messages[1]]
    assert with_results_in_place(messages) == expected
    assert messages == before
    again = with_results_in_place(expected)
    assert again is expected


def test_the_work_grows_with_the_length_of_the_conversation() -> None:
    class Counted(dict[str, Any]):
        reads = 0

        def get(self, key: str, default: Any = None) -> Any:
            Counted.reads += 1
            return super().get(key, default)

    def reads_of(count: int) -> int:
        ids = [f"f:{number}" for number in range(count)]
        messages: Any = [Counted(calls(*ids)), Counted(USER), *(Counted(result(one)) for one in reversed(ids))]
        Counted.reads = 0
        assert [message.get("tool_call_id") for message in with_results_in_place(messages)[1:-1]] == ids
        return Counted.reads

    assert reads_of(400) <= 2.1 * reads_of(200)


def test_turns_without_content_and_calls_are_removed() -> None:
    image: Any = {"role": "assistant", "content": None, "images": [{"type": "image_url"}]}
    assert without_empty_turns([USER, image, TEXT, A]) == [USER, TEXT, A]
    messages = [USER, TEXT, A, result("a", "")]
    assert without_empty_turns(messages) is messages


CALLERS: list[Any] = [USER, TEXT, A, B, AB, calls("a", "a"), calls(""), {**A, "content": "Wait."}]
RESULTS: list[Any] = [result("a"), result("b"), result("x"), result("")]


def test_results_in_place_need_no_check_of_pairs_and_are_not_moved() -> None:
    places = random.Random(1)  # noqa: S311 - the same conversations in each run
    in_place = 0
    for _ in range(1000):
        messages = places.choices([*CALLERS, *RESULTS], k=places.randint(0, 7))
        is_paired = with_pairs(messages) is messages
        # Of paired messages, only those whose results are not in place can be moved.
        assert results_are_in_place(messages) == (is_paired and with_results_in_place(messages) is messages)
        in_place += results_are_in_place(messages)
    assert 50 < in_place < 950
