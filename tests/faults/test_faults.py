"""Tests each failure of the table in each of the four ways, over a socket."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage

from langchain_kimi.errors import KimiConnectionError, KimiError, KimiStatusError
from langchain_kimi.testing import Emulator
from tests.faults import replies, statuses, streams, transfers
from tests.faults.cases import RETRIES, Answered, Case, Failed, partial_of, play_with
from tests.faults.deviations import AIOHTTP_CASES, transport_of
from tests.faults.ways import WAYS, Outcome
from tests.faults.ways import streams as is_stream
from tests.rows import each_row

CASES = (*statuses.CASES, *replies.CASES, *streams.CASES, *transfers.CASES)


# Each failure is played once plain and once streamed, once sync and once async; all others are long.
QUICK = (("invoke", "astream"), ("ainvoke", "stream"))


def cases_and_ways() -> Iterator[Any]:
    for way in WAYS:
        for number, case in enumerate(CASES):
            marks = [] if way in QUICK[number % 2] else [pytest.mark.long]
            yield pytest.param(case, way, id=f"{case.what}-{way}", marks=marks)


LONGER = (1, 8, 64)
"""Factors of the time limits. On a busy machine, a limit may pass before the part of a reply that comes in time."""


@pytest.mark.waits
@each_row("case, way", cases_and_ways())
def test_a_failure_gives_the_error_of_the_table_in_each_way(server: Emulator, case: Case, way: str) -> None:
    check_with_longer_limits(server, case, way)


def check_with_longer_limits(server: Emulator, case: Case, way: str) -> None:
    for factor in LONGER:
        try:
            return check_case(server, case.with_longer_limits(factor), way)
        except AssertionError:
            if not case.is_slow or factor == LONGER[-1]:
                raise
    raise AssertionError(case)


def check_case(server: Emulator, case: Case, way: str) -> None:
    played = play_with(server, case, way)
    expected = case.expected(streamed=is_stream(way))
    if case.what in AIOHTTP_CASES and type(played.outcome.error) is KimiConnectionError:
        assert transport_of(case.settings) == "aiohttp"
        assert played.requests == 1 + case.settings.get("max_retries", RETRIES)
        return
    assert all(gap >= case.waits for gap in played.gaps)
    if isinstance(expected, Answered):
        check_answer(played.outcome, expected)
        assert played.requests == expected.requests
    else:
        check_failure(played.outcome, expected)
        check_attempts(case, expected, played.outcome, played.requests)


def test_longer_limits_change_the_limits_and_the_expected_errors() -> None:
    [case] = [case for case in CASES if case.what == "silence before the reply"]
    longer = case.with_longer_limits(8)
    assert longer.settings["timeout"] == 8 * case.settings["timeout"]
    assert isinstance(longer.plain, Failed)
    assert longer.plain.leads == "No content came for 2 seconds."
    assert statuses.CASES[0].with_longer_limits(8) is statuses.CASES[0]


def check_answer(outcome: Outcome, expected: Answered) -> None:
    assert outcome.error is None
    message = outcome.message
    assert isinstance(message, AIMessage)
    assert message.text == expected.text
    assert [call["args"] for call in message.tool_calls] == list(expected.calls)
    assert len(message.invalid_tool_calls) == expected.invalid
    assert message.response_metadata["finish_reason"] == expected.finish
    for name, value in expected.metadata.items():
        assert message.response_metadata[name] == value
    if "token_usage" in expected.metadata:
        assert message.usage_metadata is not None
        assert message.usage_metadata["total_tokens"] == expected.metadata["token_usage"]["total_tokens"]


def check_failure(outcome: Outcome, expected: Failed) -> None:
    error = outcome.error
    assert isinstance(error, KimiError)
    assert isinstance(error, ModelError)
    assert type(error) is expected.kind
    assert (error.status, error.code, error.provider) == (expected.status, expected.code, expected.provider)
    assert str(error).startswith(expected.leads)
    assert expected.advises in str(error)[len(error.reason) :]
    for name, value in expected.facts.items():
        assert getattr(error, name) == value
    assert bool(error.generation_id) is expected.generation
    assert bool(error.usage) is expected.usage
    if isinstance(error, KimiStatusError):
        assert error.response is not None
        assert error.model
    check_partial(outcome, error, expected)


def check_partial(outcome: Outcome, error: KimiError, expected: Failed) -> None:
    partial = partial_of(error)
    assert partial.text == expected.shown
    assert partial.tool_calls == []
    if outcome.message is not None:
        assert outcome.message.text == expected.shown
        assert outcome.message.tool_calls == []


def check_attempts(case: Case, expected: Failed, outcome: Outcome, requests: int) -> None:
    error = outcome.error
    assert isinstance(error, KimiError)
    retried = expected.retryable and not outcome.shown
    assert requests == (expected.requests if retried else 1)
    assert len(error.attempts) == requests - 1
    assert all(type(earlier) is type(error) for earlier in error.attempts)
    assert (f"after {requests} attempts" in str(error)) is (requests > 1)
