"""An event with an envelope equals the event that a JSON parser reads from the whole payload, or is not read at all."""

import json
import random
from typing import Any

import pytest

from langchain_kimi._openrouter.json import JSON
from langchain_kimi._openrouter.limits import MAX_DEPTH
from langchain_kimi._openrouter.reply.chunks import holds_only_content
from langchain_kimi._openrouter.reply.envelopes import Envelope, RepeatedEvent
from langchain_kimi._openrouter.reply.sse import END, PREFIX, EventDecoder
from langchain_kimi._openrouter.reply.stream import MAX_ENVELOPES
from langchain_kimi.errors import KimiMalformedReplyError
from tests.openrouter.events import DONE, finished
from tests.openrouter.reply.read import Read
from tests.recordings.exchanges import STREAMED, Exchange, name_of, needs_recordings
from tests.rows import each_row

DETAIL = {"type": "reasoning.text", "text": "Hm.", "index": 0}
DELTAS: tuple[dict[str, Any], ...] = (
    {"content": "a"},
    {"role": "assistant", "content": 'q"\\\n\u00e9\U0001f600'},
    {"content": "", "reasoning": "Hm.", "reasoning_details": [DETAIL]},
    {"reasoning_content": "Hm."},
    {"content": None, "tool_calls": [{"index": 0, "function": {"arguments": '{"a": "'}}]},
    {"content": "b", "images": [{"image_url": {"url": "data:,"}}]},
)
NOT_CONTENT: tuple[Any, ...] = ({}, {"content": ""}, {"role": "assistant"}, {"tool_calls": "f"}, [], "a", None, 1)


def payload(delta: Any, *, separators: tuple[str, str] = (", ", ": "), choice: Any = None, **more: Any) -> bytes:
    first = {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None, **(choice or {})}
    event = {"id": "gen-1", "created": 1, "model": "m", "choices": [first], **more}
    return json.dumps(event, separators=separators).encode()


def envelope_of(text: bytes) -> Envelope | None:
    return Envelope.of(text, JSON.parse(text))


def made(text: bytes) -> Envelope:
    envelope = envelope_of(text)
    assert envelope is not None
    return envelope


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["compact", "spaced"])
@each_row("delta", DELTAS)
def test_every_delta_with_content_fits_an_envelope(delta: Any, separators: tuple[str, str]) -> None:
    for first in DELTAS:
        envelope = made(payload(first, separators=separators))
        text = payload(delta, separators=separators)
        for event in (envelope.of_payload(text), envelope.of_piece(PREFIX + text + END)):
            assert event == json.loads(text)
            assert type(event) is RepeatedEvent


@each_row("delta", NOT_CONTENT)
def test_a_delta_without_content_is_not_read(delta: Any) -> None:
    text = payload(delta)
    assert made(payload(DELTAS[0])).of_payload(text) is None
    assert made(payload(DELTAS[0])).of_piece(PREFIX + text + END) is None


NO_ENVELOPES: dict[str, bytes] = {
    "a fact that is an object": payload(DELTAS[0], provider_facts={}),
    "a fact of the choice that is an object": payload(DELTAS[0], choice={"logprobs": {"content": []}}),
    "a large event": payload({"content": "a" * 5000}),
    "line breaks": payload(DELTAS[0]).replace(b'"created"', b'\n"created"'),
    "another key `delta` before it": payload(DELTAS[0]).replace(b'"choices"', b'"delta": 1, "choices"'),
    "two deltas, of which the last one counts": payload(DELTAS[0]).replace(b'"delta":', b'"delta": {}, "delta":'),
    "an escaped key": payload(DELTAS[0]).replace(b'"delta"', b'"d\\u0065lta"'),
    "a blank after the key": payload(DELTAS[0]).replace(b'"delta":', b'"delta" :'),
}


@each_row("name", NO_ENVELOPES)
def test_events_without_an_envelope(name: str) -> None:
    text = NO_ENVELOPES[name]
    assert holds_only_content(JSON.parse(text))
    assert envelope_of(text) is None


def test_events_share_no_mutable_state() -> None:
    envelope, text = made(payload(DELTAS[0])), payload(DELTAS[1])
    event: Any = envelope.of_payload(text)
    event["choices"][0]["delta"].clear()
    event["choices"][0].clear()
    event.clear()
    assert envelope.of_payload(text) == json.loads(text)


def test_the_depth_is_that_of_the_whole_event() -> None:
    envelope = made(payload(DELTAS[0]))
    for levels in range(MAX_DEPTH - 5, MAX_DEPTH):
        text = payload({"content": "a", "images": "?"}).replace(b'"?"', b"[" * levels + b"]" * levels)
        assert envelope.of_payload(text) == JSON.parse(text)


PARTS = (*(bytes([byte]) for byte in b'"\\{}[],: \n\r\xff'), b"\n\n", b"data: ", b'"content":"b"')
"""Bytes that damaged events have more of."""


def test_a_damaged_event_is_read_as_a_parser_reads_it_or_not_at_all() -> None:
    chance = random.Random(7)  # noqa: S311 - not a secret
    for _ in range(2000):
        text = payload(chance.choice(DELTAS))
        envelope = made(payload(chance.choice(DELTAS)))
        for _change in range(chance.randrange(1, 3)):
            at, length = chance.randrange(len(text)), chance.choice((0, 0, 1, 5, 30))
            text = text[:at] + chance.choice((b"", *PARTS)) + text[at + length :]
        event, read = envelope.of_payload(text), JSON.parse(text)
        assert event is None or event == read
        piece = PREFIX + text + END
        event, payloads = envelope.of_piece(piece), EventDecoder().feed(piece)
        assert event is None or [event] == list(map(JSON.parse, payloads))


def read_one_by_one(texts: list[bytes]) -> list[Any]:
    return Read(*(PREFIX + text + END for text in texts), finished(), DONE).chunks[:-1]


def test_a_reader_yields_the_same_events_in_any_pieces() -> None:
    texts = [payload(delta) for delta in DELTAS * 2]
    expected = list(map(json.loads, texts))
    assert read_one_by_one(texts) == expected
    body = b"".join(PREFIX + text + END for text in texts)
    for size in (len(body), 300, 40):
        pieces = (body[start : start + size] for start in range(0, len(body), size))
        assert Read(*pieces, finished(), DONE).chunks[:-1] == expected


def test_a_stream_whose_fields_change_is_read_too() -> None:
    texts = [payload(DELTAS[0], created=number) for number in range(2 * MAX_ENVELOPES + 2)]
    assert read_one_by_one(texts) == list(map(json.loads, texts))
    # After some time without changes, envelopes are used again.
    texts = [payload(DELTAS[0], created=number // 4) for number in range(40)]
    events = read_one_by_one(texts)
    assert events == list(map(json.loads, texts))
    assert sum(type(event) is RepeatedEvent for event in events) == 29


def test_an_event_after_the_end_has_no_envelope() -> None:
    text = payload(DELTAS[0])
    read = Read(*[PREFIX + text + END] * 4, finished(), DONE, PREFIX + text + END)
    assert len(read.chunks) == 5


def test_a_piece_after_the_beginning_of_another_event_is_its_end() -> None:
    text = PREFIX + payload(DELTAS[0]) + END
    read = Read(text, text, text, b"data: ", text, finished(), DONE)
    assert isinstance(read.error, KimiMalformedReplyError)
    assert len(read.chunks) == 3


@needs_recordings
@pytest.mark.uncovered
@each_row("exchange", STREAMED, ids=name_of)
def test_recorded_events(exchange: Exchange) -> None:
    envelope: Envelope | None = None
    for part in EventDecoder().feed(exchange.reply.body):
        event = JSON.parse(part)
        if isinstance(event, dict) and holds_only_content(event):
            assert envelope is None or envelope.of_payload(part) in (None, event)
            envelope = Envelope.of(part, event)
