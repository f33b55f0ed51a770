"""Content encodings, over loopback and piece by piece."""

import gzip
import importlib.util
import sys
import zlib
from typing import Any

import pytest

from langchain_kimi._openrouter.http.decoding import (
    LARGEST_PIECE,
    MAX_MEMBERS,
    Decoder,
    DecodingError,
    SlicedDecoder,
    ZlibDecoder,
    decoder_for,
    encoding_error,
)
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.errors import (
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiReplyTooLargeError,
    KimiServerError,
)
from langchain_kimi.testing.http1 import Response
from tests.openrouter.events import WHOLE
from tests.openrouter.http.calling import Ask, call, serving

TEXT = b"some text, " * 1000


def head(encoding: str | None, status: int = 200) -> ResponseHead:
    headers = {} if encoding is None else {"content-encoding": encoding}
    return ResponseHead(status, {"x-generation-id": "gen-1", **headers}, 0.0)


def decoder(encoding: str) -> Decoder:
    chosen = decoder_for(head(encoding))
    assert chosen is not None
    return chosen


@pytest.mark.parametrize("encoding", [None, "", "identity", "utf-8", "aws-chunked", "identity, utf-8"])
def test_a_body_without_encoding_has_no_decoder(encoding: str | None) -> None:
    assert decoder_for(head(encoding)) is None


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT)),
        ("utf-8, gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:50]) + gzip.compress(b"") + gzip.compress(TEXT[50:])),
        ("gzip", gzip.compress(TEXT) + bytes(20)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
    ],
    ids=["gzip", "another name", "another header value", "members", "padding", "zlib", "raw deflate"],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_an_encoded_body_is_decoded_in_pieces_of_any_size(encoding: str, packed: bytes, size: int) -> None:
    body = decoder(encoding)
    pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert b"".join(part for piece in pieces for part in body.decode(piece)) == TEXT


def test_the_number_of_members_has_a_limit() -> None:
    many = gzip.compress(b"x") * (MAX_MEMBERS + 50)
    assert b"".join(decoder("gzip").decode(many)) == b"x" * MAX_MEMBERS


def test_a_decoded_piece_has_a_limit() -> None:
    pieces = list(decoder("gzip").decode(gzip.compress(bytes(5 * LARGEST_PIECE + 1))))
    assert [len(piece) for piece in pieces] == [LARGEST_PIECE] * 5 + [1]


@pytest.mark.parametrize(
    "encoding",
    [
        "compress",
        "gzip, lz4",
        "dcb,gzip",
        "gzip, gzip",
        "gzip, gzip, gzip",
        "gzip, deflate",
        "br, zstd",
        "identity, br, br",
    ],
)
def test_several_encodings_and_unknown_ones_are_refused(encoding: str) -> None:
    with pytest.raises(KimiMalformedReplyError, match="which the request did not accept"):
        decoder_for(head(encoding))


@pytest.mark.parametrize("damaged", [b"not compressed", gzip.compress(TEXT)[:20] + b"x" * 100])
def test_a_damaged_body_is_an_error(damaged: bytes) -> None:
    with pytest.raises(DecodingError):
        list(ZlibDecoder().decode(damaged))


def test_an_error_behind_the_first_piece_is_noticed() -> None:
    packed = bytearray(zlib.compress(bytes(2 * LARGEST_PIECE)))
    packed[-1] ^= 1
    with pytest.raises(DecodingError):
        list(ZlibDecoder().decode(bytes(packed)))


def test_a_sliced_decoder_limits_its_input() -> None:
    sizes: list[int] = []

    def decompress(data: bytes) -> bytes:
        sizes.append(len(data))
        return data if len(data) == 3 else b""

    assert list(SlicedDecoder(decompress, 3).decode(b"abcdefgh")) == [b"abc", b"def"]
    assert sizes == [3, 3, 2]


def test_a_sliced_decoder_translates_errors() -> None:
    def fail(data: bytes) -> bytes:
        raise ZeroDivisionError(data)

    with pytest.raises(DecodingError, match="ZeroDivisionError"):
        list(SlicedDecoder(fail, 3).decode(b"abc"))


@pytest.mark.parametrize(("encoding", "packages"), [("br", ("brotli", "brotlicffi")), ("zstd", ("zstandard",))])
def test_an_installed_package_is_used(encoding: str, packages: tuple[str, ...]) -> None:
    if any(importlib.util.find_spec(name) for name in packages):
        with pytest.raises(DecodingError):
            list(decoder(encoding).decode(b"not compressed"))
    else:
        with pytest.raises(KimiMalformedReplyError, match=f"content encoding {encoding}"):
            decoder(encoding)


@pytest.mark.parametrize("present", [True, False])
def test_each_encoding_with_a_package_and_without(monkeypatch: pytest.MonkeyPatch, *, present: bool) -> None:
    class Package:
        """The parts of both packages that are used."""

        Decompressor = ZstdDecompressor = type(
            "Decompressor",
            (),
            {"process": lambda _, data: data, "decompressobj": lambda _: _, "decompress": lambda _, data: data},
        )

    for name in ("brotli", "brotlicffi", "zstandard"):
        monkeypatch.setitem(sys.modules, name, Package if present else None)
    for encoding in ("br", "zstd"):
        if present:
            assert b"".join(decoder(encoding).decode(b"abc")) == b"abc"
        else:
            with pytest.raises(KimiMalformedReplyError, match="which the request did not accept"):
                decoder(encoding)


@pytest.mark.parametrize(
    ("status", "kind"), [(200, KimiMalformedReplyError), (400, KimiInvalidRequestError), (502, KimiServerError)]
)
def test_the_status_decides_about_the_error(status: int, kind: type[Exception]) -> None:
    error = encoding_error("br", head("br", status))
    assert type(error) is kind
    assert (error.status, error.generation_id) == (status, "gen-1")
    assert error.reason == "The reply has the content encoding br, which the request did not accept."
    assert error.advice


def test_encoded_bytes_are_not_read_as_text(ask: Ask) -> None:
    # An encoder stores incompressible bytes unchanged. Without the error only the first event would be lost.
    body = b"\x1f\x9d" + b"".join(WHOLE)
    with serving(Response(200, {"content-encoding": "compress"}, (body,), chunked=True)) as server:
        [error] = ask(call(server.url))
    assert type(error) is KimiMalformedReplyError


def test_a_body_of_several_members_is_read_to_its_end(ask: Ask) -> None:
    packed = b"".join(map(gzip.compress, WHOLE))
    with serving(Response(200, {"content-encoding": "gzip"}, (packed,), chunked=False)) as server:
        assert ask(call(server.url)) == ["Hello"]


def bomb(size: int) -> bytes:
    """Return a gzip body that is a thousand times as large when decoded."""
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size)) + packer.flush()


def test_a_body_that_becomes_large_is_refused_while_it_is_decoded(ask: Ask) -> None:
    with serving(Response(200, {"content-encoding": "gzip"}, (bomb(17),), chunked=False)) as server:
        [error] = ask(call(server.url))
    assert type(error) is KimiReplyTooLargeError


def test_a_users_client_reads_encodings_too(ask: Ask) -> None:
    packed = gzip.compress(b"".join(WHOLE))
    httpx: Any = importlib.import_module("httpx")
    with serving(Response(200, {"content-encoding": "gzip"}, (packed,), chunked=False)) as server:
        assert ask(call(server.url, connection=ask.own(httpx))) == ["Hello"]
