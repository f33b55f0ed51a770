"""Tests of the scanner. The results for many texts are in the corpus."""

import pytest

from langchain_kimi._kimi.markup.scanner import MarkupScanner
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.calls import ONE, PARIS
from tests.kimi.corpus.cases import ARGUMENTS, CALL, CALL_END, SECTION, SECTION_END, TOOLS


def scanner() -> MarkupScanner:
    return MarkupScanner(OfferedTools({"tools": TOOLS}))


def test_text_before_markup_is_released_at_once() -> None:
    scanned = scanner()
    assert scanned.feed(f"I look.{SECTION}{CALL}functions.get") == "I look."
    assert scanned.calls == []
    assert scanned.feed(f"_weather:0{PARIS}") == ""
    assert scanned.feed(f"{SECTION_END} Wait") == " Wait"
    assert [call.name for call in scanned.calls] == ["get_weather"]
    assert scanned.close(clean=True) == ""


def test_a_false_start_of_a_marker_is_released() -> None:
    scanned = scanner()
    assert scanned.feed("a <") == "a "
    assert not scanned.is_idle
    assert scanned.feed("|tool") == ""
    assert scanned.feed("box") == "<|toolbox"
    assert scanned.is_idle


def test_flushing_releases_a_partial_marker_but_not_a_call() -> None:
    scanned = scanner()
    scanned.feed("a <|to")
    assert scanned.flush() == "<|to"
    scanned.feed(ONE[:-5])
    assert scanned.flush() == ""
    assert scanned.close(clean=True) == ""
    assert len(scanned.calls) == 1


def test_flushing_decides_a_call_that_waits_for_the_text_after_it() -> None:
    scanned = scanner()
    assert scanned.feed(f"(see {ONE})") == "(see "
    assert scanned.flush() == f"{ONE})"
    scanned.feed(f" (see {ONE} a")
    assert scanned.flush() == " a"
    assert len(scanned.calls) == 1


def test_long_arguments_are_read_once() -> None:
    scanned = scanner()
    scanned.feed(f'{CALL}functions.get_weather:0{{"city": "')
    for _ in range(20_000):
        assert scanned.feed("words ") == ""
    assert scanned.feed('"}<|tool_call_end|>!') == "!"
    assert len(scanned.calls[0].arguments) == 120_000 + len('{"city": ""}')


@pytest.mark.uncovered
@pytest.mark.parametrize("text", ["`" + ONE + "` ", f"{CALL} is one. ", SECTION + "! ", "functions.x ", "<|tool_ "])
def test_many_false_starts(text: str) -> None:
    scanned = scanner()
    assert scanned.feed(text * 2000) + scanned.close(clean=True) == text * 2000


def test_many_calls() -> None:
    scanned = scanner()
    assert scanned.feed(ONE * 2000) + scanned.close(clean=True) == ""
    assert len(scanned.calls) == 2000


def test_many_broken_calls() -> None:
    scanned = scanner()
    broken = f'{CALL}functions.get_weather:0{{"city": "Par<|tool_call_end|>'
    assert scanned.feed(broken * 500) + scanned.close(clean=True) == ""
    assert scanned.calls


def test_arguments_that_are_not_json_are_buffered_until_their_end() -> None:
    scanned = scanner()
    pieces = [f"{CALL}functions.get_weather:0{ARGUMENTS}{{b}} c", " some", " more", " words", f"{CALL_END} Done."]
    shown = "".join(scanned.feed(piece) for piece in pieces) + scanned.close(clean=True)
    whole = scanner()
    assert shown == whole.feed("".join(pieces)) + whole.close(clean=True)
    assert scanned.calls == whole.calls
    assert scanned.removed == whole.removed


def test_a_name_behind_a_letter_of_an_earlier_piece_is_text() -> None:
    scanned = scanner()
    assert scanned.feed("my") + scanned.feed("functions.get_weather:0{}") + scanned.close(clean=True) == (
        "myfunctions.get_weather:0{}"
    )
    assert scanned.calls == []


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        ("<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>", "<|tool_call_end|>"),
        ('<|open|>call tool="f"<|sep|><|open|>json<|sep|>', "<|close|>json<|sep|><|close|>call<|sep|>"),
    ],
)
def test_without_tools_a_call_is_text_whose_arguments_are_released_at_once(head: str, tail: str) -> None:
    scanned = MarkupScanner(OfferedTools({}))
    arguments = '{"a": 1}'
    released = [scanned.feed(head), *map(scanned.feed, arguments)]
    assert "".join(released) == head + arguments
    assert released[-1] == "}"
    assert scanned.feed(tail) + scanned.close(clean=True) == tail
    assert (scanned.calls, scanned.removed) == ([], 0)
