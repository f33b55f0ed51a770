import pytest

from langchain_kimi._kimi.markup.calls import INCOMPLETE, NAMELESS, WITHOUT_ARGUMENTS
from langchain_kimi._kimi.markup.parser import MarkupRun
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.calls import ONE, PARIS, TWO
from tests.kimi.corpus.cases import CALL, CALL_END, SECTION, SECTION_END, TOOLS, markup


def run(*pieces: str, clean: bool | None = None) -> MarkupRun:
    read = MarkupRun(OfferedTools({"tools": TOOLS}))
    for piece in pieces:
        read.feed(piece)
    if clean is not None:
        read.close(clean=clean)
    return read


@pytest.mark.parametrize(
    ("text", "raw", "rest"),
    [
        (f"{SECTION}{ONE}{SECTION_END} x", f"{SECTION}{ONE}{SECTION_END}", " x"),
        (f"{ONE}x", ONE, "x"),
        (f"{CALL} x y", "", f"{CALL} x y"),
        (f"{SECTION}{CALL} x y", SECTION, f"{CALL} x y"),
        (f"{SECTION}a `b`", SECTION, "a `b`"),
        (f"{SECTION}{'a ' * 100}", SECTION, "a " * 100),
    ],
)
def test_the_end_of_a_run(text: str, raw: str, rest: str) -> None:
    for read in (run(text), run(*text)):
        assert read.is_done
        # The characters after the end are not all read if they are fed one by one.
        assert (read.raw, rest.startswith(read.text[read.end :][: len(rest)])) == (raw, True)


def test_a_run_continues_after_blanks() -> None:
    read = run(f"{SECTION}{ONE}{SECTION_END} ")
    assert not read.is_done
    assert [call.id for call in read.calls] == ["functions.get_weather:0"]


@pytest.mark.parametrize(
    ("text", "clean", "errors"),
    [
        (ONE, False, [None]),
        (ONE[: -len(CALL_END)], True, [None]),
        (ONE[: -len(CALL_END)], False, [INCOMPLETE]),
        (ONE + TWO[:-25], True, [None, INCOMPLETE]),
        (CALL + "functions.get_weather:0", True, [INCOMPLETE]),
        (CALL + "get_we", True, [INCOMPLETE]),
        (CALL + "launch", True, []),
        (CALL, True, []),
        (markup("call_1", PARIS), True, [NAMELESS]),
        (markup("functions.get_weather:0", ""), True, [WITHOUT_ARGUMENTS]),
        (markup("functions.get_weather:0", "", ""), False, [INCOMPLETE]),
        (markup("functions.get_weather:0", "words", ""), True, []),
    ],
)
def test_errors_at_the_end_of_the_text(text: str, clean: bool, errors: list[str | None]) -> None:  # noqa: FBT001 - a table's column
    assert [call.error for call in run(text, clean=clean).calls] == errors


def test_calls_of_unknown_tools_are_uncertain() -> None:
    calls = run(markup("functions.launch:0", "{}") + ONE + "x").calls
    assert [(call.name, call.is_certain) for call in calls] == [("launch", False), ("get_weather", True)]
