"""Streams with any split and any damage become a well-formed message or a typed error."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_kimi.errors import KimiEmptyReplyError, KimiError
from langchain_kimi.testing import Behavior, Reply, ToolCall
from tests.fuzz.damages import DAMAGES, POSITIONS, Damage, damaged
from tests.fuzz.replies import JSON, WRITTEN, Written, facts_of, read_plain, read_stream, stream_of


def pieces_of(stream: bytes, positions: list[float]) -> list[bytes]:
    cuts = sorted(int(position * len(stream)) for position in positions)
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def outcome(read: AIMessage | KimiError) -> Any:
    return type(read) if isinstance(read, KimiError) else repr(facts_of(read))


@given(WRITTEN, st.lists(POSITIONS, max_size=12))
def test_any_split_of_a_stream_gives_the_same_message(written: Written, positions: list[float]) -> None:
    whole = read_stream([written.stream])
    assert isinstance(whole, AIMessage | KimiEmptyReplyError)
    assert outcome(read_stream(pieces_of(written.stream, positions))) == outcome(whole)


# One call for each byte: a third of the examples takes as long as those of the other properties.
@settings(max_examples=settings().max_examples // 3)
@given(WRITTEN)
def test_a_stream_byte_by_byte_gives_the_same_message(written: Written) -> None:
    stream = written.stream
    assert outcome(read_stream([stream[i : i + 1] for i in range(len(stream))])) == outcome(read_stream([stream]))


@given(WRITTEN, st.sampled_from([b"\r\n", b"\r"]))
def test_line_ends_do_not_matter(written: Written, line_end: bytes) -> None:
    assert outcome(read_stream([written.stream.replace(b"\n", line_end)])) == outcome(read_stream([written.stream]))


@given(WRITTEN)
def test_a_plain_reply_gives_the_same_as_a_stream(written: Written) -> None:
    plain, streamed = read_plain(written.plain), read_stream([written.stream])
    if isinstance(plain, KimiError) or isinstance(streamed, KimiError):
        assert type(plain) is type(streamed)
        return
    assert plain.text == streamed.text
    # NaN, which Python's JSON has, is not equal to itself.
    assert repr([call["args"] for call in plain.tool_calls]) == repr([call["args"] for call in streamed.tool_calls])
    assert [call["name"] for call in plain.tool_calls] == [call["name"] for call in streamed.tool_calls]
    assert len(plain.invalid_tool_calls) == len(streamed.invalid_tool_calls)
    assert plain.usage_metadata == streamed.usage_metadata
    assert plain.additional_kwargs.get("reasoning_content") == streamed.additional_kwargs.get("reasoning_content")
    for name in ("finish_reason", "provider", "cost", "id", "model_name"):
        assert plain.response_metadata.get(name) == streamed.response_metadata.get(name)


@given(WRITTEN, POSITIONS)
def test_a_stream_cut_off_before_its_finish_is_an_error(written: Written, position: float) -> None:
    # The finish event is the last but one; its payload is whole at the end of its line.
    needed = len(stream_of(written.events[:-1], comments=written.behavior.comments)) - len(b"\n\ndata: [DONE]\n\n")
    cut = read_stream([written.stream[: int(position * needed)]])
    assert isinstance(cut, KimiError)


@given(WRITTEN, POSITIONS)
def test_a_plain_reply_cut_off_is_an_error(written: Written, position: float) -> None:
    assert isinstance(read_plain(written.plain[: int(position * len(written.plain))]), KimiError)


@given(WRITTEN, st.lists(DAMAGES, min_size=1, max_size=3))
def test_a_damaged_stream_is_a_message_or_a_kimi_error(written: Written, damages: list[Damage]) -> None:
    stream, plain = written.stream, written.plain
    for damage in damages:
        stream, plain = damaged(stream, damage), damaged(plain, damage)
    assert isinstance(read_stream([stream]), AIMessage | KimiError)
    assert isinstance(read_plain(plain), AIMessage | KimiError)


def nodes_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(path_in for key, child in inner for path_in in nodes_of(child, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    key, *rest = path
    if isinstance(value, dict):
        return {**value, key: replaced(value[key], tuple(rest), new)}
    return [replaced(item, tuple(rest), new) if at == key else item for at, item in enumerate(value)]


@given(WRITTEN, st.data())
def test_any_value_in_any_place_is_a_message_or_a_kimi_error(written: Written, data: st.DataObject) -> None:
    events: Any = list(written.events)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(nodes_of(events)[1:]))
        events = replaced(events, path, data.draw(JSON))
    assert isinstance(read_stream([stream_of(events)]), AIMessage | KimiError)


FOUND: tuple[tuple[tuple[Any, ...], Any], ...] = (
    ((0, "choices", 0, "delta", "reasoning_details", 0, "text"), True),
    ((-2, "choices", 0, "finish_reason"), {}),
    ((-2, "choices", 0, "finish_reason"), ["stop"]),
    (("call", "choices", 0, "delta", "tool_calls"), 7),
    (("call", "choices", 0, "delta", "tool_calls", 0, "id"), []),
    (("call", "choices", 0, "delta", "tool_calls", 0, "index"), {}),
    ((-1, "usage"), 7),
    ((-1, "usage", "completion_tokens_details"), 7),
    ((-1, "usage", "prompt_tokens"), float("inf")),
    ((0, "provider"), {"name": "Moonshot AI"}),
)
"""Values that earlier runs mishandled, each with its place."""


@pytest.mark.parametrize(("path", "value"), FOUND)
def test_values_that_were_once_mishandled(path: tuple[Any, ...], value: Any) -> None:
    reply = Reply(text="Yes.", reasoning="I see it.", tool_calls=[ToolCall("search", {"q": "x"})])
    events: Any = Written(reply, Behavior()).events
    opening = next(at for at, event in enumerate(events) if event["choices"][0]["delta"].get("tool_calls"))
    at = opening if path[0] == "call" else path[0] % len(events)
    events = replaced(events, (at, *path[1:]), value)
    assert isinstance(read_stream([stream_of(events)]), AIMessage | KimiError)


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_random_bytes_are_a_kimi_error(pieces: list[bytes]) -> None:
    assert isinstance(read_stream(pieces), KimiError)
    assert isinstance(read_plain(b"".join(pieces)), KimiError)
