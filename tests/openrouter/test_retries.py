from typing import Any

import pytest

from langchain_kimi._openrouter.retries import Retries, number_of_attempts
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiConnectionError,
    KimiEmptyReplyError,
    KimiError,
    KimiIncompleteStreamError,
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiPermissionError,
    KimiRateLimitError,
    KimiServerError,
    KimiTimeoutError,
    KimiUsageError,
)

FULL = Retries(5, chance=lambda: 1.0)


@pytest.mark.parametrize(
    "kind",
    [
        KimiConnectionError,
        KimiTimeoutError,
        KimiRateLimitError,
        KimiServerError,
        KimiIncompleteStreamError,
        KimiMalformedReplyError,
    ],
)
def test_transient_errors_are_retried(kind: type[KimiError]) -> None:
    assert FULL.wait_after(kind("x"), 1, None) == 0.5


@pytest.mark.parametrize(
    "kind",
    [
        KimiError,
        KimiUsageError,
        KimiInvalidRequestError,
        KimiAuthenticationError,
        KimiPaymentRequiredError,
        KimiPermissionError,
        KimiNotFoundError,
    ],
)
def test_permanent_errors_are_not_retried(kind: type[KimiError]) -> None:
    assert FULL.wait_after(kind("x"), 1, None) is None


@pytest.mark.parametrize(
    ("kind", "is_retryable", "wait"), [(KimiNotFoundError, True, 0.5), (KimiRateLimitError, False, None)]
)
def test_is_retryable_overrides_the_error_class(
    kind: type[KimiError], *, is_retryable: bool, wait: float | None
) -> None:
    assert FULL.wait_after(kind("x", is_retryable=is_retryable), 1, None) == wait


@pytest.mark.parametrize("retries", [0, 1, 2, 7])
def test_n_retries_are_n_additional_attempts(retries: int) -> None:
    rule = Retries(retries)
    attempts = 1
    while rule.wait_after(KimiServerError("x"), attempts, None) is not None:
        attempts += 1
    assert attempts == retries + 1


def waits_after(rule: Retries, *kinds: type[KimiError]) -> list[float | None]:
    """Return the wait after each of several attempts that fail with these errors."""
    errors: list[KimiError] = []
    waits = []
    for kind in kinds:
        error = kind("x", attempts=tuple(errors))
        errors.append(error)
        waits.append(rule.wait_after(error, len(errors), None))
    return waits


@pytest.mark.parametrize("retries", [0, 5])
def test_an_empty_reply_is_not_retried_by_default(retries: int) -> None:
    assert waits_after(Retries(retries), KimiEmptyReplyError) == [None]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_max_empty_limits_the_retries_of_empty_replies(limit: int) -> None:
    waits = waits_after(Retries(0, limit), *[KimiEmptyReplyError] * (limit + 1))
    assert [wait is None for wait in waits] == [False] * limit + [True]


def test_empty_replies_and_failures_have_separate_limits() -> None:
    rule = Retries(2, 2, chance=lambda: 1.0)
    empty, down = KimiEmptyReplyError, KimiServerError
    assert waits_after(rule, empty, down, empty, down, down) == [0.5, 0.5, 1.0, 1.0, None]
    assert waits_after(rule, down, empty, down, empty, empty) == [0.5, 0.5, 1.0, 1.0, None]


def test_is_retryable_false_applies_to_empty_replies() -> None:
    assert KimiEmptyReplyError("x").is_retryable
    assert FULL.wait_after(KimiEmptyReplyError("x", is_retryable=False), 1, None) is None
    assert Retries(5, 5).wait_after(KimiEmptyReplyError("x", is_retryable=False), 1, None) is None


@pytest.mark.parametrize("value", [0, 1, 7])
def test_a_number_of_attempts_is_a_non_negative_integer(value: int) -> None:
    assert number_of_attempts("max_retries", value) == value


@pytest.mark.parametrize("value", [-1, 1.5, "2", True, None])
def test_other_numbers_of_attempts_are_refused(value: Any) -> None:
    with pytest.raises(KimiUsageError, match="retry_empty must be an integer of at least 0"):
        number_of_attempts("retry_empty", value)


def test_the_backoff_doubles_up_to_the_longest_wait() -> None:
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


@pytest.mark.parametrize(("requested", "wait"), [(0.0, 0.0), (7.5, 7.5), (60.0, 60.0), (3600.0, 60.0)])
def test_a_requested_wait_is_obeyed_up_to_the_longest_wait(requested: float, wait: float) -> None:
    assert FULL.wait_after(KimiRateLimitError("x", retry_after=requested), 1, None) == wait


@pytest.mark.parametrize(("left", "wait"), [(None, 5.0), (5.1, 5.0), (5.0, None), (0.0, None), (-1.0, None)])
def test_no_wait_exceeds_the_total_timeout(left: float | None, wait: float | None) -> None:
    assert FULL.wait_after(KimiRateLimitError("x", retry_after=5.0), 1, left) == wait
