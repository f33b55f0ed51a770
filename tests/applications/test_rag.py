"""Answers with citations, each of which is at its place in its source."""

from typing import Any

import pytest

from examples.agents import rag, scripts
from langchain_kimi import ChatKimi, KimiStructuredOutputError
from langchain_kimi.testing import Emulator
from tests.applications.playing import play
from tests.rows import each_row


def citations(message: Any) -> list[Any]:
    [block] = message.content_blocks
    return list(block["annotations"])


def test_an_answer_cites_the_handbook(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    shown = play(rag.main, monkeypatch, capfd)
    assert 'from handbook/berths.md, characters 10 to 52: "A visiting boat may stay for seven nights."' in shown
    assert "two nights" not in shown
    assert "Price: 2 model calls" in shown


def test_each_cited_span_is_in_its_source(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(*scripts.rag()[scripts.ALL])
    message = rag.build(model).invoke(rag.QUESTION)
    texts = {f"handbook/{path.name}": path.read_text() for path in rag.HANDBOOK.iterdir()}
    assert len(citations(message)) == 2
    for citation in citations(message):
        extras = citation["extras"]
        assert texts[citation["url"]][extras["source_start"] : extras["source_end"]] == citation["cited_text"] != ""
        assert message.text[citation["start_index"] : citation["end_index"]].strip()
    # The model was shown why its first answer was wrong.
    assert "the quote is not in berths.md" in openrouter.bodies[1]["messages"][-1]["content"]


def test_an_answer_with_a_wrong_quote_is_an_error(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(scripts.rag()[scripts.ALL][0], times=None)
    with pytest.raises(KimiStructuredOutputError, match=r"quote is not in berths\.md"):
        rag.build(model).invoke(rag.QUESTION)
    assert len(openrouter.bodies) == 2


def test_a_question_without_an_answer_has_no_citations(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(scripts.calls(("Answer", {"claims": []})))
    message = rag.build(model).invoke("What is the price of the ferry to Norway?")
    assert message.text == "The handbook does not say."
    assert citations(message) == []


@each_row(
    "question, source",
    [
        ("Where do I empty the holding tank?", "waste.md"),
        ("How deep is the entrance at low water?", "weather.md"),
        ("Do the showers take coins?", "prices.md"),
        ("Do children wear life jackets?", "safety.md"),
    ],
)
def test_the_best_passage_is_found(question: str, source: str) -> None:
    index = rag.Index(rag.HANDBOOK)
    best = index.search(question)[0]
    assert best.metadata["source"] == source
    start = best.metadata["start"]
    assert index.texts[source][start : start + len(best.page_content)] == best.page_content


@each_row(
    "quote, span",
    [
        ("one two", (0, 7)),
        ("two\n three", (4, 13)),
        ("three  (four)", (8, 20)),
        ("One", None),
        ("one three", None),
        ("", None),
        (" ", None),
    ],
)
def test_quotes_are_found_across_line_breaks(quote: str, span: tuple[int, int] | None) -> None:
    assert rag.span_of(quote, "one two\nthree (four)") == span
