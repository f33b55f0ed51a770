"""The form of a hostile reply, and functions that build one from the part of a reply that is wrong."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias

from langchain_kimi.testing.http1 import Cut, Response, Step, frame, response_head
from langchain_kimi.testing.responses import Fault, OutgoingReply, body_of, exact_response, response_with

Change: TypeAlias = Callable[[bytes], bytes]
Client: TypeAlias = Literal["answers", "fails", "either", "stops"]

CLOSE = Cut(reset=False)
END_OF_CHUNKS = b"0\r\n\r\n"
SMUGGLED = (
    b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 104\r\n\r\n{"id":"gen-smuggled",'
    b'"choices":[{"message":{"content":"smuggled"},"finish_reason":"stop","index":0}]}   '
)
"""A complete second reply. A client that reads it as the reply to its next request has been deceived."""
CONTENT = b'"content":"'
"""The bytes before the text of an answer."""


@dataclass(frozen=True, slots=True)
class HostileFault(Fault):
    """A reply that no honest server sends.

    Attributes:
        what: What is sent, in a sentence.
        client: What a client should do. `answers`: return the answer, which is complete, or is so by the
            specification. `fails`: raise an error of its own. `either`: one of both. `stops`: the reply never ends, so
            the client has to stop at its limit of time or size, with the answer if it was complete before, else with an
            error.
    """

    _: KW_ONLY
    what: str = ""
    client: Client = "fails"


def raw(name: str, what: str, sent: bytes, last: Step = CLOSE, *, client: Client = "fails") -> HostileFault:
    """Return a fault that sends these bytes instead of a reply."""
    return HostileFault(name, lambda _: exact_response(sent, last), what=what, client=client)


def head(name: str, what: str, change: Change, last: Step = CLOSE, *, client: Client = "fails") -> HostileFault:
    """Return a fault that sends the correct body after a changed head."""

    def play(outgoing: OutgoingReply) -> Response:
        body = body_of(outgoing)
        return exact_response(change(response_head(response_with(outgoing, body), chunked=False)) + body, last)

    return HostileFault(name, play, what=what, client=client)


def framed(  # noqa: PLR0913 - the parts of a reply
    name: str, what: str, headers: bytes, body: Change, last: Step = CLOSE, *, client: Client = "fails"
) -> HostileFault:
    """Return a fault that sends a head with these headers about the framing, and a changed body.

    Args:
        name: The name of the fault.
        what: What is sent, in a sentence.
        headers: The header lines in place of Content-Length. `%(length)d` becomes the length of the body.
        body: Returns what is sent for the correct body.
        last: The step after it.
        client: What a client should do.
    """

    def play(outgoing: OutgoingReply) -> Response:
        right = body_of(outgoing)
        start = response_head(response_with(outgoing, b""), chunked=False)
        lines = headers.replace(b"%(length)d", b"%d" % len(right))
        return exact_response(start.replace(b"content-length: 0\r\n", lines) + body(right), last)

    return HostileFault(name, play, what=what, client=client)


def chunked(name: str, what: str, body: Change, last: Step = CLOSE, *, client: Client = "fails") -> HostileFault:
    """Return a fault that sends the correct head of a reply in chunks, and changed chunks."""
    return framed(name, what, b"transfer-encoding: chunked\r\n", body, last, client=client)


def endless(name: str, what: str, start: Change, last: Step, content_type: str | None = None) -> HostileFault:
    """Return a fault that sends a changed body as one chunk, and then the last step in place of the end."""
    more = b"" if content_type is None else b"content-type: %b\r\n" % content_type.encode()

    def play(outgoing: OutgoingReply) -> Response:
        sent = response_head(response_with(outgoing, b""), chunked=False)
        if more:
            sent = b"".join(line for line in sent.splitlines(keepends=True) if not line.startswith(b"content-type"))
        sent = sent.replace(b"content-length: 0\r\n", more + b"transfer-encoding: chunked\r\n")
        return exact_response(sent + frame(start(body_of(outgoing))), last)

    return HostileFault(name, play, what=what, client="stops")


def encoded(name: str, what: str, coding: str, packed: Change, *, client: Client = "fails") -> HostileFault:
    """Return a fault that sends the body with a content encoding."""

    def play(outgoing: OutgoingReply) -> Response:
        return response_with(outgoing, packed(body_of(outgoing)), {"content-encoding": coding})

    return HostileFault(name, play, what=what, client=client)


def body(
    name: str, what: str, change: Change, content_type: str | None = None, *, client: Client = "fails"
) -> HostileFault:
    """Return a fault that sends a correct head and a changed body."""
    headers = {} if content_type is None else {"content-type": content_type}
    return HostileFault(
        name,
        lambda outgoing: response_with(outgoing, change(body_of(outgoing)), headers),
        what=what,
        client=client,
    )


def after_status(lines: bytes) -> Change:
    """Return a change that inserts header lines directly after the status line."""
    return lambda sent: sent.replace(b"\r\n", b"\r\n" + lines, 1)


def status(line: bytes) -> Change:
    """Return a change that replaces the status line."""
    return lambda sent: line + sent[sent.index(b"\r\n") :]


def same(sent: bytes) -> bytes:
    """Return the bytes unchanged."""
    return sent


def in_one_chunk(sent: bytes) -> bytes:
    """Return a whole body as one chunk and the last, empty chunk."""
    return frame(sent) + END_OF_CHUNKS


def instead(sent: bytes) -> Change:
    """Return a change that replaces everything."""
    return lambda _: sent


def within_text(more: bytes) -> Change:
    """Return a change that inserts bytes at the beginning of each text of the answer."""
    return lambda sent: sent.replace(CONTENT, CONTENT + more)


def with_field(field: bytes) -> Change:
    """Return a change that inserts a field at the beginning of each JSON object of the reply."""
    return lambda sent: sent.replace(b'{"id":', b"{%b," % field + b'"id":')
