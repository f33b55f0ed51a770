"""The HTTP/1.0 and HTTP/1.1 of the loopback server: requests, responses and their encoding.

A response consists of steps. A step is bytes, or an event that real servers have between bytes: a pause, a silence,
a repeated comment, a broken connection.
"""

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias

from langchain_kimi._openrouter.http import decoding


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
    """A request: header names in lower case, the body as bytes, without its transfer and content encoding."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    version: str = "HTTP/1.1"

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may be used for another request."""
        options = _names(self.headers.get("connection", ""))
        return "keep-alive" in options if self.version == "HTTP/1.0" else "close" not in options


def _names(header: str) -> list[str]:
    """Return the elements of a header that is a list of names."""
    return [name for element in header.lower().split(",") if (name := element.strip())]


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


_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class MalformedRequestError(ValueError):
    """The bytes are not a request that this server can read.

    Attributes:
        status: The HTTP status of the response.
    """

    status = HTTPStatus.BAD_REQUEST


class UnsupportedTransferError(MalformedRequestError):
    """The body has a transfer encoding that this server cannot decode. nginx answers it with the same status."""

    status = HTTPStatus.NOT_IMPLEMENTED


class UnsupportedEncodingError(MalformedRequestError):
    """The body has a content encoding that this server cannot decode."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


HEAD_END = re.compile(rb"\n\r?\n")
"""The end of a head. A server may accept lines that end in LF alone (RFC 9112, section 2.2), and nginx does."""


def parse_head(head: bytes) -> HttpRequest:
    """Parse a request's head, without its final line break and blank line.

    Raises:
        MalformedRequestError: The head is malformed.
    """
    lines = [line.removesuffix("\r") for line in head.decode("latin-1").split("\n")]
    try:
        method, target, version = lines[0].split(" ")
    except ValueError as error:
        raise MalformedRequestError("The request line needs a method, a target and a version.") from error
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedRequestError("A header line needs a colon.")
        name, value = name.strip().lower(), value.strip()
        if name == "content-length" and headers.get(name, value) != value:
            raise MalformedRequestError("The values of Content-Length differ.")
        headers[name] = value
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise MalformedRequestError("Only HTTP/1.0 and HTTP/1.1 are supported.")
    _check_framing(headers)
    return HttpRequest(method, target, headers, b"", version)


def _check_framing(headers: Mapping[str, str]) -> None:
    encoding = headers.get("transfer-encoding")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise MalformedRequestError("Content-Length needs a number.")
    if encoding is not None and "content-length" in headers:
        raise MalformedRequestError("A request has either a Transfer-Encoding or a Content-Length.")
    if encoding is not None and encoding.lower() != "chunked":
        raise UnsupportedTransferError("The only supported transfer encoding is chunked.")


class BodyReader:
    """Takes a request's body out of a buffer as its bytes arrive.

    Args:
        head: The request's head.
    """

    def __init__(self, head: HttpRequest) -> None:
        self._encoding = head.headers.get("content-encoding", "")
        self._length = None if "transfer-encoding" in head.headers else int(head.headers.get("content-length", "0"))
        self._chunks: list[bytes] = []

    def read(self, buffer: bytearray) -> bytes | None:
        """Return the whole body without its encodings, or None if more bytes are needed.

        Raises:
            MalformedRequestError: The body is not encoded as its headers say.
        """
        if self._length is None:
            return decoded(b"".join(self._chunks), self._encoding) if self._read_chunks(buffer) else None
        if len(buffer) < self._length:
            return None
        body = bytes(buffer[: self._length])
        del buffer[: self._length]
        return decoded(body, self._encoding)

    def _read_chunks(self, buffer: bytearray) -> bool:
        """Take chunks, and return whether the last one was among them."""
        while True:
            line, line_break, _ = buffer.partition(b"\r\n")
            if not line_break:
                return False
            digits = line.partition(b";")[0].strip()
            if not _CHUNK_SIZE.fullmatch(digits):
                raise MalformedRequestError("A chunk needs a size.")
            size = int(digits, 16)
            start = len(line) + 2
            if size == 0:
                return self._read_trailers(buffer, start)
            if len(buffer) < start + size + 2:
                return False
            if buffer[start + size : start + size + 2] != b"\r\n":
                raise MalformedRequestError("A chunk ends with a line break.")
            self._chunks.append(bytes(buffer[start : start + size]))
            del buffer[: start + size + 2]

    def _read_trailers(self, buffer: bytearray, start: int) -> bool:
        """Take the last chunk and the header fields after it, and return whether they are complete."""
        # The line break before `start` ends the line of the last chunk. A blank line follows the fields.
        end = buffer.find(b"\r\n\r\n", start - 2)
        if end < 0:
            return False
        del buffer[: end + 4]
        return True


def decoded(body: bytes, encodings: str) -> bytes:
    """Return a body without its content encodings. Brotli and Zstandard need the packages `brotli` and `zstandard`.

    Args:
        body: The encoded body.
        encodings: The header, a list of encodings in the order in which they were applied.

    Raises:
        UnsupportedEncodingError: An encoding is not supported, or its package is not installed.
        MalformedRequestError: The body does not have the encoding.
    """
    for encoding in reversed(_names(encodings)):
        if encoding in ("gzip", "x-gzip", "deflate"):
            body = _inflated(body, encoding)
        elif encoding != "identity":
            body = _decompressed(body, encoding)
    return body


def _inflated(body: bytes, encoding: str) -> bytes:
    """Decode gzip with one or more members (RFC 1952), zlib, or raw deflate, which some clients send as `deflate`."""
    members: list[bytes] = []
    has_header = body.startswith(decoding.GZIP) or int.from_bytes(body[:2], "big") % decoding.ZLIB_CHECK == 0
    while body:
        member = zlib.decompressobj(decoding.GZIP_OR_ZLIB if has_header else -zlib.MAX_WBITS)
        try:
            members.append(member.decompress(body))
        except zlib.error as error:
            raise MalformedRequestError(f"The body is not compressed as {encoding}.") from error
        if not member.eof:
            raise MalformedRequestError(f"The body ends before its {encoding} data.")
        body = member.unused_data
    return b"".join(members)


def _decompressed(body: bytes, encoding: str) -> bytes:
    new_decoder = decoding.DECODERS.get(encoding)
    decoder = new_decoder() if new_decoder else None
    if decoder is None:
        raise UnsupportedEncodingError(f"The content encoding {encoding} is not supported.")
    try:
        return b"".join(decoder.decode(body))
    except decoding.DecodingError as error:
        raise MalformedRequestError(f"The body is not compressed as {encoding}.") from error


def frame(piece: bytes) -> bytes:
    """Return a piece of a body, framed as a chunk."""
    # An empty chunk would end the body.
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


def response_head(response: Response, *, chunked: bool, closes: bool = False, connection: str | None = None) -> bytes:
    """Return a response's status line and headers, including those for the body's framing.

    Args:
        response: The response.
        chunked: Whether the body is sent in chunks.
        closes: Whether the end of the connection is the end of the body, as HTTP/1.0 needs for unknown lengths.
        connection: The header Connection, unless the response has one.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    if connection is not None:
        headers.setdefault("connection", connection)
    if closes:
        headers["connection"] = "close"
    elif chunked:
        headers["transfer-encoding"] = "chunked"
    elif response.status != HTTPStatus.NO_CONTENT:
        headers["content-length"] = str(sum(len(step) for step in response.steps if isinstance(step, bytes)))
    reason = _REASONS.get(response.status, "Unknown")
    lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
