import pytest

from langchain_kimi._kimi.markup.brackets import BracketTracker
from tests.kimi.corpus.calls import ONE


@pytest.mark.parametrize(("opening", "closing"), ["()", "[]", "{}", "''", "**", "__", "\u2018\u2019", "【】"])
def test_markup_directly_after_a_mark_is_in_brackets_up_to_its_end(opening: str, closing: str) -> None:
    tracker = BracketTracker()
    tracker.add("", f" {opening}{ONE}")
    assert tracker.is_open("_end|>", is_end=False)
    tracker.add("_end|>", f"{closing} then ")
    assert not tracker.is_open(" then ", is_end=False)


def test_inner_brackets_are_counted() -> None:
    tracker = BracketTracker()
    tracker.add("", "[<|open|>[a]")
    assert tracker.is_open(">[a]", is_end=False)
    tracker.add(">[a]", "]")
    assert not tracker.is_open("[a]]", is_end=False)


@pytest.mark.parametrize(("ending", "expected"), [("a [", False), ("a {", False), ("a (", True), ("a '", True)])
def test_an_end_marker_may_follow_a_bracket_of_json(ending: str, *, expected: bool) -> None:
    assert BracketTracker().is_open(ending, is_end=True) == expected
    assert BracketTracker().is_open(ending, is_end=False)
