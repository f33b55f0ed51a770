import time
from email.utils import formatdate
from typing import Any

import pytest

from langchain_kimi._openrouter.retry_after import number_of, retry_after
from tests.openrouter.failure_cases import IN_A_MINUTE, NOW, sent

IN_A_MINUTE_HTTP = formatdate(NOW + 60, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry_after": "7"}, sent("x", 429, {"headers": {"Retry-After": "9"}}), 7.0),
        ({"retry_after": "0"}, sent("x"), 0.0),
        ({"retry_after": IN_A_MINUTE_HTTP}, sent("x"), 60.0),
        ({"retry_after": "Fri, 01 Jan 1999 00:00:00 GMT"}, sent("x"), 0.0),
        # Dates without a zone are in UTC.
        ({"retry_after": time.asctime(time.gmtime(NOW + 60))}, sent("x"), 60.0),
        ({"retry_after": formatdate(NOW + 60)}, sent("x"), 60.0),
        ({"retry_after": time.strftime("%A, %d-%b-%y %H:%M:%S GMT", time.gmtime(NOW + 60))}, sent("x"), 60.0),
        ({"retry_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + 60))}, sent("x"), 60.0),
        ({"retry_after": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW + 60))}, sent("x"), 60.0),
        # Numbers with a unit, and a header that came twice.
        ({"retry_after": "7s"}, sent("x"), 7.0),
        ({"retry_after": "1.5 seconds"}, sent("x"), 1.5),
        ({"retry_after": "1500ms"}, sent("x"), 1.5),
        ({"retry_after": "1m30s"}, sent("x"), 90.0),
        ({"retry_after": "1m0.5s"}, sent("x"), 60.5),
        ({"retry_after": "2 h"}, sent("x"), 7200.0),
        ({"retry_after": "1 minute"}, sent("x"), 60.0),
        ({"retry_after": "1s500ms"}, sent("x"), 1.5),
        ({"retry_after": '"7"'}, sent("x"), 7.0),
        ({"retry_after": "7; reason"}, sent("x"), 7.0),
        ({"retry_after": "7 days"}, sent("x"), 604_800.0),
        ({"retry_after": "1.5 min"}, sent("x"), 90.0),
        ({"retry_after": "5 Secs."}, sent("x"), 5.0),
        ({"retry_after": "2500 milliseconds"}, sent("x"), 2.5),
        ({"retry_after": "500\N{MICRO SIGN}s"}, sent("x"), 0.0005),
        ({"retry_after": "7,"}, sent("x"), 7.0),
        ({"retry_after": "7 9"}, sent("x"), None),
        ({"retry_after": "PT5S"}, sent("x"), 5.0),
        ({"retry_after": "P1DT1M0.5S"}, sent("x"), 86_460.5),
        ({"retry_after": "P1D"}, sent("x"), 86_400.0),
        # A month, and durations without a number.
        ({"retry_after": "P1M"}, sent("x"), None),
        ({"retry_after": "PT"}, sent("x"), None),
        ({}, sent("x", availability={"retry_after": "PT5S"}), 5.0),
        ({"retry_after_ms": "PT5S"}, sent("x"), 5.0),
        ({"retry_after": "7x"}, sent("x"), None),
        # Points in time.
        ({"retry_after": str(int(NOW + 60))}, sent("x"), 60.0),
        ({"retry_after": IN_A_MINUTE}, sent("x"), 60.0),
        ({"retry_after": str(int(NOW - 60))}, sent("x"), 0.0),
        ({"retry_after": "7, 9"}, sent("x"), 7.0),
        ({"retry_after_ms": "1500"}, sent("x"), 1.5),
        ({"retry_after_ms": "1500", "retry_after": "2"}, sent("x"), 1.5),
        ({"retry_after_ms": "soon", "retry_after": "2"}, sent("x"), 2.0),
        ({}, sent("x", 429, {"headers": {"Retry-After-Ms": 250}}), 0.25),
        ({}, sent("x", availability={"retry_after": 4}), 4.0),
        ({"retry_after": "7"}, sent("x", availability={"retry_after": 4}), 7.0),
        ({"retry_after": "soon"}, sent("x", availability={"retry_after": 4}), 4.0),
        ({}, sent("x", 429, {"headers": {"Retry-After": "9", "X-RateLimit-Reset": IN_A_MINUTE}}), 9.0),
        ({}, sent("x", 429, {"headers": {"X-RATELIMIT-RESET": IN_A_MINUTE}}), 60.0),
        ({}, sent("x", 429, {"headers": {"X-RateLimit-Reset": int(IN_A_MINUTE)}}), 60.0),
        ({"x_ratelimit_reset": IN_A_MINUTE}, sent("x"), 60.0),
        # a moment that has passed, seconds since the epoch, a length of time: not OpenRouter's, and no reason to hurry
        ({"x_ratelimit_reset": str(int((NOW - 5) * 1000))}, sent("x"), None),
        ({"x_ratelimit_reset": str(int(NOW + 60))}, sent("x"), None),
        ({"x_ratelimit_reset": "30"}, sent("x"), None),
        ({}, sent("x"), None),
        ({"retry_after": ""}, sent("x"), None),
        ({"retry_after": "-5"}, sent("x"), None),
        ({"retry_after": "nan"}, sent("x"), None),
        ({"retry_after": "inf"}, sent("x"), None),
        ({"retry_after": "1e999"}, sent("x"), None),
        ({"retry_after": "9" * 400}, sent("x"), None),
        ({"retry_after": "Mon, 99 Foo 2026"}, sent("x"), None),
        ({}, sent("x", availability={"retry_after": True}), None),
        ({}, sent("x", availability={"retry_after": [1]}), None),
        ({}, sent("x", 429, {"headers": ["nonsense"]}), None),
    ],
)
def test_the_wait_is_read_from_headers_metadata_and_availability(
    headers: dict[str, str], body: Any, seconds: float | None
) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = body["error"]
    assert retry_after(named, error.get("metadata", {}), error.get("availability", {}), NOW) == seconds


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5.0), ("0.5", 0.5), (True, None), (None, None), ("x", None), (-1, None), (float("nan"), None), (1e16, None)],
)
def test_a_number_is_read_from_numbers_and_numeric_strings(value: Any, number: float | None) -> None:
    assert number_of(value) == number
