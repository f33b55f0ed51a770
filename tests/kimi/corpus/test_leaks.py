"""Leaked markup, in every split, streamed and plain."""

import pytest

from tests.kimi.corpus.cases import Case, expected_of, plain, splits, streamed, told_by
from tests.kimi.corpus.leaks import IN_CONTENT, IN_REASONING

CASES = [*IN_CONTENT, *IN_REASONING]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@every_case
def test_streamed_at_every_split(case: Case) -> None:
    expected = expected_of(case)
    for deltas in splits(case):
        assert told_by(streamed(case, deltas), case) == expected, deltas


@every_case
def test_plain(case: Case) -> None:
    assert told_by(plain(case)) == expected_of(case)


def test_names_are_told_apart() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
