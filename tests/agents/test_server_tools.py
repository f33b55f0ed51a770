"""Server tools in agents: OpenRouter runs them, the agent runs the functions."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_kimi import ChatKimi, DateTime, WebFetch, WebSearch
from langchain_kimi.testing import Emulator, Reply, ServerToolCall, ToolCall
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


@pytest.mark.parametrize("way", WAYS)
async def test_an_agent_continues_after_calls_of_server_tools(
    openrouter: Emulator, model: ChatKimi, weather: BaseTool, way: Way
) -> None:
    fetch = ServerToolCall("openrouter:web_fetch", {"url": "https://example.com"}, {"text": "Sunny."}, id="fetch_1")
    source = {"url": "https://example.com", "title": "Oslo", "content": "Sunny.", "start_index": 0, "end_index": 6}
    cited = [{"type": "url_citation", "url_citation": source}]
    call = ToolCall("get_weather", {"city": "Oslo"})
    openrouter.script(Reply("Sunny.", citations=cited, server_tools=[fetch], tool_calls=[call]), Reply("Yes."))
    agent = create_agent(model, [weather, WebSearch(), WebFetch()], checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    messages = (await run(agent.with_config(config), way))["messages"]
    reply = next(message for message in messages if isinstance(message, AIMessage))
    blocks: dict[str, Any] = {block["type"]: block for block in reply.content_blocks}
    assert blocks["server_tool_call"]["args"] == {"url": "https://example.com"}
    assert blocks["server_tool_result"]["output"] == {"text": "Sunny."}
    [citation] = blocks["text"]["annotations"]
    assert (citation["cited_text"], citation["start_index"], citation["end_index"]) == ("Sunny.", 0, 6)
    assert reply.response_metadata["server_tool_use_details"]["tool_calls_executed"] == 1
    # The next request has the call as it came.
    [detail] = openrouter.bodies[1]["messages"][1]["reasoning_details"]
    assert (detail["tool_call_id"], detail["result"]) == ("fetch_1", '{"text": "Sunny."}')
