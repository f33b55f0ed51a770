"""What a reply's body is, whether a stream of events was asked for or not."""

import json
from collections.abc import Mapping
from itertools import dropwhile
from typing import Any, NoReturn

from langchain_kimi._openrouter.errors import error_from_response, malformed
from langchain_kimi._openrouter.json import integer
from langchain_kimi._openrouter.limits import LARGEST_REPLY, is_too_deep, too_large
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.errors import KimiError, RawReply


def grown(size: int, piece: bytes) -> int:
    """Give the size of a reply with its next piece; raises when it is too large."""
    if size + len(piece) > LARGEST_REPLY:
        raise too_large("The reply", LARGEST_REPLY)
    return size + len(piece)


def without_comments(body: bytes) -> bytes:
    """Take the comments that keep a stream alive, and blank lines, from both ends of a body."""
    lines = body.splitlines()
    for _ in range(2):
        lines = [*dropwhile(_is_comment, lines)][::-1]
    return b"\n".join(lines).strip()


def _is_comment(line: bytes) -> bool:
    return line.startswith(b":") or not line.strip()


def tolerantly_parsed(raw_reply: RawReply) -> Any:
    """Parse a body as Python's own parser does, with raw line breaks in texts.

    Raises:
        KimiMalformedReplyError: it is no JSON, or too deep.
    """
    try:
        reply = json.loads(raw_reply.text, strict=False, parse_int=integer)
    except (ValueError, RecursionError):
        raise malformed(_not_json(raw_reply.text), raw_reply) from None
    if is_too_deep(reply, raw_reply.text):
        raise malformed("The reply is nested too deeply.", raw_reply)
    return reply


def _not_json(text: str) -> str:
    return f"The reply is not JSON: it begins with {text[:80]!r}." if text else "The reply is empty."


PATIENCE = 5.0
"""Seconds: the status alone says nearly all, so its body is not waited for as an answer is."""
LONGEST = 2**18
"""Bytes: no explanation is longer; an endless page is."""
SHORTEST_KEY = 8


class ErrorBodyReader:
    """Collects the body; its end, however it comes, is the error."""

    def __init__(self, opened: ResponseHead, request_headers: Mapping[str, str]) -> None:
        self._opened = opened
        self._request_headers = request_headers
        self._pieces: list[bytes] = []
        self._length = 0
        opened.patience.enough(PATIENCE)

    @property
    def has_begun(self) -> bool:
        """A refusal is no answer."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Take the next bytes."""
        self._opened.patience.passed(waited, content=False)
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length >= LONGEST:
            self._opened.patience.enough(0.0)
        return ()

    def close(self) -> NoReturn:
        """Take the end of the bytes.

        Raises:
            KimiError: always, as the status and the body say.
        """
        text = b"".join(self._pieces)[:LONGEST].decode("utf-8", errors="replace")
        for name, value in self._request_headers.items():
            key = value.removeprefix("Bearer ")
            # A proxy's page may repeat the request's headers.
            if name.lower() == "authorization" and len(key) >= SHORTEST_KEY:
                text = text.replace(key, "[key]")
        raise error_from_response(self._opened.status, self._opened.headers, text, now=self._opened.now)

    def explain(self, _error: KimiError) -> tuple[()]:
        """Add nothing: nothing came of the answer."""
        return ()
