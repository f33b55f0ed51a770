import pytest

from langchain_kimi._openrouter.reply.reading import IdleTimer, ResponseHead, idle_error
from langchain_kimi.errors import KimiTimeoutError


def test_a_response_has_no_idle_limit_until_its_reader_sets_one() -> None:
    head = ResponseHead(200, {"x": "y"}, 5.0)
    assert (head.status, head.headers, head.now) == (200, {"x": "y"}, 5.0)
    assert head.idle_timer.left is None


def test_idle_time_adds_up_until_content_arrives() -> None:
    timer = IdleTimer(10.0)
    timer.passed(6.0, content=False)
    timer.passed(4.0, content=False)
    timer.passed(100.0, content=True)
    timer.passed(10.0, content=False)
    with pytest.raises(KimiTimeoutError, match="No content came for 10 seconds"):
        timer.passed(0.1, content=False)


def test_without_a_limit_there_is_no_timeout() -> None:
    timer = IdleTimer(None)
    timer.passed(1e9, content=False)
    assert timer.left is None


def test_the_next_read_is_limited_after_a_second_without_content() -> None:
    timer = IdleTimer(10.0)
    left = [timer.left]
    for seconds, content in ((0.9, False), (2.1, False), (1.0, True)):
        timer.passed(seconds, content=content)
        left.append(timer.left)
    assert left == [None, None, 7.0, None]


def test_after_finish_within_the_limit_is_short_and_not_an_error() -> None:
    timer = IdleTimer(10.0)
    timer.passed(9.0, content=False)
    timer.finish_within(1.0)
    assert timer.has_enough
    assert timer.left == 1.0
    timer.passed(0.75, content=False)
    assert timer.left == 0.25
    timer.passed(5.0, content=False)
    assert timer.left == 0.0


@pytest.mark.parametrize(("idle", "left"), [(None, 3.0), (2.0, 2.0), (120.0, 3.0)])
def test_finish_within_never_extends_the_limit(idle: float | None, left: float) -> None:
    timer = IdleTimer(idle)
    timer.finish_within(3.0)
    assert timer.left == left
    timer.finish_within(30.0)
    assert timer.left == left


@pytest.mark.parametrize(
    ("limit", "text"),
    [(120.0, "No content came for 120 seconds."), (0.5, "for 0.5 seconds."), (None, "No content came in time.")],
)
def test_the_idle_error_names_the_limit(limit: float | None, text: str) -> None:
    error = idle_error(limit)
    assert text in str(error)
    assert "timeout={'idle': seconds}" in str(error)
    assert error.is_retryable


def test_the_generation_id_is_that_of_the_header() -> None:
    assert ResponseHead(200, {"x-generation-id": "gen-1"}, 0.0).generation_id == "gen-1"
    assert ResponseHead(200, {}, 0.0).generation_id is None
