"""Stray markers in replies without tools, in all four ways."""

import pytest
from pydantic import BaseModel

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask, reply
from tests.rows import each_row

WHOLE = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
    '{"city": "Paris"}<|tool_call_end|><|tool_calls_section_end|>'
)
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"
STRAY = {
    "Hi.<|im_end|>": "Hi.",
    "> Hi.<|im_end|>": "> Hi.",
    "你好。<|im_end|>": "你好。",
    "Hi. <|im_end|>": "Hi. ",
    "Hello<|close|>message<|sep|>": "Hello",
    "Hello<|close|>response<|sep|><|close|>message<|sep|><|end_of_msg|>": "Hello",
    "<|open|>response<|sep|>Hello<|close|>response<|sep|>": "Hello",
    'Hello<|close|>message<|sep|><|end_of_msg|><|open|>message role="user"<|sep|>And?': "Hello",
    "Hi.<|tool_calls_section_end|>": "Hi.",
    '{"a": 1}<|im_end|>': '{"a": 1}',
    "```py\nx = 1\n```<|im_end|>": "```py\nx = 1\n```",
    "```py\nx = 1\n```<|close|>message<|sep|>": "```py\nx = 1\n```",
    f"{TABLE}<|im_end|>": TABLE,
}
ABOUT = [
    "A turn ends with <|im_end|>",
    "The end: <|im_end|>",
    "`<|im_end|>` ends a turn.",
    "<|im_end|> ends a turn.",
    "<|im_start|>user\nHi<|im_end|>",
    "```\n<|im_start|>user\nHi<|im_end|>\n```",
    "```py\nx\n```<|im_end|> is not Markdown.",
    "| token |\n|---|\n| <|im_end|> |",
    "| `<|im_end|> |",
    WHOLE,
    f"{WHOLE}<|im_end|>",
    '<|tool_call_begin|>call_a<|tool_call_argument_begin|>{"city": "Paris"}<|tool_call_end|>',
    'functions.get_weather:0{"city": "Paris"}',
    "a <| b |> c",
]
KIMIS = ("moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.6", "moonshotai/kimi-k3")


class City(BaseModel):
    """A city."""

    city: str


@each_row("way, text", [(way, text) for way in WAYS for text in STRAY])
async def test_stray_markers_are_removed(openrouter: Emulator, model: ChatKimi, way: Way, text: str) -> None:
    for name in KIMIS:
        openrouter.script(reply(way, {"content": text}))
        answer = await ask(model, way, model=name)
        assert answer.content == STRAY[text]
        assert answer.response_metadata["kimi"]["repairs"]["markup"] >= 1


@each_row("way, text", [(way, text) for way in WAYS for text in ABOUT])
async def test_texts_about_markers_stay(openrouter: Emulator, model: ChatKimi, way: Way, text: str) -> None:
    openrouter.script(reply(way, {"content": text}))
    answer = await ask(model, way, model="moonshotai/kimi-k2.6")
    assert (answer.content, answer.tool_calls, answer.invalid_tool_calls) == (text, [], [])


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
async def test_other_models_and_a_switched_off_repair(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"content": "Hi.<|im_end|>"}), times=2)
    assert (await ask(model, way, model="openai/gpt-4o")).content == "Hi.<|im_end|>"
    assert (await ask(model.model_copy(update={"repairs": "none"}), way)).content == "Hi.<|im_end|>"


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
async def test_structured_output_and_thoughts(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"content": '{"city": "Paris"}<|im_end|>'}))
    assert await ask(model.with_structured_output(City, method="json_schema"), way) == City(city="Paris")
    thoughts = "<|open|>think<|sep|>Hm.<|close|>think<|sep|><|open|>response<|sep|>Hello<|close|>response<|sep|>"
    openrouter.script(reply(way, {"content": thoughts}))
    answer = await ask(model, way, model="moonshotai/kimi-k3")
    assert (answer.content, answer.additional_kwargs["reasoning_content"]) == ("Hello", "Hm.")
