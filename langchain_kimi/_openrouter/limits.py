"""How large a reply may be: beyond any honest one, and small enough that a broken or hostile server cannot do harm."""

from typing import Any

from langchain_kimi.errors import KimiReplyTooLargeError

LARGEST_EVENT = 16 * 2**20
"""Bytes of one event of a stream, decompressed; it is refused while it comes, not when it is whole."""
LARGEST_REPLY = 256 * 2**20
"""Bytes of a whole reply, decompressed, keep-alives included."""
DEEPEST = 100
"""Levels of JSON within JSON. Python's own parser, its copies and pydantic's dumps fail some hundred levels later."""


def too_large(what: str, limit: int) -> KimiReplyTooLargeError:
    """Make the error for what is larger than its limit in bytes."""
    return KimiReplyTooLargeError(
        f"{what} is larger than {limit // 2**20} MiB.",
        is_retryable=False,
        advice="No model answers like this: check base_url and the proxy, or ask for less.",
    )


def is_too_deep(value: Any, text: str) -> bool:
    """Say whether a value, parsed from `text`, is nested more than `DEEPEST` levels deep."""
    # Nearly every text settles it by having too few brackets.
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    level = [value]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in children if isinstance(child, dict | list)]
