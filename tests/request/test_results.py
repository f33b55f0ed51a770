from typing import Any

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, ToolMessage

from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._request.results import provider_call, result_of
from tests.rows import each_row

CLICK = {"type": "computer_call", "id": "cu_1", "call_id": "c1", "action": {"type": "click"}, "status": "completed"}
SHELL = {"type": "local_shell_call", "id": "l_1", "call_id": "c1", "action": {"command": ["ls"]}}
CUSTOM = {"type": "custom_tool_call", "id": "u_1", "call_id": "c1", "name": "f", "input": "x"}
USE = {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}}


@each_row(
    "block, result",
    [
        ({"type": "tool_result", "tool_use_id": "c1", "content": "a"}, ("c1", "a")),
        ({"type": "function_call_output", "call_id": "c1", "output": "a"}, ("c1", "a")),
        ({"type": "custom_tool_call_output", "call_id": "c1", "output": None}, ("c1", None)),
        (
            {"type": "computer_call_output", "call_id": "c1", "output": {"type": "computer_screenshot"}},
            ("c1", [{"type": "computer_screenshot"}]),
        ),
        (
            {"toolResult": {"toolUseId": "c1", "content": [{"text": "a"}, {"json": {"b": 1}}, {"image": {}}]}},
            ("c1", [{"type": "text", "text": "a"}, {"type": "json", "json": {"b": 1}}, {"image": {}}]),
        ),
        ({"toolResult": {"toolUseId": "c1", "content": None}}, ("c1", None)),
        ({"type": "function_call_output", "output": "a"}, None),
        ({"toolResult": "a"}, None),
        ({"type": "text", "text": "a"}, None),
        ("a", None),
    ],
)
def test_the_results_of_providers(block: Any, result: Any) -> None:
    assert result_of(block) == result


@each_row(
    "block, call",
    [
        (CLICK, ("c1", "computer", {"action": {"type": "click"}}, True)),
        (SHELL, ("c1", "local_shell", {"action": {"command": ["ls"]}}, True)),
        (CUSTOM, ("c1", "f", {"input": "x"}, True)),
        (USE, ("c1", "f", {"a": 1}, False)),
        ({"type": "web_search_call", "id": "ws_1"}, None),
        ({"toolUse": "a"}, None),
        ({"type": "refusal", "call_id": "c1"}, None),
    ],
)
def test_the_calls_of_providers(block: Any, call: Any) -> None:
    assert provider_call(block) == call


def wire(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (CLICK, wire("computer", '{"action":{"type":"click"}}')),
        (CUSTOM, wire("f", '{"input":"x"}')),
        (USE, wire("f", '{"a":1}')),
    ],
)
@pytest.mark.parametrize(
    "result",
    [
        ToolMessage("a", tool_call_id="c1"),
        HumanMessage([{"type": "computer_call_output", "call_id": "c1", "output": "a"}]),
        HumanMessage([{"toolResult": {"toolUseId": "c1", "content": [{"text": "a"}]}}]),
    ],
)
def test_a_provider_call_is_sent_with_its_result(block: Any, expected: Any, result: Any) -> None:
    call, sent = messages_to_wire([AIMessage([block]), result])
    assert call["tool_calls"] == [expected]
    assert sent == {"role": "tool", "tool_call_id": "c1", "content": "a"}


def test_a_call_of_a_provider_beside_others_is_sent_too() -> None:
    others = [{"name": "g", "args": {}, "id": "c0"}]
    results = [ToolMessage("a", tool_call_id="c0"), ToolMessage("b", tool_call_id="c1")]
    message = AIMessage([CLICK, {**CUSTOM, "call_id": "c0"}], tool_calls=others)
    calls = messages_to_wire([message, *results])[0]["tool_calls"]
    assert [(call["id"], call["function"]["name"]) for call in calls] == [("c0", "g"), ("c1", "computer")]


def test_a_call_of_a_provider_without_a_result_is_left_out() -> None:
    assert messages_to_wire([AIMessage([CLICK, {"type": "text", "text": "a"}]), HumanMessage("b")]) == [
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": "b"},
    ]


def test_a_user_message_of_unknown_blocks_is_left_out_unless_it_is_the_last() -> None:
    unknown = HumanMessage([{"type": "mcp_approval_response", "approve": True}])
    assert messages_to_wire([unknown, HumanMessage("a")]) == [{"role": "user", "content": "a"}]
    assert messages_to_wire([unknown]) == [{"role": "user", "content": ""}]
    assert len(messages_to_wire([HumanMessage(""), HumanMessage("a")])) == len(("", "a"))


def test_a_single_call_in_place_of_the_list_is_sent() -> None:
    message = AIMessage("", additional_kwargs={"tool_calls": wire("f", "{}")})
    assert messages_to_wire([message, ToolMessage("a", tool_call_id="c1")])[0]["tool_calls"] == [wire("f", "{}")]


def test_a_function_message_of_another_class_and_arguments_as_an_object() -> None:
    call = AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": {"a": 1}}})
    result = ChatMessage(content="b", role="function", additional_kwargs={"name": "f"})
    first, second = messages_to_wire([call, result])
    assert first["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert second == {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "b"}
