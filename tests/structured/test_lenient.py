"""JSON5 is read if the library is installed and refused otherwise; a truncated value is never read."""

import math
from typing import Any

import pytest

from langchain_kimi._structured.json_text import MAX_JSON5_LENGTH, NotJSONError, read_json, read_json5

ALMOST: dict[str, tuple[str, Any]] = {
    "a trailing comma": ('{"a": 1,}', {"a": 1}),
    "a trailing comma in a list": ('{"a": [1, 2,]}', {"a": [1, 2]}),
    "single quotes": ("{'a': 'it is'}", {"a": "it is"}),
    "a bare key": ("{a: 1}", {"a": 1}),
    "a comment": ('{"a": 1 // one\n}', {"a": 1}),
    "fenced": ('```json\n{"a": 1,}\n```', {"a": 1}),
    "a quote after a backslash": (r"{'a': 'it\'s \\d'}", {"a": r"it's \d"}),
    "a key twice the same": ('{"a": 1, "a": 1,}', {"a": 1}),
    "a number that is a fraction": ('{"a": 1.5,}', {"a": 1.5}),
    "a byte order mark": ('\ufeff{"a": 1,}', {"a": 1}),
}
BROKEN = {
    "cut in a string": '{"a": "on',
    "cut after a comma": '{"a": 1,',
    "cut in a fence": '```json\n{"a": 1,',
    "words around it": 'Here it is: {"a": 1,}',
    "two values": '{"a": 1,} {"a": 2}',
    "no object": "'just text'",
    "a number": "+5",
    "a number that JSON does not have": "NaN",
    "a path that lost a backslash": r'{"a": "C:\data",}',
    "a formula that lost a backslash": r"{'a': '\sum'}",
    "a key with two values": '{"a": 1, "a": 2,}',
    "too large a number": '{"a": 1e999,}',
    "too deep": "[" * 5000 + "]" * 4999 + ",]",
    "too long": '{"a": "' + "x" * MAX_JSON5_LENGTH + '",}',
}


@pytest.mark.parametrize(("text", "value"), ALMOST.values(), ids=ALMOST)
def test_json5_is_read_with_the_library(with_json5: None, text: str, value: Any) -> None:
    assert read_json(text, wants_object=True) == value


@pytest.mark.parametrize("text", [text for text, _ in ALMOST.values()], ids=ALMOST)
def test_json5_is_refused_without_the_library(text: str) -> None:
    with pytest.raises(NotJSONError):
        read_json(text, wants_object=True)


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_broken_json_is_refused_with_the_library_too(with_json5: None, text: str) -> None:
    with pytest.raises(NotJSONError):
        read_json(text, wants_object=True)


def test_nan_is_a_number_in_json5(with_json5: None) -> None:
    assert math.isnan(read_json('{"a": NaN}', wants_object=True)["a"])


def test_the_error_says_that_the_library_is_missing() -> None:
    with pytest.raises(ValueError, match="not installed"):
        read_json5('{"a": 1,}')
