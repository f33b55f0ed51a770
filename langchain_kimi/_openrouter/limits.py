"""Limits on the size and the depth of replies. No real reply reaches them, and they protect memory and stack."""

import re
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
"""The maximum depth of nested JSON in a reply. `copy.deepcopy` and pydantic fail a few hundred levels later."""
MAX_JSON_DEPTH = 500
"""The maximum depth of nested JSON that is read or written. Python's own limit depends on its version: 990 levels for
Python 3.11, 1,490 for 3.12, 9,990 for 3.13; for 3.14, what the stack of the thread has space for, such as 34,000."""

_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|(?P<opening>[\[{])|(?P<closing>[\]}])', re.DOTALL)


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


def is_too_deep(value: Any, text: str, levels: int = MAX_DEPTH) -> bool:
    """Return whether a value, parsed from `text` or written as `text`, is nested more than so many levels deep."""
    # Nearly every text has too few brackets for that.
    return brackets(text) > levels and has_more_levels(value, levels)


def is_text_too_deep(text: str, levels: int = MAX_DEPTH) -> bool:
    """Return whether a text that may be the beginning of JSON opens more than so many levels."""
    if brackets(text) <= levels:
        return False
    depth = 0
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        depth += (match["opening"] is not None) - (match["closing"] is not None)
        if depth > levels:
            return True
    return False


def brackets(text: str, start: int = 0, end: int | None = None) -> int:
    """Return the number of opening brackets in a part of a text: JSON has at most as many levels."""
    return text.count("[", start, end) + text.count("{", start, end)


def has_more_levels(value: Any, levels: int) -> bool:
    """Return whether a value is nested more than so many levels deep."""
    level = [value]
    for _ in range(levels):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [child for child in children if isinstance(child, dict | list | tuple)]
