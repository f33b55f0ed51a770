"""Tests of a model with the default timeouts, with a simulated clock."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pydantic import PrivateAttr

from langchain_kimi._openrouter.http.calls import Clock
from langchain_kimi.errors import KimiTimeoutError
from langchain_kimi.testing import Emulator, Fault, Reply, faults
from langchain_kimi.testing.http1 import Pause
from langchain_kimi.testing.responses import COMMENT, PADDING
from tests.conftest import KEY
from tests.faults.ways import WAYS, QuickKimi, ask, streams

TEXT = "one two three four"
SILENT = "No content came for 120 seconds."


STEP = 12.0
"""Seconds between two readings of the clock. The clock is read at least twice for each piece of a reply, and at most
six times from the opened connection to the first piece."""


class LeapingClock:
    """A clock that advances at each reading."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += STEP
        return self.now


class SlowKimi(QuickKimi):
    """A ChatKimi whose clock advances for each piece of a reply."""

    _time: LeapingClock = PrivateAttr(default_factory=LeapingClock)

    def _clock(self) -> Clock:
        return Clock(monotonic=self._time)


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("after", [0, 2])
def test_endless_keep_alives_time_out_after_two_minutes(openrouter: Emulator, after: int, way: str) -> None:
    openrouter.script(faults.comments_for_ever(0.001, after=after).on(Reply(text=TEXT)), times=None)
    with SlowKimi(api_key=KEY, base_url=openrouter.base_url) as model:
        outcome = ask(model, way)
    assert isinstance(outcome.error, KimiTimeoutError)
    assert outcome.error.reason == SILENT
    # The request is retried twice, but not after text was streamed.
    assert len(openrouter.requests) == (1 if after and streams(way) else 3)
    assert bool(outcome.shown) is bool(after and streams(way))


def slowly(pause: float) -> Fault:
    """Return an answer in pieces that are read one by one, with a keep-alive before each."""

    def play(serving: Any) -> Any:
        quiet = COMMENT if serving.stream else PADDING
        return serving.respond([step for item in serving.items() for step in (quiet, Pause(pause), item)])

    return Fault("slowly", play)


@pytest.mark.parametrize("way", WAYS)
def test_a_slow_answer_does_not_time_out(openrouter: Emulator, way: str) -> None:
    openrouter.script(slowly(0.01).on(Reply(text=TEXT)))
    openrouter.behave(comments=False)
    with SlowKimi(api_key=KEY, base_url=openrouter.base_url) as model:
        outcome = ask(model, way)
    assert outcome.error is None
    assert outcome.message is not None
    assert outcome.message.text == TEXT
    # Pieces of a plain reply may arrive together.
    assert model._time.now > 120 or not streams(way)
    assert len(openrouter.requests) == 1


def clients(handler: Callable[[httpx.Request], httpx.Response]) -> dict[str, Any]:
    transport = httpx.MockTransport(handler)
    return {
        "transport": "httpx",
        "http_client": httpx.Client(transport=transport),
        "http_async_client": httpx.AsyncClient(transport=transport),
    }


@pytest.mark.parametrize("way", WAYS)
def test_silence_times_out_after_two_minutes(way: str) -> None:
    limits: list[dict[str, Any]] = []

    def silent(request: httpx.Request) -> httpx.Response:
        timeout = request.extensions["timeout"]
        limits.append({phase: timeout.get(phase) for phase in ("connect", "pool", "write", "read")})
        raise httpx.ReadTimeout("", request=request)

    model = QuickKimi(api_key=KEY, **clients(silent))
    error = ask(model, way).error
    assert isinstance(error, KimiTimeoutError)
    assert error.reason == SILENT
    assert str(error).endswith("a slow model needs a larger idle timeout, timeout={'idle': seconds}.")
    assert limits == [{"connect": 10.0, "pool": 10.0, "write": 120.0, "read": 120.0}] * 3
