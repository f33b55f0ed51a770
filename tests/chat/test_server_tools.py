"""Replies in which OpenRouter ran server tools: their calls, their results and the cited pages as content blocks."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_kimi import ChatKimi, WebSearch
from langchain_kimi.testing import Emulator, Reply
from tests.chat.asking import WAYS, Way, ask, events_of, reply
from tests.conftest import KEY

# v3 events are in beta.
pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta:langchain_core._api.LangChainBetaWarning")

DETAILS = [
    {"type": "reasoning.text", "text": "I ask.", "format": "unknown", "index": 0},
    {
        "type": "reasoning.server_tool_call",
        "tool_name": "openrouter:fusion",
        "arguments": '{"prompt": "Oslo?"}',
        "result": '{"analysis": "sunny"}',
        "tool_call_id": "call_1",
        "index": 1,
    },
]
SPAN = {"start_index": 0, "end_index": 9}
CITED = {"url": "https://a.example", "title": "Oslo", "content": "The sun shines.", **SPAN}
UNPLACED = {"url": "https://b.example", "title": "", "start_index": 0, "end_index": 0}
MESSAGE: dict[str, Any] = {
    "reasoning": "I ask.",
    "reasoning_details": DETAILS,
    "content": "It's sunny.",
    "annotations": [{"type": "url_citation", "url_citation": source} for source in (CITED, UNPLACED)],
}
CITATIONS = [
    {"type": "citation", "url": "https://a.example", "title": "Oslo", "cited_text": "The sun shines.", **SPAN},
    {"type": "citation", "url": "https://b.example"},
]
BLOCKS = [
    {"type": "reasoning", "reasoning": "I ask.", "extras": {"reasoning_details": DETAILS}},
    {"type": "server_tool_call", "id": "call_1", "name": "openrouter:fusion", "args": {"prompt": "Oslo?"}},
    {"type": "server_tool_result", "tool_call_id": "call_1", "status": "success", "output": {"analysis": "sunny"}},
    {"type": "text", "text": "It's sunny.", "annotations": CITATIONS},
]
ORDER = ["reasoning", "server_tool_call", "server_tool_result", "text"]


def plain(blocks: Any) -> list[dict[str, Any]]:
    """Return the blocks without their stream indices, in one order."""
    listed = [{key: value for key, value in block.items() if key != "index"} for block in blocks]
    return sorted(listed, key=lambda block: ORDER.index(block["type"]))


def model_of(openrouter: Emulator, version: str | None) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, output_version=version)


@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize("way", WAYS)
async def test_server_tools_and_citations_are_content_blocks(
    openrouter: Emulator, way: Way, version: str | None
) -> None:
    openrouter.script(reply(way, MESSAGE), Reply("Yes."))
    model = model_of(openrouter, version)
    message = await ask(model.bind_tools([WebSearch()]), way)
    assert plain(message.content_blocks) == BLOCKS
    assert message.text == "It's sunny."
    assert message.tool_calls == []
    await ask(model, way, [HumanMessage("Oslo?"), message, HumanMessage("Sure?")])
    # OpenRouter reads the calls of its tools from the details, unchanged.
    sent = openrouter.bodies[-1]["messages"][1]
    assert sent["reasoning_details"] == DETAILS
    assert sent["content"] == "It's sunny."


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_v3_events_have_the_blocks_of_server_tools(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, MESSAGE))
    _, message = await events_of(model, way)
    assert plain(message.content) == BLOCKS
