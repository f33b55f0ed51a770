"""Decode content encodings piece by piece, so that a small body cannot become a large one in a single step."""

import importlib
import zlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Protocol

from langchain_kimi._openrouter.errors import error_from_response, malformed
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.errors import KimiError, RawReply

LARGEST_PIECE = 2**18
"""The maximum number of bytes that one step of decoding returns."""
GZIP_OR_ZLIB = 47
"""The window bits with which zlib detects the header of gzip or zlib."""
GZIP = b"\x1f\x8b"
"""The first bytes of gzip (RFC 1952)."""
MAX_MEMBERS = 100
"""The maximum number of members of a gzip body that are decoded. Reading each one copies the rest of the bytes."""
ZLIB_CHECK = 31
"""The first two bytes of zlib are a multiple of this number (RFC 1950)."""
ENCODED = frozenset({"bzip2", "compress", "dcb", "dcz", "lz4", "snappy", "x-compress", "xz"})
"""Encodings that are never decoded. Misconfigured servers send other values, such as "utf-8", for plain text."""


class Decoder(Protocol):
    """Decodes the pieces of one body."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of the next bytes."""


class DecodingError(Exception):
    """The body does not have the encoding that its header states."""


class ZlibDecoder:
    """Decodes gzip, also of several members (RFC 1952), zlib, and raw deflate, which some servers send as `deflate`."""

    def __init__(self) -> None:
        self._start = b""
        self._decoder: Any = None
        self._members = 0

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of the next bytes."""
        data = self._start + data
        while self._is_open(data):
            try:
                while piece := self._decoder.decompress(data, LARGEST_PIECE):
                    yield piece
                    data = self._decoder.unconsumed_tail
            except zlib.error as error:
                raise DecodingError(str(error)) from error
            if not self._decoder.eof:
                break
            data, self._decoder = self._decoder.unused_data, None

    def _is_open(self, data: bytes) -> bool:
        """Return whether data can be decoded, by the open member or by a new one. Padding after the last is ignored."""
        if self._decoder is not None:
            return True
        is_short, is_gzip = len(data) < len(GZIP), data.startswith(GZIP)
        self._start = data if is_short else b""
        if is_short or (self._members and not is_gzip) or self._members == MAX_MEMBERS:
            return False
        has_header = is_gzip or int.from_bytes(data[:2], "big") % ZLIB_CHECK == 0
        self._decoder = zlib.decompressobj(GZIP_OR_ZLIB if has_header else -zlib.MAX_WBITS)
        self._members += 1
        return True


class SlicedDecoder:
    """Decodes with a function that cannot limit its output, so its input is sliced.

    Args:
        decompress: Returns the decoded form of the next bytes.
        size: The bytes of one slice.
    """

    def __init__(self, decompress: Callable[[bytes], bytes], size: int) -> None:
        self._decompress = decompress
        self._size = size

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of the next bytes."""
        for start in range(0, len(data), self._size):
            try:
                piece = self._decompress(data[start : start + self._size])
            except Exception as error:
                raise DecodingError(f"{type(error).__name__}: {error}") from error
            if piece:
                yield piece


def _brotli() -> Decoder | None:
    for name in ("brotli", "brotlicffi"):
        if (package := _package(name)) is not None:
            # A single byte may expand to 16 MiB, so a slice has one byte.
            return SlicedDecoder(package.Decompressor().process, 1)
    return None


def _zstandard() -> Decoder | None:
    if (package := _package("zstandard")) is None:
        return None
    # A block of 4 bytes may expand to 128 KiB.
    return SlicedDecoder(package.ZstdDecompressor().decompressobj().decompress, 32)


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


DECODERS: dict[str, Callable[[], Decoder | None]] = {
    "gzip": ZlibDecoder,
    "x-gzip": ZlibDecoder,
    "deflate": ZlibDecoder,
    "br": _brotli,
    "zstd": _zstandard,
}


def decoder_for(head: ResponseHead) -> Decoder | None:
    """Return the decoder for the body of a response, or None when it is not encoded.

    Raises:
        KimiError: The body has several encodings, or one that cannot be decoded.
    """
    header = head.headers.get("content-encoding")
    if not header:
        return None
    names = [name for name in header.lower().replace(" ", "").split(",") if name in DECODERS or name in ENCODED]
    if not names:
        return None
    if len(names) > 1:
        # Each encoding may expand its input a thousand times.
        raise encoding_error(", ".join(names), head)
    new_decoder = DECODERS.get(names[0])
    decoder = new_decoder() if new_decoder else None
    if decoder is None:
        raise encoding_error(names[0], head)
    return decoder


def encoding_error(name: str, head: ResponseHead) -> KimiError:
    """Return the error for a response with an encoding that cannot be decoded."""
    reason = f"The reply has the content encoding {name}, which the request did not accept."
    if head.status < HTTPStatus.MULTIPLE_CHOICES:
        error = malformed(reason, RawReply(head.status, head.headers, ""))
        error.update(advice="Check the proxy and base_url: a server on the way compresses replies.")
        return error
    return error_from_response(head.status, head.headers, reason, now=head.now)
