"""The state of a call over its attempts, without a network."""

import httpx
import pytest

from langchain_kimi._openrouter.http.calls import Attempts
from langchain_kimi._openrouter.reply.bodies import ErrorBodyReader
from langchain_kimi.errors import KimiConnectionError, KimiNotFoundError, KimiTimeoutError
from tests.conftest import KEY
from tests.openrouter.http.calling import Recorded, Text, call

URL = "https://host.example"


def test_without_time_limits_there_is_always_time() -> None:
    attempts = Attempts(call(URL))
    assert (attempts.time_left(), attempts.wait_left(), attempts.read_left()) == (None, None, None)
    attempts.check_total()


def test_the_total_timeout_counts_from_the_start_of_the_call() -> None:
    clock = Recorded()
    attempts = Attempts(call(URL, clock=clock, total=10.0))
    clock.sleep(4.0)
    attempts.restart()
    assert (attempts.time_left(), attempts.wait_left(), attempts.read_left()) == (6.0, 6.0, 6.0)
    clock.sleep(6.0)
    with pytest.raises(KimiTimeoutError):
        attempts.check_total()


def test_the_idle_timeout_counts_from_the_opened_connection() -> None:
    clock = Recorded()
    attempts = Attempts(call(URL, clock=clock, idle=10.0, total=100.0))
    clock.sleep(4.0)
    assert attempts.read_left() == 6.0
    attempts.restart()
    assert attempts.read_left() == 10.0
    clock.sleep(93.0)
    assert attempts.read_left() == -83.0


def test_the_status_chooses_the_reader() -> None:
    attempts = Attempts(call(URL))
    assert isinstance(attempts.start_reading(httpx.Response(200)), Text)
    assert isinstance(attempts.start_reading(httpx.Response(429)), ErrorBodyReader)


def test_a_response_keeps_its_headers_without_cookies() -> None:
    attempts = Attempts(call(URL))
    attempts.start_reading(httpx.Response(200, headers={"X-One": "1", "Set-Cookie": "a=b"}))
    assert attempts.head is not None
    assert attempts.head.headers == {"x-one": "1"}


def test_a_timeout_after_the_total_timeout_is_its_error() -> None:
    clock = Recorded()
    attempts = Attempts(call(URL, clock=clock, total=10.0, idle=10.0))
    assert "idle" in str(attempts.error_of(httpx.ReadTimeout("")))
    clock.sleep(10.0)
    with pytest.raises(KimiTimeoutError, match="total"):
        attempts.error_of(httpx.ReadTimeout(""))
    assert isinstance(attempts.error_of(httpx.ReadError("")), KimiConnectionError)


def test_an_error_gets_the_errors_of_the_earlier_attempts() -> None:
    attempts = Attempts(call(URL, retries=1, clock=Recorded()))
    first, second = KimiConnectionError("first"), KimiConnectionError("second")
    assert attempts.wait_after(first) is not None
    assert attempts.wait_after(second) is None
    assert second.attempts == (first,)


def test_an_error_names_the_variable_of_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_BASE", URL)
    error = KimiNotFoundError("Not Found", status=404, advice="Check the model.")
    assert Attempts(call(URL)).wait_after(error) is None
    assert error.advice == "Check the model. base_url comes from the environment variable OPENROUTER_API_BASE."


def test_the_repr_of_a_call_contains_no_secret() -> None:
    assert KEY not in repr(call(URL))
