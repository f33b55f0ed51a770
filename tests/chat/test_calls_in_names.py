"""Arguments in the place of a call's name or id, and names in pieces; in all four ways."""

import json
from typing import Any

import pytest

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import Way, ask, event
from tests.chat.test_completed_calls import (
    ARGUMENTS,
    BEGIN,
    END,
    IN_TAG,
    PARIS,
    ROME,
    TAG,
    TOOLS,
    answer,
    call,
    every_way,
)


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
        f"functions.get_weather:0{ARGUMENTS}{PARIS}{END}{BEGIN}functions.get_weather:0{ARGUMENTS}{PARIS}{END}",
    ],
)
async def test_arguments_in_the_name_are_read(openrouter: Emulator, model: ChatKimi, way: Way, name: str) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call("", name)]})
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert message.response_metadata["kimi"]["repairs"]["call_names"] == 1


@pytest.mark.covered
@every_way
async def test_arguments_in_the_id_are_read(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    for name in ("get_weather", ""):
        for call_id in (
            f"functions.get_weather:0{ARGUMENTS}{PARIS}",
            f"{BEGIN}functions.get_weather:0{ARGUMENTS}{PARIS}{END}",
        ):
            message = await answer(model, openrouter, way, {"tool_calls": [call("", name, call_id)]})
            assert [(one["name"], one["args"], one["id"]) for one in message.tool_calls] == [
                ("get_weather", {"city": "Paris"}, "functions.get_weather:0")
            ]
    message = await answer(model, openrouter, way, {"tool_calls": [call(PARIS, call_id=f"a{END}")]})
    assert [(one["args"], one["id"]) for one in message.tool_calls] == [({"city": "Paris"}, "a")]
    message = await answer(model, openrouter, way, {"tool_calls": [call(PARIS, call_id=END)]})
    assert [(one["args"], one["id"]) for one in message.tool_calls] == [({"city": "Paris"}, END)]


@pytest.mark.covered
@every_way
@pytest.mark.parametrize("name", [f'{TAG}"<|sep|>', "get_weather<|sep|>", 'get_weather" index="1', 'get_weather"'])
async def test_the_rest_of_a_tag_in_the_name_is_not_arguments(
    openrouter: Emulator, model: ChatKimi, way: Way, name: str
) -> None:
    message = await answer(model, openrouter, way, {"tool_calls": [call(PARIS, name)]})
    assert [(one["name"], one["args"]) for one in message.tool_calls] == [("get_weather", {"city": "Paris"})]


@pytest.mark.covered
@every_way
async def test_two_calls_in_a_name_are_invalid(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    second = f"{BEGIN}functions.get_weather:1{ARGUMENTS}{ROME}{END}"
    name = f"functions.get_weather:0{ARGUMENTS}{PARIS}{END}{second}"
    message = await answer(model, openrouter, way, {"tool_calls": [call("", name)]})
    assert (message.tool_calls, len(message.invalid_tool_calls)) == ([], 1)


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


@pytest.mark.covered
@every_way
async def test_truncated_arguments_in_the_name_are_invalid(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    name = f'functions.get_weather:0{ARGUMENTS}{{"city": "Par'
    message = await answer(model, openrouter, way, {"tool_calls": [call("", name)]})
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
    "a colon after the name": (["functions.get_weather:", f"0{ARGUMENTS}{PARIS}"], None),
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
