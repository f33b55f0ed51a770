from typing import Any

import pytest

from langchain_kimi.kimi.argument_stream import ArgumentStream

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "todos": {"type": "array", "items": {"$ref": "#/$defs/Todo"}},
        "todo": {"$ref": "#/$defs/Todo"},
        "either": {"anyOf": [{"type": "object", "properties": {"list": {"type": "array"}}}, {"type": "null"}]},
        "nullable": {"type": ["array", "null"]},
        "text_or_list": {"anyOf": [{"type": "string"}, {"type": "array"}]},
        "list_or_object": {"oneOf": [{"type": "array"}, {"type": "object"}]},
        "loop": {"$ref": "#/$defs/Loop"},
        "nowhere": {"$ref": "#/$defs/Nowhere"},
        "deep": {"$ref": "#/$defs/Deep"},
        "any": {},
    },
    "additionalProperties": {"type": "array"},
    "$defs": {
        "Todo": {"type": "object", "properties": {"id": {"type": "integer"}, "sub": {"type": "array"}}},
        "Loop": {"$ref": "#/$defs/Loop"},
        "Deep": {"anyOf": [{"$ref": "#/$defs/Deep"}]},
    },
}
DECODED = [
    ('{"todos":"[{\\"id\\":1}]"}', '{"todos":[{"id":1}]}', 1),
    ('{"todos":[{"id":1,"sub":"[]"},"{\\"id\\": 2}"]}', '{"todos":[{"id":1,"sub":[]},{"id": 2}]}', 2),
    ('{"todo":"{}"}', '{"todo":{}}', 1),
    ('{"either":"{}"}', '{"either":{}}', 1),
    ('{"either":{"list":"[1]"}}', '{"either":{"list":[1]}}', 1),
    ('{"nullable":"[1]"}', '{"nullable":[1]}', 1),
    ('{"list_or_object":"{}"}', '{"list_or_object":{}}', 1),
    ('{"other":"[1]"}', '{"other":[1]}', 1),
    ('"{\\"city\\": \\"x\\"}"', '{"city": "x"}', 1),
    ('"\\"{}\\""', "{}", 1),
    ('"{\\"todos\\": \\"[1]\\"}"', '{"todos": [1]}', 2),
    ("{}{}", "{}", 1),
    ('{"a":1} {"a":1}\n{"a":1}', '{"a":1}', 1),
]
KEPT = [
    '{"city": "Paris"}',
    '{"city":"[1]","any":"[1]"}',
    '{"text_or_list":"[1]"}',
    '{"todos":"[{1}"}',
    '{"todos":"none"}',
    '{"todos":"{}"}',
    '{"either":null}',
    '{"loop":"[1]"}',
    '{"nowhere":"[1]"}',
    '{"deep":"[1]"}',
    '{"a":1}{"a":2}',
    '{"a":1} x',
    '{"a":1}}',
    "{x}{x}",
    "[1]",
    "",
    "Paris",
    '"x"',
    '"{',
    '{"todos":"[1',
    '{"todos":"',
    '{"todos',
    '{"a\\"":"}"}',
    '{"a":[',
]


@pytest.mark.parametrize(("given", "passed", "count"), [*DECODED, *((text, text, 0) for text in KEPT)])
def test_every_split(given: str, passed: str, count: int) -> None:
    for pieces in [[given], list(given), *([given[:at], given[at:]] for at in range(len(given)))]:
        stream = ArgumentStream(SCHEMA)
        text = "".join(map(stream.feed, pieces)) + stream.close()
        assert (text, stream.decoded) == (passed, count)


def test_only_what_may_be_wrong_is_held_back() -> None:
    stream = ArgumentStream(SCHEMA)
    assert stream.feed('{"city": "Pa') == '{"city": "Pa'
    assert stream.feed('ris", "todos": "[1') == 'ris", "todos": '
    assert stream.feed(']", "any": "x') == '[1], "any": "x'
    assert stream.feed('"} ') == '"}'
    assert stream.close() == ""


def test_blanks_before_pass() -> None:
    stream = ArgumentStream(None)
    assert stream.feed(" ") == " "
    assert stream.feed('{"a"') == '{"a"'
    assert stream.close() == ""
