"""Build the heads of requests and check those of replies, for the transports that do not use httpx for it."""

import re
from collections.abc import Sequence
from typing import Any

import httpx

NO_REPLY = "Server disconnected without sending a response."
CUT_BODY = "peer closed connection without sending complete message body"
"""Messages for failures, with the same wording as in httpcore and h11."""
READ = 2**16
"""The maximum number of bytes of one read, as in httpcore."""
MAX_HEAD = 100 * 1024
"""The maximum number of bytes of all headers of a reply together, as in httpcore."""
SWITCHING = 101
"""The status of a reply after which the server uses another protocol."""
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Reply:
    """The part of an `httpx.Response` that a call reads."""

    def __init__(self, status: int, headers: Sequence[tuple[bytes, bytes]], stream: Any) -> None:
        self.status_code = status
        self.headers = httpx.Headers(headers)
        self.stream = stream

    def close(self) -> None:
        """Do nothing: the client knows whether its connection can be used again."""

    async def aclose(self) -> None:
        """Do nothing."""


def check_coding(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Return whether a reply is sent in chunks.

    Raises:
        httpx.RemoteProtocolError: It has another transfer coding, which llhttp would read as a body without a length.
    """
    codings = [value.lower() for name, value in headers if name.lower() == b"transfer-encoding"]
    if codings and codings != [b"chunked"]:
        raise httpx.RemoteProtocolError("The response has an unknown transfer coding.")
    return bool(codings)


def switched() -> httpx.RemoteProtocolError:
    """Return the error for a reply with the status `SWITCHING`, which no request asks for."""
    return httpx.RemoteProtocolError("The server switched to another protocol.")


def origin_of(request: httpx.Request) -> tuple[str, bytes]:
    """Return the scheme, and the host with the port of a request. A connection serves only one such origin."""
    return request.url.scheme, request.url.netloc


def headers_of(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request.

    Raises:
        httpx.LocalProtocolError: A header cannot be sent. The error does not contain it.
    """
    headers = request.headers.raw
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers):
        raise httpx.LocalProtocolError("Illegal header")
    return headers


def head_of(request: httpx.Request) -> bytes:
    """Return the bytes of a request's head.

    Raises:
        httpx.LocalProtocolError: A header cannot be sent.
    """
    start = b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii"), request.url.raw_path)
    lines = [b"%b: %b\r\n" % header for header in headers_of(request)]
    return b"%b%b\r\n" % (start, b"".join(lines))


def body_of(request: httpx.Request) -> bytes:
    """Return the body of a request."""
    stream: Any = request.stream
    return b"".join(stream)
