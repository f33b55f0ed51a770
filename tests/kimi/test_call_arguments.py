from typing import Any

import pytest

from langchain_kimi._kimi.call_arguments import ArgumentStream

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
    (r"{\"city\": \"x\"}", '{"city": "x"}', 1),
    (r" {  \"todos\": \"[1]\"}", ' {  "todos": [1]}', 2),
    ('{"city": "x"}"{\\"city\\": \\"x\\"}"', '{"city": "x"}', 1),
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
UNCHANGED = [
    r"{\"city\": \"x",
    r"{\"city\": x}",
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


@pytest.mark.parametrize(("arguments", "passed", "count"), [*DECODED, *((text, text, 0) for text in UNCHANGED)])
def test_the_result_is_the_same_for_every_split(arguments: str, passed: str, count: int) -> None:
    for pieces in [[arguments], list(arguments), *([arguments[:at], arguments[at:]] for at in range(len(arguments)))]:
        stream, other = ArgumentStream(SCHEMA), ArgumentStream(SCHEMA)
        text = "".join(map(stream.feed, pieces)) + stream.close()
        assert (text, stream.decoded) == (passed, count)
        text = "".join(piece if other.pass_unchanged(piece) else other.feed(piece) for piece in pieces) + other.close()
        assert (text, other.decoded) == (passed, count)


def test_only_text_that_may_be_wrong_is_buffered() -> None:
    stream = ArgumentStream(SCHEMA)
    assert stream.feed('{"city": "Pa') == '{"city": "Pa'
    assert stream.feed('ris", "todos": "[1') == 'ris", "todos": '
    assert stream.feed(']", "any": "x') == '[1], "any": "x'
    assert stream.feed('"} ') == '"}'
    assert stream.close() == ""


@pytest.mark.parametrize("blanks", ["\u00a0", "\ufeff", "\u00a0 \n", "\u200b\u3000", "\x0b"])
def test_blanks_before_the_arguments_that_json_does_not_allow_are_left_out(blanks: str) -> None:
    for text in ('{"a": "\u00a0"}', '"{\\"a\\": \\"\u00a0\\"}"'):
        stream = ArgumentStream(None)
        passed = "".join([*map(stream.feed, blanks + text), stream.close()])
        assert passed.lstrip(" \n") == '{"a": "\u00a0"}'
        stream = ArgumentStream(None)
        assert stream.feed(blanks + text) + stream.close() == '{"a": "\u00a0"}'
    stream = ArgumentStream(None)
    assert stream.feed(f"{{{blanks}}}") + stream.close() == f"{{{blanks}}}"


def test_white_space_before_the_arguments_passes() -> None:
    stream = ArgumentStream(None)
    assert stream.feed(" ") == " "
    assert stream.feed('{"a"') == '{"a"'
    assert stream.close() == ""


@pytest.mark.parametrize("piece", ['"', "a\\", 'a"'])
def test_the_middle_of_a_string_passes_immediately(piece: str) -> None:
    stream = ArgumentStream(SCHEMA)
    assert not stream.pass_unchanged("{")
    assert stream.feed('{"city": "') == '{"city": "'
    assert stream.pass_unchanged("Par{is}, ")
    assert not stream.pass_unchanged(piece)


@pytest.mark.parametrize("begun", ['{"cit', '{"city": "a\\', '{"todos": "[1', '{"city": '])
def test_text_outside_of_plain_strings_does_not_pass_immediately(begun: str) -> None:
    stream = ArgumentStream(SCHEMA)
    stream.feed(begun)
    assert not stream.pass_unchanged("y")


@pytest.mark.parametrize(
    ("pieces", "passed", "count"),
    [
        (['{"city": "P', '{"city": "Par', '{"city": "Paris"}'], '{"city": "Paris"}', 1),
        (["{", '{"city": "P', '{"city": "Paris"}', " "], '{"city": "Paris"}', 1),
        (['{"city": "P', '{"city": "Par', "is"], '{"city": "P{"city": "Paris', 0),
        (['{"city": "P', '{"city": "Par', '{"city": "Pas"}'], '{"city": "P{"city": "Par{"city": "Pas"}', 0),
        (['{"any": ', '{"any": 1}}'], '{"any": {"any": 1}}', 0),
        (["[", "[1]"], "[[1]", 0),
    ],
)
def test_deltas_that_repeat_all_arguments_so_far(pieces: list[str], passed: str, count: int) -> None:
    stream = ArgumentStream(SCHEMA)
    text = "".join(piece if stream.pass_unchanged(piece) else stream.feed(piece) for piece in pieces) + stream.close()
    assert (text, stream.decoded) == (passed, count)


@pytest.mark.parametrize(
    ("arguments", "schema", "passed"),
    [
        ("null", {"type": "object"}, "{}"),
        ('"null"', {"type": "object", "required": []}, "{}"),
        ('""', {"type": "object"}, "{}"),
        ("null", {"required": ["a"]}, "null"),
        ("null", None, "null"),
        ("nothing", {"type": "object"}, "nothing"),
        ("```json\n{}\n```", None, "{}"),
        ("```\n{}", None, "```\n{}"),
        ("<|tool_call_argument_begin|> {}\n<|tool_call_end|>", None, "{}"),
        ("<|tool_call_argument_begin|>x", None, "<|tool_call_argument_begin|>x"),
        ('{"a": 1}<|tool_call_end|>', None, '{"a": 1}'),
        ('{"a": 1}<|tool_call_end|>{"a": 1}', None, '{"a": 1}'),
        ('{"a": 1}<|tool_call_end|>{"a": 2}', None, '{"a": 1}<|tool_call_end|>{"a": 2}'),
        ("<b>", None, "<b>"),
    ],
)
def test_wrapped_and_missing_objects_are_unwrapped(arguments: str, schema: Any, passed: str) -> None:
    for pieces in [[arguments], list(arguments)]:
        stream = ArgumentStream(schema)
        text = "".join(map(stream.feed, pieces)) + stream.close()
        assert text == passed
        assert stream.decoded == (passed != arguments)


def test_markup_that_was_encoded_is_read() -> None:
    read = {"markup": '{"city": "Paris"}'}.get
    for text, expected in (('"markup"', '{"city": "Paris"}'), ('"text"', '"text"')):
        stream = ArgumentStream(SCHEMA, read)
        assert stream.feed(text) + stream.close() == expected


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"properties": {"a": {"type": 5}}},
        {"properties": {"a": {"type": [{"type": "string"}]}}},
        {"properties": {"a": {"anyOf": 5}}},
        {"properties": ["a"]},
    ],
    ids=str,
)
def test_a_schema_that_is_invalid_changes_no_arguments(schema: Any) -> None:
    stream = ArgumentStream(schema)
    assert stream.feed('{"a": "{}"}') + stream.close() == '{"a": "{}"}'
    assert stream.decoded == 0
