import pytest

from langchain_kimi._openrouter.reply.reading import IdleTimer, ResponseHead, silence_error
from langchain_kimi.errors import KimiTimeoutError


def test_a_head_is_waited_for_without_a_limit_until_its_reader_sets_one() -> None:
    opened = ResponseHead(200, {"x": "y"}, 5.0)
    assert (opened.status, opened.headers, opened.now) == (200, {"x": "y"}, 5.0)
    assert opened.patience.left is None


def test_silence_adds_up_and_content_ends_it() -> None:
    patience = IdleTimer(10.0)
    patience.passed(6.0, content=False)
    patience.passed(4.0, content=False)
    patience.passed(100.0, content=True)
    patience.passed(10.0, content=False)
    with pytest.raises(KimiTimeoutError, match="No content came for 10 seconds"):
        patience.passed(0.1, content=False)


def test_without_a_limit_silence_may_last() -> None:
    patience = IdleTimer(None)
    patience.passed(1e9, content=False)
    assert patience.left is None


def test_the_next_bytes_are_limited_once_there_is_silence_to_speak_of() -> None:
    patience = IdleTimer(10.0)
    left = [patience.left]
    for seconds, content in ((0.9, False), (2.1, False), (1.0, True)):
        patience.passed(seconds, content=content)
        left.append(patience.left)
    assert left == [None, None, 7.0, None]


def test_once_there_is_enough_the_rest_is_waited_for_a_little_and_is_no_error() -> None:
    patience = IdleTimer(10.0)
    patience.passed(9.0, content=False)
    patience.enough(1.0)
    assert patience.has_enough
    assert patience.left == 1.0
    patience.passed(0.75, content=False)
    assert patience.left == 0.25
    patience.passed(5.0, content=False)
    assert patience.left == 0.0


@pytest.mark.parametrize(("idle", "left"), [(None, 3.0), (2.0, 2.0), (120.0, 3.0)])
def test_enough_never_waits_longer_than_before(idle: float | None, left: float) -> None:
    patience = IdleTimer(idle)
    patience.enough(3.0)
    assert patience.left == left
    patience.enough(30.0)
    assert patience.left == left


@pytest.mark.parametrize(
    ("limit", "text"),
    [(120.0, "No content came for 120 seconds."), (0.5, "for 0.5 seconds."), (None, "No content came in time.")],
)
def test_the_error_of_silence(limit: float | None, text: str) -> None:
    error = silence_error(limit)
    assert text in str(error)
    assert "timeout={'idle': seconds}" in str(error)
    assert error.is_retryable
