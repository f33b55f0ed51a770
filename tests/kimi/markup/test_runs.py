import pytest

from langchain_kimi._kimi.markup.parser import MarkupRun
from langchain_kimi._kimi.markup.tags import TagRun
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.calls import ONE
from tests.kimi.corpus.cases import CALL, CALL_END, SECTION, SECTION_END, TOOLS, TURN_END
from tests.kimi.corpus.tags import closed, opened

OFFERED = OfferedTools({"tools": TOOLS})


def test_a_run_may_begin_within_a_text() -> None:
    run = MarkupRun(OFFERED)
    run.feed(f"a {ONE}b", 2)
    assert (run.is_done, run.raw, run.text[run.end :], run.end) == (True, ONE, "b", 2 + len(ONE))


def test_accepted_text_is_dropped_when_pieces_are_joined() -> None:
    run = MarkupRun(OFFERED)
    for piece in (SECTION, ONE, SECTION_END):
        run.feed(piece)
    assert run.raw == SECTION + ONE + SECTION_END
    assert len(run.text) < len(run.raw)
    assert run.has_markup


def test_blanks_after_a_long_value_are_collected() -> None:
    run = MarkupRun(OFFERED)
    run.feed(f'{CALL}functions.get_weather:0{{"city": "{"a" * 5000}"}}')
    length = len(run.text)
    for _ in range(3):
        run.feed(" ")
    assert (len(run.text), run.length) == (length, length + 3)
    run.feed(CALL_END)
    run.close(clean=True)
    assert [call.error for call in run.calls] == [None]


@pytest.mark.parametrize(
    ("text", "is_end"),
    [
        (CALL_END + SECTION_END + TURN_END, True),
        (closed("call") + "\n" + closed("message"), True),
        (SECTION + SECTION_END, False),
        (opened("tools") + closed("tools"), False),
    ],
)
def test_runs_of_end_markers(text: str, is_end: bool) -> None:  # noqa: FBT001 - a column of the table
    run = TagRun(OFFERED) if "|sep|" in text else MarkupRun(OFFERED)
    run.feed(text)
    run.close(clean=True)
    assert run.is_end is is_end


def test_a_string_without_an_end_ends_at_a_marker() -> None:
    run = MarkupRun(OFFERED)
    for piece in (f'{CALL}functions.get_weather:0{{"city": "Par', CALL_END, SECTION_END):
        run.feed(piece)
    run.close(clean=True)
    assert [call.arguments for call in run.calls] == ['{"city": "Par']
    assert run.raw.endswith(SECTION_END)
