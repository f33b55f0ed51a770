"""Tests that the scanner's result does not depend on how a text is split."""

import random
from collections.abc import Iterable
from typing import Any, cast

import pytest

from langchain_kimi._kimi.markup.scanner import MarkupScanner
from langchain_kimi._kimi.tools import OfferedTools
from langchain_kimi._openrouter.wire import WireBody, is_complete
from tests.kimi.corpus.cases import Case, summed
from tests.kimi.corpus.healthy import HEALTHY
from tests.kimi.corpus.leaks import IN_CONTENT
from tests.rows import each_row

# The number of splits and the cost of each grow with the text. Longer texts are split everywhere in the long run.
LONGEST = 400
CUTS = 6


def text_of(case: Case) -> str:
    content = summed(case).get("content")
    return content if isinstance(content, str) else ""


def offered(case: Case) -> OfferedTools:
    return OfferedTools(cast("WireBody", case.body))


# Without an available tool, no text is scanned. Think tags are removed before the text reaches the scanner.
SCANNED = [
    case
    for case in (*IN_CONTENT, *HEALTHY)
    if text_of(case) and offered(case).may_be_called and "think_tags" not in case.repairs
]
CASES = [case for case in SCANNED if len(text_of(case)) <= LONGEST]


def scanned(case: Case, *pieces: str) -> Any:
    scanner = MarkupScanner(offered(case), moves="think")
    shown = [scanner.feed(piece) for piece in pieces]
    shown.append(scanner.close(clean=case.finish is None or is_complete(case.finish)))
    return "".join(shown), scanner.calls, scanner.removed


every_case = each_row("case", CASES, ids=lambda case: case.name)


def assert_cuts_change_nothing(case: Case, places: Iterable[int]) -> None:
    text = text_of(case)
    shown, calls, removed = scanned(case, text)
    assert shown == case.content
    for at in places:
        assert scanned(case, text[:at], text[at:]) == (shown, calls, removed), text[:at]


# The markers are at other places in each text, so together the texts are cut at each place of each marker.
@pytest.mark.covered
@every_case
def test_cut_at_some_places(case: Case) -> None:
    places = range(1, len(text_of(case)))
    chance = random.Random(case.name)  # noqa: S311 - not a secret; the same places in each run
    assert_cuts_change_nothing(case, chance.sample(places, min(CUTS, len(places))))


@pytest.mark.long
@every_case
def test_cut_at_every_place(case: Case) -> None:
    assert_cuts_change_nothing(case, range(1, len(text_of(case))))


def test_nearly_all_texts_are_cut_everywhere() -> None:
    assert len(CASES) > 0.95 * len(SCANNED) > 300
