"""Tool calls in undocumented forms: read if unambiguous, otherwise invalid calls."""

import json
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import WAYS, Way, ask, event

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
PARIS = {"city": "Paris"}
FUNCTION = {"name": "get_weather", "arguments": json.dumps(PARIS)}


def body(way: Way, calls: list[Any]) -> RawReply:
    finish = {"index": 0, "finish_reason": "tool_calls"}
    if way.endswith("invoke"):
        whole = {"id": "gen-1", "choices": [{**finish, "message": {"role": "assistant", "tool_calls": calls}}]}
        return RawReply(headers={"content-type": "application/json"}, body=json.dumps(whole).encode())
    events = event({"delta": {"tool_calls": calls}}) + event({"delta": {}, **finish}) + b"data: [DONE]\n\n"
    return RawReply(headers={"content-type": "text/event-stream"}, body=events)


def call(function: Any, **more: Any) -> dict[str, Any]:
    return {"index": 0, "id": "c:0", "type": "function", "function": function, **more}


async def answer(openrouter: Emulator, model: ChatKimi, way: Way, calls: list[Any]) -> Any:
    openrouter.script(body(way, calls))
    return await ask(model, way, tools=[WEATHER])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "calls",
    [
        [call({**FUNCTION, "arguments": PARIS})],
        [call(FUNCTION, index="0")],
        [call(FUNCTION, index=None)],
        [call(FUNCTION, id=7)],
        [call(None, **FUNCTION)],
        [{"id": "c:0", "name": "get_weather", "arguments": PARIS}],
        [call({"name": "get_weather", "parameters": PARIS})],
        [{"id": "c:0", "type": "tool_use", "name": "get_weather", "input": PARIS}],
        [{"id": "c:0", "type": "tool_call", "name": "get_weather", "args": PARIS}],
        [None, call(FUNCTION)],
    ],
)
async def test_unambiguous_odd_calls_are_read(
    openrouter: Emulator, model: ChatKimi, calls: list[Any], way: Way
) -> None:
    message = await answer(openrouter, model, way, calls)
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", PARIS)]
    assert not message.invalid_tool_calls


@pytest.mark.parametrize("way", WAYS)
async def test_two_calls_whose_index_is_text(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    calls = [call(FUNCTION, index="0"), call({**FUNCTION, "arguments": '{"city": "Rome"}'}, index="1", id="c:1")]
    message = await answer(openrouter, model, way, calls)
    assert [one["args"] for one in message.tool_calls] == [PARIS, {"city": "Rome"}]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("odd", "args"),
    [
        (call(None), ""),
        (call("get_weather"), '["get_weather"]'),
        (call(["get_weather"]), '[["get_weather"]]'),
        (call({**FUNCTION, "name": None}), FUNCTION["arguments"]),
        (call({**FUNCTION, "arguments": ["Paris"]}), '["Paris"]'),
        (call(None, type="custom", custom={"name": "get_weather", "input": "Paris"}), "Paris"),
        (call({**FUNCTION, "arguments": 5}), "5"),
        (call({**FUNCTION, "arguments": True}), "true"),
        ("get_weather", '["get_weather"]'),
        (["get_weather"], '[["get_weather"]]'),
    ],
)
async def test_ambiguous_calls_are_invalid_calls(
    openrouter: Emulator, model: ChatKimi, odd: Any, args: str, way: Way
) -> None:
    message = await answer(openrouter, model, way, [odd])
    assert not message.tool_calls
    [invalid] = message.invalid_tool_calls
    assert invalid["args"] == args
    reason = "The arguments are not " if invalid["name"] else "The tool call has no name."
    assert str(invalid["error"]).startswith(reason)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("first", [False, True])
async def test_an_odd_call_does_not_change_others(
    openrouter: Emulator, model: ChatKimi, way: Way, *, first: bool
) -> None:
    calls = ["get_weather", call(FUNCTION)] if first else [call(FUNCTION), "get_weather"]
    message = await answer(openrouter, model, way, calls)
    assert [one["args"] for one in message.tool_calls] == [PARIS]
    assert len(message.invalid_tool_calls) == 1
