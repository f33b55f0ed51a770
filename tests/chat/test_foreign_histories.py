"""Conversations of other providers and frameworks, in each way of calling: the emulator accepts them."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.faults.ways import WAYS, ask, model_of
from tests.rows import each_row

HI, ON = HumanMessage("Hi."), HumanMessage("Go on.")
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
SEARCHED = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
TEXT = {"type": "text", "text": "Hello."}
TRUNCATED = {"name": "f", "args": '{"a"', "id": "1", "index": 0, "type": "tool_call_chunk"}


def result(call_id: str, content: Any = "ok", **more: Any) -> ToolMessage:
    return ToolMessage(content, tool_call_id=call_id, **more)


def call(call_id: str | None, name: str = "f", **arguments: Any) -> Any:
    return {"name": name, "args": arguments, "id": call_id, "type": "tool_call"}


def assigned(message: BaseMessage) -> BaseMessage:
    """Return a message whose content a program has removed; LangChain checks it only in constructors."""
    message.content = None  # type: ignore[assignment]  # as programs without type checks do
    return message


def invalid(call_id: str | None, name: str | None = "f") -> Any:
    return {"name": name, "args": '{"a": ', "id": call_id, "error": "cut", "type": "invalid_tool_call"}


def turn(*content: Any, calls: Any = (), **more: Any) -> list[BaseMessage]:
    """Return a conversation with one turn of the assistant, the results of its calls, and the next question."""
    answer = AIMessage(list(content), tool_calls=list(calls), **more)
    return [HI, answer, *(result(one["id"]) for one in calls), ON]


CODE = {"type": "executable_code", "executable_code": "print(1)", "language": 1}
BASH = {"type": "bash_code_execution_result", "stdout": "1"}
SUMMARY = {"type": "summary_text", "text": "Hm."}
ACCEPTED: dict[str, list[BaseMessage]] = {
    # Anthropic
    "thinking alone": turn({"type": "thinking", "thinking": "Hm.", "signature": "s"}),
    "redacted thinking alone": turn({"type": "redacted_thinking", "data": "x"}),
    "a tool": turn(TEXT, USE, calls=[call("toolu_1")]),
    "a tool alone": turn(USE, calls=[call("toolu_1")]),
    "a streamed tool": turn({**USE, "index": 1, "partial_json": "{}"}, calls=[call("toolu_1")]),
    "thinking and a tool": turn(
        {"type": "thinking", "thinking": "Hm.", "signature": "s"}, USE, calls=[call("toolu_1")]
    ),
    "a server tool": turn(SEARCH, SEARCHED, TEXT),
    "a server tool alone": turn(SEARCH, SEARCHED),
    "MCP": turn(
        {"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "s", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "m", "content": [TEXT]},
    ),
    "a container": turn({"type": "container_upload", "file_id": "f"}, TEXT),
    "run code": turn({"type": "bash_code_execution_tool_result", "tool_use_id": "x", "content": BASH}, TEXT),
    # OpenAI
    "reasoning alone": turn({"type": "reasoning", "id": "rs_1", "summary": [SUMMARY]}),
    "reasoning without a summary": turn({"type": "reasoning", "id": "rs_1", "summary": []}),
    "a function call": turn(
        {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c", "id": "fc_1"}, calls=[call("c")]
    ),
    "a web search": turn({"type": "web_search_call", "id": "ws_1", "status": "completed"}, TEXT),
    "output text": turn({"type": "output_text", "text": "Hello."}),
    "a computer alone": turn({"type": "computer_call", "id": "c", "call_id": "cc", "action": {}}),
    "speech": turn(additional_kwargs={"audio": {"id": "audio_1", "transcript": "Hello."}}),
    "an image": turn({"type": "image_generation_call", "id": "c", "result": "iVBORw0KGgo="}, TEXT),
    "a code interpreter": turn({"type": "code_interpreter_call", "id": "c", "code": "1", "outputs": []}, TEXT),
    "a custom tool": turn({"type": "custom_tool_call", "name": "f", "input": "x", "call_id": "c"}, calls=[call("c")]),
    "a refusal alone": turn({"type": "refusal", "refusal": "No."}),
    "text of an Assistant": turn({"type": "text", "text": {"value": "Hello.", "annotations": []}}),
    "text without text": turn({"type": "text", "citations": []}, TEXT),
    "only text without text": turn({"type": "text", "text": None}),
    "a question with text without text": [HumanMessage([{"type": "text", "text": None}, TEXT])],
    "instructions with text without text": [SystemMessage([{"type": "text"}, TEXT]), HI],
    "content that was assigned": [HI, assigned(AIMessage("Hello.")), assigned(HumanMessage("Hi.")), ON],
    "a document of blocks": [
        HumanMessage([{"type": "document", "source": {"type": "content", "content": [TEXT]}}]),
    ],
    "reasoning details that are no objects": turn(
        TEXT, additional_kwargs={"reasoning_details": [None, {"type": "reasoning.text", "text": "Hm."}]}
    ),
    # Google
    "executable code": turn(
        CODE, {"type": "code_execution_result", "code_execution_result": "1", "outcome": 1}, "One."
    ),
    "thinking without a signature": turn({"type": "thinking", "thinking": "Hm."}, "Hello."),
    "a signature": turn(
        "Hello.", calls=[call("1")], additional_kwargs={"__gemini_function_call_thought_signatures__": {"1": "s"}}
    ),
    "a function message": [
        HI,
        AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": "{}"}}),
        FunctionMessage(content="ok", name="f"),
        ON,
    ],
    # Others
    "Bedrock": turn({"type": "reasoning_content", "reasoning_content": {"text": "Hm."}}, TEXT, {"cachePoint": {}}),
    "a guard": [HumanMessage([{"type": "guard_content", "text": {"text": "Hi."}}]), AIMessage("Hello."), ON],
    "Mistral": turn({"type": "reference", "reference_ids": [1]}, TEXT),
    "LangChain's server tool": turn(
        {"type": "server_tool_call", "id": "s", "name": "web_search", "args": {}},
        {"type": "server_tool_result", "tool_call_id": "s", "status": "success", "output": {}},
    ),
    "no standard type": turn({"type": "non_standard", "value": {"cachePoint": {}}}, TEXT),
    "no standard type in a question": [HumanMessage([{"type": "non_standard", "value": {"a": 1}}, TEXT])],
    "a text in LangChain's first form": [
        HumanMessage([{"type": "file", "source_type": "text", "text": "A"}, TEXT]),
        ON,
    ],
    "an unknown type alone": [HumanMessage([{"type": "hologram"}]), AIMessage("Hello."), ON],
    # Empty turns
    "nothing": [HI, AIMessage(""), ON],
    "blanks": [HI, AIMessage(" \n"), ON],
    "no blocks": turn(),
    "an empty block": turn({"type": "text", "text": ""}),
    "two empty turns": [HI, AIMessage(""), AIMessage(""), ON],
    "an empty turn first": [AIMessage(""), ON],
    "an empty chat message": [HI, ChatMessage(content="", role="assistant"), ON],
    # Calls and results
    "an empty result": [HI, AIMessage("", tool_calls=[call("1")]), result("1", ""), ON],
    "a result of objects": [HI, AIMessage("", tool_calls=[call("1")]), result("1", [{"a": 1}]), ON],
    "a result of blocks": [HI, AIMessage("", tool_calls=[call("1")]), result("1", [TEXT]), ON],
    "a result without blocks": [HI, AIMessage("", tool_calls=[call("1")]), result("1", []), ON],
    "a result with text without text": [HI, AIMessage("", tool_calls=[call("1")]), result("1", [{"type": "text"}]), ON],
    "a result of objects with the types of blocks": [
        HI,
        AIMessage("", tool_calls=[call("1")]),
        result("1", [{"type": "file", "name": "a.txt"}, {"type": "image", "text": "A cat"}]),
        ON,
    ],
    "a result in MCP's form": [
        HI,
        AIMessage("", tool_calls=[call("1")]),
        result("1", [{"type": "resource", "resource": {"uri": "file:///a", "text": "A", "mimeType": "text/plain"}}]),
        ON,
    ],
    "a call without a name": [HI, AIMessage("", tool_calls=[call("1", "")]), result("1"), ON],
    "a call without a name, whose result has one": [
        HI,
        AIMessage("", tool_calls=[call("1", "")]),
        result("1", name="f"),
        ON,
    ],
    "an error as a result": [HI, AIMessage("", tool_calls=[call("1")]), result("1", status="error"), ON],
    "an invalid call": [HI, AIMessage("", invalid_tool_calls=[invalid("1")]), result("1"), ON],
    "an invalid call without a result": [HI, AIMessage("", invalid_tool_calls=[invalid("1")]), ON],
    "an invalid call without an id": [HI, AIMessage("", invalid_tool_calls=[invalid(None)]), ON],
    "an invalid call without a name": [HI, AIMessage("", invalid_tool_calls=[invalid("1", None)]), result("1"), ON],
    "a valid and an invalid call": [
        HI,
        AIMessage("", tool_calls=[call("1")], invalid_tool_calls=[invalid("2")]),
        result("1"),
        ON,
    ],
    "one id for two calls": [HI, AIMessage("", tool_calls=[call("1"), call("1", "g")]), result("1"), result("1"), ON],
    "one id in two turns": [*turn(calls=[call("1")])[:-1], *turn(calls=[call("1")])],
    "no ids": [HI, AIMessage("", tool_calls=[call(None)]), result(""), ON],
    "a question before the result": [HI, AIMessage("", tool_calls=[call("1")]), ON, result("1")],
    "results of two turns together": [
        HI,
        *(AIMessage("", tool_calls=[call(call_id)]) for call_id in "12"),
        *map(result, "12"),
        ON,
    ],
    "NaN in arguments": turn(calls=[call("1", a=float("nan"))]),
    # Others
    "a chunk": [HI, AIMessageChunk(content="", additional_kwargs={"reasoning_content": "Hm."}), ON],
    "a late system message": [HI, AIMessage("Hello."), SystemMessage("Be brief."), ON],
    "a half of a character": [HumanMessage("Hi\ud83d"), AIMessage("Hello."), ON],
    "a name with a blank": [HI, AIMessage("Hello.", name="agent one"), ON],
}
REFUSED: dict[str, tuple[list[BaseMessage], str]] = {
    "no result": ([HI, AIMessage("", tool_calls=[call("1")]), ON], "no result follows"),
    "one result of two": (
        [HI, AIMessage("", tool_calls=[call("1"), call("2")]), result("1"), ON],
        "'2', but no result",
    ),
    "a result before its call": ([HI, result("1"), AIMessage("", tool_calls=[call("1")]), ON], "no call before it"),
    "a result without a call": ([HI, result("9"), ON], "'9', but no call before it"),
    "two results": ([*turn(calls=[call("1")])[:-1], result("1"), ON], "a second result of the tool call '1'"),
    "a truncated chunk": (
        [HI, AIMessageChunk(content="", tool_call_chunks=[TRUNCATED]), ON],
        "no result follows",
    ),
}
"""Conversations that no host accepts, and a part of the error, which comes before anything is sent."""


@pytest.fixture
def model(openrouter: Emulator) -> Iterator[Any]:
    with model_of(openrouter, max_retries=0) as kimi:
        yield kimi


SLUGS = dict(zip(WAYS, ["kimi-k2-0905", "kimi-k2.6", "kimi-k3", "kimi-k2-thinking"], strict=True))


@pytest.mark.parametrize("way", WAYS)
@each_row("name", ACCEPTED, ids=str)
def test_the_conversation_continues(openrouter: Emulator, model: Any, name: str, way: str) -> None:
    openrouter.clear()
    openrouter.script(Reply(text="Done."))
    outcome = ask(model.bind(model=f"moonshotai/{SLUGS[way]}"), way, ACCEPTED[name])
    assert outcome.error is None
    assert outcome.message is not None
    assert outcome.message.text == "Done."


@pytest.mark.parametrize("way", WAYS)
@each_row("name", REFUSED, ids=str)
def test_a_missing_part_is_named_before_sending(openrouter: Emulator, name: str, way: str) -> None:
    messages, text = REFUSED[name]
    openrouter.clear()
    with model_of(openrouter, max_retries=0) as model:
        error = ask(model, way, messages).error
    assert isinstance(error, KimiUsageError)
    assert text in str(error)
    assert openrouter.bodies == []
    # The repair that supplies the missing part makes it acceptable.
    openrouter.script(Reply(text="Done."))
    with model_of(openrouter, max_retries=0, repairs=["all", "orphans"]) as model:
        assert ask(model, way, messages).error is None
