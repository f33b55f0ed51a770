import pytest

from langchain_kimi._kimi.think_mentions import (
    CLOSE,
    LONGEST_CLOSE,
    closing_at,
    continues_sentence,
    is_mention,
    is_quoted,
    may_close,
)

CHANNEL = "<|close|>think<|sep|><|open|>response<|sep|>"
BLANKS = " " * 8
LONGEST = BLANKS.join(("<|close|>", "think", "<|sep|>", "<|open|>", "response", "<|sep|>"))


@pytest.mark.parametrize("tag", [CLOSE, CHANNEL, LONGEST])
def test_a_text_is_split_at_its_first_closing_tag(tag: str) -> None:
    assert len(tag) <= LONGEST_CLOSE
    assert may_close(f"a{tag}b")
    assert closing_at(f"a{tag}b{CLOSE}{CHANNEL}") == ("a", tag, f"b{CLOSE}{CHANNEL}")


@pytest.mark.parametrize("text", ["a", "", "<|close|>think<|sep|>", "<|close|>response<|sep|>", "<think>"])
def test_other_texts_have_no_closing_tag(text: str) -> None:
    assert not may_close(text)
    assert closing_at(text) == (text, "", "")


def test_a_tag_that_is_quoted_or_set_off_is_mentioned() -> None:
    assert is_quoted("a`", "`b")
    assert not is_quoted("a", "`b")
    assert continues_sentence(" is a tag")
    assert not continues_sentence(" It is")
    for before in ("A line:\n", "It writes ", "<|sep|>a", "", "\n"):
        assert is_mention(before, CHANNEL, "Hello")
        assert not is_mention(before.strip(), CLOSE, "Hello")
    assert not is_mention("Hm.", CHANNEL, "Hello")
