"""Replies that are parsed by httptools."""

import httpx
import pytest

from langchain_kimi._openrouter.http.heads import MAX_HEAD
from langchain_kimi._openrouter.http.parsing import Incoming

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def fed(*parts: bytes) -> Incoming:
    incoming = Incoming()
    for part in parts:
        incoming.feed(part)
    return incoming


def chunk(text: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(text), text)


def test_chunks_that_came_together_are_one_piece() -> None:
    incoming = fed(CHUNKED + chunk(b"one ") + chunk(b"two"))
    assert incoming.is_begun
    assert (incoming.status, incoming.headers) == (200, [(b"Transfer-Encoding", b"chunked")])
    assert incoming.take() == b"one two"
    assert incoming.take() == b""
    incoming.feed(chunk(b"three") + END)
    assert incoming.take() == b"three"
    assert incoming.is_over
    assert not incoming.is_last


def test_a_reply_may_come_byte_by_byte() -> None:
    whole = b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + CHUNKED + chunk(b"one") + b"0\r\nTrailer: b\r\n\r\n"
    incoming = fed(*(whole[at : at + 1] for at in range(len(whole))))
    assert incoming.is_over
    assert (incoming.status, incoming.headers) == (200, [(b"Transfer-Encoding", b"chunked")])
    assert incoming.take() == b"one"


@pytest.mark.parametrize(
    "whole",
    [
        HEAD + b"Content-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled",
        HEAD + b"Connection: close\r\nContent-Length: 3\r\n\r\none",
        HEAD + b"Content-Length: 3\r\n\r\none!",
        HEAD + b"Connection: close\r\nContent-Length: 3\r\n\r\none!",
    ],
)
def test_a_connection_with_more_bytes_or_that_closes_is_not_used_again(whole: bytes) -> None:
    incoming = fed(whole)
    assert incoming.is_over
    assert incoming.is_last
    assert incoming.take() == b"one"
    assert incoming.take() == b""


def test_bytes_that_are_fed_after_the_end_end_the_connection_too() -> None:
    incoming = fed(HEAD + b"Content-Length: 3\r\n\r\none")
    assert not incoming.is_last
    incoming.feed(b"HTTP/1.1")
    assert incoming.is_last


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    incoming = fed(HEAD + b"\r\n", b"one", b"")
    assert incoming.is_over
    assert incoming.is_last
    assert incoming.take() == b"one"


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([CHUNKED + chunk(b"one") + b"zz\r\n"], "chunk size"),
        ([CHUNKED + chunk(b"one"), b""], "complete message body"),
        ([HEAD + b"Content-Length: 9\r\n\r\none", b""], "complete message body"),
        ([CHUNKED + chunk(b"one"), b"9;", b"a" * MAX_HEAD, b"a"], "outside of its body"),
    ],
)
def test_bytes_before_a_failure_are_read_first(parts: list[bytes], reason: str) -> None:
    incoming = fed(parts[0])
    piece = incoming.take()
    for part in parts[1:]:
        incoming.feed(part)
    incoming.check()
    assert piece == b"one"
    with pytest.raises(httpx.RemoteProtocolError, match=reason):
        incoming.take()
    assert incoming.is_last


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([b""], "without sending a response"),
        ([HEAD, b""], "within the head"),
        ([b"220 smtp.example\r\n"], "Expected HTTP"),
        ([b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n"], "another protocol"),
        ([HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"], "unknown transfer coding"),
        ([HEAD, b"A: " + b"a" * MAX_HEAD], "outside of its body"),
    ],
)
def test_bytes_that_are_not_a_reply_fail_before_the_reply_begins(parts: list[bytes], reason: str) -> None:
    incoming = fed(*parts)
    assert not incoming.is_begun
    with pytest.raises(httpx.RemoteProtocolError, match=reason):
        incoming.check()


def test_interim_replies_do_not_count_as_a_long_head() -> None:
    interim = b"HTTP/1.1 103 Early\r\nLink: %b\r\n\r\n" % (b"a" * 60_000)
    incoming = fed(interim, interim, interim, HEAD + b"Content-Length: 3\r\n\r\none")
    assert incoming.take() == b"one"
