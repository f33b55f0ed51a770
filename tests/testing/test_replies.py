import httpx
import pytest

from langchain_kimi._reply.server_tools import server_tool_blocks
from langchain_kimi.testing import Emulator, Reply, ServerToolCall, ToolCall
from tests.testing.chat import deltas, events, reply


@pytest.mark.parametrize(
    ("arguments", "json"), [({"a": "é"}, '{"a": "é"}'), ("{broken", "{broken"), ({}, "{}"), ("", "")]
)
def test_arguments_become_json(arguments: dict[str, str] | str, json: str) -> None:
    assert ToolCall("a", arguments).json == json


def test_calls_can_be_mappings() -> None:
    reply = Reply(tool_calls=[{"name": "a", "arguments": {"b": 1}}, ToolCall("c", id="d")])
    assert reply.calls == [ToolCall("a", {"b": 1}), ToolCall("c", id="d")]
    assert Reply().calls == []


def test_citations_become_annotations() -> None:
    annotation = {"type": "file_citation"}
    first, second = Reply(citations=["https://example.com/", annotation]).annotations
    assert first["url_citation"]["url"] == "https://example.com/"
    assert second is annotation


FETCH = ServerToolCall("openrouter:web_fetch", {"url": "https://example.com/"}, {"text": "The quay is open."})
CLOCK = ServerToolCall("openrouter:datetime", "{}", "2026-11-27T12:00:00Z", id="clock")
SEARCH = ServerToolCall("openrouter:web_search", {"query": "quay"})
BLOCKS = [
    {
        "type": "server_tool_call",
        "id": "server_tool_call_1",
        "name": "openrouter:web_fetch",
        "args": {"url": "https://example.com/"},
    },
    {
        "type": "server_tool_result",
        "tool_call_id": "server_tool_call_1",
        "status": "success",
        "output": {"text": "The quay is open."},
    },
    {"type": "server_tool_call", "id": "clock", "name": "openrouter:datetime", "args": {}},
    {"type": "server_tool_result", "tool_call_id": "clock", "status": "success", "output": "2026-11-27T12:00:00Z"},
]


def test_server_tools_are_read_as_content_blocks(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.script(Reply("Open.", reasoning="I look.", server_tools=[FETCH, SEARCH, CLOCK]), times=2)
    plain = reply(client)
    details = plain["choices"][0]["message"]["reasoning_details"]
    assert [detail["type"] for detail in details] == ["reasoning.text"] + ["reasoning.server_tool_call"] * 2
    assert list(server_tool_blocks(details)) == BLOCKS
    sent = events(client)
    streamed = [detail for delta in deltas(sent) for detail in delta.get("reasoning_details", ())]
    assert list(server_tool_blocks(streamed)) == BLOCKS
    for usage in (plain["usage"], sent[-1]["usage"]):
        assert usage["server_tool_use_details"] == {
            "tool_calls_requested": 3,
            "tool_calls_executed": 3,
            "web_search_requests": 1,
        }


def test_searches_are_reported_on_request() -> None:
    search = {"name": "openrouter:web_search", "arguments": {"query": "quay"}, "result": [], "is_reported": True}
    [call, result] = server_tool_blocks(Reply(server_tools=[search]).server_tool_details)
    assert (call["name"], call["args"], result["output"]) == ("openrouter:web_search", {"query": "quay"}, [])
    assert Reply(server_tools=[SEARCH]).server_tool_details == []
    assert Reply(server_tools=[CLOCK]).server_tool_usage == {
        "server_tool_use_details": {"tool_calls_requested": 1, "tool_calls_executed": 1}
    }


def test_a_reply_without_server_tools_has_no_fields_of_them(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.script(Reply("Open."))
    plain = reply(client)
    assert "reasoning_details" not in plain["choices"][0]["message"]
    assert "server_tool_use_details" not in plain["usage"]
