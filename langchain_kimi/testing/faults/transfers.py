"""Faults of the transfer: wrong HTTP headers, damaged bytes, and connections that close at the wrong time.

The answer itself is correct, unless a docstring says otherwise.
"""

import gzip
import zlib
from collections.abc import Callable
from typing import Any, Literal

from langchain_kimi.testing.http1 import Cut, Hang, Repeat, Response, frame, response_head
from langchain_kimi.testing.responses import (
    COMMENT,
    Fault,
    OutgoingReply,
    body_of,
    dump,
    exact_response,
    response_with,
)

_PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
_HEAD_OF_GZIP = 10
_ENDLESS = b"and so on " * 6554


def compressed(
    coding: Literal["gzip", "deflate"] = "gzip", damage: Literal["none", "cut", "corrupt"] = "corrupt"
) -> Fault:
    """A compressed body without its second half (`cut`), or with wrong bytes in its middle (`corrupt`)."""

    def play(outgoing: OutgoingReply) -> Response:
        packed = _PACKERS[coding](body_of(outgoing))
        middle = len(packed) // 2
        faulty = {
            "none": packed,
            "cut": packed[:middle],
            "corrupt": packed[:middle] + bytes([packed[middle] ^ 0xFF]) * 8 + packed[middle + 8 :],
        }
        return response_with(outgoing, faulty[damage], {"content-encoding": coding})

    return Fault(f"{coding}, {damage}", play)


def unasked_compression(coding: str = "compress") -> Fault:
    """A body with a content encoding that the client did not request, most of which can be read as text."""
    return Fault(
        coding,
        lambda outgoing: response_with(outgoing, b"\x1f\x9d\x90" + body_of(outgoing), {"content-encoding": coding}),
    )


def wrong_length(by: int = 50, *, closed: bool = True) -> Fault:
    """A body with a wrong Content-Length, after which the connection is closed, or nothing is sent.

    Args:
        by: How many bytes the header is too large or, if negative, too small.
        closed: Whether the connection is closed after the body.
    """

    def play(outgoing: OutgoingReply) -> Response:
        body = body_of(outgoing)
        head = response_head(response_with(outgoing, body, {}), chunked=False)
        wrong = head.replace(b"content-length: %d" % len(body), b"content-length: %d" % (len(body) + by))
        return exact_response(wrong + body, Cut(reset=False) if closed else Hang())

    return Fault(f"Content-Length wrong by {by}", play)


def chunk_cut() -> Fault:
    """A chunked body that ends within the line with the length of a chunk."""
    return Fault("chunk cut", lambda outgoing: _in_chunks(outgoing, lambda body: frame(body[: len(body) // 2]) + b"1f"))


def chunk_damaged() -> Fault:
    """A chunked body with an invalid chunk length."""
    return Fault(
        "chunk damaged", lambda outgoing: _in_chunks(outgoing, lambda body: frame(body[: len(body) // 2]) + b"zz\r\n")
    )


def end_missing() -> Fault:
    """A chunked body without its last, empty chunk. The connection is closed instead."""
    return Fault("end missing", lambda outgoing: _in_chunks(outgoing, frame))


def half_closed() -> Fault:
    """A body that ends in its middle. The server closes only its half of the connection."""

    def play(outgoing: OutgoingReply) -> Response:
        body = body_of(outgoing)
        head = response_head(response_with(outgoing, b"", {}), chunked=True)
        return exact_response(head + frame(body[: len(body) // 2]), Cut(reset=False, half=True))

    return Fault("half closed", play)


def informational(status: int = 103, times: int = 1) -> Fault:
    """The answer after some informational responses (status below 200)."""
    early = b"HTTP/1.1 %d Early\r\n\r\n" % status * times

    def play(outgoing: OutgoingReply) -> Response:
        response = response_with(outgoing, body_of(outgoing), {})
        return Response(response.status, response.headers, response.steps, [early], chunked=False)

    return Fault(f"{status} first", play)


def bare_status(status: int = 204) -> Fault:
    """A response with this status and without a body."""
    return Fault(f"{status}, bare", lambda _: Response(status, {}, (), chunked=False))


def answered_with(status: int = 202) -> Fault:
    """The answer with another status than 200."""

    def play(outgoing: OutgoingReply) -> Response:
        response = response_with(outgoing, body_of(outgoing), {})
        return Response(status, response.headers, response.steps, chunked=False)

    return Fault(f"an answer under {status}", play)


def unanswered(*, reset: bool = False) -> Fault:
    """No response: the connection is closed or reset after the request, as if it had been idle for too long."""
    return Fault("unanswered", lambda _: Response(before=[Cut(reset)]))


def closed_after() -> Fault:
    """The answer, after which the connection is closed without a `Connection: close` header."""

    def play(outgoing: OutgoingReply) -> Response:
        body = body_of(outgoing)
        return exact_response(response_head(response_with(outgoing, body, {}), chunked=False) + body, Cut(reset=False))

    return Fault("closed after", play)


def comments_around() -> Fault:
    """A plain answer, even to a request for a stream, between keep-alive comments."""

    def play(outgoing: OutgoingReply) -> Response:
        plain = dump(OutgoingReply(outgoing.answer, stream=False, requested=outgoing.requested).events()[0])
        return response_with(outgoing, COMMENT * 2 + plain + b"\n\n" + COMMENT, {"content-type": "text/event-stream"})

    return Fault("comments around", play)


def odd_content(content: Any) -> Fault:
    """An answer with this JSON value as its content: a number, a boolean, an object."""

    def play(outgoing: OutgoingReply) -> Response:
        events = outgoing.events()
        [choice] = events[0]["choices"]
        place = "delta" if outgoing.stream else "message"
        odd = {**events[0], "choices": [{**choice, place: {**choice[place], "content": content}}]}
        return outgoing.respond([odd, *(events[-2:] if outgoing.stream else []), *outgoing.ending()])

    return Fault("odd content", play)


def endless_text() -> Fault:
    """An endless text in one event or one plain body."""

    def play(outgoing: OutgoingReply) -> Response:
        body = body_of(outgoing)
        beginning = body[: body.index(b'"content":"') + len(b'"content":"')]
        return outgoing.respond([beginning, Repeat(_ENDLESS, 0.0)])

    return Fault("endless text", play)


def _in_chunks(outgoing: OutgoingReply, sent: Callable[[bytes], bytes]) -> Response:
    head = response_head(response_with(outgoing, b"", {}), chunked=True)
    return exact_response(head + sent(body_of(outgoing)), Cut(reset=False))
