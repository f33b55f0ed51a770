"""Efforts and tools that change in a conversation with an agent."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.conftest import KEY
from tests.middleware.ways import MODES, WAYS, thread

CLOCK = {"type": "function", "function": {"name": "clock", "description": "Tell the time.", "parameters": {}}}


@tool
def clock() -> str:
    """Tell the time."""
    return "It is noon."


async def send(agent: Any, way: str, *messages: Any) -> None:
    """Add messages to a thread, and run the agent in one of the ways."""
    state: Any = {"messages": list(messages)}
    if way == "invoke":
        agent.invoke(state, thread())
    elif way == "ainvoke":
        await agent.ainvoke(state, thread())
    elif way == "stream":
        assert list(agent.stream(state, thread(), stream_mode=MODES))
    else:
        assert [part async for part in agent.astream(state, thread(), stream_mode=MODES)]


@pytest.mark.parametrize("way", WAYS)
async def test_a_message_changes_the_effort(openrouter: Emulator, weather: BaseTool, way: str) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, model="moonshotai/kimi-k3", reasoning={"effort": "low"})
    openrouter.script(Reply(text="Yes."), times=3)
    agent = create_agent(model, [weather], checkpointer=InMemorySaver())
    update = {"type": "configuration_update", "reasoning": {"effort": "high"}}
    await send(agent, way, HumanMessage("Hello."))
    await send(agent, way, HumanMessage([update, {"type": "text", "text": "Think about it."}]))
    await send(agent, way, HumanMessage("And?"))
    assert [body["reasoning"]["effort"] for body in openrouter.bodies] == ["low", "high", "high"]
    assert [message["role"] for message in openrouter.bodies[2]["messages"]] == ["user", "assistant"] * 2 + ["user"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("later_tools", [True, False])
async def test_a_message_adds_a_tool(openrouter: Emulator, weather: BaseTool, way: str, *, later_tools: bool) -> None:
    openrouter.behave(later_tools=later_tools)
    host = {"name": "other", "base_url": openrouter.base_url, "takes_later_tools": later_tools}
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, host=host, model="moonshotai/kimi-k3")
    openrouter.script(Reply(text="Yes."), Reply(tool_calls=[ToolCall("clock", {})]), Reply(text="Noon."))
    agent = create_agent(model, [weather, clock], checkpointer=InMemorySaver())
    await send(agent, way, HumanMessage("Hello."))
    addition = SystemMessage([{"type": "additional_tools", "tools": [CLOCK]}])
    await send(agent, way, addition, HumanMessage("What time is it?"))
    assert agent.get_state(thread()).values["messages"][-1].text == "Noon."
    placed = [message for message in openrouter.bodies[2]["messages"] if "tools" in message]
    assert bool(placed) is later_tools
