"""The ways to run an agent, and the tools of the tests."""

from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.tools import tool

from langchain_kimi.testing import Reply, ToolCall

WAYS = ("invoke", "ainvoke", "stream", "astream")
"""Streams with the mode `messages` stream the model, too."""
MODES = ["updates", "messages"]


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Sunny in {city}."


OSLO = ToolCall("get_weather", {"city": "Oslo"})
BROKEN = ToolCall("get_weather", '{"city": "Os')
ASK = "What is the weather in Oslo?"


def calls(*tool_calls: ToolCall) -> Reply:
    """Return a reply with these calls."""
    return Reply(tool_calls=tool_calls)


def thread(name: str = "1") -> Any:
    """Return the config of a thread."""
    return {"configurable": {"thread_id": name}}


async def run(agent: Any, way: str, text: str = ASK, config: Any = None) -> list[BaseMessage]:
    """Run one turn of an agent with a checkpointer. Return all messages of its thread."""
    state, config = {"messages": [HumanMessage(text)]}, config or thread()
    if way == "invoke":
        agent.invoke(state, config)
    elif way == "ainvoke":
        await agent.ainvoke(state, config)
    elif way == "stream":
        assert list(agent.stream(state, config, stream_mode=MODES))
    else:
        assert [part async for part in agent.astream(state, config, stream_mode=MODES)]
    messages: list[BaseMessage] = agent.get_state(config).values["messages"]
    return messages


def kinds(messages: list[BaseMessage]) -> list[str]:
    """Return the types of messages."""
    return [message.type for message in messages]
