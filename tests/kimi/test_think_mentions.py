"""Tests of the decision whether a text only mentions a tag of thoughts."""

import pytest

from langchain_kimi._kimi.think_mentions import continues_sentence, is_mention, is_quoted


@pytest.mark.parametrize(
    ("before", "after", "quoted"), [("the `", "` tag", True), ("the ", " tag", False), ("", "", False)]
)
def test_quotation_marks_on_both_sides_quote_a_tag(before: str, after: str, *, quoted: bool) -> None:
    assert is_quoted(before, after) is quoted


@pytest.mark.parametrize(
    ("after", "continues"),
    [(" before their thoughts", True), (", then", True), (" The sum", False), ("The sum", False), ("\nthe sum", False)],
)
def test_a_small_letter_or_punctuation_continues_the_sentence(after: str, *, continues: bool) -> None:
    assert continues_sentence(after) is continues


@pytest.mark.parametrize(
    ("before", "after", "mentioned"),
    [
        ("Add them.", "The sum is 5.", False),
        ("Add them. ", "\nThe sum is 5.", False),
        ("Thoughts end with ", " as a marker", True),
        ("It ends with ", "", True),
        ("It ends with ", "\nas a rule", True),
        ("between <think> and ", "they think", True),
        ("```\n", "\n```", True),
        ("the tag `", "` ends them", True),
    ],
)
def test_a_tag_in_a_sentence_is_a_mention(before: str, after: str, *, mentioned: bool) -> None:
    assert is_mention(before, after) is mentioned
