import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from langchain_kimi._structured.json_text import NotJSONError, read_json, read_partial_json
from tests.growth import assert_linear

MARKUP = "<|tool_call_begin|>functions.Person:0<|tool_call_argument_begin|>"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 2]", [1, 2]),
        ("```json\n[1, 2]\n```", [1, 2]),
        ("They are [1, 2].", [1, 2]),
        ("[true, null]", [True, None]),
        ('{"a": 1}', {"a": 1}),
        ("5", 5),
        ("```\n5\n```", 5),
        ('"red"', "red"),
        ('"{}"', "{}"),
        ("-0.5e1", -5.0),
        ("null", None),
    ],
)
def test_values_that_are_no_objects_are_read_where_one_may_come(text: str, value: Any) -> None:
    assert read_json(text, wants_object=False) == value


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "Expecting value", 0),
        ("  ", "Expecting value", 2),
        ("words", "Expecting value", 0),
        ("12 words", "text after a value", 2),
        ('{"a": 1', "Expecting ',' delimiter", 7),
        ('x {"a": tru', "Expecting value", 8),
        ('{"a": 1} {"b": 2}', "a second, different value", 9),
        ('{"a": "NaN", "b": NaN}', "NaN is not JSON", 18),
        ('{"a": -Infinity}', "-Infinity is not JSON", 6),
        ('["Infinity", 1e400]', "1e400 is too large a number", 0),
        ('{"a": 1, "b": [1, 2', "Expecting ',' delimiter", 19),
        ("{", "Expecting property name enclosed in double quotes", 1),
        ('{"a": 1} {', "Expecting property name enclosed in double quotes", 10),
        ('{"a": {"b": 1, "b": 2}, "c": NaN}', "the key 'b' has two different values", 0),
        ("see {name", "Expecting value", 0),
        ('see {name {"a": 1}', "Expecting value", 0),
        ("[1, 2", "Expecting ',' delimiter", 5),
        ("[1, x] and [2]", "Expecting value", 4),
        ("[" * 100_000, "nested too deeply", 0),
        ("x " + "[" * 100_000, "nested too deeply", 2),
        ("{" * 100_000, "Expecting property name enclosed in double quotes", 1),
        ("[x" * 100_000, "Expecting value", 2001),
    ],
)
@pytest.mark.parametrize("wants_object", [True, False])
def test_refused_text_gives_the_position_of_the_error(
    text: str, message: str, position: int, *, wants_object: bool
) -> None:
    with pytest.raises(NotJSONError) as raised:
        read_json(text, wants_object=wants_object)
    assert (str(raised.value), raised.value.position) == (message, position)


def test_an_object_in_a_string_is_unpacked_once() -> None:
    once = json.dumps('{"a": 1}')
    assert read_json(once, wants_object=True) == {"a": 1}
    assert read_json(json.dumps(once), wants_object=True) == '{"a": 1}'
    assert read_json('"{broken"', wants_object=True) == "{broken"


def test_a_string_is_unpacked_only_if_nothing_else_is_in_it() -> None:
    assert read_json(json.dumps('```\n{"a": 1}\n```\n'), wants_object=True) == {"a": 1}
    for text in ('{"a": 1} {"a": 2}', '{"a": 1} or so', 'so {"a": 1}'):
        assert read_json(json.dumps(text), wants_object=True) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('<think>{"a": 0}</think>{"a": 1}', {"a": 1}),
        ('\n<think>\n</think>\n```json\n{"a": 1}\n```', {"a": 1}),
        ('Perhaps {"a": 0}? </think> So: {"a": 1}', {"a": 1}),
        ('{"a": "</think>"}', {"a": "</think>"}),
        ('```\n{"a": "</think>"}\n```', {"a": "</think>"}),
    ],
)
def test_reasoning_before_the_answer_is_not_read(text: str, value: Any) -> None:
    assert read_json(text, wants_object=True) == value


def test_unfinished_reasoning_has_no_answer() -> None:
    text = '<think>Perhaps {"a": 1}'
    with pytest.raises(NotJSONError, match="reasoning without an answer") as raised:
        read_json(text, wants_object=True)
    assert raised.value.position == len(text)
    assert read_partial_json(text) is None
    assert read_partial_json(text + '</think> {"b": 2') == {}
    assert read_partial_json(text + '</think> {"b": "2') == {"b": "2"}


def test_lists_in_prose_are_read_only_if_a_list_is_expected() -> None:
    text = 'As [1] says: {"a": 1}'
    assert read_json(text, wants_object=True) == {"a": 1}
    with pytest.raises(NotJSONError, match="second"):
        read_json(text, wants_object=False)


def test_other_brackets_in_prose_are_skipped() -> None:
    assert read_json('[x] [link](y) {"a": 1}', wants_object=True) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "x', {"a": "x"}),
        ('{"a": [1, {"b": "c', {"a": [1, {"b": "c"}]}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": tru', {}),
        ('{"a": "\\u00e', {"a": ""}),
        ('```json\n{"a": "x', {"a": "x"}),
        ('\ufeff {"a": 1}\n```', {"a": 1}),
        ("[1, 2", [1]),
        (f'{MARKUP}{{"a": "x', {"a": "x"}),
        (f'<|tool_calls_section_begin|>{MARKUP} {{"a": "x', {"a": "x"}),
        ("<|tool_call_begin|>functions.", None),
        (MARKUP, None),
        ('{"a": 1, "b": -2.5e', {"a": 1}),
        ('{"a": "room 2', {"a": "room "}),
        ('{"a": "room2', {"a": "room2"}),
        ("", None),
        ("```js", None),
        ("words", None),
        ('words {"a": 1}', None),
        ('{"a": NaN', None),
        ("{name}", None),
    ],
)
def test_the_part_of_a_value_received_so_far(text: str, value: Any) -> None:
    assert read_partial_json(text) == value


def test_repeated_values_are_one_value() -> None:
    assert read_json('{"a": 1}' * 3, wants_object=True) == {"a": 1}


def test_an_open_template_is_no_value() -> None:
    with pytest.raises(NotJSONError):
        read_json('{name " ' * 3, wants_object=True)


SHAPES: dict[str, Callable[[int], str]] = {
    "nested lists": lambda size: "[1.5," * size,
    "an escaped object": lambda size: '{\\"items\\": [' + '{\\"a\\": 1},' * size,
    "repeated objects": lambda size: '{"a": "Oslo"}' * size,
    "open templates": lambda size: '{name " ' * size,
    "closed templates": lambda size: "{name} " * size,
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_time_grows_with_the_length_of_the_text(name: str) -> None:
    def read(size: int) -> None:
        with contextlib.suppress(NotJSONError):
            read_json(SHAPES[name](size), wants_object=True)

    assert_linear(read)


def test_half_of_a_surrogate_pair_is_left_out_until_the_other_half_comes() -> None:
    assert read_partial_json('{"a": "x\ud83d') == {"a": "x"}
    assert read_partial_json('{"a": "x\ud83d\ude00 y') == {"a": "x\U0001f600 y"}
    assert read_partial_json('{"a": "x\ud83d y') == {"a": "x\ufffd y"}
    assert read_partial_json('{\ud83d"a": 1') is None


def test_values_that_fail_are_read_a_limited_number_of_times() -> None:
    # A list in each list, and the innermost one is invalid.
    assert read_json("[1.5," * 3 + 'x {"a": 1}', wants_object=True) == {"a": 1}
    with pytest.raises(NotJSONError, match="Expecting value"):
        read_json("[1.5," * 20 + 'x {"a": 1}', wants_object=True)
