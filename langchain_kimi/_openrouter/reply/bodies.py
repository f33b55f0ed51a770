"""Reading bodies that are not streams: size limit, comments, tolerant parsing, and the bodies of error statuses."""

from collections.abc import Mapping
from itertools import dropwhile
from typing import Any, NoReturn

from langchain_kimi._openrouter.errors import error_from_response, malformed
from langchain_kimi._openrouter.json import parse_lenient
from langchain_kimi._openrouter.limits import MAX_REPLY_BYTES, is_too_deep, too_large
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.errors import KimiError, RawReply


def size_with(size: int, piece: bytes) -> int:
    """Return the size of a reply with its next piece.

    Raises:
        KimiReplyTooLargeError: The reply is larger than `MAX_REPLY_BYTES`.
    """
    if size + len(piece) > MAX_REPLY_BYTES:
        raise too_large("The reply", MAX_REPLY_BYTES)
    return size + len(piece)


def without_comments(body: bytes) -> bytes:
    """Return a body without the keep-alive comments and blank lines at both ends."""
    lines = body.splitlines()
    for _ in range(2):
        lines = [*dropwhile(_is_comment, lines)][::-1]
    return b"\n".join(lines).strip()


def _is_comment(line: bytes) -> bool:
    return line.startswith(b":") or not line.strip()


def parse_body(raw_reply: RawReply) -> Any:
    """Return the JSON value of a body; raw control characters inside strings are accepted.

    Raises:
        KimiMalformedReplyError: The body is not JSON, or is nested too deeply.
    """
    try:
        reply = parse_lenient(raw_reply.text)
    except ValueError:
        raise malformed(_not_json(raw_reply.text), raw_reply) from None
    if is_too_deep(reply, raw_reply.text):
        raise malformed("The reply is nested too deeply.", raw_reply)
    return reply


def _not_json(text: str) -> str:
    return f"The reply is not JSON: it begins with {text[:80]!r}." if text else "The reply is empty."


ERROR_BODY_WAIT = 5.0
"""Seconds: the status alone is nearly sufficient, so the body of an error is not waited for as an answer is."""
MAX_ERROR_BYTES = 2**18
"""No error body is longer; an endless page is."""
MIN_KEY_LENGTH = 8


class ErrorBodyReader:
    """Collect the body of a response whose status is an error; its end, of whatever kind, raises that error."""

    def __init__(self, head: ResponseHead, request_headers: Mapping[str, str]) -> None:
        self._head = head
        self._request_headers = request_headers
        self._pieces: list[bytes] = []
        self._length = 0
        head.idle_timer.finish_within(ERROR_BODY_WAIT)

    @property
    def has_begun(self) -> bool:
        """Always false: an error body is not an answer."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Take the next bytes."""
        self._head.idle_timer.passed(waited, content=False)
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length >= MAX_ERROR_BYTES:
            self._head.idle_timer.finish_within(0.0)
        return ()

    def close(self) -> NoReturn:
        """Take the end of the bytes.

        Raises:
            KimiError: Always, built from the status, the headers and the body.
        """
        text = b"".join(self._pieces)[:MAX_ERROR_BYTES].decode("utf-8", errors="replace")
        for name, value in self._request_headers.items():
            key = value.removeprefix("Bearer ")
            # A proxy's error page may repeat the request's headers.
            if name.lower() == "authorization" and len(key) >= MIN_KEY_LENGTH:
                text = text.replace(key, "[key]")
        raise error_from_response(self._head.status, self._head.headers, text, now=self._head.now)

    def explain(self, _error: KimiError) -> tuple[()]:
        """Add nothing: no part of an answer arrived."""
        return ()
