"""What a reply's body is, whether a stream of events was asked for or not."""

import json
from itertools import dropwhile
from typing import Any

from langchain_kimi.errors import RawReply
from langchain_kimi.openrouter.failures import malformed
from langchain_kimi.openrouter.limits import LARGEST_REPLY, is_too_deep, too_large


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
        reply = json.loads(raw_reply.text, strict=False)
    except (ValueError, RecursionError):
        raise malformed(_not_json(raw_reply.text), raw_reply) from None
    if is_too_deep(reply, raw_reply.text):
        raise malformed("The reply is nested too deeply.", raw_reply)
    return reply


def _not_json(text: str) -> str:
    return f"The reply is not JSON: it begins with {text[:80]!r}." if text else "The reply is empty."
