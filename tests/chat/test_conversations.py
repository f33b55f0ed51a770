"""Conversations from other chat models, graphs and interrupted calls: hosts accept them in every way of calling."""

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.faults.ways import WAYS, ask, model_of

IMAGE = {"type": "image", "url": "https://example.com/a.png"}
TEXT = "Here."


@tool
def get_weather(city: str = "") -> str:
    """Return the weather."""
    return city


def call(call_id: str | None, name: str = "get_weather", **arguments: Any) -> Any:
    return {"name": name, "args": arguments, "id": call_id, "type": "tool_call"}


def called(*ids: str, **more: Any) -> AIMessage:
    return AIMessage("", tool_calls=[call(each, city=str(number)) for number, each in enumerate(ids)], **more)


def broken(call_id: str | None, name: str | None, arguments: str | None) -> AIMessage:
    invalid: Any = {"name": name, "args": arguments, "id": call_id, "error": "cut", "type": "invalid_tool_call"}
    return AIMessage("", invalid_tool_calls=[invalid])


def result(content: Any, call_id: str) -> ToolMessage:
    return ToolMessage(content, tool_call_id=call_id)


ACCEPTED: dict[str, list[Any]] = {
    "only reasoning kwargs": [
        HumanMessage("a"),
        AIMessage("", additional_kwargs={"reasoning_content": "hm"}),
        HumanMessage("b"),
    ],
    "only reasoning block": [
        HumanMessage("a"),
        AIMessage([{"type": "reasoning", "reasoning": "hm"}]),
        HumanMessage("b"),
    ],
    "thinking block": [
        HumanMessage("a"),
        AIMessage([{"type": "thinking", "thinking": "hm", "signature": "s"}]),
        HumanMessage("b"),
    ],
    "refusal only": [HumanMessage("a"), AIMessage("", additional_kwargs={"refusal": "no"}), HumanMessage("b")],
    "refusal block": [HumanMessage("a"), AIMessage([{"type": "refusal", "refusal": "no"}]), HumanMessage("b")],
    "details only": [
        HumanMessage("a"),
        AIMessage("", additional_kwargs={"reasoning_details": [{"type": "reasoning.text", "text": "t"}]}),
        HumanMessage("b"),
    ],
    "blank": [HumanMessage("a"), AIMessage("  \n"), HumanMessage("b")],
    "empty": [HumanMessage("a"), AIMessage(""), HumanMessage("b")],
    "empty list": [HumanMessage("a"), AIMessage([]), HumanMessage("b")],
    "empty text block": [HumanMessage("a"), AIMessage([{"type": "text", "text": ""}]), HumanMessage("b")],
    "image only assistant": [HumanMessage("a"), AIMessage([IMAGE]), HumanMessage("b")],
    "two empties": [
        HumanMessage("a"),
        AIMessage(""),
        AIMessage("", additional_kwargs={"reasoning_content": "hm"}),
        HumanMessage("b"),
    ],
    "system only": [SystemMessage("s")],
    "empty human": [HumanMessage("a"), AIMessage("b"), HumanMessage("")],
    "blank human": [HumanMessage("  ")],
    "empty human list": [HumanMessage("a"), AIMessage("b"), HumanMessage([])],
    "empty system": [SystemMessage(""), HumanMessage("a")],
    "empty tool": [HumanMessage("a"), called("1"), result("", "1")],
    "list tool empty": [HumanMessage("a"), called("1"), result([], "1")],
    "human between": [HumanMessage("a"), called("1", "2"), result("r", "1"), HumanMessage([IMAGE]), result("r", "2")],
    "system between": [HumanMessage("a"), called("1"), SystemMessage("remember"), result("r", "1")],
    "ai between": [HumanMessage("a"), called("1"), AIMessage("wait"), result("r", "1")],
    "call between": [HumanMessage("a"), called("1"), called("2"), result("r", "1"), result("r", "2")],
    "reversed": [HumanMessage("a"), called("1", "2"), result("r2", "2"), result("r1", "1")],
    "far result": [
        HumanMessage("a"),
        called("1"),
        HumanMessage("x"),
        AIMessage("y"),
        HumanMessage("z"),
        result("r", "1"),
        HumanMessage("w"),
    ],
    "same id in two open turns": [
        HumanMessage("a"),
        called("f:0"),
        called("f:0"),
        result("first", "f:0"),
        result("r", "f:0"),
    ],
    "same id reused later": [
        HumanMessage("a"),
        called("f:0"),
        result("r", "f:0"),
        AIMessage("ok"),
        HumanMessage("b"),
        called("f:0"),
        result("q", "f:0"),
    ],
    "same id twice in one": [HumanMessage("a"), called("f:0", "f:0"), result("r", "f:0"), result("q", "f:0")],
    "call no id": [HumanMessage("a"), AIMessage("", tool_calls=[call(None)]), result("r", "")],
    "invalid call": [
        HumanMessage("a"),
        broken("1", "get_weather", '{"ci'),
        ToolMessage("error", tool_call_id="1", status="error"),
    ],
    "invalid call unanswered": [HumanMessage("a"), broken("1", "get_weather", '{"ci'), HumanMessage("b")],
    "invalid no name": [HumanMessage("a"), broken(None, None, None), HumanMessage("b")],
    "bedrock": [
        HumanMessage("a"),
        AIMessage(
            [
                {"type": "reasoning_content", "reasoning_content": {"text": "t", "signature": "s"}},
                {"type": "text", "text": "hello"},
                {"cachePoint": {"type": "default"}},
            ]
        ),
        HumanMessage("b"),
    ],
    "google code": [
        HumanMessage("a"),
        AIMessage(
            [
                {"type": "executable_code", "executable_code": "print(1)", "language": "python"},
                {"type": "code_execution_result", "code_execution_result": "1", "outcome": 1},
                "text",
            ]
        ),
        HumanMessage("b"),
    ],
    "mistral ref": [
        HumanMessage("a"),
        AIMessage([{"type": "text", "text": "x"}, {"type": "reference", "reference_ids": [1]}]),
        HumanMessage("b"),
    ],
    "anthropic server tool": [
        HumanMessage("a"),
        AIMessage(
            [
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
                {"type": "text", "text": "x"},
            ]
        ),
        HumanMessage("b"),
    ],
    "anthropic tool_use+call": [
        HumanMessage("a"),
        AIMessage(
            [{"type": "tool_use", "id": "1", "name": "get_weather", "input": {"city": "x"}}],
            tool_calls=[call("1", city="x")],
        ),
        result("r", "1"),
    ],
    "openai resp": [
        HumanMessage("a"),
        AIMessage(
            [
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {"type": "function_call", "call_id": "1", "name": "get_weather", "arguments": "{}"},
            ],
            tool_calls=[call("1")],
        ),
        result("r", "1"),
    ],
    "nonstandard": [
        HumanMessage("a"),
        AIMessage([{"type": "non_standard", "value": {"x": 1}}, {"type": "text", "text": "y"}]),
        HumanMessage("b"),
    ],
    "unknown human": [HumanMessage([{"type": "text", "text": "hi"}, {"type": "cache_thing", "x": 1}])],
    "only unknown human": [HumanMessage([{"type": "cachePoint", "x": 1}])],
    "only unknown human v2": [HumanMessage("x"), AIMessage("y"), HumanMessage([{"cachePoint": {"type": "default"}}])],
    "unknown text": [HumanMessage([{"type": "weird", "text": "hi there"}])],
    "tool unknown": [HumanMessage("a"), called("1"), result([{"type": "tool_reference", "tool_name": "x"}], "1")],
    "tool image": [HumanMessage("a"), called("1"), result([IMAGE], "1")],
    "tool json block": [HumanMessage("a"), called("1"), result([{"type": "json", "json": {"a": 1}}], "1")],
    "tool toolresult": [
        HumanMessage("a"),
        called("1"),
        result([{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "x"}]}], "1"),
    ],
    "chat role": [ChatMessage(role="user", content="x"), ChatMessage(role="assistant", content=""), HumanMessage("b")],
    "developer": [ChatMessage(role="developer", content="x"), HumanMessage("b")],
    "system late": [HumanMessage("a"), AIMessage("b"), SystemMessage("s"), HumanMessage("c")],
    "two systems": [SystemMessage("a"), SystemMessage("b"), HumanMessage("c")],
    "human human": [HumanMessage("a"), HumanMessage("b")],
    "nan args": [HumanMessage("a"), AIMessage("", tool_calls=[call("1", city=float("nan"))]), result("r", "1")],
    "weird ids": [
        HumanMessage("a"),
        AIMessage("", tool_calls=[call("x y/" * 30)]),
        ToolMessage("r", tool_call_id="x y/" * 30),
    ],
    "weird name": [
        HumanMessage("a"),
        AIMessage("", tool_calls=[call("1", "mcp.server/get weather")]),
        result("r", "1"),
    ],
    "reasoning + call": [
        HumanMessage("a"),
        called("1", additional_kwargs={"reasoning_content": "hm"}),
        result("r", "1"),
    ],
    "tool error": [HumanMessage("a"), called("1"), ToolMessage("", tool_call_id="1", status="error")],
    "additional_kwargs calls": [
        HumanMessage("a"),
        AIMessage(
            "",
            additional_kwargs={
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}]
            },
        ),
        result("r", "1"),
    ],
}
UNPAIRED: dict[str, list[Any]] = {
    "result before": [HumanMessage("a"), result("r", "1"), called("1"), HumanMessage("z")],
    "no result, go on": [HumanMessage("a"), called("1"), HumanMessage("never mind")],
    "one of two": [HumanMessage("a"), called("1", "2"), result("r", "1"), HumanMessage("go")],
    "orphan result": [HumanMessage("a"), result("r", "9"), HumanMessage("b")],
    "twice": [HumanMessage("a"), called("1"), result("r", "1"), result("r", "1")],
    "twice different": [HumanMessage("a"), called("1"), result("r", "1"), result("q", "1"), HumanMessage("x")],
    "tool call last": [HumanMessage("a"), called("1")],
}
KIMIS = ("kimi-k2.6", "kimi-k3", "kimi-k2", "kimi-k2-thinking")
QUICK = {("kimi-k2.6", "invoke"), ("kimi-k2.6", "astream"), ("kimi-k3", "ainvoke"), ("kimi-k3", "stream")}
"""Each way and each kind of model; the other combinations are long."""


def combinations(ways: Iterable[str]) -> list[Any]:
    return [
        pytest.param(kimi, way, marks=() if (kimi, way) in QUICK else pytest.mark.long)
        for kimi, way in product(KIMIS, ways)
    ]


def takes_images(kimi: str) -> bool:
    return kimi in {"kimi-k2.6", "kimi-k3"}


@pytest.mark.parametrize(("kimi", "way"), combinations(WAYS))
def test_a_conversation_that_a_host_would_refuse_is_repaired(openrouter: Emulator, kimi: str, way: str) -> None:
    openrouter.script(Reply(text=TEXT), times=None)
    model = model_of(openrouter, model=f"moonshotai/{kimi}", max_retries=0).bind_tools([get_weather])
    for name, conversation in ACCEPTED.items():
        if "image" in str(conversation) and not takes_images(kimi):
            continue
        outcome = ask(model, way, conversation)
        assert outcome.error is None, name
        assert outcome.message is not None
        assert outcome.message.text == TEXT


@pytest.mark.parametrize("way", WAYS)
def test_results_of_one_id_in_a_row_belong_to_the_turns_in_their_order(openrouter: Emulator, way: str) -> None:
    openrouter.script(Reply(text=TEXT))
    conversation = ACCEPTED["same id in two open turns"]
    outcome = ask(model_of(openrouter, max_retries=0).bind_tools([get_weather]), way, conversation)
    assert outcome.error is None
    [body] = openrouter.bodies
    sent = [message.get("content") for message in body["messages"]]
    assert sent == ["a", None, "first", None, "r"]
    ids = [message.get("tool_call_id") or message["tool_calls"][0]["id"] for message in body["messages"][1:]]
    assert ids[0] == ids[1] != ids[2] == ids[3]


@pytest.mark.parametrize("way", WAYS)
def test_calls_and_results_without_each_other_are_named(openrouter: Emulator, way: str) -> None:
    model = model_of(openrouter, max_retries=0).bind_tools([get_weather])
    for name, conversation in UNPAIRED.items():
        error = ask(model, way, conversation).error
        assert isinstance(error, KimiUsageError), name
        assert "messages[" in error.reason
    assert openrouter.bodies == []


@pytest.mark.parametrize(("kimi", "way"), combinations(["invoke", "ainvoke"]))
async def test_a_checkpointed_agent_continues(openrouter: Emulator, kimi: str, way: str) -> None:
    openrouter.script(Reply(text=TEXT), times=None)
    model = model_of(openrouter, model=f"moonshotai/{kimi}", max_retries=0)
    agent: Any = create_agent(model, [get_weather], checkpointer=InMemorySaver())
    question = {"messages": [HumanMessage("And now?")]}
    for name, conversation in ACCEPTED.items():
        if "image" in str(conversation) and not takes_images(kimi):
            continue
        config = {"configurable": {"thread_id": name}}
        agent.update_state(config, {"messages": [message.model_copy() for message in conversation]})
        for _ in range(2):
            state = await agent.ainvoke(question, config) if way == "ainvoke" else agent.invoke(question, config)
            assert state["messages"][-1].text == TEXT, name
    await model.aclose()
