"""Faults of the transfer: what HTTP says of a body is wrong, its bytes are damaged, or its connection does not last.

Where nothing else is said the answer itself is as it should be.
"""

import gzip
import zlib
from collections.abc import Callable
from typing import Any, Literal

from langchain_kimi.testing.http1 import Cut, Hang, Repeat, Response, Step, frame, response_head
from langchain_kimi.testing.serving import COMMENT, Fault, Serving, body_of, dump

_PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
_HEAD_OF_GZIP = 10
_ENDLESS = b"and so on " * 6554


def compressed(
    coding: Literal["gzip", "deflate"] = "gzip", damage: Literal["none", "cut", "corrupt"] = "corrupt"
) -> Fault:
    """A compressed body, of which the second half is missing, or some bytes in its middle are others."""

    def play(serving: Serving) -> Response:
        packed = _PACKERS[coding](body_of(serving))
        middle = len(packed) // 2
        spoiled = {
            "none": packed,
            "cut": packed[:middle],
            "corrupt": packed[:middle] + bytes([packed[middle] ^ 0xFF]) * 8 + packed[middle + 8 :],
        }
        return _whole(serving, spoiled[damage], {"content-encoding": coding})

    return Fault(f"{coding}, {damage}", play)


def unasked_compression(coding: str = "compress") -> Fault:
    """A body in a compression that was not asked for, and that leaves much of it to be read as text."""
    return Fault(coding, lambda s: _whole(s, b"\x1f\x9d\x90" + body_of(s), {"content-encoding": coding}))


def wrong_length(by: int = 50, *, closed: bool = True) -> Fault:
    """A body with a Content-Length that is so many bytes too large; then the connection is closed, or nothing comes.

    A negative number makes it too small: the end of the body is then no part of it.
    """

    def play(serving: Serving) -> Response:
        body = body_of(serving)
        told = response_head(_whole(serving, body, {}), chunked=False)
        wrong = told.replace(b"content-length: %d" % len(body), b"content-length: %d" % (len(body) + by))
        return _instead(wrong + body, Cut(reset=False) if closed else Hang())

    return Fault(f"Content-Length wrong by {by}", play)


def chunk_cut() -> Fault:
    """A body in chunks that ends within the line which tells how long the next chunk is."""
    return Fault("chunk cut", lambda s: _in_chunks(s, lambda body: frame(body[: len(body) // 2]) + b"1f"))


def chunk_damaged() -> Fault:
    """A body in chunks, of which one has no length."""
    return Fault("chunk damaged", lambda s: _in_chunks(s, lambda body: frame(body[: len(body) // 2]) + b"zz\r\n"))


def end_missing() -> Fault:
    """A body in chunks that is whole, but for the chunk that says so: the connection is closed in its place."""
    return Fault("end missing", lambda s: _in_chunks(s, frame))


def half_closed() -> Fault:
    """A body that ends in its middle because the server has closed its half of the connection, and waits."""

    def play(serving: Serving) -> Response:
        body = body_of(serving)
        head = response_head(_whole(serving, b"", {}), chunked=True)
        return _instead(head + frame(body[: len(body) // 2]), Cut(reset=False, half=True))

    return Fault("half closed", play)


def informational(status: int = 103, times: int = 1) -> Fault:
    """The answer after so many heads with a status below 200, which announce it."""
    early = b"HTTP/1.1 %d Early\r\n\r\n" % status * times

    def play(serving: Serving) -> Response:
        response = _whole(serving, body_of(serving), {})
        return Response(response.status, response.headers, response.steps, [early], chunked=False)

    return Fault(f"{status} first", play)


def bare_status(status: int = 204) -> Fault:
    """This status and nothing else."""
    return Fault(f"{status}, bare", lambda _: Response(status, {}, (), chunked=False))


def answered_with(status: int = 202) -> Fault:
    """The answer, under another status than 200."""

    def play(serving: Serving) -> Response:
        response = _whole(serving, body_of(serving), {})
        return Response(status, response.headers, response.steps, chunked=False)

    return Fault(f"an answer under {status}", play)


def unanswered(*, reset: bool = False) -> Fault:
    """A request that is read, and then the connection is closed or reset: as one that was idle for too long is."""
    return Fault("unanswered", lambda _: Response(before=[Cut(reset)]))


def closed_after() -> Fault:
    """The answer, and then the connection is closed, though nothing announced that."""

    def play(serving: Serving) -> Response:
        body = body_of(serving)
        return _instead(response_head(_whole(serving, body, {}), chunked=False) + body, Cut(reset=False))

    return Fault("closed after", play)


def comments_around() -> Fault:
    """An answer that is not streamed, whatever was asked for, between comments as they keep streams alive."""

    def play(serving: Serving) -> Response:
        plain = dump(Serving(serving.answer, stream=False, requested=serving.requested).events()[0])
        return _whole(serving, COMMENT * 2 + plain + b"\n\n" + COMMENT, {"content-type": "text/event-stream"})

    return Fault("comments around", play)


def odd_content(content: Any) -> Fault:
    """An answer whose content is this: a number, a truth, an object, or whatever JSON can say."""

    def play(serving: Serving) -> Response:
        events = serving.events()
        [choice] = events[0]["choices"]
        place = "delta" if serving.stream else "message"
        odd = {**events[0], "choices": [{**choice, place: {**choice[place], "content": content}}]}
        return serving.respond([odd, *(events[-2:] if serving.stream else []), *serving.ending()])

    return Fault("odd content", play)


def endless_text() -> Fault:
    """A text that never ends, in one event or one plain body."""

    def play(serving: Serving) -> Response:
        body = body_of(serving)
        beginning = body[: body.index(b'"content":"') + len(b'"content":"')]
        return serving.respond([beginning, Repeat(_ENDLESS, 0.0)])

    return Fault("endless text", play)


def _whole(serving: Serving, body: bytes, headers: dict[str, str]) -> Response:
    """The usual head, and a body of known length."""
    response = serving.respond([])
    return Response(response.status, {**response.headers, **headers}, (body,), chunked=False)


def _instead(sent: bytes, last: Step) -> Response:
    """Exactly these bytes, head and all, and then the connection's end."""
    return Response(before=[sent, last])


def _in_chunks(serving: Serving, sent: Callable[[bytes], bytes]) -> Response:
    head = response_head(_whole(serving, b"", {}), chunked=True)
    return _instead(head + sent(body_of(serving)), Cut(reset=False))
