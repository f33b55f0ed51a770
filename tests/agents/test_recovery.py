"""Agents with a checkpointer continue after turns that hosts would refuse."""

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.conftest import KEY

CONFIG: Any = {"configurable": {"thread_id": "1"}}


@tool
def look(call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
    """Look, and return a picture in a message of its own."""
    picture = HumanMessage([{"type": "text", "text": "The picture."}])
    return Command(update={"messages": [ToolMessage("Done.", tool_call_id=call_id), picture]})


@tool
def count() -> str:
    """Count."""
    return "2"


async def turn(agent: Any, text: str, *, sync: bool) -> str:
    state = {"messages": [HumanMessage(text)]}
    result = agent.invoke(state, CONFIG) if sync else await agent.ainvoke(state, CONFIG)
    return str(result["messages"][-1].text)


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("slug", ["moonshotai/kimi-k2-thinking", "moonshotai/kimi-k2.6", "moonshotai/kimi-k3"])
async def test_an_agent_continues_after_a_turn_with_only_reasoning(
    openrouter: Emulator, slug: str, *, streaming: bool, sync: bool
) -> None:
    model = ChatKimi(
        model=slug,
        api_key=KEY,
        base_url=openrouter.base_url,
        max_retries=0,
        **({"streaming": True} if streaming else {}),
    )
    agent = create_agent(model, [], checkpointer=InMemorySaver())
    openrouter.script(Reply(text="", reasoning="Hm.", finish_reason="length"), Reply(text="Here."))
    assert await turn(agent, "hi", sync=sync) == ""
    assert await turn(agent, "go on", sync=sync) == "Here."
    assert [message["role"] for message in openrouter.bodies[1]["messages"]] == ["user", "user"]


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
@pytest.mark.parametrize("slug", ["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.6", "moonshotai/kimi-k3"])
async def test_an_agent_continues_after_a_tool_that_adds_a_message(
    openrouter: Emulator, slug: str, *, sync: bool
) -> None:
    model = ChatKimi(model=slug, api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    agent = create_agent(model, [look, count], checkpointer=InMemorySaver())
    openrouter.script(
        Reply(tool_calls=[ToolCall("look", {}), ToolCall("count", {})]), Reply(text="Here."), Reply(text="And on.")
    )
    assert await turn(agent, "hi", sync=sync) == "Here."
    assert await turn(agent, "go on", sync=sync) == "And on."
    for body in openrouter.bodies[1:]:
        roles = [message["role"] for message in body["messages"]]
        assert roles[:5] == ["user", "assistant", "tool", "tool", "user"]
        contents = [message["content"] for message in body["messages"][2:5]]
        assert contents == ["Done.", "2", "The picture."]
