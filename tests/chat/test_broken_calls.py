"""Truncated tool calls are invalid, wherever a reply is cut and in every way of calling."""

import json
from collections.abc import AsyncIterator
from itertools import cycle
from typing import Any

import pytest

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, RawReply, Reply, ToolCall, faults
from tests.chat.asking import WAYS, Way, ask, event, reply
from tests.conftest import KEY

ARGUMENTS = r'{"a": {"b": [1, {"c": "]}\"{"}], "d": null}, "e": "\\", "ü": "é\u2603", "n": -1.5e3}'
STREAMED: tuple[Way, ...] = ("stream", "astream")
ERROR = {"code": 502, "message": "Provider disconnected unexpectedly"}


def call(arguments: Any, **more: Any) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"index": 0, "id": "f:0", "type": "function", "function": function, **more}


def is_valid(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except ValueError:
        return False


@pytest.mark.parametrize("finish", ["length", "stop", "tool_calls"])
async def test_arguments_cut_at_any_character_are_an_invalid_call(
    openrouter: Emulator, model: ChatKimi, finish: str
) -> None:
    # The four ways take turns.
    for end, way in zip(range(len(ARGUMENTS) + 1), cycle(WAYS), strict=False):
        cut = ARGUMENTS[:end]
        openrouter.script(reply(way, {"tool_calls": [call(cut)]}, finish))
        message = await ask(model, way)
        # A call without arguments is complete only in a complete reply.
        whole = is_valid(cut) or (not cut and finish != "length")
        assert bool(message.tool_calls) is whole, cut
        if not whole:
            [invalid] = message.invalid_tool_calls
            assert (invalid["name"], invalid["id"]) == ("f", "f:0")
            assert invalid["args"] == cut
            assert invalid["error"]
        assert message.response_metadata["finish_reason"] == finish


async def answer(model: ChatKimi, way: Way) -> AsyncIterator[Any]:
    if way == "stream":
        for chunk in model.stream("hi"):
            yield chunk
    else:
        async for chunk in model.astream("hi"):
            yield chunk


async def failing(model: ChatKimi, way: Way) -> tuple[KimiError, Any]:
    """Return the error of a stream and the sum of the chunks before it."""
    chunks: list[Any] = []

    async def collect() -> None:
        async for chunk in answer(model, way):
            chunks.append(chunk)  # noqa: PERF401 - the chunks before the error are needed

    with pytest.raises(KimiError) as caught:
        await collect()
    first, *rest = chunks
    return caught.value, first + rest


def stream(*events: bytes) -> RawReply:
    return RawReply(headers={"content-type": "text/event-stream"}, body=b"".join(events))


ENDINGS = {
    "error event": [event({"delta": {"content": ""}, "finish_reason": "error"}, error=ERROR)],
    "error in the choice": [event({"delta": {}, "finish_reason": "error", "error": ERROR})],
    "finish reason error": [event({"delta": {}, "finish_reason": "error"})],
    "invalid JSON": [b"data: {\n\n"],
    "the end": [],
}


@pytest.mark.parametrize("how", ENDINGS)
async def test_a_failed_stream_leaves_no_valid_call(openrouter: Emulator, model: ChatKimi, how: str) -> None:
    for end, way in zip(range(len(ARGUMENTS) + 1), cycle(STREAMED), strict=False):
        cut = ARGUMENTS[:end]
        openrouter.script(stream(event({"delta": {"content": None, "tool_calls": [call(cut)]}}), *ENDINGS[how]))
        error, message = await failing(model, way)
        assert bool(message.tool_calls) is is_valid(cut), cut
        assert error.partial is not None
        assert error.partial.tool_calls == []
        assert [invalid["args"] for invalid in error.partial.invalid_tool_calls] == [cut]


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("reset", [True, False])
async def test_a_broken_connection_leaves_no_valid_call(
    openrouter: Emulator,
    model: ChatKimi,
    reset: bool,  # noqa: FBT001 - a column of the table
    way: Way,
) -> None:
    calls = [ToolCall("f", {"city": "Oslo"}), ToolCall("g", {"city": "Tromsø", "days": [1, 2, 3]})]
    openrouter.script(faults.connection_cut(reset=reset, after=9).on(Reply(tool_calls=calls)))
    error, message = await failing(model, way)
    assert [one["args"] for one in message.tool_calls] == [{"city": "Oslo"}]
    assert len(message.invalid_tool_calls) == 1
    assert error.partial is not None
    assert [one["name"] for one in error.partial.invalid_tool_calls] == ["f", "g"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_failed_plain_reply_has_no_valid_call(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"content": "Wait.", "tool_calls": [call('{"a": 1}')]}, "error", error=ERROR))
    with pytest.raises(KimiError, match="Provider disconnected") as caught:
        await ask(model, way)
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Wait."
    assert caught.value.partial.tool_calls == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("arguments", [
    '{"a": 1}{"b": 2}', "[1]", '"text"', "5", "null", "None", '{"a": 1}}',
    '{"a": NaN}', '{"a": [1, Infinity]}', '{"a": {"b": -Infinity}}', '{"a": 1e999}', '{"a": -1E+400}',
])  # fmt: skip
async def test_arguments_that_are_not_an_object_are_an_invalid_call(
    openrouter: Emulator, model: ChatKimi, arguments: str, way: Way
) -> None:
    openrouter.script(reply(way, {"tool_calls": [call(arguments)]}, "tool_calls"))
    message = await ask(model, way)
    assert message.tool_calls == []
    [invalid] = message.invalid_tool_calls
    assert invalid["args"] == arguments
    assert invalid["error"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("function", "args"),
    [
        ({"name": "f", "arguments": {"a": 1}}, {"a": 1}),
        ({"name": "f", "arguments": None}, {}),
        ({"name": "f", "arguments": " \n"}, {}),
        ({"name": "f"}, {}),
    ],
)
async def test_arguments_that_are_not_text(
    openrouter: Emulator, model: ChatKimi, function: Any, args: Any, way: Way
) -> None:
    delta = {"role": "assistant", "content": None, "tool_calls": [{"index": 0, "id": "f:0", "function": function}]}
    whole = {"index": 0, "finish_reason": "tool_calls"}
    if way in STREAMED:
        openrouter.script(stream(event({"delta": delta}), event({**whole, "delta": {}}), b"data: [DONE]\n\n"))
    else:
        body = {"id": "gen-1", "model": "m", "choices": [{**whole, "message": delta}]}
        openrouter.script(RawReply(body=json.dumps(body).encode()))
    message = await ask(model, way)
    assert message.tool_calls == [{"type": "tool_call", "name": "f", "args": args, "id": "f:0"}]


@pytest.mark.parametrize("way", WAYS)
async def test_a_conversation_continues_after_an_invalid_call(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    calls = [ToolCall("f", '{"city": "Os'), ToolCall("g", {"a": 1})]
    openrouter.script(Reply(text="Wait.", tool_calls=calls, finish_reason="length"))
    message = await ask(model, way)
    [valid] = message.tool_calls
    answer = {"role": "tool", "tool_call_id": valid["id"], "content": "done"}
    await ask(model, way, [("human", "hi"), message, answer])
    sent = openrouter.bodies[1]["messages"][1]
    assert [one["function"] for one in sent["tool_calls"]] == [{"name": "g", "arguments": '{"a":1}'}]


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_of_a_tool_with_an_invalid_schema_is_read(openrouter: Emulator, way: Way) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": 5}}}
    openrouter.script(Reply(tool_calls=[ToolCall("f", {"city": "{}"})]))
    with ChatKimi(api_key=KEY, base_url=openrouter.base_url, repairs=["arguments"]) as model:
        tools = [{"type": "function", "function": {"name": "f", "parameters": parameters}}]
        [call] = (await ask(model, way, tools=tools)).tool_calls
    assert call["args"] == {"city": "{}"}
