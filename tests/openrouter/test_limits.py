"""What is larger or deeper than any honest reply is refused while it comes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from langchain_kimi._openrouter.limits import DEEPEST, LARGEST_EVENT, LARGEST_REPLY, is_too_deep
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.sse import EventDecoder
from langchain_kimi._openrouter.reply.stream import PlainReader, StreamReader
from langchain_kimi.errors import KimiMalformedReplyError, KimiReplyTooLargeError

MIB = 2**20
LINE_OF_COMMENT = b":" + b" " * (LARGEST_EVENT - 2) + b"\n"


def opened() -> ResponseHead:
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


@pytest.mark.parametrize("line", [b"x" * MIB, b"data: " + b"x" * MIB + b"\n"], ids=["one line", "many lines"])
def test_an_event_that_goes_on_is_refused_while_it_comes(line: bytes) -> None:
    fed = feed(StreamReader(opened(), None), endless(line))
    assert LARGEST_EVENT - 2 * MIB < fed < LARGEST_EVENT + MIB


def test_a_stream_that_goes_on_is_refused() -> None:
    assert feed(StreamReader(opened(), None), endless(LINE_OF_COMMENT)) == LARGEST_REPLY


def test_a_plain_reply_that_goes_on_is_refused() -> None:
    assert feed(PlainReader(opened(), None), endless(b"x" * MIB)) == LARGEST_REPLY


def test_a_large_event_is_read_all_the_same() -> None:
    text = "x" * (LARGEST_EVENT - 200)
    reader = StreamReader(opened(), None)
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


def test_trying_again_does_not_help() -> None:
    with pytest.raises(KimiReplyTooLargeError, match="larger than 16 MiB") as caught:
        EventDecoder().feed(b"x" * (LARGEST_EVENT + 1))
    assert not caught.value.is_retryable


@pytest.mark.parametrize("depth", [1, DEEPEST])
def test_nesting_up_to_the_limit_is_read(depth: int) -> None:
    assert not is_too_deep(nested(depth), json.dumps(nested(depth)))


@pytest.mark.parametrize("depth", [DEEPEST + 1, DEEPEST + 2, 300])
def test_nesting_beyond_the_limit_is_recognized(depth: int) -> None:
    assert is_too_deep(nested(depth), json.dumps(nested(depth)))


def test_many_brackets_beside_each_other_are_not_deep() -> None:
    value: list[Any] = [[]] * 500
    assert not is_too_deep(value, json.dumps(value))


@pytest.mark.parametrize("depth", [DEEPEST, 400, 800, 960, 2_000, 100_000])
def test_nesting_beyond_the_limit_is_a_malformed_reply(depth: int) -> None:
    body = b'{"choices": [{"delta": {"content": "x"}}], "x": ' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(KimiMalformedReplyError):
        list(StreamReader(opened(), None).feed(b"data: " + body + b"\n\n", 0.0))
    plain = PlainReader(opened(), None)
    plain.feed(body, 0.0)
    with pytest.raises(KimiMalformedReplyError):
        list(plain.close())
