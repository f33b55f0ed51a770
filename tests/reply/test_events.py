"""The protocol events of a stream equal those that langchain-core makes from the chunks of the same bytes."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._reply import events
from langchain_kimi._reply.events import EventMessage, EventWriter, core_bridge, is_same_as_core
from langchain_kimi._reply.messages import chunk_from, delta_parts
from langchain_kimi._reply.streamed import MAX_BLANKS, StreamedMessage
from langchain_kimi.errors import KimiError
from tests.growth import assert_linear
from tests.kimi.corpus.cases import Case, random_splits
from tests.kimi.corpus.leaks import IN_CONTENT, IN_REASONING
from tests.kimi.corpus.varied_pieces import HEALTHY_PIECES, VARIED_PIECES
from tests.kimi.corpus.varied_wire import VARIED_WIRE
from tests.kimi.corpus.wire import BROKEN
from tests.recordings.exchanges import STREAMED, Exchange, name_of, needs_recordings
from tests.reply.test_streamed import BODY, CONTINUED, DONE, ERROR, USAGE, WHOLE, call, event, head
from tests.rows import each_row

NOT_THE_SAME = "this langchain-core has other events, and makes them itself"
pytestmark = pytest.mark.skipif(not is_same_as_core(), reason=NOT_THE_SAME)
ID = "lc_run--1"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
CITATION = {
    "type": "url_citation",
    "url_citation": {"url": "https://a", "title": "A", "start_index": 0, "end_index": 1},
}
SERVER_TOOL = {
    "type": "reasoning.server_tool_call",
    "index": 0,
    "tool_call_id": "s1",
    "tool_name": "web_fetch",
    "arguments": '{"url": "https://a"}',
    "result": '{"text": "A"}',
}
STREAMS: dict[str, list[bytes]] = {
    "reasoning, text and a call": WHOLE,
    "text": [event({"content": "a"}), event({"content": "b"}), event(finish="stop", usage=USAGE), DONE],
    "reasoning and text in one delta": [
        event({"content": "a", "reasoning": "b"}),
        event({"content": "c", "reasoning": "d"}),
        event({"reasoning": "e"}),
        event({"content": "f"}),
        event(finish="stop"),
        DONE,
    ],
    "reasoning under another name": [event({"reasoning_content": "b"}), event({"content": "c"}, finish="stop"), DONE],
    "reasoning in details alone": [
        event({"reasoning_details": [{"type": "reasoning.text", "text": "H", "index": 0}]}),
        event({"content": "c"}, finish="stop"),
        DONE,
    ],
    "a server tool": [
        event({"reasoning": "H", "reasoning_details": [{"type": "reasoning.text", "text": "H", "index": 0}]}),
        event({"reasoning_details": [SERVER_TOOL]}),
        event({"content": "c", "annotations": [CITATION]}, finish="stop"),
        DONE,
    ],
    "usage without choices": [
        event({"content": "a"}),
        event(finish="stop"),
        b"data: " + json.dumps({"id": "gen-1", "choices": [], "usage": USAGE}).encode() + b"\n\n",
        DONE,
    ],
    "a piece without arguments": [
        event({"tool_calls": [call("{"), call("", index=1, id="f:1")]}),
        event({"tool_calls": [{"index": 1, "function": {"arguments": ""}}]}),
        event({"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}),
        event(finish="tool_calls"),
        DONE,
    ],
    "a refusal": [event({"refusal": "No."}), event({"refusal": " Never."}, finish="refusal"), DONE],
    "an image": [event({"content": "c"}), event({"images": [IMAGE]}, finish="stop"), DONE],
    "audio": [event({"audio": {"id": "a", "data": "AAAA", "transcript": "t"}}, finish="stop"), DONE],
    "citations without text": [event({"annotations": [CITATION], "refusal": "No."}, finish="stop"), DONE],
    "calls in alternation": [
        event({"tool_calls": [call('{"a"')]}),
        event({"tool_calls": [call('{"b"', index=1, id="f:1")]}),
        event({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}),
        event({"tool_calls": [{"index": 1, "function": {"arguments": ": 2}"}}]}),
        event(finish="tool_calls"),
        DONE,
    ],
    "calls in one delta": [
        event({"tool_calls": [call("{"), call("{", index=1, id="f:1")]}),
        event({"tool_calls": [{"index": index, "function": {"arguments": "}"}} for index in (0, 1)]}),
        event(finish="tool_calls"),
        DONE,
    ],
    "text around a call": [
        event({"content": "a", "tool_calls": [call("")]}),
        event({"content": "b"}),
        event({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}], "content": "c"}),
        event({"reasoning": "d"}),
        event(finish="tool_calls"),
        DONE,
    ],
    "an id in each delta": [
        event({"tool_calls": [call("{")]}),
        event({"tool_calls": [call('"a": 1}')]}),
        event(finish="tool_calls"),
        DONE,
    ],
    "a call without arguments": [event({"tool_calls": [call("")]}), event(finish="tool_calls"), DONE],
    "a call that is no JSON": [event({"tool_calls": [call("{a")]}), event(finish="tool_calls"), DONE],
    "a call that is cut off": [event({"tool_calls": [call('{"a": "b')]}), event(finish="length"), DONE],
    "a call of a failed stream": [event({"content": "a"}), event({"tool_calls": [call('{"a')]}), event(**ERROR)],
    "an error after text": [event({"content": "a"}), event({"content": "b"}), event(**ERROR)],
    "an error at once": [event(**ERROR)],
    "an end without finish": [event({"content": "a"})],
    "nothing": [event({"content": ""}, finish="stop"), DONE],
    "nothing but the limit": [event({"content": ""}, finish="length"), DONE],
    "nothing but reasoning": [event({"reasoning": "a"}), event({"content": ""}, finish="stop"), DONE],
    "blanks before text": [*[event({"content": text}) for text in (" ", "\n", "a")], event(finish="stop"), DONE],
    "only blanks": [event({"content": " "}), event({"content": " "}, finish="length"), DONE],
    "many blanks": [event({"content": " "})] * (MAX_BLANKS + 2) + [event(finish="stop"), DONE],
    "a call whose arguments are blanks": [
        event({"tool_calls": [call("")]}), event({"tool_calls": [CONTINUED]}), event(finish="tool_calls"), DONE
    ],
    "a leaked call": [
        event({"content": "a <|tool_calls_section_begin|><|tool_call_begin|>functions.f:0"}),
        event({"content": '<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|><|tool_calls_section_end|>'}),
        event(finish="stop", usage=USAGE),
        DONE,
    ],
    "only a leaked call": [
        event({"content": '<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|>'}),
        event(finish="stop"),
        DONE,
    ],
    "a leaked section that only begins": [
        event({"content": "a <|tool_calls_section_begin|><|too"}), event(finish="length"), DONE
    ],
}  # fmt: skip
TOOLS = {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}


def bridged(reader: StreamedMessage, pieces: list[bytes]) -> Iterator[Any]:
    """Yield the events that langchain-core makes from the chunks of a reader."""

    def chunks() -> Iterator[Any]:
        yield from parts_of(reader, pieces)

    yield from core_bridge()(chunks(), message_id=ID)


def parts_of(reader: Any, pieces: list[bytes]) -> Iterator[Any]:
    """Yield the parts that a reader returns, as the transport does."""
    try:
        for piece in pieces:
            yield from reader.feed(piece, 0.0)
        yield from reader.close()
    except KimiError as error:
        yield from reader.explain(error)
        raise


def outcome(parts: Iterator[Any]) -> tuple[list[Any], Any]:
    """Return the events of a stream and the facts of its error, if there is one."""
    written: list[Any] = []
    try:
        written.extend(parts)
    except KimiError as error:
        return written, (type(error), str(error), error.partial, error.usage)
    return written, None


def check(pieces: list[bytes], body: Any = BODY, opened: ResponseHead | None = None, **more: Any) -> list[Any]:
    """Compare the events of both ways, and return them."""
    options: dict[str, Any] = {"idle": None, "with_usage": True, **more}
    opened = opened or head()
    native = outcome(parts_of(EventMessage(opened, body, message_id=ID, **options), pieces))
    assert native == outcome(bridged(StreamedMessage(opened, body, **options), pieces))
    return native[0]


def pieces_of(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.uncovered
@pytest.mark.parametrize("body", [BODY, {**BODY, **TOOLS}], ids=["no tools", "tools"])
@pytest.mark.parametrize("name", STREAMS)
def test_streams(name: str, body: Any) -> None:
    stream = STREAMS[name]
    check(stream, body)
    check([b"".join(stream)], body)
    check(stream, body, with_usage=False, repair_options=RepairOptions(frozenset()))
    if len(stream) < MAX_BLANKS:
        check(pieces_of(b"".join(stream), 40), body)


def test_a_stream_of_every_kind_of_block_has_their_events() -> None:
    written = check(WHOLE)
    assert [one["event"] for one in written[:3]] == ["message-start", "content-block-start", "content-block-delta"]
    assert written[0]["id"] == ID
    finished = [one["content"] for one in written if one["event"] == "content-block-finish"]
    assert [block["type"] for block in finished] == ["reasoning", "text", "tool_call"]
    assert finished[2]["args"] == {"a": 1}
    assert written[-1]["usage"]["total_tokens"] == 3


def test_events_are_yielded_as_soon_as_their_bytes_have_come() -> None:
    reader = EventMessage(head(), BODY, message_id=ID, idle=None, with_usage=True)
    first = list(reader.feed(event({"content": "a"}), 0.0))
    assert [one["event"] for one in first] == ["message-start", "content-block-start", "content-block-delta"]
    assert reader.has_begun
    [second] = reader.feed(event({"content": "b"}), 0.0)
    assert second["delta"] == {"type": "text-delta", "text": "b"}


def test_events_share_no_state() -> None:
    """A consumer may change the events that it has received."""
    expected = check(WHOLE)
    reader = EventMessage(head(), BODY, message_id=ID, idle=None, with_usage=True)
    for number, one in enumerate(parts_of(reader, WHOLE)):
        assert one == expected[number]
        for part in (one.get("delta"), one.get("content"), one):
            if isinstance(part, dict):
                part.clear()


CASES = [*BROKEN, *VARIED_WIRE, *VARIED_PIECES, *HEALTHY_PIECES, *IN_CONTENT, *IN_REASONING]


@pytest.mark.uncovered
@each_row("case", CASES[::12], ids=lambda case: case.name)
def test_some_replies_with_repairs(case: Case) -> None:
    check_repaired(case)


@pytest.mark.long
@pytest.mark.uncovered
@each_row("case", CASES, ids=lambda case: case.name)
def test_replies_with_repairs(case: Case) -> None:
    check_repaired(case)


def stream_of(case: Case, deltas: Sequence[Any]) -> list[bytes]:
    """Return the events of a stream with these deltas and the end of a case."""
    choices: list[Any] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": case.finish})
    sent = [json.dumps({"id": "gen-1", "choices": [choice]}).encode() for choice in choices]
    return [b"data: %b\n\n" % one for one in [*sent, b"[DONE]"]]


def check_repaired(case: Case) -> None:
    body = {"model": "moonshotai/kimi-k2-0905", "messages": [], **case.body}
    for deltas in (list(case.deltas), *random_splits(case, 1)):
        stream = stream_of(case, deltas)
        check(stream, body, repair_options=RepairOptions(call_ids=lambda: case.taken))
        check(stream[: len(stream) // 2], body)


@needs_recordings
@pytest.mark.uncovered
@each_row("exchange", STREAMED, ids=name_of)
def test_recorded_streams(exchange: Exchange) -> None:
    body = {"messages": [], **exchange.request}
    opened = ResponseHead(exchange.reply.status, exchange.reply.headers, 0.0)
    recorded = exchange.reply.body
    check([recorded], body, opened)
    check([part + b"\n\n" for part in recorded.split(b"\n\n")], body, opened)
    # A stream that breaks off somewhere, in pieces that are cut anywhere.
    chance = random.Random(exchange.name)  # noqa: S311 - not a secret
    check(pieces_of(recorded[: chance.randrange(len(recorded) + 1)], chance.randrange(100, 2000)), body, opened)


def other(change: Callable[[dict[str, Any]], Any]) -> Callable[[], Any]:
    """Return a function that finds a bridge whose events are changed."""
    return lambda: lambda chunks, **more: (change(dict(one)) for one in core_bridge()(chunks, **more))


def missing() -> Any:
    raise ImportError


def without_index(one: dict[str, Any]) -> dict[str, Any]:
    one.pop("index", None)
    return one


def of_snapshots(one: dict[str, Any]) -> dict[str, Any]:
    """Return an event as langchain-core 1.6.0 has it, whose deltas of calls are snapshots."""
    if one.get("delta", {}).get("type") == "tool-call-delta":
        one["delta"] = {"type": "block-delta", "fields": {"type": "tool_call_chunk", "args": one["delta"]["args"]}}
    return one


def test_events_are_written_only_if_they_are_those_of_the_installed_core() -> None:
    assert is_same_as_core()
    assert is_same_as_core(other(lambda one: one))
    assert not is_same_as_core(missing)
    assert not is_same_as_core(other(without_index))
    assert not is_same_as_core(other(of_snapshots))
    assert not is_same_as_core(lambda: lambda chunks: iter(()))


def test_more_facts_in_the_events_of_a_newer_core_are_kept() -> None:
    writer = EventWriter(ID, other(lambda one: {**one, "new": 1} if one["event"] != events.DELTA else one)())
    chunk: Any = chunk_from({"delta": {"content": "a"}})
    assert [one.get("new") for one in writer.added(chunk)] == [1, 1, None]
    last: Any = chunk_from({"delta": {"reasoning": "b"}})
    names = [one["event"] for one in writer.ended(last) if "new" in one]
    assert names == ["content-block-start", "content-block-finish", "content-block-finish", "message-finish"]


@pytest.mark.parametrize("calls", [1, None], ids=["one call", "many calls"])
def test_the_time_grows_with_the_number_of_deltas(calls: int | None) -> None:
    last: Any = chunk_from({"delta": {"content": "a"}})

    def write(size: int) -> None:
        writer = EventWriter(ID)
        for number in range(size):
            index = min(number, (calls or size) - 1)
            opening = {"id": f"f:{index}", "function": {"name": "f", "arguments": ""}} if number == index else {}
            piece: Any = {"index": index, "function": {"arguments": "a"}, **opening}
            for choice in ({"delta": {"content": "a"}}, {"delta": {"tool_calls": [piece]}}):
                chunk: Any = chunk_from(cast("Any", choice))
                list(writer.written(*delta_parts(cast("Any", choice))) or writer.added(chunk))
        list(writer.ended(last))

    assert_linear(write, 100)
