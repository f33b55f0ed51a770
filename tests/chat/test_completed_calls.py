"""Calls without a confirmed end, calls that come twice, and arguments in the wrong place; in all four ways."""

import json
from typing import Any

import pytest

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask, reply

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "tags": {"type": "array"}}}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": SCHEMA}}
    for name in ("get_weather", "delete_files")
]
PARIS, ROME = '{"city": "Paris"}', '{"city": "Rome"}'
BEGIN, ARGUMENTS, END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
TAG = '<|open|>call tool="get_weather'
IN_TAG = '" index="1"<|sep|><|open|>argument key="city" type="string"<|sep|>Paris<|close|>argument<|sep|>'
SECTION, SECTION_END = "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"


def markup(name: str = "get_weather", arguments: str = PARIS) -> str:
    return f"{SECTION}{BEGIN}functions.{name}:0{ARGUMENTS}{arguments}{END}{SECTION_END}"


def call(
    arguments: str = PARIS, name: str = "get_weather", call_id: str = "functions.get_weather:0", index: int = 0
) -> Any:
    return {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


async def answer(
    model: ChatKimi, openrouter: Emulator, way: Way, message: dict[str, Any], finish: str = "tool_calls"
) -> Any:
    openrouter.script(reply(way, message, finish))
    return await ask(model.bind_tools(TOOLS), way)


every_way = pytest.mark.parametrize("way", WAYS)


@every_way
@pytest.mark.parametrize(
    "finish", ["content_filter", "abort", "network_error", "max_tokens", "MAX_TOKENS", "length", "something_new"]
)
async def test_a_call_without_arguments_is_invalid_after_an_unconfirmed_end(
    openrouter: Emulator, model: ChatKimi, way: Way, finish: str
) -> None:
    for arguments in ("", "{"):
        message = await answer(model, openrouter, way, {"tool_calls": [call(arguments, "delete_files")]}, finish)
        assert message.tool_calls == []
        assert [one["name"] for one in message.invalid_tool_calls] == ["delete_files"]
    message = await answer(model, openrouter, way, {"tool_calls": [call()]}, finish)
    assert [one["args"] for one in message.tool_calls] == [{"city": "Paris"}]


@pytest.mark.covered
@every_way
@pytest.mark.parametrize("arguments", ["null", '""'])
async def test_arguments_that_say_nothing_need_a_confirmed_end(
    openrouter: Emulator, model: ChatKimi, way: Way, arguments: str
) -> None:
    wire = {"tool_calls": [call(arguments, "delete_files")]}
    message = await answer(model, openrouter, way, wire, "content_filter")
    assert message.tool_calls == []
    assert [one["name"] for one in message.invalid_tool_calls] == ["delete_files"]
    assert [one["args"] for one in (await answer(model, openrouter, way, wire, "stop")).tool_calls] == [{}]


@every_way
@pytest.mark.parametrize("finish", ["stop", "tool_calls", "eos", "end_turn", "STOP"])
async def test_a_call_without_arguments_is_valid_after_a_confirmed_end(
    openrouter: Emulator, model: ChatKimi, way: Way, finish: str
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call("")]}, finish)
    assert [one["args"] for one in message.tool_calls] == [{}]


@every_way
@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
async def test_a_draft_in_truncated_reasoning_is_not_run(
    openrouter: Emulator, model: ChatKimi, way: Way, key: str
) -> None:
    thought = f"Should I call {markup('delete_files')}? No, first I"
    for finish in ("length", "abort", "content_filter"):
        message = await answer(model, openrouter, way, {key: thought}, finish)
        assert message.tool_calls == []


@pytest.mark.covered
@every_way
async def test_a_draft_in_a_sentence_is_not_run(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    for after in ("? No, first I ask.", ", but I ask first.", " (or not)?", "\nNow I wait."):
        wire = {"reasoning": f"Should I call {markup('delete_files')}{after}"}
        message = await answer(model, openrouter, way, wire, "stop")
        calls = message.tool_calls if after[0] in " \n" else message.invalid_tool_calls
        assert [one["name"] for one in calls] == ["delete_files"]
        assert len(message.tool_calls + message.invalid_tool_calls) == 1
        # The host has seen a call.
        assert len((await answer(model, openrouter, way, wire, "tool_calls")).tool_calls) == 1


@every_way
async def test_a_call_in_the_reasoning_is_run_after_a_confirmed_end(
    openrouter: Emulator, model: ChatKimi, way: Way
) -> None:
    message = await answer(model, openrouter, way, {"reasoning": f"I look. {markup()}"}, "stop")
    assert [one["args"] for one in message.tool_calls] == [{"city": "Paris"}]


@every_way
@pytest.mark.parametrize(
    "second",
    [
        call(),
        call(index=1),
        call('{"city":"Paris"}', index=1),
        call(json.dumps(PARIS), index=1),
        call("", index=1),
        call(json.dumps(PARIS)),
    ],
    ids=["same index", "other index", "other spaces", "encoded twice", "without arguments", "same index encoded twice"],
)
async def test_a_call_that_comes_twice_is_one_call(
    openrouter: Emulator, model: ChatKimi, way: Way, second: dict[str, Any]
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(), second]})
    assert [(one["name"], one["args"], one["id"]) for one in message.tool_calls] == [
        ("get_weather", {"city": "Paris"}, "functions.get_weather:0")
    ]
    assert message.invalid_tool_calls == []
    # Streamed under the same index, it is a repetition of the arguments.
    repairs = message.response_metadata["kimi"]["repairs"]
    assert repairs.get("duplicate_calls", 0) + repairs.get("arguments", 0) in {1, 2}


@pytest.mark.covered
@every_way
@pytest.mark.parametrize("name", ["functions.get_weather", "functions.get_weather:0", "Get_Weather", "get_weather:"])
async def test_a_call_that_comes_twice_may_be_spelled_in_two_ways(
    openrouter: Emulator, model: ChatKimi, way: Way, name: str
) -> None:
    for names in (("get_weather", name), (name, "get_weather")):
        calls = [call(name=one, index=at) for at, one in enumerate(names)]
        message = await answer(model, openrouter, way, {"tool_calls": calls})
        assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]


@pytest.mark.covered
@every_way
@pytest.mark.parametrize(
    "head", [f"{SECTION}{BEGIN}functions.get_weather:0", f"{SECTION}{BEGIN}functions.get_weather:0{ARGUMENTS}"]
)
async def test_the_head_of_a_structured_call_in_the_text_is_removed(
    openrouter: Emulator, model: ChatKimi, way: Way, head: str
) -> None:
    message = await answer(model, openrouter, way, {"content": f"I look.{head}", "tool_calls": [call(call_id="a")]})
    assert (message.content, [one["id"] for one in message.tool_calls]) == ("I look.", ["a"])
    assert message.invalid_tool_calls == []


@pytest.mark.covered
@every_way
async def test_three_calls_of_which_two_are_equal(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    calls = [call(), call('{"city": "Rome"}', index=1), call(index=2), call("{}", "delete_files", "x", index=3)]
    message = await answer(model, openrouter, way, {"tool_calls": calls})
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Rome"}),
        ("delete_files", {}),
    ]
    assert len({one["id"] for one in message.tool_calls}) == 3


@every_way
async def test_equal_calls_with_their_own_ids_are_two_calls(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(call_id="a"), call(call_id="b", index=1)]})
    assert [one["id"] for one in message.tool_calls] == ["a", "b"]


@every_way
async def test_arguments_of_a_repeated_head_belong_to_the_first_call(
    openrouter: Emulator, model: ChatKimi, way: Way
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(""), call(index=1)]})
    assert [one["args"] for one in message.tool_calls] == [{"city": "Paris"}]


@every_way
async def test_duplicates_stay_where_the_repair_is_off(openrouter: Emulator, way: Way, model: ChatKimi) -> None:
    plain = model.model_copy(update={"repairs": "none"})
    message = await answer(plain, openrouter, way, {"tool_calls": [call(), call(index=1)]})
    assert len(message.tool_calls) == 2


@every_way
async def test_an_integer_that_is_too_long_makes_a_call_invalid(
    openrouter: Emulator, model: ChatKimi, way: Way
) -> None:
    arguments = f'{{"city": {"1" * 5000}}}'
    message = await answer(model, openrouter, way, {"tool_calls": [call(arguments)]})
    assert message.tool_calls == []
    assert [one["args"] for one in message.invalid_tool_calls] == [arguments]


@every_way
@pytest.mark.parametrize(
    "arguments",
    [
        markup(),
        f"{BEGIN}functions.get_weather:0{ARGUMENTS}{PARIS}{END}",
        f"functions.get_weather:0{ARGUMENTS}{PARIS}{END}",
        f"I call it. {markup()}",
        f"functions.get_weather:0{PARIS}",
        json.dumps(markup()),
        f"{TAG}{IN_TAG}<|close|>call<|sep|>",
        IN_TAG.partition("<|sep|>")[2],
        f'<|open|>json type="object"<|sep|>{PARIS}<|close|>json<|sep|>',
        f"{PARIS}<|close|>call<|sep|><|close|>tools<|sep|><|end_of_msg|>",
    ],
)
async def test_a_call_as_markup_in_the_arguments_is_read(
    openrouter: Emulator, model: ChatKimi, way: Way, arguments: str
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(arguments)]})
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert message.response_metadata["kimi"]["repairs"] == {"arguments": 1}


@every_way
@pytest.mark.parametrize(
    "arguments", [markup("delete_files"), markup(arguments='{"city": "Par'), markup() + markup(arguments=ROME)]
)
async def test_other_markup_in_the_arguments_is_invalid(
    openrouter: Emulator, model: ChatKimi, way: Way, arguments: str
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(arguments)]})
    assert message.tool_calls == []
    assert [one["name"] for one in message.invalid_tool_calls] == ["get_weather"]


@every_way
async def test_without_a_finish_reason_a_call_without_arguments_is_invalid(
    openrouter: Emulator, model: ChatKimi, way: Way
) -> None:
    for arguments in ("", " "):
        openrouter.script(reply(way, {"tool_calls": [call(arguments, "delete_files")]}, finish_reason=None))
        message = await ask(model.bind_tools(TOOLS), way)
        assert message.tool_calls == []
        assert [one["name"] for one in message.invalid_tool_calls] == ["delete_files"]
    for arguments, args in (("{}", {}), (PARIS, {"city": "Paris"})):
        openrouter.script(reply(way, {"tool_calls": [call(arguments, "delete_files")]}, finish_reason=None))
        message = await ask(model.bind_tools(TOOLS), way)
        assert [one["args"] for one in message.tool_calls] == [args]
