"""HTTP/1.1 as the loopback server speaks it: requests, responses made of steps, and their bytes.

A step is bytes, or something real servers do between bytes: pause, fall silent, repeat a comment, break off.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Send nothing more, until the client hangs up or the server closes."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Send the same bytes every so many seconds, until the client hangs up or the server closes."""

    piece: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Break the connection: with a TCP reset, or by closing it before the body is whole, or only the server's half."""

    reset: bool = True
    half: bool = False


Step: TypeAlias = bytes | Pause | Hang | Repeat | Cut


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came: header names in lower case, the body as bytes."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def _nothing(finished: bool) -> None:  # noqa: FBT001 - the one thing a listener is told
    """Listen to nobody."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the server plays: `before` the head is sent, the head, then `steps`.

    The body is sent with its length where every step is bytes and `chunked` is false, and in chunks otherwise.
    `on_end` is called once: with true when the last byte was handed to the system, with false when the client hung up.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    before: Sequence[Step] = ()
    chunked: bool = True
    on_end: Callable[[bool], None] = _nothing


_REASONS = {status.value: status.phrase for status in HTTPStatus}


class MalformedRequestError(ValueError):
    """The bytes are no HTTP/1.1 request that this server reads."""


def parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Split a request's head, without its final blank line, into method, target and headers.

    Raises `MalformedRequestError`.
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
        raise MalformedRequestError("Only HTTP/1.1 with a Content-Length is read here.")
    return method, target, headers


def frame(piece: bytes) -> bytes:
    """Frame a piece of a body as a chunk."""
    # An empty chunk would be the end of the body.
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


def response_head(response: Response, *, chunked: bool) -> bytes:
    """Write a response's status line and headers, with the body's framing."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    if chunked:
        headers["transfer-encoding"] = "chunked"
    else:
        headers["content-length"] = str(sum(len(step) for step in response.steps if isinstance(step, bytes)))
    reason = _REASONS.get(response.status, "Unknown")
    lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
