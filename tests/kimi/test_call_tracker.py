from typing import Any

import pytest

from langchain_kimi._kimi.call_tracker import OpenCall, ToolCallTracker, arguments_text, is_json


def piece(index: Any = None, id: Any = None, name: Any = None, arguments: Any = None, **more: Any) -> Any:  # noqa: A002 - the wire's word
    """A piece of a call in which None means that the key is missing."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    told = {key: value for key, value in (("index", index), ("id", id)) if value is not None}
    return {**told, "function": function, **more}


def tracked(*deltas: list[Any], first: int = 0) -> list[tuple[Any, Any, str]]:
    """What the pieces add up to, each call as id, name and arguments; each id and name may come but once."""
    tracker = ToolCallTracker()
    pieces = [one for delta in deltas for one in tracker.pieces(delta)]
    calls: dict[int, Any] = {}
    for one in [*pieces, *tracker.missing_ids(first)]:
        number = one["index"]
        assert number is not None
        call = calls.setdefault(number, [None, None, ""])
        function = one["function"]
        for place, told in enumerate((one.get("id"), function.get("name"))):
            assert told is None or call[place] is None
            call[place] = told or call[place]
        call[2] += function["arguments"]
    assert list(calls) == list(range(len(calls)))
    return [tuple(call) for call in calls.values()]


A = ("f:0", "f", '{"a":1}')
B = ("g:1", "g", '{"b":2}')
CASES: dict[str, tuple[list[list[Any]], list[tuple[Any, Any, str]]]] = {
    "documented": ([[piece(0, "f:0", "f", "")], [piece(0, arguments='{"a":')], [piece(0, arguments="1}")]], [A]),
    "whole": ([[piece(0, "f:0", "f", '{"a":1}')]], [A]),
    "two in one delta": ([[piece(0, "f:0", "f", '{"a":1}'), piece(1, "g:1", "g", '{"b":2}')]], [A, B]),
    "interleaved": (
        [
            [piece(0, "f:0", "f", '{"a"'), piece(1, "g:1", "g", '{"b"')],
            [piece(1, arguments=":2}"), piece(0, arguments=":1}")],
        ],
        [A, B],
    ),
    "first index is 1": ([[piece(1, "f:0", "f", "")], [piece(1, arguments='{"a":1}')]], [A]),
    "all index 0, own ids": (
        [[piece(0, "f:0", "f", '{"a"')], [piece(0, arguments=":1}")], [piece(0, "g:1", "g", '{"b":2}')]],
        [A, B],
    ),
    "all index 0, same name, no ids": (
        [[piece(0, None, "f", '{"a":1}')], [piece(0, None, "f", '{"a":2}')]],
        [("functions.f:0", "f", '{"a":1}'), ("functions.f:1", "f", '{"a":2}')],
    ),
    "another name, no ids": (
        [[piece(0, None, "f", "")], [piece(0, None, "g", '{"b":2}')]],
        [("functions.f:0", "f", ""), ("functions.g:1", "g", '{"b":2}')],
    ),
    "one id for two calls": (
        [[piece(0, "f:0", "f", '{"a":1}'), piece(1, "f:0", "f", '{"a":1}')]],
        [A, ("f:0_1", "f", '{"a":1}')],
    ),
    "one id and one index for two calls": (
        [[piece(0, "f:0", "f", '{"a":1}')], [piece(0, "f:0", "f", '{"a":')], [piece(0, arguments="2}")]],
        [A, ("f:0_1", "f", '{"a":2}')],
    ),
    "no index": ([[piece(None, "f:0", "f", '{"a"')], [piece(None, None, None, ":1}")]], [A]),
    "no index, by id": (
        [
            [piece(None, "f:0", "f", '{"a"'), piece(None, "g:1", "g", '{"b"')],
            [piece(None, "f:0", None, ":1}"), piece(None, "g:1", None, ":2}")],
        ],
        [A, B],
    ),
    "late id": ([[piece(0, None, "f", '{"a"')], [piece(0, "f:0", None, ":1}")]], [A]),
    "a late id of another call": (
        [[piece(None, None, "f", '{"a":1}')], [piece(None, "g:1", "g", '{"b":2}')]],
        [("functions.f:0", "f", '{"a":1}'), B],
    ),
    "late name": ([[piece(0, "f:0", None, '{"a"')], [piece(0, None, "f", ":1}")]], [A]),
    "id and name in every piece": (
        [[piece(0, "f:0", "f", '{"a')], [piece(0, "f:0", "f", '":')], [piece(0, "f:0", "f", "1}")]],
        [A],
    ),
    "id beside an empty name": ([[piece(0, "f:0", "f", "")], [piece(0, "f:0", "", '{"a":1}')]], [A]),
    "null id, empty type": (
        [[piece(0, "f:0", "f", "")], [{"index": 0, "id": None, "type": "", "function": {"arguments": '{"a":1}'}}]],
        [A],
    ),
    "null name": ([[piece(0, "f:0", "f", '{"a":1}')], [{"index": 0, "function": {"name": None}}]], [A]),
    "blanks before": ([[piece(0, "f:0", "f", " ")], [piece(0, arguments='\n{"a":1}')]], [("f:0", "f", '\n{"a":1}')]),
    "blanks alone": ([[piece(0, "f:0", "f", " \n")], [piece(0, arguments=" ")]], [("f:0", "f", "")]),
    "blanks between": (
        [[piece(0, "f:0", "f", '{"a":')], [piece(0, arguments=" ")], [piece(0, arguments="1}")]],
        [("f:0", "f", '{"a": 1}')],
    ),
    "blanks after, with the name": (
        [[piece(0, "f:0", "f", '{"a":1}')], [piece(0, "f:0", "f", " ")]],
        [("f:0", "f", '{"a":1} ')],
    ),
    "empty pieces after": ([[piece(0, "f:0", "f", '{"a":1}')], [piece(0, arguments=""), piece(0)]], [A]),
    "a second object without a name": (
        [[piece(0, "f:0", "f", '{"a":1}')], [piece(0, arguments='{"b":2}')]],
        [("f:0", "f", '{"a":1}{"b":2}')],
    ),
    "brackets inside a text": (
        [[piece(0, None, "f", '{"a":"}')], [piece(0, None, "f", '{}"}')]],
        [("functions.f:0", "f", '{"a":"}{}"}')],
    ),
    "arguments as an object": ([[piece(0, "f:0", "f", {"a": "ä"})]], [("f:0", "f", '{"a": "ä"}')]),
    "null arguments": ([[{"index": 0, "id": "f:0", "function": {"name": "f", "arguments": None}}]], [("f:0", "f", "")]),
    "null function": ([[piece(0, "f:0", "f", '{"a":1}')], [{"index": 0, "id": None, "function": None}]], [A]),
    "numbers as id and name": ([[piece(0, 7, 8, "{}")]], [("7", "8", "{}")]),
    "no name at all": ([[piece(0, None, None, "{}")]], [("functions.unknown_tool:0", None, "{}")]),
    "what is no object": (
        [[piece(0, "f:0", "f", '{"a":')], ["?", 7], [piece(0, arguments="1}")]],
        [A, ("functions.unknown_tool:1", None, '["?"][7]')],
    ),
    "no object as function": ([[{"id": "f:0", "function": "f"}]], [("f:0", None, '["f"]')]),
    "without a function": ([[{"id": "f:0", "name": "f"}], [{"arguments": '{"a":1}'}]], [A]),
    "what says nothing": ([[None, {}, piece(3), piece(4, arguments=" ")], [piece(0, "f:0", "f", '{"a":1}')]], [A]),
}


@pytest.mark.parametrize("case", CASES)
def test_pieces_find_their_call(case: str) -> None:
    deltas, calls = CASES[case]
    assert tracked(*deltas) == calls


@pytest.mark.parametrize("case", CASES)
def test_how_a_delta_is_cut_makes_no_difference(case: str) -> None:
    deltas, calls = CASES[case]
    assert tracked(*([one] for delta in deltas for one in delta)) == calls
    assert tracked([one for delta in deltas for one in delta]) == calls


def test_missing_ids_count_over_the_conversation() -> None:
    deltas = [[piece(0, None, "f", "{}"), piece(1, "own", "g", "{}"), piece(2, None, "f", "{}")]]
    assert [call[0] for call in tracked(*deltas, first=5)] == ["functions.f:5", "own", "functions.f:7"]


def test_only_news_is_passed_on() -> None:
    tracker = ToolCallTracker()
    first = list(tracker.pieces([piece(0, "f:0", "f", '{"a":', type="function")]))
    assert first == [
        {"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": '{"a":'}},
    ]
    assert list(tracker.pieces([piece(0, "f:0", "f", "")])) == []
    again = list(tracker.pieces([piece(0, "f:0", "f", "1}")]))
    assert again == [{"index": 0, "type": "function", "function": {"arguments": "1}"}}]


def test_when_arguments_are_complete() -> None:
    assert not OpenCall(0, 0).is_complete
    assert not OpenCall(0, 0, arguments=['{"a":{"b":1}']).is_complete
    assert not OpenCall(0, 0, arguments=['{"a":1}', "x"]).is_complete
    assert OpenCall(0, 0, arguments=['{"a":{"b":1}', "}"]).is_complete


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
