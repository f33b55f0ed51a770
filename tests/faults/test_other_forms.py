"""Tool calls in other forms than a list under `tool_calls`, in all four ways to call a model, over a socket."""

from typing import Any

import pytest

from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import event, reply
from tests.faults.cases import WEATHER
from tests.faults.ways import WAYS, ask, model_of, streams

FUNCTION = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "OpenAI's first form": ({"function_call": FUNCTION}, "function_call"),
    "OpenAI's first form, finished as stop": ({"function_call": FUNCTION}, "stop"),
    "an object in place of the list": ({"tool_calls": {"id": "a", "function": FUNCTION}}, "toolCalls"),
    "an object with numbers": ({"tool_calls": {"0": {"id": "a", "function": FUNCTION}}}, "tool_use"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FORMS)
def test_other_forms_of_calls_become_tool_calls(openrouter: Emulator, name: str, way: str) -> None:
    message, finish = FORMS[name]
    delta = event({"delta": message, "finish_reason": None}) + event({"delta": {}, "finish_reason": finish})
    streamed = RawReply(headers={"content-type": "text/event-stream"}, body=delta + b"data: [DONE]\n\n")
    openrouter.script(streamed if streams(way) else reply("invoke", message, finish))
    with model_of(openrouter) as model:
        answer: Any = ask(model.bind_tools([WEATHER]), way).message
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert not answer.invalid_tool_calls
