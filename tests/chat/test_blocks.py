"""LangChain's typed content: v1 messages, v1 streams, and the events of v3."""

from typing import Any

import pytest
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from langchain_kimi._reply.content_blocks import KNOWS_REFUSALS
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiServerError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.chat.asking import WAYS, Way, ask, events_of, reply
from tests.conftest import KEY

# v3 events are in beta.
pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta:langchain_core._api.LangChainBetaWarning")

DETAILS = [{"type": "reasoning.text", "text": "Let me think.", "format": "unknown", "index": 0}]
CALLS = [
    {"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"index": 1, "id": "g:1", "type": "function", "function": {"name": "g", "arguments": '{"b": [2]}'}},
]
INVALID = {"index": 2, "id": "h:2", "type": "function", "function": {"name": "h", "arguments": '{"c": "d'}}
CITATION = {"url": "https://example.com", "title": "Example", "content": "An example."}
IMAGES = [
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aW1n"}},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
]
MESSAGE: dict[str, Any] = {
    "reasoning": "Let me think.",
    "reasoning_details": DETAILS,
    "content": "I look it up.",
    "tool_calls": CALLS,
}
BLOCKS = [
    {"type": "reasoning", "reasoning": "Let me think.", "extras": {"reasoning_details": DETAILS}},
    {"type": "text", "text": "I look it up."},
    {"type": "tool_call", "id": "f:0", "name": "f", "args": {"a": 1}},
    {"type": "tool_call", "id": "g:1", "name": "g", "args": {"b": [2]}},
]
RICH: dict[str, Any] = {
    "content": "See.",
    "annotations": [{"type": "url_citation", "url_citation": CITATION}, {"type": "file", "file": {"hash": "h"}}],
    "images": IMAGES,
    "audio": {"id": "audio_1", "data": "c291bmQ=", "transcript": "see"},
    "refusal": "No more than that.",
}
REFUSAL: dict[str, Any] = {"type": "refusal", "refusal": "No more than that."}
RICH_BLOCKS = [
    {
        "type": "text",
        "text": "See.",
        "annotations": [
            {
                "type": "citation",
                "url": "https://example.com",
                "title": "Example",
                "cited_text": "An example.",
            },
            {"type": "non_standard_annotation", "value": {"type": "file", "file": {"hash": "h"}}},
        ],
    },
    REFUSAL if KNOWS_REFUSALS else {"type": "non_standard", "value": REFUSAL},
    {"type": "image", "base64": "aW1n", "mime_type": "image/png"},
    {"type": "image", "url": "https://example.com/a.png"},
    {"type": "audio", "base64": "c291bmQ=", "extras": {"id": "audio_1", "transcript": "see"}},
]


def plain(blocks: Any) -> list[dict[str, Any]]:
    """Return the blocks without their stream indices."""
    return [{key: value for key, value in block.items() if key != "index"} for block in blocks]


def v1(openrouter: Emulator) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0, output_version="v1")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("wire", "blocks"), [(MESSAGE, BLOCKS), (RICH, RICH_BLOCKS)], ids=["message", "rich"])
async def test_content_blocks_of_a_message(
    openrouter: Emulator, model: ChatKimi, wire: Any, blocks: Any, way: Way
) -> None:
    openrouter.script(reply(way, wire, "tool_calls"))
    message = await ask(model, way)
    assert message.content == wire["content"]
    assert plain(message.content_blocks) == blocks


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("wire", "blocks"), [(MESSAGE, BLOCKS), (RICH, RICH_BLOCKS)], ids=["message", "rich"])
async def test_output_version_v1_returns_content_blocks(openrouter: Emulator, wire: Any, blocks: Any, way: Way) -> None:
    openrouter.script(reply(way, wire, "tool_calls"))
    message = await ask(v1(openrouter), way)
    assert plain(message.content) == blocks
    assert plain(message.content_blocks) == blocks
    assert message.response_metadata["output_version"] == "v1"
    assert [call["name"] for call in message.tool_calls] == [call["name"] for call in blocks if "name" in call]


@pytest.mark.parametrize("way", WAYS)
async def test_an_invalid_call_next_to_valid_ones_in_v1(openrouter: Emulator, way: Way) -> None:
    openrouter.script(reply(way, {**MESSAGE, "tool_calls": [*CALLS, INVALID]}, "length"))
    message = await ask(v1(openrouter), way)
    assert [call["name"] for call in message.tool_calls] == ["f", "g"]
    [invalid] = message.invalid_tool_calls
    assert invalid["name"] == "h"
    assert plain(message.content)[:4] == BLOCKS
    kind = message.content[4]["type"]
    # In the sum of a stream langchain-core only replaces the pieces of valid calls.
    assert kind == ("invalid_tool_call" if way.endswith("invoke") else "tool_call_chunk")


@pytest.mark.usefixtures("no_translator")
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_v1_stream_loses_calls_without_the_translator(openrouter: Emulator, way: Way) -> None:
    """This is the reason for the translator. If it fails, langchain-core no longer needs it."""
    openrouter.script(reply(way, MESSAGE, "tool_calls"))
    message = await ask(v1(openrouter), way)
    kinds = [block["type"] for block in message.content]
    assert kinds.count("tool_call") < 2


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_v3_events_have_content_blocks(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, MESSAGE, "tool_calls"))
    events, message = await events_of(model, way)
    assert_valid_event_stream(events)
    assert plain(message.content) == BLOCKS
    assert [call["args"] for call in message.tool_calls] == [{"a": 1}, {"b": [2]}]
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] == 140
    assert message.response_metadata["cost"] == 0.00016
    assert message.additional_kwargs["reasoning_details"] == DETAILS
    started = [event["content"]["type"] for event in events if event["event"] == "content-block-start"]
    assert started == ["reasoning", "text", "tool_call_chunk", "tool_call_chunk"]


def test_text_and_reasoning_can_be_read_from_a_v3_stream(openrouter: Emulator, model: ChatKimi) -> None:
    openrouter.script(reply("stream", MESSAGE, "tool_calls"))
    stream = model.stream_events("hi", version="v3")
    assert "".join(stream.text) == "I look it up."
    assert "".join(stream.reasoning) == "Let me think."


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_an_invalid_call_in_v3(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"tool_calls": [CALLS[0], {**INVALID, "index": 1}]}, "length"))
    events, message = await events_of(model, way)
    assert_valid_event_stream(events)
    assert [block["type"] for block in plain(message.content)] == ["tool_call", "invalid_tool_call"]
    assert [call["name"] for call in message.invalid_tool_calls] == ["h"]


@pytest.mark.covered
@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_an_error_in_v3(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(faults.stream_error().on(Reply(text="one two", tool_calls=[ToolCall("f", {"a": "b"})])))
    with pytest.raises(KimiServerError, match="Provider disconnected"):
        await events_of(model, way)


ODD_FIELDS: dict[str, Any] = {
    "content": "Look.",
    "images": ["https://example.com/a.png", None, {"image_url": "https://example.com/b.png"}],
    "annotations": ["https://example.com", {"type": "url_citation", "url_citation": CITATION}],
    "audio": "audio_1",
}


@pytest.mark.parametrize("way", WAYS)
async def test_fields_of_another_form_are_left_out_of_the_blocks(openrouter: Emulator, way: Way) -> None:
    openrouter.script(reply(way, ODD_FIELDS))
    message = await ask(v1(openrouter), way)
    text, image = plain(message.content)
    assert (text["text"], [note["url"] for note in text["annotations"]]) == ("Look.", ["https://example.com"])
    assert image == {"type": "image", "url": "https://example.com/b.png"}
    assert {key: message.additional_kwargs[key] for key in ("images", "annotations", "audio")} == {
        key: value for key, value in ODD_FIELDS.items() if key != "content"
    }
