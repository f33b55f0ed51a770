"""The HTTP/1.1 of the loopback server: requests, responses and their encoding.

A response consists of steps. A step is bytes, or an event that real servers have between bytes: a pause, a silence,
a repeated comment, a broken connection.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Send nothing more until the client or the server closes the connection."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Send the same bytes, with this many seconds between, until the client or the server closes the connection."""

    piece: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Break the connection: with a TCP reset, by closing it, or (`half`) by closing the server's half of it."""

    reset: bool = True
    half: bool = False


Step: TypeAlias = bytes | Pause | Hang | Repeat | Cut


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request: header names in lower case, the body as bytes."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def _ignore_end(finished: bool) -> None:  # noqa: FBT001 - the signature of `Response.on_end`
    """Do nothing at the end of a response."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response of the server.

    Attributes:
        status: The HTTP status.
        headers: The headers, without those that describe the body's framing.
        steps: The body. It is sent with its length if every step is bytes and `chunked` is false, else in chunks.
        before: Steps before the status line; bytes are sent unchanged.
        chunked: Whether to send a body in chunks even if its length is known.
        on_end: Called once: with True when all bytes are sent, with False when the client closed the connection first.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    before: Sequence[Step] = ()
    chunked: bool = True
    on_end: Callable[[bool], None] = _ignore_end


_REASONS = {status.value: status.phrase for status in HTTPStatus}


class MalformedRequestError(ValueError):
    """The bytes are not a request that this server can read."""


def parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Split a request's head, without its final blank line, into method, target and headers.

    Raises:
        MalformedRequestError: The head is malformed.
    """
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
    except ValueError as error:
        raise MalformedRequestError("The request line needs a method, a target and a version.") from error
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedRequestError("A header line needs a colon.")
        headers[name.strip().lower()] = value.strip()
    if version != "HTTP/1.1" or "transfer-encoding" in headers or not headers.get("content-length", "0").isdigit():
        raise MalformedRequestError("Only HTTP/1.1 requests with a Content-Length are supported.")
    return method, target, headers


def frame(piece: bytes) -> bytes:
    """Return a piece of a body, framed as a chunk."""
    # An empty chunk would end the body.
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


def response_head(response: Response, *, chunked: bool) -> bytes:
    """Return a response's status line and headers, including those for the body's framing."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    if chunked:
        headers["transfer-encoding"] = "chunked"
    else:
        headers["content-length"] = str(sum(len(step) for step in response.steps if isinstance(step, bytes)))
    reason = _REASONS.get(response.status, "Unknown")
    lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
