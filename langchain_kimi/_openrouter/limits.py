"""Limits on the size and depth of replies: above every real reply, and low enough to protect memory and stack."""

from typing import Any

from langchain_kimi.errors import KimiReplyTooLargeError

MAX_EVENT_BYTES = 16 * 2**20
"""The largest event of a stream, decompressed. It is checked while the event arrives."""
MAX_REPLY_BYTES = 256 * 2**20
"""The largest reply, decompressed, including keep-alive comments."""
MAX_DEPTH = 100
"""Levels of nested JSON. Python's own parser, `copy.deepcopy` and pydantic fail a few hundred levels later."""


def too_large(subject: str, limit: int) -> KimiReplyTooLargeError:
    """Return the error for a reply or an event that is larger than `limit` bytes."""
    return KimiReplyTooLargeError(
        f"{subject} is larger than {limit // 2**20} MiB.",
        is_retryable=False,
        advice="No model sends replies of this size: check base_url and the proxy, or request less.",
    )


def is_too_deep(value: Any, text: str) -> bool:
    """Return whether a value, parsed from `text`, is nested more than `MAX_DEPTH` levels deep."""
    # Nearly every text has too few brackets for that.
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in children if isinstance(child, dict | list)]
