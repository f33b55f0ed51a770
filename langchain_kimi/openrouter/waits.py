"""How long the other side asks to wait, in any of the ways in which it says so."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

MILLISECONDS = 1000
EPOCH = 1_000_000_000
"""Seconds since the epoch: the year 2001, before which no reset lies."""


def retry_after(
    headers: Mapping[str, str], metadata: Mapping[str, Any], availability: Mapping[str, Any], now: float
) -> float | None:
    """Seconds that the other side asks to wait.

    In this order: the `Retry-After` header (seconds or a date), `availability.retry_after` (seconds), and
    `X-RateLimit-Reset` (milliseconds since the epoch), a response header or inside `metadata.headers`.
    """
    inner = metadata.get("headers")
    kept = inner if isinstance(inner, dict) else {}
    noted = {str(name).lower(): value for name, value in kept.items()}
    for told in (headers.get("retry-after"), availability.get("retry_after"), noted.get("retry-after")):
        if (asked := _seconds(told, now)) is not None:
            return asked
    reset = number_of(headers.get("x-ratelimit-reset") or noted.get("x-ratelimit-reset"))
    # Other hosts mean seconds by it, or a length of time; and a moment that has passed asks for nothing.
    return reset / MILLISECONDS - now if reset and reset / MILLISECONDS > max(now, EPOCH) else None


def _seconds(value: Any, now: float) -> float | None:
    number = number_of(value)
    if number is None and isinstance(value, str):
        try:
            number = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return None if number is None else max(0.0, number)


def number_of(value: Any) -> float | None:
    """Give a number that was sent as one or as text; None for anything else, a negative or an absurd one."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e15 else None  # noqa: PLR2004 - refuses NaN, infinity and nonsense
