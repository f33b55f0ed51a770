"""A server that refuses everything OpenAI's API does not have, as vLLM and strict gateways do, in all four ways."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_kimi import ChatKimi
from langchain_kimi.testing.http1 import HttpRequest, Response
from langchain_kimi.testing.server import LoopbackServer
from tests.chat.asking import WAYS, Way, ask, chunks_of
from tests.rows import each_row

FIELDS = frozenset(
    {"model", "messages", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stream", "stream_options"}
    | {"tools", "tool_choice", "parallel_tool_calls", "response_format", "stop", "seed", "n", "logprobs", "user"}
    | {"top_logprobs", "presence_penalty", "frequency_penalty", "logit_bias", "reasoning_effort", "metadata"}
    # Of vLLM and SGLang.
    | {"top_k", "min_p", "repetition_penalty", "chat_template_kwargs"}
)
OF_MESSAGES = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning_content"})
OF_FUNCTIONS = frozenset({"name", "description", "parameters", "strict"})
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def refused(body: dict[str, Any]) -> list[str]:
    """Return the parts of a request that the server does not accept."""
    parts = [
        part
        for message in body["messages"]
        for part in (message["content"] if isinstance(message.get("content"), list) else ())
    ]
    tools = body.get("tools", [{"type": "function", "function": {"name": "none"}}])
    names = [str(one.get("function", {}).get("name")) for one in tools]
    return [
        *body.keys() - FIELDS,
        *(key for message in body["messages"] for key in message.keys() - OF_MESSAGES),
        *(key for part in parts for key in part.keys() - {"type", "text", "image_url"}),
        *(key for one in tools for key in one.keys() - {"type", "function"}),
        *(key for one in tools for key in one.get("function", {}).keys() - OF_FUNCTIONS),
        *(name for name in names if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name)),
        *(["tools"] if tools == [] else []),
        *(["tool_choice"] if "tool_choice" in body and "tools" not in body else []),
        *(["stream_options"] if "stream_options" in body and not body.get("stream") else []),
        *(key for key, value in body.items() if value is None),
    ]


def answer(request: HttpRequest) -> Response:
    body = json.loads(request.body)
    if wrong := refused(body):
        error = {"object": "error", "message": f"Extra inputs are not permitted: {wrong}", "code": 400}
        return Response(400, {"content-type": "application/json"}, (json.dumps(error).encode(),))
    head = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
    calls: list[dict[str, Any]] = []
    if body.get("tool_choice", "auto") not in ("auto", "none"):
        function = {"name": body["tools"][-1]["function"]["name"], "arguments": '{"city": "Oslo"}'}
        calls = [{"index": 0, "id": "call-1", "type": "function", "function": function}]
    message = {"role": "assistant", "content": None if calls else '{"city": "Oslo"}', "tool_calls": calls}
    choice = {"index": 0, "finish_reason": "tool_calls" if calls else "stop"}
    if not body.get("stream"):
        reply = {**head, "object": "chat.completion", "choices": [{**choice, "message": message}], "usage": USAGE}
        return Response(200, {"content-type": "application/json"}, (json.dumps(reply).encode(),))
    events: list[Any] = [{**head, "choices": [{**choice, "delta": message}]}]
    if body.get("stream_options", {}).get("include_usage"):
        events.append({**head, "choices": [], "usage": USAGE})
    lines = [*map(json.dumps, events), "[DONE]"]
    return Response(200, {"content-type": "text/event-stream"}, tuple(f"data: {line}\n\n".encode() for line in lines))


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    server = LoopbackServer(answer)
    yield f"http://127.0.0.1:{server.port}/v1"
    server.close()


@tool
def get_weather(city: str) -> str:
    """Return the weather."""
    return city


@tool("weather.of/a city")
def odd_name(city: str) -> str:
    """Return the weather."""
    return city


class Place(BaseModel):
    """A place."""

    city: str


MARKED = {"cache_control": {"type": "ephemeral"}, "defer_loading": True}
SEARCH = {"type": "openrouter:web_search"}
HISTORY = [
    SystemMessage([{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]),
    HumanMessage("hi", name="bob"),
    AIMessage(
        "",
        additional_kwargs={
            "reasoning_content": "r",
            "reasoning_details": [{"type": "reasoning.text", "text": "r", "index": 0}],
            "annotations": [{"type": "file"}],
        },
        tool_calls=[{"name": "weather.of/a city", "args": {"city": "Oslo"}, "id": "1"}],
    ),
    ToolMessage("sun", tool_call_id="1", name="weather.of/a city"),
    HumanMessage([{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]),
]
SETTINGS: dict[str, dict[str, Any]] = {
    "none": {},
    "stream options": {"stream_options": {"include_usage": True}},
    "usage": {"model_kwargs": {"usage": {"include": True}, "transforms": ["middle-out"]}},
    "provider": {"provider": {"only": ["novita"], "require_parameters": True}},
    "routing": {"models": ["a"], "route": "fallback", "preset": "p", "session_id": "s", "plugins": [{"id": "web"}]},
    "tools of the server": {"stop_server_tools_when": [{"type": "step_count_is"}], "max_tool_calls": 2},
    "deferred": {"deferred_tools": {"protocol": "v1"}, "prompt_cache_options": {"mode": "explicit"}},
    "traces": {"trace": {"trace_id": "t"}, "debug": {"echo_upstream_body": True}, "auto_session": True},
    "cache": {"cache_control": {"type": "ephemeral"}, "image_config": {"a": "b"}, "structured_outputs": True},
    "reasoning": {"reasoning": {"effort": "low", "exclude": True}},
    "reasoning budget": {"reasoning": {"max_tokens": 5}},
    "no reasoning": {"reasoning": {"enabled": False}},
    "effort": {"reasoning_effort": "high"},
    "standard": {"temperature": 1, "seed": 1, "stop": ["x"], "user": "u", "request_metadata": {"a": "b"}, "top_k": 4},
}


@pytest.mark.covered
@each_row("name, settings", SETTINGS.items())
async def test_settings(base_url: str, name: str, settings: dict[str, Any]) -> None:
    for way in WAYS:
        message = await ask(ChatKimi(base_url=base_url, max_retries=0, **settings), way, HISTORY)
        assert message.usage_metadata["total_tokens"] == 5, (name, way)


TOOLS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "a function": ([get_weather], {}),
    "a choice": ([get_weather], {"tool_choice": "any", "parallel_tool_calls": False}),
    "an odd name": ([get_weather, odd_name], {"tool_choice": "weather.of/a city"}),
    "extras": ([get_weather.model_copy(update={"extras": MARKED})], {"tool_choice": "get_weather"}),
    "a tool of the server": ([SEARCH, get_weather], {"tool_choice": "get_weather"}),
    "no other tool": ([SEARCH], {"tool_choice": "auto", "parallel_tool_calls": True}),
    "a chosen tool of the server": ([get_weather, SEARCH], {"tool_choice": SEARCH}),
}


@each_row("name, tools, choice", [(name, *row) for name, row in TOOLS.items()])
async def test_tools(base_url: str, name: str, tools: list[Any], choice: dict[str, Any]) -> None:
    model = ChatKimi(base_url=base_url, max_retries=0).bind_tools(tools, **choice)
    for way in WAYS:
        message = await ask(model, way)
        is_forced = choice.get("tool_choice", "auto") not in ("auto", SEARCH)
        expected = [tools[-1].name] if is_forced else []
        assert [call["name"] for call in message.tool_calls] == expected, (name, way)


@pytest.mark.parametrize("way", WAYS)
async def test_structured_output(base_url: str, way: Way) -> None:
    for method in ("json_schema", "json_mode", "function_calling"):
        model = ChatKimi(base_url=base_url, max_retries=0).with_structured_output(Place, method=method)
        assert (await chunks_of(model, way))[-1] == Place(city="Oslo"), method


def test_litellm_is_sent_the_marks_that_it_passes_on() -> None:
    model = ChatKimi(host="litellm").bind_tools([get_weather.model_copy(update={"extras": MARKED})])
    body = model.bound.request_body(HISTORY, **model.kwargs)  # type: ignore[attr-defined]  # it is a binding
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["tools"][0].keys() == {"type", "function", "cache_control"}
    assert body["tools"][0]["function"].keys() <= OF_FUNCTIONS
