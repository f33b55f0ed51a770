"""Limits on the size and the depth of replies. No real reply reaches them, and they protect memory and stack."""

from typing import Any

from langchain_kimi.errors import KimiReplyTooLargeError

MAX_EVENT_BYTES = 16 * 2**20
"""The maximum size of an event of a stream, decompressed. It is checked while the event arrives."""
MAX_REPLY_BYTES = 256 * 2**20
"""The maximum size of a reply, decompressed, including keep-alive comments."""
MAX_VALUES = 2**24
"""The maximum number of values in a plain reply, counted by commas. The lists of 256 MiB of JSON would take gigabytes
and half a minute."""
MAX_DEPTH = 100
"""The maximum depth of nested JSON. Python's parser, `copy.deepcopy` and pydantic fail a few hundred levels later."""


def too_large(subject: str, limit: int, unit: str = "MiB") -> KimiReplyTooLargeError:
    """Return the error for a reply or an event that is larger than a limit.

    Args:
        subject: The name of the reply or the event in the error, at the beginning of a sentence.
        limit: The limit, in bytes if the unit is MiB.
        unit: The unit of the limit in the error.
    """
    size = f"{limit // 2**20} MiB" if unit == "MiB" else f"{limit} {unit}"
    return KimiReplyTooLargeError(
        f"{subject} is larger than {size}.",
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
