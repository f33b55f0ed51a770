"""Replies whose content encoding is wrong, nested or a bomb."""

import gzip
import zlib

from langchain_kimi.testing.faults.hostile.entries import (
    HostileFault,
    encoded,
    same,
)
from langchain_kimi.testing.http1 import Hang, Repeat, Response, frame, response_head
from langchain_kimi.testing.responses import OutgoingReply, exact_response, response_with

_GIB = 2**10
_STRING = b'{"id": "'
_NOTHING = b"\0\0\0\xff\xff"
"""An empty block of deflate. A reply may contain any number of them."""


def packed(sent: bytes, times: int) -> bytes:
    """Return bytes that are compressed several times with gzip."""
    for _ in range(times):
        sent = gzip.compress(sent)
    return sent


def bomb(mebibytes: int, start: bytes = b" ") -> bytes:
    """Return bytes, blanks of so many MiB after them, compressed with gzip to about a thousandth, without an end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    beginning = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    # A block after a full flush does not depend on the blocks before it, so it can be repeated.
    block = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    return beginning + block * mebibytes


def _with_error(outgoing: OutgoingReply) -> Response:
    sent = response_with(outgoing, bomb(_GIB), {"content-encoding": "gzip"})
    return Response(502, sent.headers, sent.steps, chunked=False)


def _without_output(outgoing: OutgoingReply) -> Response:
    head = response_head(response_with(outgoing, b"", {"content-encoding": "deflate"}), chunked=False)
    head = head.replace(b"content-length: 0", b"transfer-encoding: chunked")
    return exact_response(head + frame(b"\x78\x9c"), Repeat(frame(_NOTHING), 0.01))


def _never_finished(outgoing: OutgoingReply) -> Response:
    head = response_head(response_with(outgoing, b"", {"content-encoding": "gzip"}), chunked=False)
    return exact_response(head.replace(b"content-length: 0", b"content-length: 99999"), Hang())


ENCODINGS = (
    encoded("encoding: a bomb", "A GiB of blanks in a MiB of gzip.", "gzip", lambda _: bomb(_GIB)),
    encoded(
        "encoding: a bomb in a string",
        "A JSON string of a GiB in a MiB of gzip.",
        "gzip",
        lambda _: bomb(_GIB, _STRING),
    ),
    HostileFault("encoding: a bomb with an error", _with_error, what="502 with a GiB in a MiB of gzip."),
    encoded("encoding: twice", "Two layers of gzip.", "gzip, gzip", lambda sent: packed(sent, 2)),
    encoded("encoding: three times", "Three layers of gzip.", "gzip, gzip, gzip", lambda sent: packed(sent, 3)),
    encoded(
        "encoding: a bomb in a bomb", "A GiB in 2 KiB of two layers.", "gzip, gzip", lambda _: packed(bomb(_GIB), 1)
    ),
    encoded("encoding: around nothing", "A gzip file without content.", "gzip", lambda _: gzip.compress(b"")),
    encoded(
        "encoding: without its head",
        "gzip without its first bytes.",
        "gzip",
        lambda sent: gzip.compress(sent)[10:],
        client="either",
    ),
    encoded("encoding: cut", "gzip without its second half.", "gzip", lambda sent: gzip.compress(sent)[:60]),
    encoded(
        "encoding: a wrong checksum",
        "gzip whose checksum is wrong.",
        "gzip",
        lambda sent: gzip.compress(sent)[:-8] + b"\0" * 8,
    ),
    encoded(
        "encoding: rubbish after it",
        "Bytes after the end of gzip.",
        "gzip",
        lambda sent: gzip.compress(sent) + b"\xff" * 100,
        client="either",
    ),
    encoded(
        "encoding: ten thousand files",
        "The answer and 10,000 empty files of gzip.",
        "gzip",
        lambda sent: gzip.compress(sent) + gzip.compress(b"") * 10_000,
        client="either",
    ),
    encoded(
        "encoding: raw deflate",
        "deflate without a head.",
        "deflate",
        lambda sent: zlib.compress(sent)[2:-4],
        client="either",
    ),
    encoded("encoding: not gzip", "The header says gzip, and the body is not.", "gzip", same),
    encoded("encoding: identity", "No encoding, by name.", "identity", same, client="answers"),
    encoded("encoding: unknown", "An encoding that was not requested.", "snappy", same),
    encoded("encoding: brotli", "An encoding that was not requested.", "br", same, client="either"),
    encoded("encoding: zstandard", "An encoding that was not requested.", "zstd", same, client="either"),
    encoded("encoding: a charset", "A charset in place of an encoding.", "utf-8", same, client="either"),
    encoded("encoding: empty", "An empty name.", "", same, client="answers"),
    encoded("encoding: upper case", "The name in upper case.", "GZIP", gzip.compress, client="answers"),
    HostileFault(
        "encoding: without output, for ever",
        _without_output,
        what="Empty blocks of deflate, each 10 ms, without end.",
        client="stops",
    ),
    HostileFault(
        "encoding: silence",
        _never_finished,
        what="The head of a compressed reply alone.",
        client="stops",
    ),
)
