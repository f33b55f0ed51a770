"""Read the time to wait before a retry from the headers and the body of a response."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_kimi._patterns import lazy_pattern

MILLISECONDS = 1000
LENGTH_OF_TIME = lazy_pattern(
    r"\s*\"?(?=\d)(?:(\d{1,6})\s*h(?:ours?)?\s*)?(?:(\d{1,6})\s*m(?:in(?:utes?)?)?(?!s)\s*)?"
    r"(?:(\d{1,12}(?:\.\d{0,9})?)\s*(?:seconds?|sec|s|(?![\w.]))\s*)?(?:(\d{1,12}(?:\.\d{0,9})?)\s*ms\s*)?\"?\s*"
    r"(?:,\s*\d.*|;.*)?",
    re.DOTALL,
)
"""Four groups: hours, minutes, seconds, milliseconds. The values of a repeated header are joined by commas; the first
one is used."""
EPOCH_2001 = 1_000_000_000
"""September 2001 in seconds since the epoch. Smaller numbers are not read as points in time."""


def retry_after(
    headers: Mapping[str, str], metadata: Mapping[str, Any], availability: Mapping[str, Any], now: float
) -> float | None:
    """Return the seconds to wait before a retry, as the response requests; None if it does not.

    The first of these is used: the header `Retry-After-Ms` (milliseconds; Azure and OpenAI send it), `Retry-After`
    (seconds, a date, or with a unit as in "2s" and "300ms"), `availability.retry_after` (seconds), and
    `X-RateLimit-Reset` (milliseconds since the epoch). The headers may also be those of the provider, in
    `metadata.headers`.
    """
    inner = metadata.get("headers")
    upstream = {str(name).lower(): value for name, value in inner.items()} if isinstance(inner, dict) else {}
    for value, unit in (
        (headers.get("retry-after-ms"), MILLISECONDS),
        (headers.get("retry-after"), 1),
        (availability.get("retry_after"), 1),
        (upstream.get("retry-after-ms"), MILLISECONDS),
        (upstream.get("retry-after"), 1),
    ):
        seconds = _seconds(value, now) if unit == 1 else number_of(value)
        if seconds is not None:
            return seconds / unit
    reset = number_of(headers.get("x-ratelimit-reset") or upstream.get("x-ratelimit-reset"))
    # Other hosts send seconds or a duration under this name. A point in time in the past needs no wait.
    return reset / MILLISECONDS - now if reset and reset / MILLISECONDS > max(now, EPOCH_2001) else None


def _seconds(value: Any, now: float) -> float | None:
    """Return the seconds in a value such as `2`, `300ms`, `1m30s` or a date, or None for another value."""
    number = number_of(value)
    if number is not None:
        return max(0.0, _time(number) - now) if number >= EPOCH_2001 else number
    if not isinstance(value, str):
        return None
    if length := LENGTH_OF_TIME.fullmatch(value):
        hours, minutes, seconds, milliseconds = (float(digits or 0) for digits in length.groups())
        return 3600 * hours + 60 * minutes + seconds + milliseconds / MILLISECONDS
    try:
        moment = _moment(value)
        # A date in asctime's format, or with the zone "-0000", has no zone; HTTP dates are in UTC.
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _time(number: float) -> float:
    """Return the seconds since the epoch of a point in time in seconds or milliseconds."""
    return number / MILLISECONDS if number >= EPOCH_2001 * MILLISECONDS else number


def _moment(value: str) -> datetime:
    """Return the time in HTTP's formats or in ISO 8601."""
    try:
        return parsedate_to_datetime(value)
    except ValueError:
        return datetime.fromisoformat(value.strip())


def number_of(value: Any) -> float | None:
    """Return a value, which may be text, as a number from 0 to 1e15; None for any other value."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e15 else None  # noqa: PLR2004 - excludes NaN, infinity and nonsense
