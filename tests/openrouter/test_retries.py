import pytest

from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiConnectionError,
    KimiCreditError,
    KimiEmptyReplyError,
    KimiError,
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiNotFoundError,
    KimiPermissionError,
    KimiRateLimitError,
    KimiRequestError,
    KimiServerError,
    KimiStreamCutError,
    KimiTimeoutError,
)
from langchain_kimi.openrouter.retries import Retries

FULL = Retries(5, chance=lambda: 1.0)


@pytest.mark.parametrize(
    "kind",
    [
        KimiConnectionError,
        KimiTimeoutError,
        KimiRateLimitError,
        KimiServerError,
        KimiStreamCutError,
        KimiMalformedReplyError,
        KimiEmptyReplyError,
    ],
)
def test_what_may_pass_is_tried_again(kind: type[KimiError]) -> None:
    assert FULL.wait_after(kind("x"), 1, None) == 0.5


@pytest.mark.parametrize(
    "kind",
    [
        KimiError,
        KimiRequestError,
        KimiInvalidRequestError,
        KimiAuthenticationError,
        KimiCreditError,
        KimiPermissionError,
        KimiNotFoundError,
    ],
)
def test_what_stays_wrong_is_not_tried_again(kind: type[KimiError]) -> None:
    assert FULL.wait_after(kind("x"), 1, None) is None


@pytest.mark.parametrize(("kind", "told", "wait"), [(KimiNotFoundError, True, 0.5), (KimiRateLimitError, False, None)])
def test_what_the_wire_says_of_it_wins(kind: type[KimiError], *, told: bool, wait: float | None) -> None:
    assert FULL.wait_after(kind("x", is_retryable=told), 1, None) == wait


@pytest.mark.parametrize("retries", [0, 1, 2, 7])
def test_n_retries_are_n_attempts_more(retries: int) -> None:
    rule = Retries(retries)
    attempts = 1
    while rule.wait_after(KimiServerError("x"), attempts, None) is not None:
        attempts += 1
    assert attempts == retries + 1


def test_the_backoff_doubles_up_to_its_longest() -> None:
    rule = Retries(1000, chance=lambda: 1.0)
    waits = [rule.wait_after(KimiServerError("x"), attempt, None) for attempt in (1, 2, 3, 4, 7, 8, 9, 1000)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 32.0, 60.0, 60.0, 60.0]


def test_the_jitter_is_full() -> None:
    waits = [
        Retries(5, chance=lambda chance=chance: chance).wait_after(KimiServerError("x"), 3, None)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        for chance in (0.0, 0.25, 1.0)
    ]
    assert waits == [0.0, 0.5, 2.0]


def test_by_default_waits_differ() -> None:
    assert len({Retries().wait_after(KimiServerError("x"), 1, None) for _ in range(20)}) > 1


@pytest.mark.parametrize(("asked", "wait"), [(0.0, 0.0), (7.5, 7.5), (60.0, 60.0), (3600.0, 60.0)])
def test_the_wait_that_is_asked_for_is_obeyed_up_to_the_longest(asked: float, wait: float) -> None:
    assert FULL.wait_after(KimiRateLimitError("x", retry_after=asked), 1, None) == wait


@pytest.mark.parametrize(("left", "wait"), [(None, 5.0), (5.1, 5.0), (5.0, None), (0.0, None), (-1.0, None)])
def test_no_wait_outlasts_the_total_time(left: float | None, wait: float | None) -> None:
    assert FULL.wait_after(KimiRateLimitError("x", retry_after=5.0), 1, left) == wait
