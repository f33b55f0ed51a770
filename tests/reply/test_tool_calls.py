import json
import random
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from langchain_kimi._openrouter.limits import MAX_DEPTH
from langchain_kimi._reply.tool_calls import (
    INCOMPLETE,
    NAMELESS,
    breaking_suffix,
    calls_from,
    cut_calls,
    invalid_call,
    parsed_arguments,
)

NESTED = [
    '{"city": "Oslo"}',
    '{"a": {"b": [1, {"c": [true, null, -1.5e3]}], "d": "e"}, "f": []}',
    r'{"quote": "say \"hi\"", "path": "C:\\temp\\", "line": "a\nb", "snow": "\u2603\ud83d\ude00"}',
    '{"brackets": "}]{[", "more": ["]", "}", "{\\"x\\": ["]}',
    '{"名": "東京 😀", "ß": ["é", "\\u00e9"]}',
    '{"raw": "line\nbreak\ttab", "n": 12345678901234567890, "z": 0.1}',
    '  { "blanks" : [ 1 , 2 ] }  \n',
    "{}",
    '[{"a": 1}, [2]]',
    '"a text"',
    "12.5",
    "null",
]
PREFIXES = [(text, end) for text in NESTED for end in range(len(text) + 1)]


def call(arguments: Any, name: Any = "f", **more: Any) -> Any:
    return {"index": 0, "id": "f:0", "function": {"name": name, "arguments": arguments}, **more}


def added_up(*pieces: str, name: str | None = "f") -> AIMessageChunk:
    """Return the sum of the chunks of a call whose arguments were streamed in these pieces."""
    chunks = [
        AIMessageChunk(
            content="",
            tool_call_chunks=[
                tool_call_chunk(name=None if number else name, args=piece, id=None if number else "f:0", index=0)
            ],
        )
        for number, piece in enumerate(pieces)
    ]
    last = AIMessageChunk(content="", chunk_position="last")
    return chunks[0].__add__([*chunks[1:], last])


def is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, strict=False), dict)
    except ValueError:
        return False


def invalidating_suffix(call: Any, *, ended: bool) -> str:
    """Return the text that is appended to a streamed call; "" for a valid call."""
    invalid = invalid_call(call, ended=ended)
    return breaking_suffix(invalid["args"] or "") if invalid else ""


def test_langchain_completes_truncated_arguments() -> None:
    """This is the reason for the breaking suffix. If it fails, the suffix is no longer needed."""
    assert added_up('{"city": "Os').tool_calls[0]["args"] == {"city": "Os"}


def test_arguments_cut_anywhere_are_valid_only_if_complete() -> None:
    for text, end in PREFIXES:
        cut = text[:end]
        message = added_up(cut, invalidating_suffix(call(cut), ended=False))
        assert bool(message.tool_calls) is is_object(cut), cut
        if not message.tool_calls:
            [invalid] = message.invalid_tool_calls
            assert (invalid["args"] or "").startswith(cut)
            assert invalid["name"] == "f"


def test_truncated_arguments_stay_invalid() -> None:
    for text, end in PREFIXES:
        cut = text[:end]
        if not is_object(cut):
            assert not added_up(cut, breaking_suffix(cut)).tool_calls, cut


@pytest.mark.uncovered
def test_random_text_is_never_a_valid_call() -> None:
    rng = random.Random(7)  # noqa: S311 - not a secret, and the same texts in each run
    for _ in range(1000):
        text = "{" + "".join(rng.choices('{}[]":,\\a1 \nnt', k=rng.randint(0, 14)))
        message = added_up(text, invalidating_suffix(call(text), ended=True))
        assert bool(message.tool_calls) is is_object(text), text


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}{"b": 2}', '{"a": 1} {"b": 2', '{"a": 1}]', "not json", "[1]", '"text"', "5", "null", '{"a": 1,}'],
)
def test_arguments_other_than_an_object_are_invalid(text: str) -> None:
    valid, [invalid] = calls_from([call(text)], ended=True)
    assert valid == []
    assert invalid["args"] == text
    assert invalid["error"]
    message = added_up(text, invalidating_suffix(call(text), ended=True))
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == text + breaking_suffix(text)


@pytest.mark.parametrize("text", ["", " ", "\n\t", None])
def test_no_arguments_are_an_empty_object_unless_the_reply_was_cut(text: Any) -> None:
    assert calls_from([call(text)], ended=True)[0][0]["args"] == {}
    assert invalidating_suffix(call(text), ended=True) == ""
    assert calls_from([call(text)], ended=False)[1][0]["error"] == INCOMPLETE
    assert invalidating_suffix(call(text), ended=False)


@pytest.mark.parametrize("missing", [{}, {"function": None}, {"function": {}}])
def test_a_call_without_its_function_is_invalid(missing: Any) -> None:
    nameless: Any = {"id": "f:0", **missing}
    _, [invalid] = calls_from([nameless], ended=True)
    assert invalid == {"type": "invalid_tool_call", "name": None, "args": "", "id": "f:0", "error": NAMELESS}
    assert added_up(invalidating_suffix(nameless, ended=True), name=None).tool_calls == []


def test_a_call_without_a_name_is_invalid() -> None:
    _, [invalid] = calls_from([call('{"a": 1}', name="")], ended=True)
    assert (invalid["name"], invalid["args"], invalid["error"]) == (None, '{"a": 1}', NAMELESS)
    assert (
        added_up('{"a": 1}', invalidating_suffix(call('{"a": 1}', name=None), ended=True), name=None).tool_calls == []
    )


def test_valid_and_invalid_calls_are_separated() -> None:
    valid, invalid = calls_from([call('{"a": 1}'), call('{"a"'), call("", name="g", id="g:2")], ended=True)
    assert valid == [
        {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "f:0"},
        {"type": "tool_call", "name": "g", "args": {}, "id": "g:2"},
    ]
    assert [(one["args"], one["id"]) for one in invalid] == [('{"a"', "f:0")]


def test_all_calls_of_a_failed_reply_are_invalid() -> None:
    assert cut_calls([call('{"a": 1}')]) == [
        {"type": "invalid_tool_call", "name": "f", "args": '{"a": 1}', "id": "f:0", "error": INCOMPLETE}
    ]


def test_control_characters_in_strings_are_accepted() -> None:
    assert parsed_arguments('{"a": "line\nbreak"}', ended=True) == {"a": "line\nbreak"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a"', "The arguments are not valid JSON: Expecting ':' delimiter"),
        ("[1]", "The arguments are not a JSON object but list."),
        ("[" * 200_000, "The arguments are not valid JSON: nested too deeply."),
    ],
)
def test_an_invalid_call_has_a_reason(text: str, reason: str) -> None:
    assert str(parsed_arguments(text, ended=True)).startswith(reason)


@pytest.mark.uncovered
def test_arguments_nested_too_deeply_are_invalid_when_streamed() -> None:
    text = '{"a":' * 200_000
    assert added_up(text, invalidating_suffix(call(text), ended=True)).tool_calls == []


def test_arguments_that_are_nested_too_deeply_are_invalid() -> None:
    depth = MAX_DEPTH + 1
    reason = parsed_arguments('{"a": ' + "[" * depth + "]" * depth + "}", ended=True)
    assert reason == "The arguments are nested too deeply."
