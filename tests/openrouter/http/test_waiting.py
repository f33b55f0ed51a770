"""Idle and total timeouts, and the end of the wait when a reply is complete or has failed.

A call that must end has only the limit under test, so a test would not end if that limit were ignored.
"""

import threading

import pytest

from langchain_kimi._openrouter.reply.bodies import MAX_ERROR_BYTES
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.errors import KimiError, KimiRateLimitError, KimiServerError, KimiTimeoutError
from langchain_kimi.testing.http1 import Hang, Pause, Repeat, Response
from tests.openrouter.events import BILLED, COMMENT, DONE, WHOLE, event, text_event
from tests.openrouter.http.calling import Ask, Recorded, call, serving, streamed

ERROR = {"code": 502, "message": "Upstream closed"}
SILENT = {
    "before the head": Response(before=(Hang(),)),
    "before the first byte": streamed(Hang()),
    "in the reply": streamed(text_event("Hel"), Hang()),
    "in an event": streamed(text_event("Hel"), b"data: {", Hang()),
}


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT.keys())
def test_the_idle_timeout_raises_a_timeout_error(ask: Ask, answer: Response) -> None:
    with serving(answer) as server:
        [error] = ask(call(server.url, idle=0.1))
    assert type(error) is KimiTimeoutError
    assert error.is_retryable
    assert "No content came for 0.1 seconds" in error.reason


@pytest.mark.waits
@pytest.mark.parametrize("comment", [COMMENT, b": ", b"\n"])
def test_comments_do_not_count_as_content(ask: Ask, comment: bytes) -> None:
    with serving(streamed(Repeat(comment, 0.02))) as server:
        [error] = ask(call(server.url, idle=0.1, retries=Retries(1, chance=lambda: 0.0)))
    assert type(error) is KimiTimeoutError
    assert "No content came for 0.1 seconds" in error.reason
    # On a busy machine, the limit may pass before the server has read the request.
    assert [type(earlier) for earlier in error.attempts] == [KimiTimeoutError]


def test_whitespace_before_a_plain_reply_does_not_count_as_content(ask: Ask) -> None:
    with serving(streamed(Repeat(b"\n         \n", 0.02))) as server:
        [error] = ask(call(server.url, idle=0.1, plain=True))
    assert type(error) is KimiTimeoutError


@pytest.mark.long
def test_a_comment_does_not_extend_the_idle_limit(ask: Ask) -> None:
    # The client's own limit restarts with the comment. The idle limit does not, and the reply comes too late.
    with serving(streamed(Pause(1.05), COMMENT, Pause(0.6), *WHOLE)) as server:
        [error] = ask(call(server.url, idle=1.2))
    assert type(error) is KimiTimeoutError


SILENT_AFTER = {
    "[DONE]": (*WHOLE, Hang()),
    "[DONE] and comments": (*WHOLE, Repeat(COMMENT, 0.01)),
    "[DONE] and more events": (*WHOLE, Repeat(text_event("not read"), 0.01)),
    "[DONE] without a finish reason": (text_event("Hello"), DONE, Hang()),
}


@pytest.mark.waits
@pytest.mark.parametrize("steps", SILENT_AFTER.values(), ids=SILENT_AFTER.keys())
def test_a_complete_reply_ends_the_wait(ask: Ask, steps: tuple[bytes, ...]) -> None:
    with serving(streamed(*steps)) as server:
        assert ask(call(server.url)) == ["Hello"]


@pytest.mark.waits
@pytest.mark.parametrize("total", [None, pytest.param(60.0, marks=pytest.mark.long)])
def test_an_error_event_ends_the_wait(ask: Ask, total: float | None) -> None:
    with serving(streamed(text_event("Hel"), event({"error": ERROR}), Hang())) as server:
        shown, error = ask.shows(call(server.url, total=total))
    assert (shown, type(error)) == (["Hel"], KimiServerError)


def test_the_usage_after_an_error_event_is_read(ask: Ask) -> None:
    with serving(streamed(event({"error": ERROR}), Pause(0.1), BILLED, Hang())) as server:
        [error] = ask(call(server.url))
    assert type(error) is KimiServerError
    assert error.usage


def test_a_body_that_ends_one_packet_later_keeps_the_connection(ask: Ask) -> None:
    with serving(streamed(*WHOLE, Pause(0.05))) as server:
        assert ask(*[call(server.url, total=60.0)] * 3) == ["Hello"] * 3
        assert server.loopback.connections_opened == 1


@pytest.mark.parametrize("steps", [(b"x" * MAX_ERROR_BYTES, Hang()), (b"x" * MAX_ERROR_BYTES, Repeat(b"x", 0.001))])
def test_a_long_error_response_ends_the_wait(ask: Ask, steps: tuple[bytes, ...]) -> None:
    with serving(Response(429, {"retry-after": "9"}, steps)) as server:
        [error] = ask(call(server.url))
    assert type(error) is KimiRateLimitError
    assert error.retry_after == 9.0


ENDLESS = SILENT | {
    "an endless answer": streamed(Repeat(text_event("a"), 0.01)),
    "endless comments": streamed(Repeat(COMMENT, 0.01)),
    "a head in pieces": Response(before=(b"HTTP/1.1 200 OK\r\n", Hang())),
}


@pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS.keys())
def test_the_total_timeout_always_holds(ask: Ask, answer: Response) -> None:
    with serving(answer) as server:
        _, error = ask.shows(call(server.url, total=0.05, retries=3))
    assert type(error) is KimiTimeoutError
    assert "total time of 0.05 seconds" in error.reason
    assert not error.is_retryable
    # It is missing if the time was over before the request arrived.
    assert len(server.requests) <= 1


@pytest.mark.parametrize("plain", [True, False])
def test_the_idle_limit_applies_within_the_total_timeout(ask: Ask, *, plain: bool) -> None:
    with serving(streamed(b" ", Hang())) as server:
        [error] = ask(call(server.url, total=60.0, idle=0.1, plain=plain))
    assert "No content came for 0.1 seconds" in error.reason


def test_the_time_of_a_slow_consumer_does_not_count(ask: Ask) -> None:
    recorded = Recorded()

    def take_long(_: str) -> None:
        recorded.now += 1000.0

    ask.after_each = take_long
    pause = Pause(0.01)
    with serving(
        streamed(text_event("Hel"), pause, COMMENT, pause, text_event("lo"), pause, COMMENT, pause, *WHOLE[2:])
    ) as server:
        assert ask(call(server.url, clock=recorded, idle=10.0)) == ["Hello"]
        [error] = ask(call(server.url, clock=recorded, total=10.0))
    assert "total time of 10 seconds" in error.reason


@pytest.mark.long
def test_the_watchdog_thread_ends_after_the_calls(ask: Ask) -> None:
    with serving(streamed(*WHOLE)) as server:
        assert ask(*[call(server.url, total=60.0)] * 5) == ["Hello"] * 5
    for thread in threading.enumerate():
        if thread.name == "langchain-kimi-watchdog":
            thread.join()


def test_the_last_error_has_the_errors_of_earlier_attempts(ask: Ask) -> None:
    with serving(streamed(Hang())) as server:
        [error] = ask(call(server.url, idle=0.05, retries=2, clock=Recorded()))
    assert isinstance(error, KimiError)
    assert [type(one) for one in error.attempts] == [KimiTimeoutError] * 2
    assert len(server.requests) == 3
