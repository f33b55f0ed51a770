import gzip
import zlib

import pytest
import zstandard

from langchain_kimi.testing.http1 import (
    BodyReader,
    HttpRequest,
    MalformedRequestError,
    Pause,
    Response,
    UnsupportedEncodingError,
    UnsupportedTransferError,
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
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        b"POST / HTTP/1.1\r\nContent-Length: +1",
        b"POST / HTTP/1.1\r\nContent-Length: \xb2",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
    ],
)
def test_malformed_heads_are_rejected(head: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        parse_head(head)


def test_lines_of_a_head_may_end_in_lf_alone() -> None:
    head = HttpRequest("GET", "/a", {"host": "here", "x": "y"}, b"", "HTTP/1.1")
    assert parse_head(b"GET /a HTTP/1.1\nHost: here\nX: y") == head
    assert parse_head(b"GET /a HTTP/1.1\r\nHost: here\nX: y\r") == head


def test_an_unknown_transfer_encoding_is_not_implemented() -> None:
    with pytest.raises(UnsupportedTransferError) as raised:
        parse_head(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked")
    assert raised.value.status == 501


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
        (Response(204, {}), False, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (Response(524, {}, (Pause(1),)), True, b"HTTP/1.1 524 Unknown\r\ntransfer-encoding: chunked\r\n\r\n"),
    ],
)
def test_response_heads(response: Response, head: bytes, *, chunked: bool) -> None:
    assert response_head(response, chunked=chunked) == head


def test_a_response_ignores_its_end_by_default() -> None:
    Response().on_end(True)  # noqa: FBT003 - the shape of a listener


def test_old_clients_do_not_keep_connections() -> None:
    assert parse_head(b"GET / HTTP/1.1").keeps_alive
    assert parse_head(b"GET / HTTP/1.0\r\nConnection: TE, Keep-Alive").keeps_alive
    assert not parse_head(b"GET / HTTP/1.1\r\nConnection: close").keeps_alive
    assert not parse_head(b"GET / HTTP/1.1\r\nConnection: TE,Close").keeps_alive
    assert not parse_head(b"GET / HTTP/1.0").keeps_alive
    assert response_head(Response(), chunked=False, connection="keep-alive").endswith(
        b"connection: keep-alive\r\ncontent-length: 0\r\n\r\n"
    )
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


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


ENCODED: dict[str, tuple[str, bytes]] = {
    "gzip": ("gzip", gzip.compress(b"abc")),
    "its old name": ("x-gzip", gzip.compress(b"abc")),
    "upper case": ("GZIP", gzip.compress(b"abc")),
    "two members": ("gzip", gzip.compress(b"a") + gzip.compress(b"bc")),
    "two encodings": ("deflate, gzip", gzip.compress(zlib.compress(b"abc"))),
    "with identity": ("identity, gzip", gzip.compress(b"abc")),
    "zlib": ("deflate", zlib.compress(b"abc")),
    "raw deflate": ("deflate", raw_deflate(b"abc")),
    "zstandard": ("zstd", zstandard.compress(b"abc")),
    "identity": ("identity", b"abc"),
    "empty": ("", b"abc"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_bodies_are_decompressed(name: str) -> None:
    encoding, body = ENCODED[name]
    assert read(b"Content-Length: %d\r\nContent-Encoding: %b" % (len(body), encoding.encode()), body)[0] == b"abc"


def test_an_unknown_encoding_has_its_own_status() -> None:
    with pytest.raises(UnsupportedEncodingError) as raised:
        read(b"Content-Length: 1\r\nContent-Encoding: compress", b"a")
    assert raised.value.status == 415


TRUNCATED = gzip.compress(b"abc")[:-8]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (CHUNKED, b"zz\r\n"),
        (CHUNKED, b"-1\r\n"),
        (CHUNKED, b"0x1\r\na\r\n"),
        (CHUNKED, b"1\r\nabc"),
        (b"Content-Length: 1\r\nContent-Encoding: gzip", b"a"),
        (b"Content-Length: 4\r\nContent-Encoding: gzip", b"\x1f\x8bab"),
        (b"Content-Length: 8\r\nContent-Encoding: zstd", b"abcdefgh"),
        (b"Content-Length: %d\r\nContent-Encoding: gzip" % len(TRUNCATED), TRUNCATED),
    ],
)
def test_malformed_bodies_are_rejected(headers: bytes, body: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        read(headers, body)
