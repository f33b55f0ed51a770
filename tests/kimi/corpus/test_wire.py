"""Runs the cases with errors in structured calls, streamed in many splits and plain."""

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
from tests.kimi.corpus.varied_pieces import HEALTHY_PIECES, VARIED_PIECES
from tests.kimi.corpus.varied_wire import VARIED_WIRE
from tests.kimi.corpus.wire import BROKEN
from tests.rows import each_row

WHOLE = [*BROKEN, *VARIED_WIRE]
every_case = each_row("case", WHOLE, ids=lambda case: case.name)


@every_case
def test_streamed_in_random_pieces(case: Case) -> None:
    check_streamed(case, random_splits(case, 5))


@pytest.mark.long
@every_case
def test_streamed_at_every_split(case: Case) -> None:
    check_streamed(case, splits(case))


@every_case
def test_plain(case: Case) -> None:
    assert outcome_of(plain(case)) == expected_of(case)


@pytest.mark.covered
@each_row("case", [*VARIED_PIECES, *HEALTHY_PIECES], ids=lambda case: case.name)
def test_streamed_in_the_pieces_of_the_case(case: Case) -> None:
    assert outcome_of(streamed(case, list(case.deltas)), case) == expected_of(case)


def test_the_corpus_is_large() -> None:
    everything = [*WHOLE, *VARIED_PIECES, *IN_CONTENT, *IN_REASONING]
    assert len(everything) >= 300
    assert all(case.source for case in everything)
