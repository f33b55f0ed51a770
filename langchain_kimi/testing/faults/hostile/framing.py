"""Replies whose length or chunks are wrong, ambiguous or endless, and interim replies."""

import gzip

from langchain_kimi.testing.faults.hostile.entries import (
    END_OF_CHUNKS,
    SMUGGLED,
    chunked,
    framed,
    head,
    in_one_chunk,
    instead,
    raw,
    same,
    status,
)
from langchain_kimi.testing.http1 import Cut, Hang, Repeat, frame

_LARGE = 64 * 1024
_LENGTH = b"content-length: %(length)d\r\n"
_TWO = b"content-length: 2\r\n\r\n{}"

LENGTHS = (
    framed("length: two", "Two different lengths.", b"content-length: 3\r\ncontent-length: 700\r\n", same),
    framed("length: a list of two", "Two lengths in one header.", b"content-length: 3, 700\r\n", same),
    framed(
        "length: the same twice",
        "The correct length twice.",
        b"content-length: %(length)d\r\n" * 2,
        same,
        client="either",
    ),
    framed("length: negative", "A negative length.", b"content-length: -1\r\n", same),
    framed("length: a sign", "A length with a plus sign.", b"content-length: +%(length)d\r\n", same),
    framed("length: hexadecimal", "A hexadecimal length.", b"content-length: 0x10\r\n", same),
    framed("length: a fraction", "A length with a fraction.", b"content-length: %(length)d.0\r\n", same),
    framed("length: an underscore", "A length that only Python reads.", b"content-length: 1_0\r\n", same),
    framed("length: empty", "An empty length.", b"content-length:\r\n", same),
    framed(
        "length: zeros before it",
        "The correct length after zeros.",
        b"content-length: 000000%(length)d\r\n",
        same,
        client="either",
    ),
    framed("length: 22 digits", "A length beyond 64 bits.", b"content-length: " + b"9" * 22 + b"\r\n", same),
    framed("length: 5,000 digits", "A length of 5,000 digits.", b"content-length: " + b"9" * 5000 + b"\r\n", same),
    framed("length: none", "The end of the connection is the end.", b"", same, client="answers"),
    framed("length: none, never closed", "Neither length nor end.", b"", same, Hang(), client="stops"),
    framed("length: zero", "The length 0, and then the answer.", b"content-length: 0\r\n", same),
    framed("length: too small", "A length that cuts the answer.", b"content-length: 20\r\n", same),
    framed(
        "length: too large, never closed",
        "A length beyond the bytes that come.",
        b"content-length: 99999999\r\n",
        same,
        Hang(),
        client="stops",
    ),
    framed("length: silence before the body", "The head alone.", _LENGTH, instead(b""), Hang(), client="stops"),
    framed(
        "length: a second reply",
        "Another reply after the first.",
        _LENGTH,
        lambda sent: sent + SMUGGLED,
        Hang(),
        client="answers",
    ),
    framed(
        "length: a line feed too many",
        "A byte after the reply.",
        _LENGTH,
        lambda sent: sent + b"\n",
        Hang(),
        client="answers",
    ),
    raw("length: two replies at once", "An empty reply and another.", b"HTTP/1.1 200 OK\r\n" + _TWO + SMUGGLED, Hang()),
)

TRANSFER_ENCODINGS = (
    framed(
        "coding: a length and chunks",
        "Content-Length and Transfer-Encoding, and another reply after the chunks.",
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        lambda sent: in_one_chunk(sent) + SMUGGLED,
        client="either",
    ),
    framed("coding: chunked twice", "Chunks of chunks.", b"transfer-encoding: chunked, chunked\r\n", in_one_chunk),
    framed("coding: two headers", "Chunked in two headers.", b"transfer-encoding: chunked\r\n" * 2, in_one_chunk),
    framed("coding: unknown", "An unknown coding.", b"transfer-encoding: xchunked\r\n", in_one_chunk),
    framed("coding: identity", "A coding that was removed from HTTP.", b"transfer-encoding: identity\r\n", same),
    framed("coding: a vertical tab", "A tab before the name.", b"transfer-encoding: \x0bchunked\r\n", in_one_chunk),
    framed(
        "coding: upper case",
        "The name of the coding in upper case.",
        b"TRANSFER-ENCODING: CHUNKED\r\n",
        in_one_chunk,
        client="answers",
    ),
    framed(
        "coding: gzip below chunks",
        "A transfer coding that was not requested.",
        b"transfer-encoding: gzip, chunked\r\n",
        lambda sent: in_one_chunk(gzip.compress(sent)),
    ),
)

CHUNKS = (
    chunked(
        "chunk: an extension",
        "A chunk with an extension.",
        lambda sent: b"%x;a=b\r\n%b\r\n" % (len(sent), sent) + END_OF_CHUNKS,
        client="answers",
    ),
    chunked(
        "chunk: 64 KiB of extension",
        "An extension of 64 KiB.",
        lambda sent: b"%x;%b\r\n%b\r\n" % (len(sent), b"a" * _LARGE, sent) + END_OF_CHUNKS,
        client="either",
    ),
    chunked(
        "chunk: an extension without end",
        "An extension that never ends.",
        lambda sent: b"%x;" % len(sent),
        Repeat(b"a" * 4096, 0.0),
        client="stops",
    ),
    chunked(
        "chunk: zeros before the size",
        "A size of 20 digits.",
        lambda sent: b"%020x\r\n%b\r\n" % (len(sent), sent) + END_OF_CHUNKS,
        client="either",
    ),
    chunked("chunk: zeros without end", "Zeros.", instead(b""), Repeat(b"0" * 4096, 0.0), client="stops"),
    chunked("chunk: zeros, slowly", "A zero each 20 ms.", instead(b""), Repeat(b"0", 0.02), client="stops"),
    chunked("chunk: a size of 40 digits", "A size beyond 64 bits.", lambda sent: b"f" * 40 + b"\r\n" + sent),
    chunked(
        "chunk: a size of 16 digits",
        "A size of 2**64 - 1.",
        lambda sent: b"f" * 16 + b"\r\n" + sent,
        client="either",
    ),
    chunked("chunk: a negative size", "A negative size.", lambda sent: b"-5\r\n" + sent),
    chunked("chunk: a sign", "A size with a sign.", lambda sent: b"+%x\r\n%b\r\n" % (len(sent), sent) + END_OF_CHUNKS),
    chunked("chunk: 0x", "A size with 0x.", lambda sent: b"0x%x\r\n%b\r\n" % (len(sent), sent) + END_OF_CHUNKS),
    chunked("chunk: an underscore", "A size that only Python reads.", lambda sent: b"1_0\r\n" + sent),
    chunked("chunk: no hexadecimal", "A size that is not a number.", lambda sent: b"zz\r\n" + sent),
    chunked(
        "chunk: a blank before the size",
        "A blank first.",
        lambda sent: b" %x\r\n%b\r\n" % (len(sent), sent) + END_OF_CHUNKS,
        client="either",
    ),
    chunked(
        "chunk: line feeds only",
        "Sizes that end in LF.",
        lambda sent: b"%x\n%b\n0\n\n" % (len(sent), sent),
        client="either",
    ),
    chunked(
        "chunk: too long",
        "No line end after a chunk.",
        lambda sent: b"%x\r\n%b" % (len(sent), sent) + END_OF_CHUNKS,
        client="either",
    ),
    chunked("chunk: an empty size", "A line without a size.", lambda sent: b"\r\n" + sent),
    chunked(
        "chunk: one byte each",
        "A chunk for each byte.",
        lambda sent: b"".join(b"1\r\n%c\r\n" % byte for byte in sent) + END_OF_CHUNKS,
        client="answers",
    ),
    chunked("chunk: empty body", "No chunk but the last.", instead(END_OF_CHUNKS)),
    chunked(
        "chunk: rubbish after the last",
        "Bytes after the end.",
        lambda sent: in_one_chunk(sent) + b"\xff" * 100,
        Hang(),
        client="answers",
    ),
    chunked(
        "chunk: a second reply after the last",
        "Another reply after the end.",
        lambda sent: in_one_chunk(sent) + SMUGGLED,
        Hang(),
        client="answers",
    ),
    chunked("chunk: silence before the last", "The end never comes.", frame, Hang(), client="stops"),
    chunked(
        "chunk: half closed",
        "The end never comes, and the server has closed its half.",
        frame,
        Cut(reset=False, half=True),
        client="either",
    ),
    chunked("chunk: a reset", "A reset in place of the last chunk.", frame, Cut(), client="either"),
)

TRAILERS = (
    chunked("trailer: one", "A trailer.", lambda sent: frame(sent) + b"0\r\nx-checksum: 1\r\n\r\n", client="answers"),
    chunked(
        "trailer: a length",
        "A trailer that sets a length.",
        lambda sent: frame(sent) + b"0\r\ncontent-length: 3\r\n\r\n",
        client="answers",
    ),
    chunked("trailer: NUL", "A trailer with a NUL.", lambda sent: frame(sent) + b"0\r\nx: \0\r\n\r\n", client="either"),
    chunked(
        "trailer: without end",
        "Trailers without end.",
        lambda sent: frame(sent) + b"0\r\n",
        Repeat(b"x: y\r\n" * 512, 0.0),
        client="stops",
    ),
    chunked(
        "trailer: without end, slowly",
        "A trailer each 20 ms.",
        lambda sent: frame(sent) + b"0\r\n",
        Repeat(b"x: y\r\n", 0.02),
        client="stops",
    ),
)

INTERIM = (
    head(
        "interim: 100", "100 before the reply.", lambda sent: b"HTTP/1.1 100 Continue\r\n\r\n" + sent, client="answers"
    ),
    head(
        "interim: 103 a hundred times",
        "100 early hints.",
        lambda sent: b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 100 + sent,
        client="answers",
    ),
    head(
        "interim: 199", "An unknown interim status.", lambda sent: b"HTTP/1.1 199 Odd\r\n\r\n" + sent, client="answers"
    ),
    head(
        "interim: with a length",
        "An interim reply with a body, which is another reply.",
        lambda sent: b"HTTP/1.1 103 Hints\r\ncontent-length: %d\r\n\r\n%b" % (len(SMUGGLED), SMUGGLED) + sent,
        client="either",
    ),
    head(
        "interim: with headers without end",
        "An interim reply with 10,000 headers.",
        lambda sent: b"HTTP/1.1 103 Hints\r\n%b\r\n" % (b"x: y\r\n" * 10_000) + sent,
        client="either",
    ),
    raw(
        "interim: without end",
        "102 without end.",
        b"",
        Repeat(b"HTTP/1.1 102 Processing\r\n\r\n" * 64, 0.0),
        client="stops",
    ),
    raw(
        "interim: without end, slowly",
        "103 each 20 ms.",
        b"",
        Repeat(b"HTTP/1.1 103 Hints\r\n\r\n", 0.02),
        client="stops",
    ),
    raw(
        "interim: other protocols",
        "101, which was not requested.",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        Hang(),
    ),
    head(
        "interim: 101 with the answer", "101 with the answer.", status(b"HTTP/1.1 101 Switching\r\nupgrade: websocket")
    ),
    raw("interim: 100, then the end", "100 and no reply.", b"HTTP/1.1 100 Continue\r\n\r\n"),
)
