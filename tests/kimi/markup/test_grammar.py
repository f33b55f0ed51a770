from typing import Any

import pytest

from langchain_kimi._kimi.markup.grammar import (
    MARKERS,
    JSONValue,
    bare_call_at,
    cleaned_id,
    marker_at,
    may_follow_turn,
    parsed,
    partial_bare_call,
    partial_marker,
)

NAMES: dict[str, Any] = {"get_weather": {}, "get_time": {}}


@pytest.mark.parametrize("marker", MARKERS)
def test_markers_are_recognized(marker: str) -> None:
    assert marker_at(f"a{marker}b", 1) == marker
    assert len(marker) <= 30
    for length in range(1, len(marker)):
        assert marker_at(marker[:length], 0) is True
        assert partial_marker(f"a{marker[:length]}") == 1
        assert marker_at(f"{marker[:length]}!", 0) is None


@pytest.mark.parametrize("text", ['"f.a:0"', "`f.a(0)`", "f.a[0]", "f.a#0", "f. a :0"])
def test_an_id_is_cleaned(text: str) -> None:
    assert cleaned_id(text) == "f.a:0"


def test_text_without_a_partial_marker() -> None:
    assert partial_marker("a <b") == 4
    assert partial_marker("") == 0


@pytest.mark.parametrize(
    ("text", "before", "expected"),
    [
        ("a f", "", 2),
        ("f", "", 0),
        ("f", " ", 0),
        ("f", "i", 1),
        ("of", "", 2),
        ("x functions", "", 2),
        ("`func", "", 5),
        ("a", "", 1),
    ],
)
def test_partial_bare_calls(text: str, before: str, expected: int) -> None:
    assert partial_bare_call(text, before, NAMES) == expected
    assert partial_bare_call(text, before, {}) == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("functions.get_weather:0{", 23),
        ("functions.get_weather:12 \n{", 26),
        ("functions.", True),
        ("functions.get_", True),
        ("functions.get_weather", True),
        ("functions.get_weather:", True),
        ("functions.get_weather:0 ", True),
        ("functions.launch", None),
        ("functions.get_weath:", None),
        ("functions.get_weather{", None),
        ("functions.get_weather:{", None),
        ("functions.get_weather:0 is", None),
        ("function", None),
    ],
)
def test_bare_calls(text: str, expected: object) -> None:
    assert bare_call_at(text, 0, NAMES) == expected


@pytest.mark.parametrize(
    ("text", "state", "end"),
    [
        ('{"a": [1, {"b": "}"}]} x', "whole", 22),
        (' "a\\"b" x', "whole", 7),
        ('{"a": "\\\\"}', "whole", 11),
        ("{}", "whole", 2),
        ('{"a": 1', "open", 7),
        ('{"a": "', "open", 7),
        ("  ", "open", 2),
        ("[1]", "broken", 0),
        ("x", "broken", 0),
        ('{"a": ]', "broken", 7),
        ('{"a": <', "broken", 7),
    ],
)
def test_the_end_of_json_is_recognized(text: str, state: str, end: int) -> None:
    value = JSONValue()
    assert (value.feed(text), value.state) == (end, state)
    in_pieces = JSONValue()
    read = sum(in_pieces.feed(character) for character in text)
    assert (in_pieces.state, read) == (state, end)


def test_json_is_parsed_leniently() -> None:
    assert parsed('{"a": "b\nc"}') == {"a": "b\nc"}
    assert parsed("{") is None
    assert parsed("[" * 100_000) is None


@pytest.mark.parametrize(("pieces", "state"), [(['{"a"', " ", ":1}"], "whole"), (['{"a"', " ", '"b"}'], "broken")])
def test_the_text_after_a_string_is_checked(pieces: list[str], state: str) -> None:
    value = JSONValue()
    for piece in pieces:
        value.feed(piece)
    assert value.state == state


def test_strict_json_has_no_other_words() -> None:
    for text, state in {'{"a": [true, null, -1e5, NaN]}': "whole", "{functions": "broken"}.items():
        value = JSONValue(strict=True)
        value.feed(text)
        assert value.state == state


@pytest.mark.parametrize("text", ["<|im_user|>Ann Lee<|im_middle|>", "<|im_system|>tool<|im_middle|>", "[EOS]"])
def test_every_beginning_of_what_follows_a_turn_may_follow_it(text: str) -> None:
    for end in range(1, len(text)):
        assert may_follow_turn(f"a{text[:end]}", 1)
    for other in (f"{text[:3]}x", f"<|im_user|>\n{text}", "<|im_user|><b", "<|im_user|>" + "a" * 65, "x"):
        assert not may_follow_turn(other, 0)
