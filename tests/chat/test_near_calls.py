"""Calls in markup directly after code, lists and tables, and quoted calls in other formats, in all four ways."""

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask, reply
from tests.rows import each_row

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = '<|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{"city": "Paris"}<|tool_call_end|>'
K2 = f"<|tool_calls_section_begin|>{CALL}<|tool_calls_section_end|>"
K3 = (
    '<|open|>tools<|sep|><|open|>call tool="get_weather" index="1"<|sep|><|open|>argument key="city" type="string"'
    "<|sep|>Paris<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>"
)
BEFORE = [
    "```py\nx = 1\n```",
    "1. Step\n\n    Explanation.",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "**Calling a tool:**",
    "»a« and „b\u201d. ",
    "The \\` key. ",
]
AROUND = [
    ("@@ -1 +1 @@\n-a\n+", "\n"),
    ("{{!-- ", " --}}"),
    ("#+begin_src text\n", "\n#+end_src"),
    ('s = r#"', '"#'),
    ("x = <<~TEXT\n  ", "\nTEXT"),
    ("It writes **", "** then."),
    ("[code]", "[/code]"),
    ("- For example:\n\n    ", "\n"),
]


@each_row("way, before", [(way, before) for way in WAYS for before in BEFORE])
async def test_a_call_after_text_is_a_call(openrouter: Emulator, model: ChatKimi, way: Way, before: str) -> None:
    for markup in (K2, K3):
        openrouter.script(reply(way, {"content": before + markup}))
        message = await ask(model, way, tools=[WEATHER])
        assert [call["args"] for call in message.tool_calls] == [{"city": "Paris"}]
        assert message.content == before


@each_row("way, around", [(way, around) for way in WAYS for around in AROUND])
async def test_a_quoted_call_stays_text(
    openrouter: Emulator, model: ChatKimi, way: Way, around: tuple[str, str]
) -> None:
    for markup in (K2, K3):
        text = markup.join(around)
        openrouter.script(reply(way, {"content": text}))
        message = await ask(model, way, tools=[WEATHER])
        assert (message.content, message.tool_calls) == (text, [])


@pytest.mark.parametrize("way", WAYS)
async def test_an_argument_without_a_name_is_an_invalid_call(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"content": K3.replace(' key="city"', "")}))
    message = await ask(model, way, tools=[WEATHER])
    assert not message.tool_calls
    [call] = message.invalid_tool_calls
    assert call["error"] == "An argument has no name."
