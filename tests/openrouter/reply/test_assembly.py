"""The sum of a stream, chunk by chunk."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from langchain_kimi._openrouter.reply.assembly import Assembly, joined, merged_logprobs, text_of
from langchain_kimi._openrouter.reply.envelopes import RepeatedEvent
from tests.growth import assert_linear


def assembled(*chunks: dict[str, Any]) -> Any:
    """The reply that these chunks add up to."""
    assembly = Assembly()
    for chunk in chunks:
        choices = chunk.get("choices")
        assembly.add(cast("Any", chunk), choices[0] if choices else None)
    return assembly.reply()


def message(*deltas: dict[str, Any]) -> Any:
    return assembled(*({"choices": [{"index": 0, "delta": delta}]} for delta in deltas))["choices"][0]["message"]


def choice(*choices: dict[str, Any]) -> Any:
    return assembled(*({"choices": [one]} for one in choices))["choices"][0]


def test_without_deltas_the_message_is_empty() -> None:
    empty = {"index": 0, "finish_reason": None, "message": {"role": "assistant"}}
    assert Assembly().reply() == {"choices": [empty]}
    assert assembled({"choices": None}, {"choices": []}, {}, {"choices": [{"index": 0, "delta": None}]}) == {
        "choices": [empty]
    }


def test_of_an_event_with_the_fields_of_an_earlier_one_only_the_delta_is_added() -> None:
    events = [
        {"id": "gen-1", "provider": "p", "choices": [{"index": 0, "delta": {"content": text}, "native": "n"}]}
        for text in "abc"
    ]
    assert assembled(events[0], *map(RepeatedEvent, events[1:])) == assembled(*events)


def test_the_first_value_of_a_field_counts() -> None:
    reply = assembled(
        {"id": "gen-1", "model": "kimi", "provider": None, "created": 1, "system_fingerprint": ""},
        {
            "id": "gen-1",
            "model": "kimi",
            "provider": "Groq",
            "created": 2,
            "system_fingerprint": "fp",
            "citations": ["u"],
        },
        {"id": None, "model": "other", "provider": "Novita", "service_tier": None, "citations": ["u", "v"]},
    )
    reply.pop("choices")
    assert reply == {
        "id": "gen-1",
        "model": "kimi",
        "provider": "Groq",
        "created": 1,
        "system_fingerprint": "fp",
        "citations": ["u"],
    }


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["chatcmpl-1", "gen-1", "gen-1"], "gen-1"),
        (["gen-1", "chatcmpl-1"], "gen-1"),
        (["gen-1", "gen-2"], "gen-1"),
        (["chatcmpl-1", "chatcmpl-2"], "chatcmpl-1"),
        ([None, "", "gen-1"], "gen-1"),
        ([7, "gen-1"], "gen-1"),
    ],
)
def test_an_id_of_openrouter_has_precedence(ids: list[Any], expected: str) -> None:
    assert assembled(*({"id": one} for one in ids))["id"] == expected


def test_an_error_is_not_a_field_of_the_reply() -> None:
    assert "error" not in assembled({"error": {"message": "x"}, "choices": [{"delta": {}, "error": {"message": "x"}}]})
    assert "error" not in choice({"delta": {}, "error": {"message": "x"}})


def test_the_last_usage_counts() -> None:
    assert "usage" not in assembled({"usage": None}, {"usage": {}})
    assert assembled({"usage": {"cost": 1}}, {"usage": {"cost": 2}}, {"usage": None})["usage"] == {"cost": 2}


def test_usage_in_a_choice_counts_if_there_is_no_other() -> None:
    inside = {"choices": [{"delta": {}, "usage": {"cost": 1}}]}
    assert assembled(inside)["usage"] == {"cost": 1}
    assert assembled(inside, {"usage": {"cost": 2}})["usage"] == {"cost": 2}
    assert assembled({"usage": {"cost": 2}}, inside)["usage"] == {"cost": 2}
    assert "usage" not in assembled(inside)["choices"][0]


def test_a_repeated_finish_reason_is_set_once() -> None:
    finished = {"delta": {"content": ""}, "finish_reason": "stop", "native_finish_reason": "eos"}
    ended = choice({"delta": {}, "finish_reason": None}, finished, finished, {"delta": {}, "finish_reason": None})
    assert (ended["finish_reason"], ended["native_finish_reason"]) == ("stop", "eos")


def test_the_first_finish_reason_counts() -> None:
    ended = choice({"delta": {}, "finish_reason": "tool_calls"}, {"delta": {}, "finish_reason": "stop"})
    assert ended["finish_reason"] == "tool_calls"


def test_text_is_joined_and_the_role_is_not() -> None:
    joined = message(
        {"role": "assistant", "content": " He", "reasoning": None},
        {"role": "assistant", "content": "", "reasoning": "Hm", "refusal": "I "},
        {"role": "assistant", "content": None, "reasoning": "m.", "reasoning_content": "aha", "refusal": "won't"},
        {"role": "assistant", "content": "llo"},
    )
    assert joined == {
        "role": "assistant",
        "content": " Hello",
        "reasoning": "Hmm.",
        "reasoning_content": "aha",
        "refusal": "I won't",
    }


def test_text_in_content_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": None}, "x", {"text": "b"}]
    assert message({"content": parts}, {"content": "c"}, {"content": 7})["content"] == "axbc7"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a", "a"),
        ([{"text": "a"}, {"text": "b"}], "ab"),
        (["a", 5, None, {"text": ["b"]}, {"image_url": {}}], "a5b"),
        ({"text": "a"}, "a"),
        (None, ""),
        (7, "7"),
        (0.5, "0.5"),
        (True, ""),
        ({}, ""),
        ({"type": "refusal"}, ""),
        ({"text": {"value": "é"}}, '{"value": "é"}'),
        ({"answer": [1, "é"]}, '{"answer": [1, "é"]}'),
        ([{"answer": 1}, "a"], "a"),
    ],
)
def test_the_text_of_a_content(content: Any, text: str) -> None:
    assert text_of(content) == text


def piece(index: int, arguments: str | None = None, **more: Any) -> dict[str, Any]:
    function = {"name": more.pop("name", None), "arguments": arguments}
    return {"tool_calls": [{"index": index, "function": function, **more}]}


def test_tool_calls_are_joined_by_index() -> None:
    calls = message(
        piece(1, "", id="b:1", name="b", type="function"),
        piece(0, '{"x"', id="a:0", name="a", type="function"),
        piece(1, '{"y"', id=None, type=""),
        piece(0, ": 1}", id="", name=""),
        piece(1, ": 2}", id="b:1", name="b"),
        piece(0, None),
        {"tool_calls": [{"index": 0}]},
        {"tool_calls": [{"index": 0, "function": None}]},
    )["tool_calls"]
    assert calls == [
        {"index": 0, "id": "a:0", "type": "function", "function": {"name": "a", "arguments": '{"x": 1}'}},
        {"index": 1, "id": "b:1", "type": "function", "function": {"name": "b", "arguments": '{"y": 2}'}},
    ]


def test_two_calls_in_one_delta_and_an_incomplete_call() -> None:
    both = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "a"}}, {"index": 2}]}
    calls = message(both)["tool_calls"]
    assert [(call["index"], call["id"], call["function"]) for call in calls] == [
        (0, "a", {"name": "a", "arguments": ""}),
        (2, None, {"name": None, "arguments": ""}),
    ]


def test_the_reply_can_be_read_at_any_moment() -> None:
    assembly = Assembly()
    seen = []
    for letter in ("a", "b", "c"):
        assembly.add({}, cast("Any", {"delta": {"content": letter, **piece(0, letter, name="f")}}))
        seen.append(cast("Any", assembly.reply())["choices"][0]["message"])
    assert [one["content"] for one in seen] == ["a", "ab", "abc"]
    assert [one["tool_calls"][0]["function"]["arguments"] for one in seen] == ["a", "ab", "abc"]


@pytest.mark.parametrize(
    ("values", "merged"),
    [
        ([None, {"content": [1], "refusal": None}], {"content": [1], "refusal": None}),
        ([{"content": [1]}, {"content": [2]}, None], {"content": [1, 2]}),
        ([{"content": [1]}, {"content": None}], {"content": [1]}),
        ([{"content": None}, {"content": [1]}], {"content": [1]}),
        ([{"content": [1]}, {"refusal": [2]}, {"refusal": None}], {"content": [1], "refusal": [2]}),
        ([{"n": 1}, {"n": 2}], {"n": 2}),
        ([{"content": [1]}, "odd"], "odd"),
    ],
)
def test_logprobs_of_all_chunks_are_joined(values: list[Any], merged: Any) -> None:
    assert choice(*({"delta": {}, "logprobs": value} for value in values))["logprobs"] == merged


def test_logprobs_of_the_first_chunk_are_unchanged() -> None:
    assert merged_logprobs([{"content": [1]}]) == {"content": [1]}


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ([[1], [2, 3]], [1, 2, 3]),
        (["a", "b"], "ab"),
        ([1, "a", "b"], "ab"),
        ([[1], None, [2]], [2]),
        ([True, False], False),
        ([{"data": "a", "id": 1}, {"data": "b", "id": None}], {"data": "ab", "id": 1}),
    ],
)
def test_the_values_of_a_key_are_joined(values: list[Any], total: Any) -> None:
    assert joined(values) == total


DELTAS: dict[str, Callable[[int], dict[str, Any]]] = {
    "details with new indices": lambda i: {"reasoning_details": [{"type": "reasoning.text", "index": i, "text": "x"}]},
    "details without an index": lambda i: {"reasoning_details": [{"type": f"reasoning.{i % 2}", "text": "x"}]},
    "annotations": lambda i: {"annotations": [{"type": "url_citation", "i": i}]},
    "audio": lambda _: {"audio": {"data": "x" * 50}},
    "unknown text": lambda _: {"brand_new": "x" * 50},
    "many calls": lambda i: {"tool_calls": [{"index": i, "function": {"arguments": "x"}}]},
}


@pytest.mark.uncovered
@pytest.mark.parametrize("delta", DELTAS.values(), ids=DELTAS.keys())
def test_a_stream_is_added_up_in_linear_time(delta: Callable[[int], dict[str, Any]]) -> None:
    def add_up(size: int) -> None:
        assembly = Assembly()
        for number in range(size):
            assembly.add(cast("Any", {}), cast("Any", {"delta": delta(number), "logprobs": {"content": [number]}}))
        assembly.reply()

    assert_linear(add_up)
    assert "logprobs" not in choice({"delta": {}, "logprobs": None})


def test_other_keys_of_a_delta_are_joined() -> None:
    result = message(
        {"annotations": [{"url": 1}], "audio": {"id": "a", "data": "QUJD", "transcript": "He", "expires_at": 1}},
        {"annotations": [{"url": 2}], "audio": {"id": "a", "data": "REVG", "transcript": "llo", "expires_at": 2}},
        {"images": [{"n": 1}], "audio": {"data": None, "transcript": None, "voice": "x"}},
        {"images": [{"n": 2}], "new_text": "a", "new_number": 1, "new_flag": None},
        {"new_text": "b", "new_number": 2, "new_mixed": [1]},
        {"new_mixed": "x"},
    )
    assert result == {
        "role": "assistant",
        "annotations": [{"url": 1}, {"url": 2}],
        "images": [{"n": 1}, {"n": 2}],
        "audio": {"id": "a", "data": "QUJDREVG", "transcript": "Hello", "expires_at": 2, "voice": "x"},
        "new_text": "ab",
        "new_number": 2,
        "new_mixed": "x",
    }
