"""Tests of the decision whether a text only mentions a tag of thoughts."""

import pytest

from langchain_kimi._kimi.think_mentions import (
    CLOSE,
    LONGEST_CLOSE,
    closes_thoughts,
    closing_at,
    continues_sentence,
    is_mention,
    is_quoted,
    overlap,
)

CHANNEL = "<|close|>think<|sep|><|open|>response<|sep|>"
LONGEST = (" " * 8).join(("<|close|>", "think", "<|sep|>", "<|open|>", "response", "<|sep|>"))


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
    assert is_mention(before, CLOSE, after) is mentioned


@pytest.mark.parametrize("tag", [CLOSE, CHANNEL, LONGEST, "<|close|>think<|open|>response<|sep|>"])
def test_a_text_is_split_at_its_first_closing_tag(tag: str) -> None:
    assert len(tag) <= LONGEST_CLOSE
    assert closes_thoughts(f"a{tag}b")
    assert closing_at(f"a{tag}b{CLOSE}{CHANNEL}") == ("a", tag, f"b{CLOSE}{CHANNEL}")


@pytest.mark.parametrize("text", ["a", "", "<|close|>think<|sep|>", "<|close|>response<|sep|>", "<think>"])
def test_other_texts_have_no_closing_tag(text: str) -> None:
    assert not closes_thoughts(text)
    assert closing_at(text) == (text, "", "")


def test_a_channel_that_is_set_off_is_mentioned() -> None:
    for before in ("A line:\n", "It writes ", "<|sep|>a", "", "\n"):
        assert is_mention(before, CHANNEL, "Hello")
        assert not is_mention(before.strip(), CLOSE, "Hello")
    assert not is_mention("Hm.", CHANNEL, "Hello")


def test_the_beginning_of_a_tag_at_the_end_overlaps() -> None:
    assert [overlap(text) for text in ("a", "a<", "a</th", "a</think>", "<think", "a<b")] == [0, 1, 4, 8, 6, 0]
