import enum
import json
import math
import uuid
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_kimi._openrouter.json import JSON, LARGEST_INTEGER, Codec, is_usual

PLAIN, FAST = Codec(None), Codec(orjson)
codecs = pytest.mark.parametrize("codec", [PLAIN, FAST], ids=["json", "orjson"])


class Colour(enum.Enum):
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
        return codec.written(value)
    except (TypeError, ValueError) as problem:
        return type(problem), str(problem)


def test_orjson_is_used_where_it_is_installed() -> None:
    assert JSON._loads is orjson.loads


@given(value=values(st.integers()))
def test_the_same_bytes_are_written_with_orjson_and_without(value: Any) -> None:
    assert outcome(FAST, value) == outcome(PLAIN, value)


def test_every_character_is_written_alike() -> None:
    text = "".join(chr(code) for code in range(0x11000) if not 0xD800 <= code < 0xE000)
    assert FAST.written([text]) == PLAIN.written([text]) == json.dumps([text], ensure_ascii=False).encode()


UNUSUAL = [
    math.nan, math.inf, 1e16, 1e-7, -0.0, 2**64, LARGEST_INTEGER + 1, -LARGEST_INTEGER, {1: "a"}, {None: 1}, (1, 2),
    Colour.RED, uuid.UUID(int=1), Text("a"), {"a": Text("b")}, {Text("a"): 1}, "\ud800", ["\ud800"], b"bytes",
    {1, 2}, object,
]  # fmt: skip


@pytest.mark.parametrize("value", UNUSUAL)
def test_what_is_unusual_is_written_or_refused_alike(value: Any) -> None:
    assert outcome(FAST, {"x": value}) == outcome(PLAIN, {"x": value})


@codecs
@pytest.mark.parametrize(
    ("text", "written"), [("a\ud83db", "a\ufffdb"), ("\ud83d" + "\ude00", "😀"), ("\ude00", "\ufffd")]
)
def test_half_a_character_is_replaced(codec: Codec, text: str, written: str) -> None:
    assert codec.written({text: [text]}) == f'{{"{written}":["{written}"]}}'.encode()


def parts_outcome(codec: Codec, value: Any) -> object:
    try:
        return codec.written_object({"a": [1], "x": value, "b": 0.6, "c": "é"})
    except (TypeError, ValueError) as problem:
        return type(problem), str(problem)


@given(value=values(st.integers()))
def test_an_object_is_written_as_its_parts_are(value: Any) -> None:
    parts = {"a": [1], "x": value, "b": 0.6, "c": "é"}
    assert FAST.written_object(parts) == PLAIN.written_object(parts) == PLAIN.written(parts)


@pytest.mark.parametrize("value", UNUSUAL)
def test_an_unusual_part_is_written_or_refused_alike(value: Any) -> None:
    assert parts_outcome(FAST, value) == parts_outcome(PLAIN, value)


@codecs
def test_half_a_character_in_a_part_is_replaced(codec: Codec) -> None:
    parts = {"b": 0.6, "messages": [{"role": "user", "content": "a\ud83db"}], "\ude00": "\ude00"}
    written = '{"b":0.6,"messages":[{"role":"user","content":"a\ufffdb"}],"\ufffd":"\ufffd"}'
    assert codec.written_object(parts, known=("messages",)) == written.encode()


def test_without_fragments_the_parts_are_joined() -> None:
    old = Codec(SimpleNamespace(loads=orjson.loads, dumps=orjson.dumps))
    assert old.written_object({"a": [1], "b": 0.6}) == b'{"a":[1],"b":0.6}'


@codecs
def test_a_value_that_contains_itself_is_refused(codec: Codec) -> None:
    value: dict[str, Any] = {}
    value["self"] = [value, value]
    with pytest.raises(ValueError, match="Circular"):
        codec.written(value)


@pytest.mark.parametrize(("levels", "expected"), [(100, True), (101, False)])
def test_what_is_deep_is_unusual(levels: int, *, expected: bool) -> None:
    value: Any = "a"
    for _ in range(levels):
        value = [value]
    assert is_usual(value) is expected
    assert FAST.written(value) == b"[" * levels + b'"a"' + b"]" * levels


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
def test_strict_json_is_parsed_and_the_rest_is_left_to_a_closer_look(codec: Codec, text: bytes, expected: Any) -> None:
    assert codec.parsed(text) == expected


@given(value=values(st.integers(-(2**63), 2**63 - 1)))
def test_the_same_is_parsed_with_orjson_and_without(value: Any) -> None:
    text = json.dumps(value).encode()
    assert PLAIN.parsed(text) == FAST.parsed(text) == value
