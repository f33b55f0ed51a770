"""The report of the repairs, and the validation of calls, in streams and in plain replies."""

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
def test_calls_that_do_not_match_their_schema_are_invalid(
    name: str, arguments: str, fault: str, counts: dict[str, int]
) -> None:
    for message in messages_of(call(name, arguments, "a")):
        assert message.tool_calls == []
        assert [(one["name"], one["id"]) for one in message.invalid_tool_calls] == [(name, "a")]
        report = message.response_metadata["kimi"]
        assert fault in report["invalid_tool_calls"]["a"]
        assert report["validation"] == counts
        assert "repairs" not in report
    assert fault in message.invalid_tool_calls[0]["error"]


def test_leaked_calls_are_validated_too() -> None:
    for message in messages_of({"content": ONE.replace('"Paris"', "[]")}):
        assert message.tool_calls == []
        assert message.response_metadata["kimi"]["repairs"] == {"markup": 1}
        assert message.response_metadata["kimi"]["validation"] == {"mismatches": 1}


def test_validation_changes_neither_valid_nor_broken_calls() -> None:
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
    report = [chunk.message.response_metadata for chunk in chunks]
    assert ["kimi" in one for one in report] == [False] * (len(report) - 1) + [True]
    assert report[-1]["finish_reason"] == "tool_calls"
    assert report[-1]["native_finish_reason"] == "stop"


def test_a_leaked_call_of_a_broken_stream_is_on_the_error() -> None:
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


def test_held_back_text_of_a_broken_stream_is_on_the_error() -> None:
    repairer = Repairer(BODY)
    assert repairer.feed({"delta": {"content": "a <|tool"}})["delta"] == {"content": "a "}
    [last] = repairer.close(cut=True)
    assert last["delta"] == {"content": "<|tool"}
    assert list(repairer.close()) == []


def test_a_delayed_finish_reason_comes_at_the_end() -> None:
    repairer = Repairer(BODY)
    choice = repairer.feed({"delta": {"content": "a <"}, "finish_reason": "stop"})
    assert choice["finish_reason"] is None
    assert list(repairer.close()) == [{"index": 0, "delta": {"content": "<"}, "finish_reason": "stop"}]


def test_empty_answers_are_in_the_report() -> None:
    for message in messages_of(
        call("launch", "{}", "a"), repair_options=RepairOptions(validates=True, empty_answers=2)
    ):
        report = message.response_metadata["kimi"]
        assert (report["empty_answers"], report["validation"]) == (2, {"unknown_tools": 1})
    for message in messages_of(call("get_weather", PARIS, "a"), repair_options=RepairOptions(empty_answers=1)):
        assert message.response_metadata["kimi"] == {"empty_answers": 1}
