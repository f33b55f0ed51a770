"""Tests that healthy replies stay unchanged and are not delayed, streamed in many splits and plain."""

from typing import Any

import pytest

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._kimi.markup.scanner import MarkupScanner
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.cases import TOOLS, Case, expected_of, outcome_of, plain, random_splits, splits, streamed
from tests.kimi.corpus.healthy import ALMOST, HEALTHY
from tests.rows import each_row

every_case = each_row("case", HEALTHY, ids=lambda case: case.name)
LONGEST_HELD = 30


def assert_unchanged(case: Case, deltas: list[dict[str, Any]]) -> None:
    message = streamed(case, deltas)
    assert outcome_of(message) == expected_of(case), deltas
    assert "kimi" not in message.response_metadata


@every_case
def test_streamed_in_random_pieces(case: Case) -> None:
    for deltas in random_splits(case, 1):
        assert_unchanged(case, deltas)


@pytest.mark.long
@every_case
def test_streamed_at_every_split(case: Case) -> None:
    for deltas in splits(case):
        assert_unchanged(case, deltas)


@every_case
def test_plain(case: Case) -> None:
    message = plain(case)
    assert outcome_of(message) == expected_of(case)
    assert "kimi" not in message.response_metadata


@every_case
def test_disabling_repairs_changes_nothing(case: Case) -> None:
    off = RepairOptions(frozenset())
    assert outcome_of(plain(case, off)) == expected_of(case)
    assert outcome_of(streamed(case, list(case.deltas), off)) == expected_of(case)


@pytest.mark.covered
@each_row("case", ALMOST, ids=lambda case: case.name)
def test_at_most_the_length_of_a_marker_is_buffered(case: Case) -> None:
    scanner = MarkupScanner(OfferedTools({"tools": TOOLS}))
    shown = ""
    for length, character in enumerate(case.content, start=1):
        shown += scanner.feed(character)
        assert case.content.startswith(shown)
        in_json = "{" in case.content[:length] and "functions" in case.content
        assert in_json or length - len(shown) < LONGEST_HELD


@pytest.mark.parametrize("text", ["if", " of", "brief", "a > b", "functional", "shift\n", "half"])
def test_ordinary_words_pass_at_once(text: str) -> None:
    assert MarkupScanner(OfferedTools({"tools": TOOLS})).feed(text) is text


def test_the_corpus_is_large() -> None:
    assert len(HEALTHY) >= 150
    assert len({case.name for case in HEALTHY}) == len(HEALTHY)
