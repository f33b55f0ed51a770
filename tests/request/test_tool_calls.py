import json
from datetime import UTC, datetime
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, InvalidToolCall, ToolCall, ToolMessage

from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._request.tool_calls import calls_to_wire, usual_calls
from langchain_kimi.errors import KimiUsageError


def call(args: Any, call_id: str | None = "f:0", name: str | None = "f") -> Any:
    return {"name": name, "args": args, "id": call_id, "type": "tool_call"}


def invalid(args: Any, call_id: str | None = "f:0", name: str | None = "f") -> Any:
    return {"name": name, "args": args, "id": call_id, "error": "not JSON", "type": "invalid_tool_call"}


def raw(arguments: Any, call_id: str | None = "f:0", name: str | None = "f") -> Any:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def sent(*messages: Any) -> Any:
    """Return the wire tool calls of the first message."""
    return messages_to_wire(messages)[0].get("tool_calls")


@pytest.mark.parametrize(
    ("args", "arguments"),
    [
        ({}, "{}"),
        ({"b": 1, "a": [1, 2.5, None, True]}, '{"b":1,"a":[1,2.5,null,true]}'),
        ({"company": "你好啊集团"}, '{"company":"你好啊集团"}'),
        ({"text": 'a "quoted" \n line'}, '{"text":"a \\"quoted\\" \\n line"}'),
        ({"x": float("nan"), "y": [float("inf")], "z": {"w": (float("-inf"), 1.5)}}, None),
    ],
)
def test_arguments_are_compact_and_in_order(args: Any, arguments: Any) -> None:
    arguments = arguments or '{"x":null,"y":[null],"z":{"w":[null,1.5]}}'
    assert sent(AIMessage("", tool_calls=[call(args)])) == [raw(arguments)]


def test_missing_arguments_are_an_empty_object() -> None:
    message = AIMessage("", tool_calls=[call({})])
    without: Any = None
    message.tool_calls[0]["args"] = without
    assert sent(message) == [raw("{}")]


def test_arguments_that_are_not_json_are_refused() -> None:
    with pytest.raises(KimiUsageError) as raised:
        messages_to_wire([AIMessage("", tool_calls=[call({"day": datetime(2025, 1, 1, tzinfo=UTC)})])])
    assert str(raised.value) == (
        "messages[0]: the arguments of the tool call 'f' are not JSON: "
        "Object of type datetime is not JSON serializable."
    )


def test_parallel_calls_keep_their_order_and_a_missing_id_stays_missing() -> None:
    calls = [call({"n": 1}, "f:1"), call({"n": 0}, "f:0"), call({}, None, "g")]
    assert sent(AIMessage("", tool_calls=calls)) == [
        raw('{"n":1}', "f:1"),
        raw('{"n":0}', "f:0"),
        {"type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


@pytest.mark.parametrize(
    ("args", "arguments"),
    [
        ('{"a": \\x}', "{}"),
        ('{"a": 1', "{}"),
        ("[1]", "{}"),
        ('"a"', "{}"),
        ('{"a": NaN}', "{}"),
        ("[" * 100_000, "{}"),
        (None, "{}"),
        ("", "{}"),
        ('{ "a": 1 }', '{ "a": 1 }'),
    ],
)
def test_an_invalid_call_with_a_result_is_sent_without_arguments(args: Any, arguments: Any) -> None:
    message = AIMessage("", invalid_tool_calls=[invalid(args)])
    assert sent(message, ToolMessage("Not JSON.", tool_call_id="f:0")) == [raw(arguments)]
    assert message.invalid_tool_calls[0]["args"] == args


def test_an_invalid_call_with_an_anthropic_result_is_sent_without_arguments() -> None:
    answer: list[Any] = ["hm", {"type": "tool_result", "tool_use_id": "f:0"}]
    message = AIMessage("", invalid_tool_calls=[invalid("{")])
    assert sent(message, HumanMessage(answer)) == [raw("{}")]
    for result in ({"type": "tool_result"}, {"type": "tool_result", "tool_use_id": ["f:0"]}):
        with pytest.raises(KimiUsageError, match=r"messages\[1\].content\[2\].* needs 'tool_use_id'"):
            sent(message, HumanMessage([*answer, result]))


def test_an_invalid_call_without_a_result_is_left_out() -> None:
    message = AIMessage(
        "Wait.",
        tool_calls=[call({})],
        invalid_tool_calls=[invalid("{", "f:1"), invalid("{", None), invalid("{}", "f:2")],
    )
    earlier = ToolMessage("of another turn", tool_call_id="f:1")
    later = [ToolMessage("fine", tool_call_id="f:0"), HumanMessage("and?")]
    assert messages_to_wire([earlier, message, *later])[1]["tool_calls"] == [raw("{}")]


@pytest.mark.parametrize(
    ("result_name", "name"),
    [("forecast", "forecast"), (None, "unknown_tool")],
)
def test_an_invalid_call_without_a_name_gets_that_of_its_result(result_name: Any, name: Any) -> None:
    message = AIMessage("", invalid_tool_calls=[invalid("{}", name=None)])
    assert sent(message, ToolMessage("?", tool_call_id="f:0", name=result_name)) == [raw("{}", name=name)]


USE = {"type": "tool_use", "id": "f:0", "name": "f", "input": {"a": 1}}


@pytest.mark.parametrize(
    "block",
    [
        USE,
        {"type": "tool_call", "id": "f:0", "name": "f", "args": {"a": 1}},
        {"type": "tool_call_chunk", "id": "f:0", "name": "f", "args": '{"a":1}', "index": 0},
        {"type": "function_call", "id": "fc_1", "call_id": "f:0", "name": "f", "arguments": '{"a":1}'},
    ],
)
def test_calls_in_the_content_are_sent_if_there_are_no_others(block: Any) -> None:
    assert sent(AIMessage(["Wait.", block])) == [raw('{"a":1}')]
    assert sent(AIMessage(["Wait.", block], tool_calls=[call({"a": 2})])) == [raw('{"a":2}')]
    assert sent(AIMessage(["Wait.", block], invalid_tool_calls=[invalid("{")])) is None


def test_calls_in_the_content_without_arguments() -> None:
    assert sent(AIMessage([{"type": "tool_use", "id": "f:0", "name": "f"}])) == [raw("{}")]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "invalid_tool_call", "id": "f:0", "name": "f", "args": "{", "error": ""},
        {"type": "tool_call_chunk", "id": "f:0", "name": "f", "args": '{"a"'},
    ],
)
def test_invalid_calls_in_the_content_are_sent_only_with_a_result(block: Any) -> None:
    assert sent(AIMessage(["Wait.", block])) is None
    assert sent(AIMessage(["Wait.", block]), ToolMessage("?", tool_call_id="f:0")) == [raw("{}")]


def with_kwargs(content: Any = "Wait.", **additional_kwargs: Any) -> Any:
    """Return a message with calls only in `additional_kwargs`. The constructor would parse them."""
    message = AIMessage(content)
    message.additional_kwargs = additional_kwargs
    return message


def test_calls_in_wire_form_are_sent_if_there_are_no_others() -> None:
    raw_calls = [{**raw('{ "a": 1 }'), "index": 0}, {"id": "?"}, "odd"]
    assert sent(with_kwargs(tool_calls=raw_calls)) == [raw('{ "a": 1 }')]
    assert sent(with_kwargs(["Wait.", USE], tool_calls=raw_calls)) == [raw('{"a":1}')]
    assert sent(with_kwargs(tool_calls=None)) is None


def test_calls_in_wire_form_are_not_sent_twice() -> None:
    message = AIMessage("", additional_kwargs={"tool_calls": [raw('{"a": 1}'), raw("{", "f:1")]})
    assert sent(message) == [raw('{"a":1}')]


def test_invalid_calls_in_wire_form_are_sent_only_with_a_result() -> None:
    message = with_kwargs(tool_calls=[raw("{")])
    assert sent(message) is None
    assert sent(message, ToolMessage("?", tool_call_id="f:0")) == [raw("{}")]


@pytest.mark.parametrize(("arguments", "expected"), [('{"a":1}', '{"a":1}'), ("{", "{}"), (None, "{}")])
def test_a_legacy_function_call_gets_an_id(arguments: Any, expected: Any) -> None:
    message = with_kwargs("", function_call={"name": "f", "arguments": arguments})
    wire = messages_to_wire([HumanMessage("hi"), message])
    assert wire[1] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [raw(expected, "function_call_1")],
    }


def test_the_same_message_gives_the_same_bytes() -> None:
    message = AIMessage("", tool_calls=[call({"b": 1, "a": {"d": 1, "c": 2}})])
    assert json.dumps(messages_to_wire([message])) == json.dumps(messages_to_wire([message.model_copy(deep=True)]))


@pytest.mark.parametrize("args", [{}, {"b": [1, None, {"a": True}], "a": "\n\x7f\u20ac\U0001f600"}, {"": '"/\\'}])
def test_usual_calls_are_converted_as_others(args: Any) -> None:
    calls = [ToolCall(name="f", args=args, id="c1"), ToolCall(name="g", args=args, id="c2")]
    # An invalid call without a result is left out, but the calls beside it are not converted as usual ones.
    invalid = InvalidToolCall(type="invalid_tool_call", name="f", args="{", id="c3", error=None)
    turn = AIMessage("", tool_calls=calls, invalid_tool_calls=[invalid])
    assert usual_calls(calls) == calls_to_wire(turn, [], [turn], 0)


@pytest.mark.parametrize("change", [{"id": None}, {"id": ""}, {"name": ""}, {"args": {"a": 1.5}}, {"args": "{}"}])
def test_calls_of_another_form_are_not_usual(change: Any) -> None:
    call: Any = {"name": "f", "args": {}, "id": "c1"}
    other: Any = {**call, **change}
    assert usual_calls([call]) is not None
    assert usual_calls([call, other]) is None


def cyclic() -> dict[str, Any]:
    args: dict[str, Any] = {}
    args["self"] = args
    return args


def nested(levels: int) -> dict[str, Any]:
    args: dict[str, Any] = {}
    for _ in range(levels):
        args = {"a": args}
    return args


@pytest.mark.parametrize("args", [cyclic(), nested(20_000), {float("nan"): 1}], ids=["cyclic", "deep", "NaN as a key"])
def test_arguments_that_cannot_be_serialized_are_refused(args: Any) -> None:
    message = AIMessage("", tool_calls=[call({})])
    message.tool_calls[0]["args"] = args
    with pytest.raises(KimiUsageError, match=r"messages\[0\]: the arguments of the tool call 'f' are not JSON"):
        messages_to_wire([message])


@pytest.mark.parametrize("call_id", [["f:0"], {"id": "f:0"}, 5])
def test_an_id_that_is_not_a_string_is_not_sent(call_id: Any) -> None:
    block = {"type": "tool_call", "id": call_id, "name": "f", "args": {}}
    assert sent(AIMessage([block])) == [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert sent(with_kwargs(tool_calls=[raw("{", call_id)]), HumanMessage("hi")) is None
