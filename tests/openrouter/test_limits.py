"""A reply that is larger or deeper than plausible is refused while it arrives."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from langchain_kimi._openrouter.limits import (
    MAX_DEPTH,
    MAX_EVENT_BYTES,
    MAX_REPLY_BYTES,
    MAX_VALUES,
    is_text_too_deep,
    is_too_deep,
)
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.sse import EventDecoder
from langchain_kimi._openrouter.reply.stream import PlainReader, StreamReader
from langchain_kimi.errors import KimiMalformedReplyError, KimiReplyTooLargeError
from tests.growth import assert_linear

MIB = 2**20
LINE_OF_COMMENT = b":" + b" " * (MAX_EVENT_BYTES - 2) + b"\n"


def head() -> ResponseHead:
    return ResponseHead(200, {}, 0.0)


def feed(reader: Any, pieces: Iterator[bytes]) -> int:
    """Feed until an error comes; gives the bytes that were taken."""
    fed = 0
    for piece in pieces:
        try:
            list(reader.feed(piece, 0.0))
        except KimiReplyTooLargeError:
            break
        fed += len(piece)
    return fed


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


LINES = {
    "one line": b"x" * MIB,
    "many lines": b"data: " + b"x" * MIB + b"\n",
    "many empty lines of data": b"data:\n" * (MIB // 6),
    "many empty lines with CR": b"data:\r" * (MIB // 6),
}


@pytest.mark.uncovered
@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
def test_an_endless_event_is_refused_while_it_arrives(line: bytes) -> None:
    fed = feed(StreamReader(head(), None), endless(line))
    assert MAX_EVENT_BYTES - 2 * MIB < fed < MAX_EVENT_BYTES + MIB


@pytest.mark.uncovered
def test_an_endless_stream_is_refused() -> None:
    assert feed(StreamReader(head(), None), endless(LINE_OF_COMMENT)) == MAX_REPLY_BYTES


def test_an_endless_plain_reply_is_refused() -> None:
    assert feed(PlainReader(head(), None), endless(b"x" * MIB)) == MAX_REPLY_BYTES


@pytest.mark.uncovered
@pytest.mark.parametrize("line", [b"data:\n", b"data: x\n", b"data: x\r", b"event: x\n"])
def test_an_unfinished_event_is_read_in_linear_time(line: bytes) -> None:
    def read(size: int) -> None:
        decoder = EventDecoder()
        for _ in range(size):
            decoder.feed(line)

    assert_linear(read)


def test_a_large_event_is_read() -> None:
    text = "x" * (MAX_EVENT_BYTES - 200)
    reader = StreamReader(head(), None)
    event = b"data: " + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}).encode()
    chunks: list[Any] = [
        chunk for start in range(0, len(event), MIB) for chunk in reader.feed(event[start : start + MIB], 0.0)
    ]
    chunks += reader.feed(b"\n\n", 0.0)
    assert chunks[0]["choices"][0]["delta"]["content"] == text


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value] if depth % 2 else {"a": value}
    return value


def test_a_reply_that_is_too_large_is_not_retryable() -> None:
    with pytest.raises(KimiReplyTooLargeError, match="larger than 16 MiB") as caught:
        EventDecoder().feed(b"x" * (MAX_EVENT_BYTES + 1))
    assert not caught.value.is_retryable


@pytest.mark.parametrize("depth", [1, MAX_DEPTH])
def test_nesting_up_to_the_limit_is_read(depth: int) -> None:
    assert not is_too_deep(nested(depth), json.dumps(nested(depth)))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, MAX_DEPTH + 2, 300])
def test_nesting_beyond_the_limit_is_recognized(depth: int) -> None:
    assert is_too_deep(nested(depth), json.dumps(nested(depth)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":' * 3, False),
        ('{"a":' * 4, True),
        ('{"a":[[[1]]]', True),
        ("[[]," * 3 + "1", True),
        ("[" + "[[1]]," * 50, False),
        ('["[[[[", "\\"[[[[", [["[[[[', False),
        ("]" * 9 + "[" * 4, False),
        ("", False),
    ],
)
def test_levels_of_a_beginning_of_json(text: str, *, expected: bool) -> None:
    assert is_text_too_deep(text, 3) is expected


def test_many_shallow_lists_are_not_too_deep() -> None:
    value: list[Any] = [[]] * 500
    assert not is_too_deep(value, json.dumps(value))


@pytest.mark.parametrize("depth", [MAX_DEPTH, 400, 800, 960, 2_000, 100_000])
def test_nesting_beyond_the_limit_is_a_malformed_reply(depth: int) -> None:
    body = b'{"choices": [{"delta": {"content": "x"}}], "x": ' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(KimiMalformedReplyError):
        list(StreamReader(head(), None).feed(b"data: " + body + b"\n\n", 0.0))
    plain = PlainReader(head(), None)
    plain.feed(body, 0.0)
    with pytest.raises(KimiMalformedReplyError):
        list(plain.close())


@pytest.mark.parametrize("body", [b'{"a":[' + b"1," * (MAX_VALUES + 1) + b"1]}", b"[" + b"," * (MAX_VALUES + 1)])
def test_a_reply_with_too_many_values_is_refused(body: bytes) -> None:
    plain = PlainReader(head(), None)
    plain.feed(body, 0.0)
    with pytest.raises(KimiReplyTooLargeError, match="larger than 16777216 values"):
        list(plain.close())
