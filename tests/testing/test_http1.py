import gzip
import zlib
from collections.abc import Callable

import pytest

from langchain_kimi.testing.http1 import (
    BodyReader,
    HttpRequest,
    MalformedRequestError,
    Pause,
    Response,
    frame,
    parse_head,
    response_head,
)


def test_request_heads_are_parsed() -> None:
    head = parse_head(b"GET /a?b HTTP/1.1\r\nHost: here\r\nX-Odd:  a: b ")
    assert head == HttpRequest("GET", "/a?b", {"host": "here", "x-odd": "a: b"}, b"", "HTTP/1.1")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET /",
        b"GET / HTTP/2",
        b"GET / HTTP/1.1\r\nodd",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip",
    ],
)
def test_malformed_heads_are_rejected(head: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        parse_head(head)


def test_pieces_are_framed_as_chunks() -> None:
    assert frame(b"hello world, hi") == b"f\r\nhello world, hi\r\n"
    assert frame(b"") == b""


@pytest.mark.parametrize(
    ("response", "chunked", "head"),
    [
        (
            Response(404, {"A": "b"}, (b"xy", b"z")),
            False,
            b"HTTP/1.1 404 Not Found\r\na: b\r\ncontent-length: 3\r\n\r\n",
        ),
        (Response(524, {}, (Pause(1),)), True, b"HTTP/1.1 524 Unknown\r\ntransfer-encoding: chunked\r\n\r\n"),
    ],
)
def test_response_heads(response: Response, head: bytes, *, chunked: bool) -> None:
    assert response_head(response, chunked=chunked) == head


def test_a_response_ignores_its_end_by_default() -> None:
    Response().on_end(True)  # noqa: FBT003 - the shape of a listener


def test_old_clients_do_not_keep_connections() -> None:
    assert parse_head(b"GET / HTTP/1.1").keeps_alive
    assert not parse_head(b"GET / HTTP/1.1\r\nConnection: close").keeps_alive
    assert not parse_head(b"GET / HTTP/1.0").keeps_alive
    assert response_head(Response(), chunked=False, closes=True).endswith(b"connection: close\r\n\r\n")


def read(headers: bytes, *pieces: bytes) -> tuple[bytes | None, bytes]:
    """Return the body and the bytes after it."""
    reader, buffer, body = BodyReader(parse_head(b"POST / HTTP/1.1\r\n" + headers)), bytearray(), None
    for piece in pieces:
        buffer += piece
        body = reader.read(buffer) if body is None else body
    return body, bytes(buffer)


CHUNKED = b"Transfer-Encoding: chunked"


def test_bodies_are_read() -> None:
    chunks = b"2;a=b\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    assert read(b"Content-Length: 2", b"a", b"bGET") == (b"ab", b"GET")
    assert read(CHUNKED, chunks + b"GET") == (b"abc", b"GET")
    assert read(CHUNKED, *(bytes([byte]) for byte in chunks)) == (b"abc", b"")
    assert read(CHUNKED, chunks[:-2]) == (None, b"0\r\n")
    trailers = chunks[:-2] + b"A: b\r\nC: d\r\n\r\n"
    assert read(CHUNKED, trailers + b"GET") == (b"abc", b"GET")
    assert read(CHUNKED, *(bytes([byte]) for byte in trailers)) == (b"abc", b"")


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_bodies_are_decompressed(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    body = compress(b"abc")
    assert read(b"Content-Length: %d\r\nContent-Encoding: %b" % (len(body), encoding.encode()), body)[0] == b"abc"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (CHUNKED, b"zz\r\n"),
        (CHUNKED, b"1\r\nabc"),
        (b"Content-Length: 1\r\nContent-Encoding: gzip", b"a"),
        (b"Content-Length: 1\r\nContent-Encoding: br", b"a"),
    ],
)
def test_malformed_bodies_are_rejected(headers: bytes, body: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        read(headers, body)
