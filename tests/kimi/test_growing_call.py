import json

import pytest

from langchain_kimi.kimi.growing_call import GrowingCall
from langchain_kimi.kimi.leaked_call import LeakedCall
from tests.kimi.corpus.calls import PARIS
from tests.kimi.corpus.cases import ARGUMENTS, CALL_END, SECTION


def growing() -> GrowingCall:
    return GrowingCall("functions.get_weather:0", "get_weather")


def whole(arguments: str) -> LeakedCall:
    return LeakedCall("functions.get_weather:0", "get_weather", arguments.strip(), None, is_known=True)


def told(*pieces: str) -> list[str]:
    """What is handed out after each piece."""
    call = growing()
    handed_out = []
    for piece in pieces:
        call.feed(piece)
        handed_out.append(call.take())
    return handed_out


def test_arguments_are_handed_out_as_they_come() -> None:
    assert told(" \n", "{", ' "', 'city": "P', "aris", '"}') == ["", "", '{ "', 'city": "P', "aris", '"}']


@pytest.mark.parametrize(
    "arguments",
    ["{...}", "{{arguments}}", "{arguments}", "{}", '"{\\"city\\": 1}"', "null", "Paris", "```\n{", "", "{'city"],
)
def test_nothing_is_that_may_be_a_placeholder_or_encoded_or_no_object(arguments: str) -> None:
    for pieces in ([arguments], arguments):
        call = growing()
        for piece in pieces:
            call.feed(piece)
        assert call.take() == ""
        call.finish(whole(arguments))
        assert (call.take(), call.whole) == ("", None)


@pytest.mark.parametrize("marker", [CALL_END, SECTION, ARGUMENTS])
def test_what_may_be_a_marker_waits(marker: str) -> None:
    shown = '{"city": "a'
    assert told(f"{shown} <", "b") == [shown, " <b"]
    assert "".join(told(f"{shown} ", *marker[:-1])) == shown
    assert "".join(told(f"{shown} ", *marker[:-1], "!")) == f"{shown} {marker[:-1]}!"


def test_nothing_follows_what_may_be_the_end_until_the_call_is_whole() -> None:
    call = growing()
    call.feed('{"city": "Par')
    call.feed(f'{CALL_END} is"}}')
    call.feed("more")
    assert call.take() == '{"city": "Par'
    call.finish(whole(f'{{"city": "Par{CALL_END} is"}}'))
    assert call.take() == f'{CALL_END} is"}}'
    assert call.whole is not None


def test_blanks_at_the_end_are_no_part_of_it() -> None:
    call = growing()
    for piece in (PARIS, "\n", " " * 1000, "\n"):
        call.feed(piece)
    assert call.take() == PARIS
    call.finish(whole(f"{PARIS}\n "))
    assert call.take() == ""


def test_long_arguments_are_read_once() -> None:
    text = json.dumps({"city": "a < b " * 50_000})
    pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
    assert "".join(told(*pieces)) == text
    assert "".join(told('{"city": "', *" " * 100_000, '"}')) == '{"city": "' + " " * 100_000 + '"}'
