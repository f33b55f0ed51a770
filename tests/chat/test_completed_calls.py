"""Calls without a confirmed end, calls that come twice, and arguments in the wrong place; in all four ways."""

import json
from typing import Any

import pytest

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import WAYS, Way, ask, event, reply

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "tags": {"type": "array"}}}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": SCHEMA}}
    for name in ("get_weather", "delete_files")
]
PARIS = '{"city": "Paris"}'
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
@pytest.mark.parametrize(
    "name",
    [
        f"functions.get_weather:0{ARGUMENTS}{PARIS}",
        f"get_weather{ARGUMENTS}{PARIS}{END}",
        f"get_weather {PARIS}",
        f"get_weather({PARIS})",
        f"functions.get_weather:0{ARGUMENTS}{json.dumps(PARIS)}",
        f"<|tool_call_begin|>functions.get_weather:0{ARGUMENTS}{PARIS}",
        f"<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0{ARGUMENTS}{PARIS}{END}",
        f"get_weather\n{PARIS}",
        f"get_weather: {PARIS}",
        f"get_weather[ARGS]{PARIS}",
        f"{TAG}{IN_TAG}",
        f"<|open|>tools<|sep|>{TAG}{IN_TAG}<|close|>call<|sep|><|close|>tools<|sep|>",
        f"get_weather{IN_TAG}<|close|>call",
    ],
)
async def test_arguments_in_the_name_are_read(openrouter: Emulator, model: ChatKimi, way: Way, name: str) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call("", name)]})
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert message.response_metadata["kimi"]["repairs"]["call_names"] == 1


@every_way
@pytest.mark.parametrize("name", ['get_weather(city="Paris")', "get_weather(Paris)", "get_weather({city: Paris})"])
async def test_other_arguments_in_the_name_are_invalid(
    openrouter: Emulator, model: ChatKimi, way: Way, name: str
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call("", name)]})
    assert message.tool_calls == []
    assert [one["name"] for one in message.invalid_tool_calls] == ["get_weather"]


@pytest.mark.covered
@every_way
async def test_a_tag_in_the_name_without_arguments_gives_way(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(PARIS, f'{TAG}" index="1"<|sep|>')]})
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]


@pytest.mark.covered
@every_way
@pytest.mark.parametrize(
    "name",
    [
        f"functions.unknown:0{ARGUMENTS}{PARIS}",
        BEGIN,
        f'<|open|>call tool="unknown{IN_TAG}',
        f"{TAG}{IN_TAG.partition('Paris')[0]}Par",
    ],
    ids=["unknown tool", "marker", "unknown tool in a tag", "truncated tag"],
)
async def test_markup_in_the_name_that_is_not_a_call_is_invalid(
    openrouter: Emulator, model: ChatKimi, way: Way, name: str
) -> None:
    for arguments in ("", "{}"):
        message = await answer(model, openrouter, way, {"tool_calls": [call(arguments, name)]})
        assert message.tool_calls == []
        assert len(message.invalid_tool_calls) == 1


@every_way
async def test_quotation_marks_around_a_name_are_removed(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(PARIS, '"get_weather"')]})
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]


@every_way
async def test_an_integer_that_is_too_long_makes_a_call_invalid(
    openrouter: Emulator, model: ChatKimi, way: Way
) -> None:
    arguments = f'{{"city": {"1" * 5000}}}'
    message = await answer(model, openrouter, way, {"tool_calls": [call(arguments)]})
    assert message.tool_calls == []
    assert [one["args"] for one in message.invalid_tool_calls] == [arguments]


@pytest.mark.covered
@every_way
async def test_truncated_arguments_in_the_name_are_invalid(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    name = f'functions.get_weather:0{ARGUMENTS}{{"city": "Par'
    message = await answer(model, openrouter, way, {"tool_calls": [call("", name)]})
    assert message.tool_calls == []
    assert [one["name"] for one in message.invalid_tool_calls] == ["get_weather"]


@every_way
@pytest.mark.parametrize(
    "arguments",
    [
        markup(),
        f"{BEGIN}functions.get_weather:0{ARGUMENTS}{PARIS}{END}",
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
@pytest.mark.parametrize("arguments", [markup("delete_files"), markup(arguments='{"city": "Par'), markup() * 2])
async def test_other_markup_in_the_arguments_is_invalid(
    openrouter: Emulator, model: ChatKimi, way: Way, arguments: str
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(arguments)]})
    assert message.tool_calls == []
    assert [one["name"] for one in message.invalid_tool_calls] == ["get_weather"]


EMPTY = ["", "{}", "null", " \n", '"{}"', None]


@every_way
@pytest.mark.parametrize("empty", EMPTY, ids=repr)
@pytest.mark.parametrize("name", [f"functions.get_weather:0{ARGUMENTS}{PARIS}{END}", f"get_weather({PARIS})"])
async def test_empty_arguments_give_way_to_those_in_the_name(
    openrouter: Emulator, model: ChatKimi, way: Way, name: str, empty: str | None
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(empty or "", name)]})
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert message.invalid_tool_calls == []


@pytest.mark.covered
@every_way
async def test_two_different_arguments_are_invalid(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    name = f"functions.get_weather:0{ARGUMENTS}{PARIS}"
    for arguments in ('{"city": "Rome"}', '{"city": "Par'):
        message = await answer(model, openrouter, way, {"tool_calls": [call(arguments, name)]})
        assert message.tool_calls == []
        assert [one["name"] for one in message.invalid_tool_calls] == ["get_weather"]
    for arguments in ('{"city":"Paris"}', json.dumps(PARIS)):
        message = await answer(model, openrouter, way, {"tool_calls": [call(arguments, name)]})
        assert [one["args"] for one in message.tool_calls] == [{"city": "Paris"}]


@every_way
@pytest.mark.parametrize("in_name", ["", "{}", f"{{}}{END}"])
async def test_empty_arguments_in_the_name_give_way(
    openrouter: Emulator, model: ChatKimi, way: Way, in_name: str
) -> None:
    name = f"functions.get_weather:0{ARGUMENTS}{in_name}"
    message = await answer(model, openrouter, way, {"tool_calls": [call(PARIS, name)]})
    assert [one["args"] for one in message.tool_calls] == [{"city": "Paris"}]


def in_pieces(*names: str, arguments: str | None) -> RawReply:
    """Return a stream with the name of a call in pieces, then its arguments."""
    deltas: list[dict[str, Any]] = [{"id": "functions.get_weather:0", "type": "function"}, *({} for _ in names[1:])]
    calls = [{"index": 0, **delta, "function": {"name": name}} for delta, name in zip(deltas, names, strict=True)] + [
        {"index": 0, "function": {"arguments": arguments}}
    ]
    events = [event({"delta": {"tool_calls": [one]}, "finish_reason": None}) for one in calls]
    end = event({"delta": {}, "finish_reason": "tool_calls"})
    return RawReply(headers={"content-type": "text/event-stream"}, body=b"".join([*events, end, b"data: [DONE]\n\n"]))


NAMES: dict[str, tuple[list[str], str | None]] = {
    "a usual name": (["get_", "weather"], PARIS),
    "three pieces": (["ge", "t_wea", "ther"], PARIS),
    "Kimi's form": (["functions.get_", "weather:0"], PARIS),
    "arguments in pieces": ([f"functions.get_weather:0{ARGUMENTS}", '{"city"', ': "Paris"}'], "{}"),
    "arguments after the name": (["functions.get_weather:0", f"{ARGUMENTS}{PARIS}"], None),
    "a number after the name": (["functions.get_weather", ":0", f"{ARGUMENTS}{PARIS}{END}"], ""),
}


# Only streams have pieces; the plain ways read a stream that was not requested.
@every_way
@pytest.mark.parametrize("case", NAMES)
async def test_a_name_in_pieces_is_one_name(openrouter: Emulator, model: ChatKimi, way: Way, case: str) -> None:
    names, arguments = NAMES[case]
    openrouter.script(in_pieces(*names, arguments=arguments))
    message = await ask(model.bind_tools(TOOLS), way)
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert message.invalid_tool_calls == []


@pytest.mark.covered
@every_way
@pytest.mark.parametrize(
    ("names", "name"), [(["get_weather", "_forecast"], "get_weather"), (["get_", "forecast"], "get_forecast")]
)
async def test_a_name_in_pieces_that_is_no_tool(
    openrouter: Emulator, model: ChatKimi, way: Way, names: list[str], name: str
) -> None:
    openrouter.script(in_pieces(*names, arguments=PARIS))
    message = await ask(model.bind_tools(TOOLS), way)
    calls = message.tool_calls + message.invalid_tool_calls
    assert [one["name"] for one in calls] == [name]
    assert not [one for one in message.tool_calls if one["name"] == "get_weather"]


@every_way
async def test_a_begun_name_is_passed_on_at_the_end(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(in_pieces("get_", arguments=None))
    message = await ask(model.bind_tools(TOOLS), way)
    assert [one["name"] for one in message.tool_calls] == ["get_"]


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
