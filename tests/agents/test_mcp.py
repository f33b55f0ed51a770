"""Agents with the tools of MCP servers: a child process over stdio, and a server over streamable HTTP.

MCP tools are async, so these agents are run with `ainvoke` and `astream`.
"""

import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langgraph.checkpoint.memory import InMemorySaver

from langchain_kimi import ChatKimi
from langchain_kimi.middleware import KimiToolSearch
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.agents.mcp_server import DOCUMENT, PIXEL, server
from tests.conftest import KEY
from tests.middleware.ways import run, thread

ASYNC_WAYS = ("ainvoke", "astream")
ARGUMENTS: dict[str, dict[str, str]] = {
    "weather": {"city": "Oslo"},
    "disk_read": {"path": "notes.txt"},
    "disk_scan": {"path": "paper.pdf"},
    "disk_photo": {"path": "map.png"},
    "tool_2d_plot": {"city": "Oslo"},
    "list-links": {"topic": "oslo"},
    "fail": {"reason": "Nothing there."},
}
"""The tools by the names that are sent, with the arguments of their calls."""
RESULTS = {
    "weather": '{\n  "city": "Oslo",\n  "degrees": 21.5,\n  "is_sunny": true\n}',
    "disk_read": "The text of notes.txt.",
    "disk_scan": [{"type": "file", "file": {"file_data": f"data:application/pdf;base64,{DOCUMENT}"}}],
    "disk_photo": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}],
    "tool_2d_plot": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}],
    "list-links": [
        {"type": "text", "text": "https://example.com/oslo/notes.txt (text/plain)"},
        {"type": "image_url", "image_url": {"url": "https://example.com/oslo/map.png"}},
        {"type": "text", "text": "https://example.com/oslo/map.svg (image/svg+xml)"},
        {"type": "file", "file": {"file_data": "https://example.com/oslo/paper.pdf"}},
        {"type": "text", "text": "https://example.com/oslo/page"},
    ],
    "fail": "Error executing tool fail: Nothing there.",
}
"""The result of each call as the model receives it."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return the address of a server with two hundred tools and the others."""
    app = server(many=200, stateless_http=True).streamable_http_app()
    listener = socket.create_server(("127.0.0.1", 0))
    http = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    runner = threading.Thread(target=http.run, kwargs={"sockets": [listener]})
    runner.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    http.should_exit = True
    runner.join()


@asynccontextmanager
async def tools_of(connection: Any) -> AsyncIterator[list[BaseTool]]:
    """Return the tools of a server, in one session."""
    async with MultiServerMCPClient({"server": connection}).session("server") as session:
        yield await load_mcp_tools(session)


def over_http(address: str) -> Any:
    return {"transport": "streamable_http", "url": address}


def over_stdio() -> Any:
    return {"transport": "stdio", "command": sys.executable, "args": ["-m", "tests.agents.mcp_server"]}


def agent_of(openrouter: Emulator, tools: list[BaseTool], *middleware: Any) -> Any:
    # A model that takes images.
    model = ChatKimi(model="moonshotai/kimi-k2.6", api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    return create_agent(model, tools, middleware=middleware, checkpointer=InMemorySaver())


async def check_every_result(openrouter: Emulator, tools: list[BaseTool], way: str) -> None:
    """Let an agent call each tool, and check what the user and the model get."""
    openrouter.clear()
    openrouter.script(Reply(tool_calls=[ToolCall(name, arguments) for name, arguments in ARGUMENTS.items()]))
    openrouter.script(Reply(text="Done."))
    messages = await run(agent_of(openrouter, tools), way)
    reply = messages[1]
    assert isinstance(reply, AIMessage)
    own_names = ["weather", "disk.read", "disk.scan", "disk.photo", "2d_plot", "list-links", "fail"]
    assert [call["name"] for call in reply.tool_calls] == own_names
    results = {message.name: message for message in messages if isinstance(message, ToolMessage)}
    assert results["weather"].artifact == {"structured_content": {"city": "Oslo", "degrees": 21.5, "is_sunny": True}}
    assert [name for name in own_names if results[name].status == "error"] == ["fail"]
    sent = [message["content"] for message in openrouter.bodies[1]["messages"] if message["role"] == "tool"]
    assert sent == list(RESULTS.values())


async def check_two_hundred_tools(openrouter: Emulator, tools: list[BaseTool], way: str) -> None:
    """Let an agent call one of very many tools."""
    openrouter.clear()
    openrouter.script(Reply(tool_calls=[ToolCall("station_117", {"city": "Oslo"})]), Reply(text="Done."))
    messages = await run(agent_of(openrouter, tools, KimiToolSearch()), way)
    assert messages[-1].text == "Done."
    assert isinstance(messages[2], ToolMessage)
    assert messages[2].name == "station_117"
    body = openrouter.bodies[0]
    assert (len(body["tools"]), body["deferred_tools"]["search"]["type"]) == (200 + len(ARGUMENTS), "bm25")
    assert openrouter.bodies[1]["tools"] == body["tools"]


async def test_an_agent_uses_the_tools_of_a_server_over_http(openrouter: Emulator, address: str) -> None:
    async with tools_of(over_http(address)) as tools:
        await check_every_result(openrouter, tools[: len(ARGUMENTS)], "ainvoke")
        await check_two_hundred_tools(openrouter, tools, "astream")


@pytest.mark.long
@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_an_agent_uses_the_tools_of_a_child_process(openrouter: Emulator, way: str) -> None:
    async with tools_of(over_stdio()) as tools:
        await check_every_result(openrouter, tools, way)


@pytest.mark.long
@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_tools_of_two_servers_have_one_search(openrouter: Emulator, address: str, way: str) -> None:
    client = MultiServerMCPClient({"near": over_stdio(), "far": over_http(address)}, tool_name_prefix=True)
    tools = await client.get_tools()
    host = {"name": "other", "base_url": openrouter.base_url}
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, host=host, max_retries=0)
    search = ToolCall("search_tools", {"query": "weather at station 42"})
    openrouter.script(Reply(tool_calls=[search]), Reply(tool_calls=[ToolCall("far_station_042", {"city": "Oslo"})]))
    openrouter.script(Reply(text="Done."))
    agent = create_agent(model, tools, middleware=[KimiToolSearch()], checkpointer=InMemorySaver())
    messages = await run(agent, way, config=thread("two"))
    assert [message.name for message in messages if isinstance(message, ToolMessage)] == [
        "search_tools",
        "far_station_042",
    ]
    assert [len(body["tools"]) for body in openrouter.bodies] == [1, 6, 6]
