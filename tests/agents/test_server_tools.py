"""Server tools in agents: OpenRouter runs them, the agent runs the functions."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import BaseTool

from langchain_kimi import ChatKimi, DateTime, WebSearch
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.agents.test_agents import ASK, last_message
from tests.chat.asking import WAYS, Way

SENT = [{"type": "openrouter:web_search", "parameters": {"max_results": 3}}, {"type": "openrouter:datetime"}]


async def run(agent: Any, way: Way) -> dict[str, Any]:
    """Return the last state of an agent that is run in one way."""
    if way == "invoke":
        states = [agent.invoke(ASK)]
    elif way == "ainvoke":
        states = [await agent.ainvoke(ASK)]
    elif way == "stream":
        states = list(agent.stream(ASK, stream_mode="values"))
    else:
        states = [state async for state in agent.astream(ASK, stream_mode="values")]
    last: dict[str, Any] = states[-1]
    return last


@pytest.mark.parametrize("way", WAYS)
async def test_an_agent_has_server_tools_beside_functions(
    openrouter: Emulator, model: ChatKimi, weather: BaseTool, calls: list[str], way: Way
) -> None:
    openrouter.script(Reply(tool_calls=[ToolCall("get_weather", {"city": "Oslo"})]), Reply("Sunny."))
    agent = create_agent(model, [weather, WebSearch(max_results=3), DateTime()])
    assert last_message(await run(agent, way)).text == "Sunny."
    assert calls == ["Oslo"]
    for body in openrouter.bodies:
        [function, *server_tools] = body["tools"]
        assert function["function"]["name"] == "get_weather"
        assert server_tools == SENT
