"""Runs the cases with leaked markup, streamed in many splits and plain."""

import pytest

from tests.kimi.corpus.cases import (
    Case,
    check_streamed,
    expected_of,
    outcome_of,
    plain,
    random_splits,
    splits,
    streamed,
)
from tests.kimi.corpus.leaks import IN_CONTENT, IN_REASONING
from tests.rows import each_row

CASES = [*IN_CONTENT, *IN_REASONING]
DETAIL = {"type": "reasoning.text", "index": 0, "format": "unknown"}
every_case = each_row("case", CASES, ids=lambda case: case.name)


@every_case
def test_streamed_in_random_pieces(case: Case) -> None:
    check_streamed(case, random_splits(case, 1))


@pytest.mark.long
@every_case
def test_streamed_at_every_split(case: Case) -> None:
    check_streamed(case, splits(case))


@pytest.mark.covered
@every_case
def test_plain(case: Case) -> None:
    assert outcome_of(plain(case)) == expected_of(case)


@pytest.mark.parametrize("length", [1, pytest.param(3, marks=pytest.mark.long), 8])
@each_row("case", IN_REASONING, ids=lambda case: case.name)
def test_reasoning_in_both_fields(case: Case, length: int) -> None:
    text = case.deltas[0]["reasoning"]
    pieces = [text[start : start + length] for start in range(0, len(text), length)]
    deltas = [{"reasoning": piece, "reasoning_details": [{**DETAIL, "text": piece}]} for piece in pieces]
    deltas += case.deltas[1:]
    message = streamed(case, deltas)
    assert outcome_of(message, case) == expected_of(case)
    [detail] = message.additional_kwargs["reasoning_details"]
    assert detail == {**DETAIL, "text": case.reasoning}


def test_case_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
