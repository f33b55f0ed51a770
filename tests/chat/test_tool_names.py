"""Tools whose names hosts refuse, over a socket: requests have accepted names, and the user sees the own ones."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.chat.asking import WAYS, Way, ask, chunks_of
from tests.conftest import KEY

NAME, SENT = "files/read.text", "files_read_text"
SCHEMA = {"type": "object", "properties": {"path": {"minLength": 1}}, "required": ["path"]}
TOOLS = [
    {"type": "function", "function": {"name": NAME, "parameters": SCHEMA}},
    {"type": "function", "function": {"name": "search", "parameters": {"type": "object", "properties": {}}}},
]
ARGUMENTS = {"path": "a.txt"}


def model_of(openrouter: Emulator, **settings: Any) -> ChatKimi:
    openrouter.behave(moonshot_schemas=True)
    return ChatKimi(
        model="moonshotai/kimi-k2-0905", api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings
    )


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
async def test_the_call_has_the_user_s_name(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(tool_calls=[ToolCall(SENT, ARGUMENTS), ToolCall("search", {})]))
    message = await ask(model_of(openrouter).bind_tools(TOOLS, tool_choice=NAME), way)
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [(NAME, ARGUMENTS), ("search", {})]
    [body] = openrouter.bodies
    assert [tool["function"]["name"] for tool in body["tools"]] == [SENT, "search"]
    assert body["tool_choice"]["function"]["name"] == SENT
    report = message.response_metadata["kimi"]
    assert report["tool_names"] == {NAME: SENT}
    assert report["repairs"] == {"schemas": 1, "tool_names": 1}
    assert report["schemas"] == {NAME: ["parameters.properties.path: type string added"]}


@pytest.mark.parametrize("way", WAYS)
async def test_a_leaked_call_has_the_user_s_name(openrouter: Emulator, way: Way) -> None:
    openrouter.script(faults.leaked_markup().on(Reply(tool_calls=[ToolCall(SENT, ARGUMENTS)])))
    message = await ask(model_of(openrouter).bind_tools(TOOLS), way)
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [(NAME, ARGUMENTS)]


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_without_a_call_reports_the_names(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="Hi."))
    message = await ask(model_of(openrouter).bind_tools(TOOLS), way)
    assert message.text == "Hi."
    assert message.response_metadata["kimi"]["tool_names"] == {NAME: SENT}


@pytest.mark.parametrize("way", WAYS)
async def test_the_conversation_is_sent_with_the_accepted_names(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(tool_calls=[ToolCall(SENT, ARGUMENTS)]), Reply(text="Done."))
    model = model_of(openrouter).bind_tools(TOOLS)
    question = HumanMessage("Read it.")
    answer = await ask(model, way, [question])
    result = ToolMessage("text", tool_call_id=answer.tool_calls[0]["id"], name=NAME)
    await ask(model, way, [question, answer, result])
    sent = openrouter.bodies[1]["messages"]
    assert sent[1]["tool_calls"][0]["function"]["name"] == SENT
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"]
    assert NAME not in json.dumps(openrouter.bodies[1])


@pytest.mark.parametrize("way", WAYS)
async def test_calls_of_tools_that_are_no_longer_offered_get_accepted_names(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="Done."))
    call = {"name": NAME, "args": ARGUMENTS, "id": "call_1", "type": "tool_call"}
    invalid = {"name": NAME, "args": '{"path": ', "id": "call_2", "error": "cut", "type": "invalid_tool_call"}
    answer = AIMessage("", tool_calls=[call], invalid_tool_calls=[invalid])
    results = [ToolMessage("text", tool_call_id=f"call_{number}", name=NAME) for number in (1, 2)]
    await ask(model_of(openrouter), way, [HumanMessage("Read it."), answer, *results, HumanMessage("And?")])
    sent = [call["function"]["name"] for call in openrouter.bodies[0]["messages"][1]["tool_calls"]]
    assert sent == [SENT, SENT]
    assert NAME not in json.dumps(openrouter.bodies[0])


COLLIDING = ["files/read", "files.read", "files read", "files_read", "FILES_READ/", "1files_read", "x" * 70, "x" * 71]


@pytest.mark.parametrize("way", WAYS)
async def test_names_that_would_collide_are_one_to_one(openrouter: Emulator, way: Way) -> None:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
        for name in COLLIDING
    ]
    openrouter.script(Reply(text="Hi."))
    message = await ask(model_of(openrouter).bind_tools(tools), way)
    sent = [tool["function"]["name"] for tool in openrouter.bodies[0]["tools"]]
    assert len({name.casefold() for name in sent}) == len(COLLIDING)
    assert sent[3] == "files_read"
    assert message.response_metadata["kimi"]["tool_names"] == {
        name: own for name, own in zip(COLLIDING, sent, strict=True) if name != own
    }
    openrouter.script(Reply(tool_calls=[ToolCall(name, {}) for name in sent]))
    message = await ask(model_of(openrouter).bind_tools(tools), way)
    assert [call["name"] for call in message.tool_calls] == COLLIDING


@pytest.mark.parametrize("way", WAYS)
async def test_tools_that_are_loaded_later_have_accepted_names(openrouter: Emulator, way: Way) -> None:
    function = {"name": NAME, "parameters": {"type": "object", "properties": {}}, "defer_loading": True}
    versions = {"protocol": "v1", "profile": "portable", "validation": "runtime"}
    deferred = {**versions, "search": {"type": "bm25"}}
    openrouter.script(Reply(tool_calls=[ToolCall(SENT, {})]))
    model = model_of(openrouter, deferred_tools=deferred)
    message = await ask(model.bind_tools([{"type": "function", "function": function}]), way)
    [body] = openrouter.bodies
    assert body["deferred_tools"] == deferred
    assert body["tools"] == [{"type": "function", "function": {**function, "name": SENT}}]
    assert [call["name"] for call in message.tool_calls] == [NAME]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
async def test_the_schema_of_an_output_has_an_accepted_name(openrouter: Emulator, method: Any, way: Way) -> None:
    schema = {"title": NAME, "type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    answer = Reply(tool_calls=[ToolCall(SENT, ARGUMENTS)]) if method == "function_calling" else None
    openrouter.script(answer or Reply(text=json.dumps(ARGUMENTS)))
    outputs = await chunks_of(model_of(openrouter).with_structured_output(schema, method=method), way)
    assert outputs[-1] == ARGUMENTS
    [body] = openrouter.bodies
    assert NAME not in json.dumps([body.get("tools"), body.get("tool_choice")])
    assert body.get("response_format", {}).get("json_schema", {}).get("name") in (None, SENT)


def test_another_maker_s_model_gets_accepted_names_too(openrouter: Emulator) -> None:
    openrouter.script(Reply(tool_calls=[ToolCall(SENT, ARGUMENTS)]))
    model = model_of(openrouter).bind_tools(TOOLS, model="openai/gpt-4o")
    message = model.invoke("Hi.")
    assert [call["name"] for call in message.tool_calls] == [NAME]


def test_without_the_repair_nothing_is_sent(openrouter: Emulator) -> None:
    model = model_of(openrouter, repairs="none").bind_tools(TOOLS)
    with pytest.raises(KimiUsageError, match="cannot be sent"):
        model.invoke("Hi.")
    assert openrouter.bodies == []


def test_a_refused_schema_is_an_error_with_the_tool_s_name(openrouter: Emulator) -> None:
    broken = {"type": "object", "properties": {"a": {"type": "text"}}}
    tools = [TOOLS[1], {"type": "function", "function": {"name": "broken", "parameters": broken}}]
    with pytest.raises(KimiUsageError, match=r"the tool broken: parameters\.properties\.a has the type 'text'"):
        model_of(openrouter).bind_tools(tools).invoke("Hi.")
    assert openrouter.bodies == []
