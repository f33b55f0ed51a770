"""Read the time to wait before a retry from the headers and the body of a response."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_kimi._patterns import lazy_pattern

MILLISECONDS = 1000
_UNITS = {
    unit: seconds
    for seconds, units in {
        86400: "d day days",
        3600: "h hr hrs hour hours",
        60: "m min mins minute minutes",
        1: "s sec secs second seconds",
        1e-3: "ms msec msecs millisecond milliseconds",
        1e-6: "us \N{MICRO SIGN}s \N{GREEK SMALL LETTER MU}s",
        1e-9: "ns",
    }.items()
    for unit in units.split()
}
"""The names of units of time and their seconds. Durations in Go, as in "1m30.5s", have the short ones."""
_NUMBER_AND_UNIT = lazy_pattern(r"\s*(\d+(?:\.\d*)?)\s*([^\W\d_]*)")
_FIRST_VALUE = lazy_pattern(r"[^,;]*")
_ISO_8601_PREFIX = lazy_pattern(r"p(\d+d)?(?:t|$)")
EPOCH_2001 = 1_000_000_000
"""September 2001 in seconds since the epoch. Smaller numbers are not read as points in time."""


def retry_after(
    headers: Mapping[str, str], metadata: Mapping[str, Any], availability: Mapping[str, Any], now: float
) -> float | None:
    """Return the seconds to wait before a retry, as the response requests; None if it does not.

    The first of these is used: the header `Retry-After-Ms` (milliseconds; Azure and OpenAI send it), `Retry-After`
    (seconds, a date, a duration such as "2s", "1m30s", "300ms" and "PT5S"), `availability.retry_after` (seconds), and
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
        number = None if unit == 1 else number_of(value)
        seconds = _seconds(value, now) if number is None else number / unit
        if seconds is not None:
            return seconds
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
    length = _length(value)
    if length is not None:
        return length
    try:
        moment = _moment(value)
        # A date in asctime's format, or with the zone "-0000", has no zone; HTTP dates are in UTC.
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _length(value: str) -> float | None:
    """Return the seconds in a duration such as `1m30s` or ISO 8601's `PT1M30S`, or None for any other text.

    The values of a repeated header are joined by commas; the first one is used.
    """
    first = _FIRST_VALUE.match(value)[0].strip(" \t\r\n\"'.").lower()  # type: ignore[index]  # it matches everywhere
    text = _ISO_8601_PREFIX.sub(r"\1", first, count=1) if first.startswith("p") else first
    seconds, end = 0.0, 0
    for part in _NUMBER_AND_UNIT.finditer(text):
        number, unit = part.groups()
        # Only the last number may have no unit.
        scale = _UNITS.get(unit) if unit or part.end() < len(text) else 1
        if scale is None or part.start() != end:
            return None
        seconds, end = seconds + float(number) * scale, part.end()
    return number_of(seconds) if end == len(text) > 0 else None


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
