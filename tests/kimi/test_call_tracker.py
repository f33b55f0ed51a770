from typing import Any

import pytest

from langchain_kimi._kimi.call_tracker import CallDelta, ToolCallTracker, TrackedCall, arguments_text, is_json


def entry(index: Any = None, id: Any = None, name: Any = None, arguments: Any = None, **more: Any) -> Any:  # noqa: A002 - the wire's word
    """Return an entry of `tool_calls`; None means that the key is missing."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    entry = {key: value for key, value in (("index", index), ("id", id)) if value is not None}
    return {**entry, "function": function, **more}


def tracked(*deltas: list[Any]) -> list[tuple[Any, Any, str]]:
    """Return the sum of the deltas: id, name and arguments of each call. Each id and name may come only once."""
    tracker = ToolCallTracker()
    calls: dict[int, Any] = {}
    for one in [one for delta in deltas for one in tracker.deltas(delta)]:
        number = one["index"]
        assert number is not None
        call = calls.setdefault(number, [None, None, ""])
        function = one["function"]
        for place, value in enumerate((one.get("id"), function.get("name"))):
            assert value is None or call[place] is None
            call[place] = value or call[place]
        call[2] += function["arguments"]
    assert list(calls) == list(range(len(calls)))
    return [tuple(call) for call in calls.values()]


A = ("f:0", "f", '{"a":1}')
B = ("g:1", "g", '{"b":2}')
CASES: dict[str, tuple[list[list[Any]], list[tuple[Any, Any, str]]]] = {
    "documented": ([[entry(0, "f:0", "f", "")], [entry(0, arguments='{"a":')], [entry(0, arguments="1}")]], [A]),
    "whole": ([[entry(0, "f:0", "f", '{"a":1}')]], [A]),
    "two in one delta": ([[entry(0, "f:0", "f", '{"a":1}'), entry(1, "g:1", "g", '{"b":2}')]], [A, B]),
    "interleaved": (
        [
            [entry(0, "f:0", "f", '{"a"'), entry(1, "g:1", "g", '{"b"')],
            [entry(1, arguments=":2}"), entry(0, arguments=":1}")],
        ],
        [A, B],
    ),
    "first index is 1": ([[entry(1, "f:0", "f", "")], [entry(1, arguments='{"a":1}')]], [A]),
    "all index 0, own ids": (
        [[entry(0, "f:0", "f", '{"a"')], [entry(0, arguments=":1}")], [entry(0, "g:1", "g", '{"b":2}')]],
        [A, B],
    ),
    "all index 0, same name, no ids": (
        [[entry(0, None, "f", '{"a":1}')], [entry(0, None, "f", '{"a":2}')]],
        [(None, "f", '{"a":1}'), (None, "f", '{"a":2}')],
    ),
    "another name, no ids": (
        [[entry(0, None, "f", "")], [entry(0, None, "g", '{"b":2}')]],
        [(None, "f", ""), (None, "g", '{"b":2}')],
    ),
    "one id for two calls": (
        [[entry(0, "f:0", "f", '{"a":1}'), entry(1, "f:0", "f", '{"a":1}')]],
        [A, ("f:0_1", "f", '{"a":1}')],
    ),
    "one id and one index for two calls": (
        [[entry(0, "f:0", "f", '{"a":1}')], [entry(0, "f:0", "f", '{"a":')], [entry(0, arguments="2}")]],
        [A, ("f:0_1", "f", '{"a":2}')],
    ),
    "no index": ([[entry(None, "f:0", "f", '{"a"')], [entry(None, None, None, ":1}")]], [A]),
    "no index, by id": (
        [
            [entry(None, "f:0", "f", '{"a"'), entry(None, "g:1", "g", '{"b"')],
            [entry(None, "f:0", None, ":1}"), entry(None, "g:1", None, ":2}")],
        ],
        [A, B],
    ),
    "late id": ([[entry(0, None, "f", '{"a"')], [entry(0, "f:0", None, ":1}")]], [A]),
    "a late id of another call": (
        [[entry(None, None, "f", '{"a":1}')], [entry(None, "g:1", "g", '{"b":2}')]],
        [(None, "f", '{"a":1}'), B],
    ),
    "late name": ([[entry(0, "f:0", None, '{"a"')], [entry(0, None, "f", ":1}")]], [A]),
    "id and name in every delta": (
        [[entry(0, "f:0", "f", '{"a')], [entry(0, "f:0", "f", '":')], [entry(0, "f:0", "f", "1}")]],
        [A],
    ),
    "id beside an empty name": ([[entry(0, "f:0", "f", "")], [entry(0, "f:0", "", '{"a":1}')]], [A]),
    "null id, empty type": (
        [[entry(0, "f:0", "f", "")], [{"index": 0, "id": None, "type": "", "function": {"arguments": '{"a":1}'}}]],
        [A],
    ),
    "null name": ([[entry(0, "f:0", "f", '{"a":1}')], [{"index": 0, "function": {"name": None}}]], [A]),
    "white space before": (
        [[entry(0, "f:0", "f", " ")], [entry(0, arguments='\n{"a":1}')]],
        [("f:0", "f", '\n{"a":1}')],
    ),
    "only white space": ([[entry(0, "f:0", "f", " \n")], [entry(0, arguments=" ")]], [("f:0", "f", "")]),
    "white space between": (
        [[entry(0, "f:0", "f", '{"a":')], [entry(0, arguments=" ")], [entry(0, arguments="1}")]],
        [("f:0", "f", '{"a": 1}')],
    ),
    "white space after, with the name": (
        [[entry(0, "f:0", "f", '{"a":1}')], [entry(0, "f:0", "f", " ")]],
        [("f:0", "f", '{"a":1} ')],
    ),
    "empty deltas after": ([[entry(0, "f:0", "f", '{"a":1}')], [entry(0, arguments=""), entry(0)]], [A]),
    "a second object without a name": (
        [[entry(0, "f:0", "f", '{"a":1}')], [entry(0, arguments='{"b":2}')]],
        [("f:0", "f", '{"a":1}{"b":2}')],
    ),
    "brackets inside a text": (
        [[entry(0, None, "f", '{"a":"}')], [entry(0, None, "f", '{}"}')]],
        [(None, "f", '{"a":"}{}"}')],
    ),
    "arguments as an object": ([[entry(0, "f:0", "f", {"a": "ä"})]], [("f:0", "f", '{"a": "ä"}')]),
    "null arguments": ([[{"index": 0, "id": "f:0", "function": {"name": "f", "arguments": None}}]], [("f:0", "f", "")]),
    "null function": ([[entry(0, "f:0", "f", '{"a":1}')], [{"index": 0, "id": None, "function": None}]], [A]),
    "numbers as id and name": ([[entry(0, 7, 8, "{}")]], [("7", "8", "{}")]),
    "no name at all": ([[entry(0, None, None, "{}")]], [(None, None, "{}")]),
    "not an object": (
        [[entry(0, "f:0", "f", '{"a":')], ["?", 7], [entry(0, arguments="1}")]],
        [A, (None, None, '["?"][7]')],
    ),
    "function is not an object": ([[{"id": "f:0", "function": "f"}]], [("f:0", None, '["f"]')]),
    "without a function": ([[{"id": "f:0", "name": "f"}], [{"arguments": '{"a":1}'}]], [A]),
    "without content": ([[None, {}, entry(3), entry(4, arguments=" ")], [entry(0, "f:0", "f", '{"a":1}')]], [A]),
}


@pytest.mark.parametrize("case", CASES)
def test_deltas_are_assigned_to_their_calls(case: str) -> None:
    deltas, calls = CASES[case]
    assert tracked(*deltas) == calls


@pytest.mark.parametrize("case", CASES)
def test_the_split_into_deltas_makes_no_difference(case: str) -> None:
    deltas, calls = CASES[case]
    assert tracked(*([one] for delta in deltas for one in delta)) == calls
    assert tracked([one for delta in deltas for one in delta]) == calls


def test_only_new_parts_are_passed_on() -> None:
    tracker = ToolCallTracker()
    first = list(tracker.deltas([entry(0, "f:0", "f", '{"a":', type="function")]))
    assert first == [
        {"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": '{"a":'}},
    ]
    assert list(tracker.deltas([entry(0, "f:0", "f", "")])) == []
    again = list(tracker.deltas([entry(0, "f:0", "f", "1}")]))
    assert again == [{"index": 0, "type": "function", "function": {"arguments": "1}"}}]


def test_arguments_are_complete_when_they_are_an_object() -> None:
    assert not TrackedCall(0, 0).is_complete
    assert not TrackedCall(0, 0, arguments=['{"a":{"b":1}']).is_complete
    assert not TrackedCall(0, 0, arguments=['{"a":1}', "x"]).is_complete
    assert TrackedCall(0, 0, arguments=['{"a":{"b":1}', "}"]).is_complete


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("{}", True),
        ('{"a":"line\nbreak"}', True),
        ("", False),
        ('{"a":1', False),
        ("{}{}", False),
        ("[" * 200_000, False),
    ],
)
def test_is_json(text: str, whole: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_json(text) is whole


@pytest.mark.parametrize(
    ("arguments", "text"), [(None, ""), ("", ""), ('{"a": 1}', '{"a": 1}'), ({"a": "ß"}, '{"a": "ß"}'), ([1], "[1]")]
)
def test_arguments_become_text(arguments: Any, text: str) -> None:
    assert arguments_text(arguments) == text


@pytest.mark.parametrize(
    "entry",
    [
        {"function": {"name": "f", "parameters": {"a": 1}}},
        {"function": {"name": "f", "arguments": None, "args": {"a": 1}}},
        {"type": "tool_use", "name": "f", "input": {"a": 1}},
        {"type": "custom", "custom": {"name": "f", "input": '{"a": 1}'}},
    ],
)
def test_arguments_under_another_name(entry: dict[str, Any]) -> None:
    delta = CallDelta.of({"index": 0, "id": "c", **entry})
    assert (delta.name, delta.arguments) == ("f", '{"a": 1}')
