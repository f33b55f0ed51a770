from typing import Any

import pytest

from langchain_kimi._kimi.call_repairs import IncomingCalls
from langchain_kimi._kimi.incoming import Repairer
from langchain_kimi._kimi.markup.calls import INCOMPLETE, LeakedCall
from langchain_kimi._kimi.repairs import ALL
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.cases import TOOLS


def incoming(repairs: frozenset[str] = ALL, taken: tuple[str, ...] = (), first: int = 0) -> IncomingCalls:
    return IncomingCalls(OfferedTools({"tools": TOOLS}), repairs, lambda: taken, lambda: first)


def piece(arguments: str = "", name: str | None = None, call_id: str | None = None) -> Any:
    return {"index": 0, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def passed(arguments: str = "", name: str | None = None, call_id: str | None = None, index: int = 0) -> Any:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"index": index, "type": "function", "function": function, **({"id": call_id} if call_id else {})}


def test_a_name_is_repaired_before_it_is_passed_on() -> None:
    calls = incoming()
    assert list(calls.feed([piece("{", "functions.get_weather:0", "a")])) == [passed("{", "get_weather", "a")]
    assert list(calls.feed([piece("}")])) == [passed("}")]
    assert list(calls.close()) == []
    assert +calls.repaired == {"call_names": 1}


def test_a_missing_name_is_added_at_the_end() -> None:
    calls = incoming()
    assert list(calls.feed([piece("{}", "", "functions.get_weather:0")])) == [
        passed("{}", None, "functions.get_weather:0")
    ]
    assert list(calls.close()) == [passed("", "get_weather")]
    late = incoming()
    list(late.feed([piece("", "", "functions.get_weather:0")]))
    assert list(late.feed([piece("{}", "get_time")])) == [passed("{}", "get_time")]
    assert list(late.close()) == []


def test_deltas_without_content_are_dropped() -> None:
    calls = incoming()
    list(calls.feed([piece("", "get_weather", "a")]))
    assert list(calls.feed([piece('"{')])) == []
    assert list(calls.feed([piece('}"')])) == []
    assert list(calls.close()) == [passed("{}")]


@pytest.mark.parametrize("repair", sorted(ALL))
def test_each_repair_can_be_switched_off(repair: str) -> None:
    calls = incoming(ALL - {repair}, taken=("a",), first=3)
    pieces = list(calls.feed([piece('"{}"', "functions.get_weather", "a")]))
    pieces += list(calls.close())
    counted = {name for name, count in calls.repaired.items() if count}
    assert counted == {"call_names", "call_ids", "arguments"} - {repair}
    assert calls.calls[0].name == ("functions.get_weather" if repair == "call_names" else "get_weather")
    assert calls.calls[0].arguments == ('"{}"' if repair == "arguments" else "{}")
    assert calls.calls[0].id == ("a" if repair == "call_ids" else "a_1")


def test_leaked_calls_come_after_structured_ones() -> None:
    calls = incoming(first=2)
    list(calls.feed([piece("{}", "get_time", "a")]))
    list(calls.close())
    nested = LeakedCall("", "save_todos", '{"todos": "[]"}', None, is_certain=True)
    assert calls.add(nested) == passed('{"todos": []}', "save_todos", "functions.save_todos:3", 1)
    assert calls.add(LeakedCall("a", "get_time", "", None, is_certain=True)) == passed("", "get_time", "a_1", 2)
    assert [call.is_sound for call in calls.calls.values()] == [True, True, True]


@pytest.mark.parametrize(
    ("leaked", "repeats"),
    [
        (LeakedCall("z", "get_weather", '{"city":"Paris"}', None, is_certain=True), True),
        (LeakedCall("a", "get_weather", "{}", None, is_certain=True), True),
        (LeakedCall("z", "get_weather", "{}", None, is_certain=True), False),
        (LeakedCall("a", "get_time", '{"city": "Paris"}', None, is_certain=True), False),
        (LeakedCall("z", "get_weather", '{"city": "Pa', None, is_certain=True), False),
    ],
)
def test_a_leaked_call_may_repeat_a_structured_one(leaked: LeakedCall, repeats: bool) -> None:  # noqa: FBT001 - a table's column
    calls = incoming()
    list(calls.feed([piece('{"city": "Paris"}', "get_weather", "a")]))
    assert list(calls.without_repeated([leaked])) == ([] if repeats else [leaked])


def call_at(index: int, arguments: str = "", name: str | None = None, call_id: str | None = None) -> Any:
    return {**piece(arguments, name, call_id), "index": index}


def test_a_call_without_an_id_waits_behind_a_possible_repetition_and_gets_an_id() -> None:
    calls = incoming()
    assert [*calls.feed([call_at(0, '{"city": "Paris"}', "get_weather", "a")])]
    assert not [*calls.feed([call_at(1, '{"city": "Rome"}', "get_weather", "a")])]
    assert not [*calls.feed([call_at(2, "{}", "get_time")])]
    last = calls.close()
    assert [delta["index"] for delta in last] == [1, 2]
    assert [delta["function"]["arguments"] for delta in last] == ['{"city": "Rome"}', "{}"]
    assert len({"a", *(delta["id"] for delta in last)}) == 3


def test_a_missing_name_and_the_arguments_of_a_repetition_are_one_delta() -> None:
    calls = incoming()
    assert [*calls.feed([call_at(0, "", None, "get_weather:0")])]
    assert not [*calls.feed([call_at(1, '{"city": "Paris"}', None, "get_weather:0")])]
    assert calls.close() == [passed('{"city": "Paris"}', "get_weather")]


@pytest.mark.uncovered
def test_arguments_of_any_depth_are_compared() -> None:
    calls = incoming()
    for index, depth in enumerate(range(900, 1000)):
        arguments = '{"a":' * depth + "1" + "}" * depth
        assert [*calls.feed([call_at(index, arguments, "get_time", f"call-{index}")])]
    calls.close()
    assert len(calls.calls) == 100


def test_a_nameless_call_with_a_used_id_gets_a_new_id() -> None:
    repairer = Repairer({"model": "moonshotai/kimi-k2-thinking", "messages": []})
    for index, function in enumerate(({"name": "f", "arguments": '{"a":1}'}, {"arguments": '{"a":2}'})):
        call: Any = {"index": index, "id": "f:0", "function": function}
        repairer.feed({"index": 0, "delta": {"tool_calls": [call]}})
    repairer.feed({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    [end] = repairer.close()
    assert end["delta"]["tool_calls"] == [
        {"index": 1, "type": "function", "function": {"arguments": '{"a":2}'}, "id": "f:0_1"}
    ]


class LastCharacter:
    """Holds the last character back until the next delta."""

    def __init__(self, schema: Any, arguments_in_markup: Any) -> None:
        self.decoded = 0
        self._last = ""

    def pass_unchanged(self, text: str) -> bool:
        return True

    def feed(self, text: str) -> str:
        self.decoded += 1
        text = self._last + text
        self._last = text[-1]
        return text[:-1]

    def close(self) -> str:
        return self._last.upper()


def test_repairs_of_arguments_run_one_after_the_other() -> None:
    steps: Any = [("first", LastCharacter), ("second", LastCharacter), ("off", LastCharacter)]
    repairs = frozenset({"first", "second"})
    calls = IncomingCalls(OfferedTools({"tools": TOOLS}), repairs, frozenset, lambda: 0, steps)
    assert list(calls.feed([piece('{"a": "b', "get_weather", "a")])) == [passed('{"a": ', "get_weather", "a")]
    assert not calls.pass_unchanged([{"index": 0, "function": {"arguments": "cd"}}])
    assert list(calls.feed([piece('cd"}')])) == [passed('"bcd')]
    assert list(calls.close()) == [passed('"}')]
    assert +calls.repaired == {"first": 2, "second": 3}


def test_parentheses_in_the_arguments_of_a_name_stay() -> None:
    calls = incoming()
    pieces = [*calls.feed([piece("", 'get_weather{"city": "Paris (Texas)"}', "a")]), *calls.close()]
    assert "".join(one["function"]["arguments"] or "" for one in pieces) == '{"city": "Paris (Texas)"}'


def test_arguments_that_had_not_begun_are_incomplete() -> None:
    for is_complete, error in ((True, None), (False, INCOMPLETE)):
        calls = IncomingCalls(OfferedTools({"tools": [NO_ARGUMENTS]}), ALL, tuple, lambda: 0)
        list(calls.feed([piece("null", "now", "a")]))
        assert list(calls.close(is_complete=is_complete)) == [passed("{}")]
        assert calls.calls[0].error == error


NO_ARGUMENTS: Any = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}
