from typing import Any

import httpx
import pytest

from langchain_kimi._openrouter.http.connection import SHORTEST_WAIT, Connection, Timeout
from langchain_kimi.errors import KimiUsageError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Timeout(10.0, 120.0, None)),
        (30, Timeout(10.0, 30.0, None)),
        (2.5, Timeout(2.5, 2.5, None)),
        ({}, Timeout(10.0, 120.0, None)),
        ({"total": 60}, Timeout(10.0, 120.0, 60.0)),
        ({"connect": 1, "idle": None, "total": None}, Timeout(1.0, None, None)),
        (Timeout(1.0, 2.0, 3.0), Timeout(1.0, 2.0, 3.0)),
        (1000, Timeout(10.0, 1000.0, None)),
        (httpx.Timeout(30), Timeout(30.0, 30.0, None)),
        (httpx.Timeout(60, connect=5), Timeout(5.0, 60.0, None)),
        (httpx.Timeout(None), Timeout(10.0, None, None)),
        ((3, 20), Timeout(3.0, 20.0, None)),
        ((3, None), Timeout(3.0, None, None)),
    ],
)
def test_a_timeout_may_be_a_number_a_mapping_or_none(value: Any, expected: Timeout) -> None:
    assert Timeout.of(value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "timeout must be a number of seconds above 0"),
        (-1.0, "above 0"),
        (float("nan"), "above 0"),
        (float("inf"), "not milliseconds"),
        (30_000, "divide the number by 1,000"),
        (True, "not bool"),
        ("30", "not str"),
        ((1, 2, 3), "not tuple"),
        ((None, 3), "timeout['connect'] must be a number of seconds"),
        (httpx.Timeout(0), "timeout['idle'] must be a number of seconds above 0"),
        ({"read": 5}, "timeout has no read; it takes connect, idle and total"),
        ({"connect": None}, "timeout['connect'] must be a number of seconds"),
        ({"idle": "5"}, "timeout['idle'] must be a number"),
        ({"idle": True}, "timeout['idle'] must be a number"),
        ({"total": 0}, "timeout['total'] must be a number of seconds above 0"),
        ({"total": 60_000}, "timeout['total']=60000 is over 1000 seconds"),
    ],
)
def test_an_invalid_timeout_is_refused(value: Any, text: str) -> None:
    with pytest.raises(KimiUsageError) as refused:
        Timeout.of(value)
    assert text in str(refused.value)


def test_the_limits_of_the_phases() -> None:
    limits = Timeout(connect=3.0, idle=50.0).for_attempt(lambda: None)
    assert limits == {"connect": 3.0, "pool": 3.0, "write": 50.0, "read": 50.0}
    assert [limits.get(phase) for phase in ("connect", "pool", "write", "read", "other")] == [
        3.0,
        3.0,
        50.0,
        50.0,
        None,
    ]


def test_each_phase_is_limited_by_the_time_left_when_it_begins() -> None:
    left = [20.0, 2.0, 2.0, 0.0, -5.0]
    limits = Timeout(connect=3.0, idle=None).for_attempt(lambda: left.pop(0))
    limits_at_start = [limits.get(phase) for phase in ("connect", "connect", "read", "read", "write")]
    assert limits_at_start == [3.0, 2.0, 2.0, SHORTEST_WAIT, SHORTEST_WAIT]


@pytest.mark.parametrize("base_url", ["https://eu.openrouter.ai/api/v1", "https://eu.openrouter.ai/api/v1/"])
def test_a_call_goes_to_chat_completions_below_the_base_url(base_url: str) -> None:
    connection = Connection(base_url)
    assert connection.url == "https://eu.openrouter.ai/api/v1/chat/completions"
    assert connection.host == "eu.openrouter.ai"


def test_the_default_base_url_is_openrouter() -> None:
    assert Connection().url == "https://openrouter.ai/api/v1/chat/completions"


@pytest.mark.parametrize(
    ("base_url", "host"), [("https://user:secret@host.example:8443/v1", "host.example"), ("nowhere", "nowhere")]
)
def test_the_host_contains_no_secret(base_url: str, host: str) -> None:
    assert Connection(base_url).host == host
