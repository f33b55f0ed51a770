import json
import math
from typing import Any, cast

import pytest

from langchain_kimi._openrouter.reply.chunks import (
    as_chunk,
    as_error_chunk,
    choices_of,
    has_content,
    holds_only_content,
    is_every_choice,
    numbered,
    with_documented_calls,
    without_finish,
    without_list,
)
from langchain_kimi._openrouter.reply.sse import ErrorPayload
from langchain_kimi._openrouter.wire import CONTENT_KEYS

CALL = {"index": 0, "function": {"arguments": "{"}}
FUNCTION = {"name": "f", "arguments": "{}"}
DELTAS: dict[str, Any] = {
    **dict.fromkeys(CONTENT_KEYS, "x"), "tool_calls": [CALL], "reasoning_details": [{"text": "x"}],
    "annotations": [{"type": "url_citation"}], "images": [{}], "audio": {"data": "x"},
}  # fmt: skip


def chunk(delta: Any, **more: Any) -> Any:
    return {"id": "gen-1", "choices": [{"index": 0, "delta": delta, "finish_reason": None, **more}]}


@pytest.mark.parametrize("key", CONTENT_KEYS)
def test_every_kind_of_content_counts(key: str) -> None:
    value = chunk({"role": "assistant", "content": "", key: DELTAS[key]})
    assert holds_only_content(value)
    assert has_content(value["choices"])


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"choices": None},
        {"choices": {}},
        {"choices": []},
        {"choices": [None]},
        {"choices": [{}, {}]},
        {**chunk({"content": "x"}), "error": {"message": "no"}},
        {**chunk({"content": "x"}), "provider": {"error": {}}},
        chunk({"content": "x"}, error={"message": "no"}),
        chunk({"content": "x"}, finish_reason="stop"),
        chunk({"content": "x"}, finish_reason=1),
        chunk({"content": "x", "tool_calls": {}}),
        chunk({"content": "x", "function_call": FUNCTION}),
        chunk({"content": ""}),
        chunk({}),
        chunk(None),
        chunk("x"),
    ],
)
def test_chunks_with_anything_else_do_not_hold_only_content(value: dict[str, Any]) -> None:
    assert not holds_only_content(value)


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (None, 0),
        ("x", 0),
        ([None, 1, "x"], 0),
        ([{"delta": "x"}], 0),
        ([{"delta": {}, "finish_reason": {}}], 0),
        ([{"message": {"tool_calls": "x"}}], 0),
        ([{"delta": {"content": "x"}}, {"message": {"tool_calls": None}, "finish_reason": "stop"}, {}], 3),
    ],
)
def test_choices_of_another_form_are_left_out(choices: Any, expected: int) -> None:
    assert len(choices_of({"choices": choices})) == expected


WHOLE_CALL = {"id": "f:0", "type": "function", "function": FUNCTION}


@pytest.mark.parametrize("key", ["delta", "message"])
@pytest.mark.parametrize(
    ("message", "calls"),
    [
        ({"function_call": FUNCTION}, [{"index": 0, "type": "function", "function": FUNCTION}]),
        ({"function_call": FUNCTION, "tool_calls": []}, [{"index": 0, "type": "function", "function": FUNCTION}]),
        ({"tool_calls": WHOLE_CALL}, [WHOLE_CALL]),
        ({"tool_calls": {"0": WHOLE_CALL, "2": WHOLE_CALL}}, [WHOLE_CALL, WHOLE_CALL]),
        ({"tool_calls": {}}, None),
        ({"tool_calls": ""}, None),
        ({"tool_calls": False}, None),
    ],
)
def test_calls_of_other_forms_become_a_list(key: str, message: Any, calls: Any) -> None:
    [choice] = choices_of(cast("Any", {"choices": [{key: {"content": "x", **message}}]}))
    assert cast("Any", choice)[key] == {"content": "x", "tool_calls": calls}


@pytest.mark.parametrize(
    "choice",
    [
        None,
        {"delta": "x"},
        {"message": {"tool_calls": [WHOLE_CALL], "function_call": FUNCTION}},
        {"delta": {"function_call": None, "tool_calls": None}},
        {"delta": {"function_call": {"name": "", "arguments": ""}, "tool_calls": []}},
    ],
)
def test_choices_without_such_calls_stay_the_same_object(choice: Any) -> None:
    assert with_documented_calls(choice) is choice


def test_left_out_choices_are_noticed() -> None:
    value: Any = {"choices": [{}, None]}
    assert not is_every_choice(choices_of(value), value)
    assert is_every_choice([], {"choices": []})
    assert not is_every_choice([], cast("Any", {"choices": [None]}))


def test_a_choice_without_its_finish_reason_is_a_copy() -> None:
    ended: Any = {"index": 0, "finish_reason": "stop"}
    assert without_finish(ended) == {"index": 0, "finish_reason": None}
    assert ended["finish_reason"] == "stop"
    unended: Any = {"index": 0}
    assert without_finish(unended) is unended


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b'{"message": "boom"}', {"message": "boom"}),
        (b'{"error": {"message": "boom"}, "id": "gen-1"}', {"message": "boom"}),
        (b" boom \xff", "boom \ufffd"),
        (b"[" * 100_000, "[" * 100_000),
        (b'["boom"]', ["boom"]),
        (ErrorPayload(b'{"message": "boom"}'), {"message": "boom"}),
        (b"", "The server sent an error without a message."),
        (b"{}", "The server sent an error without a message."),
    ],
)
def test_the_payload_of_an_event_named_error_becomes_a_chunk(payload: bytes, error: Any) -> None:
    assert cast("Any", as_error_chunk(payload))["error"] == error


def test_an_event_named_error_may_contain_a_whole_error() -> None:
    for error in (
        {"error": {"message": "boom"}},
        {"object": "error", "message": "It broke"},
        {"choices": [{"error": "x"}]},
    ):
        assert as_error_chunk(json.dumps(error).encode()) == error
        assert as_error_chunk(json.dumps([error]).encode()) == error


@pytest.mark.parametrize("value", [{}, [], [1], [{"a": 1}], {"error": "x"}, None, "x"])
def test_only_an_error_is_taken_out_of_a_list(value: Any) -> None:
    assert without_list(value) is value
    assert without_list([{"error": "x"}]) == {"error": "x"}


def test_a_plain_reply_becomes_one_chunk() -> None:
    reply: Any = {"id": "gen-1", "choices": [{"message": {"content": "x"}}, {"message": None}, 7]}
    assert as_chunk(reply) == {
        "id": "gen-1",
        "choices": [{"message": {"content": "x"}, "delta": {"content": "x"}}, {"message": None, "delta": {}}],
    }


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ([0], [0]),
        ([1, 0], [0, 1]),
        ([None], [0]),
        ([None, 0], [0, 1]),
        (["1", "0"], [0, 1]),
        ([1.0, 0.0], [0, 1]),
        ([-1, "x", "-1"], [0, 1, 2]),
        ([math.inf, math.nan], [0, 1]),
        (["9" * 5000, 7], [0, 7]),
        ([{}, [], 2], [0, 1, 2]),
    ],
)
def test_choices_are_ordered_by_their_numbers(indices: list[Any], expected: list[int]) -> None:
    assert [index for index, _ in numbered([{"index": index} for index in indices])] == expected


def test_a_choice_that_is_not_an_object_gets_a_free_number() -> None:
    assert numbered([7, {"index": 0}]) == [(0, {"index": 0}), (1, 7)]
