"""What the mender tells of its work, and what validation makes of calls; in streams and in plain replies."""

from typing import Any

import pytest

from langchain_kimi._kimi.incoming import Repairer, RepairOptions
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._reply.streamed import StreamedMessage
from langchain_kimi.errors import KimiIncompleteStreamError
from tests.kimi.corpus.calls import ONE, PARIS
from tests.kimi.corpus.cases import CALL, SECTION, TOOLS, Case, call, plain, streamed

VALIDATING = RepairOptions(validates=True)
BODY: Any = {"tools": TOOLS, "messages": []}


def messages_of(*deltas: dict[str, Any], repair_options: RepairOptions = VALIDATING) -> list[Any]:
    """The streamed and the plain message."""
    case = Case("", "", deltas, finish="tool_calls")
    return [streamed(case, list(deltas), repair_options), plain(case, repair_options)]


@pytest.mark.parametrize(
    ("name", "arguments", "fault", "counts"),
    [
        ("get_weather", '{"city": 5}', "city: 5 is not of type 'string'", {"mismatches": 1}),
        ("get_weather", "{}", "'city' is a required property", {"mismatches": 1}),
        ("launch", "{}", "There is no tool 'launch'", {"unknown_tools": 1}),
    ],
)
def test_calls_that_do_not_fit_are_invalid(name: str, arguments: str, fault: str, counts: dict[str, int]) -> None:
    for message in messages_of(call(name, arguments, "a")):
        assert message.tool_calls == []
        assert [(one["name"], one["id"]) for one in message.invalid_tool_calls] == [(name, "a")]
        told = message.response_metadata["kimi"]
        assert fault in told["invalid_tool_calls"]["a"]
        assert told["validation"] == counts
        assert "repairs" not in told
    assert fault in message.invalid_tool_calls[0]["error"]


def test_leaked_calls_are_held_against_their_schemas_as_well() -> None:
    for message in messages_of({"content": ONE.replace('"Paris"', "[]")}):
        assert message.tool_calls == []
        assert message.response_metadata["kimi"]["repairs"] == {"markup": 1}
        assert message.response_metadata["kimi"]["validation"] == {"mismatches": 1}


def test_calls_that_fit_are_valid_and_broken_ones_keep_their_own_error() -> None:
    for message in messages_of(call("get_weather", PARIS, "a")):
        assert len(message.tool_calls) == 1
        assert "kimi" not in message.response_metadata
    for message in messages_of(call("get_weather", '{"city', "a")):
        assert len(message.invalid_tool_calls) == 1
        assert "kimi" not in message.response_metadata


def test_the_report_is_on_the_last_chunk_only() -> None:
    opened = ResponseHead(200, {}, 0.0)
    reader = StreamedMessage(opened, BODY, idle=None, with_usage=True)
    events = [
        f'data: {{"choices": [{{"delta": {{"content": "{SECTION}{CALL}functions.get_time:0<|tool_call_end|>"}}}}]}}',
        'data: {"choices": [{"delta": {}, "finish_reason": "stop", "native_finish_reason": "stop"}]}',
        "data: [DONE]",
    ]
    chunks: list[Any] = [*reader.feed("\n\n".join([*events, ""]).encode(), 0.0), *reader.close()]
    told = [chunk.message.response_metadata for chunk in chunks]
    assert ["kimi" in one for one in told] == [False] * (len(told) - 1) + [True]
    assert told[-1]["finish_reason"] == "tool_calls"
    assert told[-1]["native_finish_reason"] == "stop"


def test_half_a_call_of_a_stream_that_broke_is_on_the_error() -> None:
    reader = StreamedMessage(ResponseHead(200, {}, 0.0), BODY, idle=None, with_usage=True)
    text = f"I look.{CALL}functions.get_weather:0<|tool_call_argument_begin|>"
    list(reader.feed(f'data: {{"choices": [{{"delta": {{"content": "{text}"}}}}]}}\n\n'.encode(), 0.0))
    with pytest.raises(KimiIncompleteStreamError) as caught:
        list(reader.close())
    reader.explain(caught.value)
    partial = caught.value.partial
    assert partial is not None
    assert partial.content == "I look."
    assert partial.tool_calls == []
    assert [one["name"] for one in partial.invalid_tool_calls] == ["get_weather"]


def test_what_was_held_back_of_a_text_that_broke_is_on_the_error() -> None:
    mender = Repairer(BODY)
    assert mender.feed({"delta": {"content": "a <|tool"}})["delta"] == {"content": "a "}
    [owed] = mender.close(cut=True)
    assert owed["delta"] == {"content": "<|tool"}
    assert list(mender.close()) == []


def test_a_finish_reason_that_waited_is_given_back() -> None:
    mender = Repairer(BODY)
    held = mender.feed({"delta": {"content": "a <"}, "finish_reason": "stop"})
    assert held["finish_reason"] is None
    assert list(mender.close()) == [{"index": 0, "delta": {"content": "<"}, "finish_reason": "stop"}]


def test_empty_answers_before_this_one_are_told_beside_the_rest() -> None:
    for message in messages_of(
        call("launch", "{}", "a"), repair_options=RepairOptions(validates=True, empty_answers=2)
    ):
        told = message.response_metadata["kimi"]
        assert (told["empty_answers"], told["validation"]) == (2, {"unknown_tools": 1})
    for message in messages_of(call("get_weather", PARIS, "a"), repair_options=RepairOptions(empty_answers=1)):
        assert message.response_metadata["kimi"] == {"empty_answers": 1}
