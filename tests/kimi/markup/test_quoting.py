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
    assert asked(text)


@pytest.mark.parametrize("text", CLOSED)
def test_quotes_are_closed(text: str) -> None:
    assert not asked(text)


@pytest.mark.parametrize("text", [*OPEN, *CLOSED])
def test_checking_after_each_character_gives_the_same_result(text: str) -> None:
    quotation = QuoteTracker()
    for character in text:
        quotation.add(character)
        quotation.is_open()
    assert quotation.is_open() == asked(text)


def test_the_last_character() -> None:
    quotation = QuoteTracker()
    assert quotation.last_character == ""
    quotation.add("ab")
    assert quotation.last_character == "b"
    quotation.is_open()
    assert quotation.last_character == "b"


def asked(text: str) -> bool:
    quotation = QuoteTracker()
    quotation.add(text)
    return quotation.is_open()
