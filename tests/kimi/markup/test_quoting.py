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
    "<nowiki>",
    "- a\n\n    ```\n    b",
    "- a\n\n    ",
    "- a\n\n      b",
    "| a |\n|-|\n| ",
    "| a | b |\n|-|-|\n| a|",
    "`\\` `",
    "**",
    "a _",
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
    "```\na\n```",
    "- a\n\n    ```\n    - b\n    ```\n",
    "- a\n\n    b",
    "- a\n  - b\n\n    c",
    "- a\n\nb\n\n   c",
    "| a | b |\n|-|-|\n| a | b |",
    "\\` a",
    "„a\u201d ",
    "»a« ",
    "**a**",
    "a:**",
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


def test_the_last_characters() -> None:
    tracker = QuoteTracker()
    assert tracker.last_characters == ""
    tracker.add("ab")
    tracker.add("cd")
    assert tracker.last_characters == "abcd"
    tracker.add("0123456789")
    assert tracker.last_characters == "23456789"
    tracker.is_open()
    tracker.add("x")
    assert tracker.last_characters == "3456789x"
