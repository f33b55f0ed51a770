"""Thoughts in the text of an answer, in all four ways."""

from typing import Any

import pytest

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask, reply

THINKING = "moonshotai/kimi-k2-thinking"
OTHER_TAGS = [
    '<think type="x">Hm.</think>Hello',
    "<THINK>Hm.</THINK>Hello",
    "```\n<think>a</think>\n```\n",
    "Hello <think>a</think> there",
    "<think>I see",
]
every_way = pytest.mark.parametrize("way", WAYS)


async def parts_of(openrouter: Emulator, model: Any, way: Way, message: dict[str, Any], finish: str = "stop") -> Any:
    openrouter.script(reply(way, message, finish))
    answer = await ask(model, way, model=THINKING)
    report = answer.response_metadata.get("kimi", {}).get("repairs", {})
    return answer.additional_kwargs.get("reasoning_content"), answer.content, report


@every_way
@pytest.mark.parametrize(
    ("text", "thought"),
    [
        ("<think>I should greet.</think>\n\nHello", "I should greet."),
        ("I should greet.\n</think>\n\nHello", "I should greet."),
        ("</think>Hello", None),
        ("<think>I should greet.</think></think>\n</think>Hello", "I should greet."),
    ],
)
async def test_thoughts_in_the_text_become_reasoning(
    openrouter: Emulator, model: ChatKimi, way: Way, text: str, thought: str | None
) -> None:
    expected = (thought, "Hello", {"think_tags": 1})
    assert await parts_of(openrouter, model, way, {"content": text}) == expected


@every_way
@pytest.mark.parametrize(
    "text",
    [
        "Split at </think>\n\nThen strip.",
        "Closing tags:\n- </think>\n- </b>",
        "Use `<think>` and `</think>`.",
        "<think> is a tag.",
        "Hello </think> there",
        *OTHER_TAGS,
    ],
)
async def test_texts_about_the_tags_are_not_changed(openrouter: Emulator, model: ChatKimi, way: Way, text: str) -> None:
    assert await parts_of(openrouter, model, way, {"content": text}) == (None, text, {})


@every_way
async def test_truncated_thoughts_are_reasoning(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    message = {"content": "<think>I should"}
    assert await parts_of(openrouter, model, way, message, "length") == ("I should", "", {"think_tags": 1})


@every_way
async def test_the_repair_can_be_switched_off(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    plain = model.model_copy(update={"repairs": ["markup"]})
    text = "<think>Hm.</think>Hello"
    assert await parts_of(openrouter, plain, way, {"content": text}) == (None, text, {})


@every_way
async def test_a_call_in_the_thoughts_is_a_call(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    call = '<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|>'
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    openrouter.script(reply(way, {"content": f"<think>I look.</think>{call}"}))
    answer = await ask(model.bind_tools(tools), way)
    assert [one["args"] for one in answer.tool_calls] == [{"a": 1}]
    assert answer.additional_kwargs["reasoning_content"] == "I look."


MARKUP = "<|tool_call_begin|>functions.get_time:0<|tool_call_argument_begin|>{}<|tool_call_end|>"


@pytest.mark.covered
@every_way
async def test_a_call_ends_thoughts_without_a_closing_tag(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    structured = {"index": 0, "id": "a", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    bound = model.bind_tools([{"type": "function", "function": {"name": "get_time", "parameters": {}}}])
    for wire in (
        {"content": "<think>I look. ", "tool_calls": [structured]},
        {"content": f"<think>I look. {MARKUP}"},
    ):
        openrouter.script(reply(way, wire, "stop"))
        answer = await ask(bound, way)
        assert (answer.content, answer.additional_kwargs["reasoning_content"].strip()) == ("", "I look.")
        assert [(one["name"], one["args"]) for one in answer.tool_calls] == [("get_time", {})]
