"""Forced tool calls of reasoning models: the request that is sent, and the report in the answer."""

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiInvalidRequestError, KimiReplyError
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in "fg"]


def thinking(openrouter: Emulator, repairs: str) -> ChatKimi:
    openrouter.behave(refuses_forced_tool_choice=True)
    slug = "moonshotai/kimi-k2-thinking"
    return ChatKimi(model=slug, api_key=KEY, base_url=openrouter.base_url, max_retries=0, repairs=repairs)


@pytest.mark.parametrize("way", WAYS)
async def test_the_tool_choice_becomes_auto(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(tool_calls=(ToolCall("g"),)))
    model = thinking(openrouter, "all").bind_tools(TOOLS, tool_choice="g")
    message = await ask(model, way)
    assert [call["name"] for call in message.tool_calls] == ["g"]
    [body] = openrouter.bodies
    assert body["tool_choice"] == "auto"
    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]
    assert message.response_metadata["kimi"] == {"repairs": {"tool_choice": 1}}


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_without_the_call_is_an_error(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="No."))
    model = thinking(openrouter, "all").bind_tools(TOOLS, tool_choice="any")
    with pytest.raises(KimiReplyError, match="without the forced tool call") as caught:
        await ask(model, way)
    assert caught.value.partial is not None
    assert (caught.value.partial.content, caught.value.is_retryable) == ("No.", False)
    assert len(openrouter.requests) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_is_switched_off_if_possible(openrouter: Emulator, way: Way) -> None:
    model = ChatKimi(model="moonshotai/kimi-k2.6", api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    message = await ask(model.bind_tools(TOOLS, tool_choice="g"), way)
    assert [call["name"] for call in message.tool_calls] == ["g"]
    [body] = openrouter.bodies
    assert (body["tool_choice"]["function"]["name"], body["reasoning"]) == ("g", {"enabled": False})
    assert message.response_metadata["kimi"] == {"repairs": {"tool_choice": 1}}


@pytest.mark.parametrize("way", WAYS)
async def test_a_forced_call_is_refused_without_the_repair(openrouter: Emulator, way: Way) -> None:
    model = thinking(openrouter, "none").bind_tools(TOOLS, tool_choice="any")
    with pytest.raises(KimiInvalidRequestError, match="incompatible with thinking"):
        await ask(model, way)
