import enum
import json
import math
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_kimi._openrouter.json import (
    COMPACT_ENCODER,
    JSON,
    LARGEST_INTEGER,
    Codec,
    distinct_keys,
    finite,
    is_plain,
    parse_lenient,
    parse_strict,
    parse_unambiguous,
)
from langchain_kimi._openrouter.limits import MAX_JSON_DEPTH

PLAIN, FAST = Codec(None), Codec(orjson)
codecs = pytest.mark.parametrize("codec", [PLAIN, FAST], ids=["json", "orjson"])


class Color(enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


def values(integers: Any) -> Any:
    return st.recursive(
        st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )


def outcome(codec: Codec, value: Any) -> object:
    try:
        return codec.encode(value)
    except (TypeError, ValueError) as error:
        return type(error), str(error)


@codecs
@pytest.mark.parametrize("text", ['{"a": NaN}', "[-Infinity]", "[1e999]", '"a\tb"', "{'a': 1}", ""])
def test_only_strict_json_is_parsed(codec: Codec, text: str) -> None:
    assert codec.parse(text.encode()) is None


@codecs
def test_only_utf_8_is_parsed(codec: Codec) -> None:
    assert codec.parse('{"ä": 1.5}'.encode()) == {"ä": 1.5}
    assert codec.parse('{"ä": 1.5}'.encode("utf-16")) is None
    assert codec.parse('{"ä": 1.5}'.encode("latin-1")) is None


def test_orjson_is_used_if_it_is_installed() -> None:
    assert JSON._loads is orjson.loads


@pytest.mark.uncovered
@given(value=values(st.integers()))
def test_both_codecs_write_the_same_bytes(value: Any) -> None:
    assert outcome(FAST, value) == outcome(PLAIN, value)


def test_plain_text_is_what_the_encoder_of_the_standard_library_writes() -> None:
    characters = "".join(map(chr, range(0x3000)))
    for value in ({}, {"a": [1, None, True, {"b": ""}]}, characters, "\U0001f600"):
        assert FAST.plain_text(value) == COMPACT_ENCODER.encode(value)
        assert PLAIN.plain_text(value) is None
    for other in (1.5, {"a": {1: 2}}, {"a": "\ud800"}, {"a": {"b": uuid.UUID(int=1)}}):
        assert FAST.plain_text(other) is None


def test_both_codecs_write_every_character_alike() -> None:
    text = "".join(chr(code) for code in range(0x11000) if not 0xD800 <= code < 0xE000)
    assert FAST.encode([text]) == PLAIN.encode([text]) == json.dumps([text], ensure_ascii=False).encode()


SPECIAL = [
    math.nan, math.inf, 1e16, 1e-7, -0.0, 2**64, LARGEST_INTEGER + 1, -LARGEST_INTEGER, {1: "a"}, {None: 1}, (1, 2),
    Color.RED, uuid.UUID(int=1), Text("a"), {"a": Text("b")}, {Text("a"): 1}, "\ud800", ["\ud800"], b"bytes",
    {1, 2}, object,
]  # fmt: skip


@pytest.mark.parametrize("value", SPECIAL)
def test_both_codecs_treat_special_values_alike(value: Any) -> None:
    assert outcome(FAST, {"x": value}) == outcome(PLAIN, {"x": value})


@codecs
@pytest.mark.parametrize(
    ("text", "encoded"), [("a\ud83db", "a\ufffdb"), ("\ud83d" + "\ude00", "😀"), ("\ude00", "\ufffd")]
)
def test_a_lone_surrogate_is_replaced(codec: Codec, text: str, encoded: str) -> None:
    assert codec.encode({text: [text]}) == f'{{"{encoded}":["{encoded}"]}}'.encode()


def parts_outcome(codec: Codec, value: Any) -> object:
    try:
        return codec.encode_object({"a": [1], "x": value, "b": 0.6, "c": "é"})
    except (TypeError, ValueError) as error:
        return type(error), str(error)


@pytest.mark.uncovered
@given(value=values(st.integers()))
def test_an_object_is_encoded_as_its_values_are(value: Any) -> None:
    parts = {"a": [1], "x": value, "b": 0.6, "c": "é"}
    assert FAST.encode_object(parts) == PLAIN.encode_object(parts) == PLAIN.encode(parts)


@pytest.mark.parametrize("value", SPECIAL)
def test_both_codecs_treat_special_parts_alike(value: Any) -> None:
    assert parts_outcome(FAST, value) == parts_outcome(PLAIN, value)


@codecs
def test_a_lone_surrogate_in_a_part_is_replaced(codec: Codec) -> None:
    parts = {"b": 0.6, "messages": [{"role": "user", "content": "a\ud83db"}], "\ude00": "\ude00"}
    encoded = '{"b":0.6,"messages":[{"role":"user","content":"a\ufffdb"}],"\ufffd":"\ufffd"}'
    assert codec.encode_object(parts, plain=("messages",)) == encoded.encode()


def test_without_fragments_the_encoded_parts_are_joined() -> None:
    old = Codec(SimpleNamespace(loads=orjson.loads, dumps=orjson.dumps))
    assert old.encode_object({"a": [1], "b": 0.6}) == b'{"a":[1],"b":0.6}'


@codecs
def test_a_value_that_contains_itself_is_refused(codec: Codec) -> None:
    value: dict[str, Any] = {}
    value["self"] = [value, value]
    with pytest.raises(ValueError, match="Circular"):
        codec.encode(value)


@pytest.mark.parametrize(("levels", "expected"), [(100, True), (101, False)])
def test_a_deeply_nested_value_is_not_plain(levels: int, *, expected: bool) -> None:
    value: Any = "a"
    for _ in range(levels):
        value = [value]
    assert is_plain(value) is expected
    assert FAST.encode(value) == b"[" * levels + b'"a"' + b"]" * levels


@codecs
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a": [1, 2.5, "\\u00e9", null, true]}', {"a": [1, 2.5, "é", None, True]}),
        (b' {"a": 1}\n', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": 1}{"a": 2}', None),
        (b'{"a": "line\nbreak"}', None),
        (b'{"a": 1', None),
        (b"", None),
        (b'{"a": "\xff"}', None),
        (b"[" * 101 + b"]" * 101, None),
        (b"[" * 99 + b"]" * 99, json.loads("[" * 99 + "]" * 99)),
    ],
)
def test_strict_json_is_parsed_and_anything_else_is_none(codec: Codec, text: bytes, expected: Any) -> None:
    assert codec.parse(text) == expected


@pytest.mark.uncovered
@given(value=values(st.integers(-(2**63), 2**63 - 1)))
def test_both_codecs_parse_alike(value: Any) -> None:
    text = json.dumps(value).encode()
    assert PLAIN.parse(text) == FAST.parse(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("{}", {}), ('{"a": 1, "b": 1}', {"a": 1, "b": 1}), ('{"a": [1], "a": [1]}', {"a": [1]})],
)
def test_repeated_keys_with_equal_values_are_accepted(text: str, value: Any) -> None:
    assert json.loads(text, object_pairs_hook=distinct_keys) == value


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '[{"b": {"a": 1, "c": 2, "a": null}}]', '{"a": 1, "a": 2, "a": 1}']
)
def test_a_key_with_two_values_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="the key 'a' has two different values"):
        json.loads(text, object_pairs_hook=distinct_keys)


def test_numbers_that_overflow_are_refused() -> None:
    assert json.loads("[1.5, -2e3]", parse_float=finite) == [1.5, -2000.0]
    for digits in ("1e999", "-1e999"):
        with pytest.raises(ValueError, match=f"{digits} is too large a number"):
            json.loads(digits, parse_float=finite)


PARSERS = {"strict": parse_strict, "lenient": parse_lenient, "unambiguous": parse_unambiguous}
ALL = {*PARSERS}


@pytest.mark.parametrize(
    ("text", "accepted_by"),
    [
        (' {"a": [1, "b"]} ', ALL),
        ('{"a": 1, "a": 1}', ALL),
        ('{"a": "line\nbreak\tand tab"}', {"lenient", "unambiguous"}),
        ('{"a": 1, "a": 2}', {"strict", "lenient"}),
        ("[NaN]", {"lenient"}),
        ("[-Infinity]", {"lenient"}),
        ("[1e999]", {"strict", "lenient"}),
        ("[1", set()),
        ("[1] [2]", set()),
        ("", set()),
        ("[" * 100_000, set()),
    ],
)
def test_each_parser_has_its_own_tolerance(text: str, accepted_by: set[str]) -> None:
    assert {name for name, parse in PARSERS.items() if accepts(parse, text)} == accepted_by


def accepts(parse: Callable[[str], Any], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("digits", "value"), [("1" * 300, int("1" * 300)), ("1" * 301, float("1" * 301))])
def test_large_integers_are_bounded(digits: str, value: float) -> None:
    assert parse_lenient(digits) == value


def test_an_integer_beyond_every_float_is_infinite() -> None:
    assert parse_lenient(f"[{'1' * 5000}, -{'1' * 400}]") == [math.inf, -math.inf]


def test_the_parser_says_why_it_refuses_a_text() -> None:
    with pytest.raises(ValueError, match="NaN is not JSON"):
        parse_unambiguous("[NaN]")


@pytest.mark.parametrize("parse", PARSERS.values(), ids=PARSERS)
@pytest.mark.parametrize("levels", [MAX_JSON_DEPTH + 1, 5000, 30_000, 100_000])
def test_parsers_have_the_same_limit_of_depth_on_every_python(parse: Callable[[str], Any], levels: int) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse("[" * levels + "]" * levels)
    allowed = "[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH
    assert parse(f" {allowed} ") == json.loads(allowed)


@codecs
@pytest.mark.parametrize("innermost", [(), 1.5, {}])
def test_writers_have_the_same_limit_of_depth_on_every_python(codec: Codec, innermost: object) -> None:
    value: Any = innermost
    for _ in range(MAX_JSON_DEPTH - (innermost != 1.5)):
        value = {"a": value}
    assert codec.encode(value).count(b"a") >= MAX_JSON_DEPTH - 1
    with pytest.raises(RecursionError):
        codec.encode([value])
    with pytest.raises(RecursionError):
        codec.encode_object({"key": [value]})
