import pytest

from langchain_kimi._kimi.markup.quoting import QuoteTracker

OPEN = [
    "`",
    "a `b",
    "``a`b",
    "```\n",
    "```py\nx\n",
    "~~~\n```\n",
    "````\n```\n",
    "- ```\n  x\n",
    "> a",
    ">",
    'a "b',
    "a 'b'\n'",
    "(\u2018",
    "“a",
    "„a",
    "« a",
    "「a",
    "<code>",
    "a <pre>b",
]
CLOSED = [
    "",
    "a",
    "`b` ",
    "``a`b``",
    "```\nx\n```\n",
    "```py\nx\n```  \n",
    "~~~\n```\n~~~\n",
    "````\n```\n````\n",
    "> a\n",
    "a > b",
    'a "b" ',
    "don't",
    "a 'b'",
    "“a” ",
    "„a“ ",
    "« a » ",
    "「a」",
    "<code>a</code>",
    "``` a ```\n",
    "`a\n",
    '"a\n',
    "a``` b```",
]


@pytest.mark.parametrize("text", OPEN)
def test_quotes_are_open(text: str) -> None:
    assert is_quoted(text)


@pytest.mark.parametrize("text", CLOSED)
def test_quotes_are_closed(text: str) -> None:
    assert not is_quoted(text)


@pytest.mark.parametrize("text", [*OPEN, *CLOSED])
def test_checking_after_each_character_gives_the_same_result(text: str) -> None:
    tracker = QuoteTracker()
    for character in text:
        tracker.add(character)
        tracker.is_open()
    assert tracker.is_open() == is_quoted(text)


def test_the_last_character() -> None:
    tracker = QuoteTracker()
    assert tracker.last_character == ""
    tracker.add("ab")
    assert tracker.last_character == "b"
    tracker.is_open()
    assert tracker.last_character == "b"


def is_quoted(text: str) -> bool:
    tracker = QuoteTracker()
    tracker.add(text)
    return tracker.is_open()
