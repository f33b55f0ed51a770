"""Text, reasoning and tool calls in every order of a stream."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import WAYS, Way, ask, event, events_of, reply
from tests.conftest import KEY
from tests.rows import each_row

# v3 events are in beta.
pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta:langchain_core._api.LangChainBetaWarning")

CALLS: dict[str, Any] = {
    "f": {"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    "g": {"index": 1, "id": "g:1", "type": "function", "function": {"name": "g", "arguments": '{"b": [2]}'}},
}
CITED = {"type": "url_citation", "url_citation": {"url": "https://example.com", "title": "Example"}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
# The deltas of the words in an order. The other words are calls.
DELTAS: dict[str, dict[str, Any]] = {
    "thinks": {"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "index": 0}]},
    "silently": {"reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "index": 0}]},
    "says": {"content": "So."},
    "cites": {"annotations": [CITED]},
    "shows": {"images": [IMAGE]},
    "refuses": {"refusal": "No."},
}
ORDERS = (
    "says f g",
    "thinks f g",
    "thinks says f g",
    "f g says",
    "f says g",
    "f thinks g says",
    "thinks f thinks g",
    "says thinks says f",
    "says f says thinks g thinks",
    "silently says f g",
    "says cites f says cites g",
    "shows says f",
    "thinks says refuses",
    "f g",
)


def deltas_of(order: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the deltas of a stream in this order. Each call has two pieces, the second without its name."""
    for word in order:
        if word in DELTAS:
            yield DELTAS[word]
            continue
        call = CALLS[word]
        arguments = call["function"]["arguments"]
        yield {"tool_calls": [{**call, "function": {"name": word, "arguments": arguments[:4]}}]}
        yield {"tool_calls": [{"index": call["index"], "function": {"arguments": arguments[4:]}}]}


def streamed(order: Sequence[str]) -> RawReply:
    events = [event({"delta": {"role": "assistant", "content": "", **delta}}) for delta in deltas_of(order)]
    ending = event({"delta": {"content": ""}, "finish_reason": "tool_calls"})
    body = b"".join([*events, ending, b"data: [DONE]\n\n"])
    return RawReply(headers={"content-type": "text/event-stream"}, body=body)


def whole(order: Sequence[str]) -> dict[str, Any]:
    """Return the message of the same reply without streaming."""
    message: dict[str, Any] = {}
    for word in order:
        if word in CALLS:
            message.setdefault("tool_calls", []).append(CALLS[word])
            continue
        for key, value in DELTAS[word].items():
            if key == "reasoning_details":
                text = message.get(key, [{"text": ""}])[0]["text"] + value[0]["text"]
                message[key] = [{**value[0], "text": text}]
            else:
                message[key] = message[key] + value if key in message else value
    return message


def sorted_blocks(blocks: Any) -> list[str]:
    """Return the blocks without their stream indices, sorted."""
    bare = [{key: value for key, value in block.items() if key != "index"} for block in blocks]
    return sorted(json.dumps(block, sort_keys=True) for block in bare)


def model_of(openrouter: Emulator, **settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)


async def plain_blocks(openrouter: Emulator, order: Sequence[str]) -> list[str]:
    openrouter.script(reply("invoke", whole(order), "tool_calls"))
    return sorted_blocks(model_of(openrouter).invoke("hi").content_blocks)


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", WAYS)
@each_row("order", ORDERS)
async def test_every_way_returns_the_same_blocks(openrouter: Emulator, order: str, way: Way, version: str) -> None:
    words = order.split()
    openrouter.clear()
    blocks = await plain_blocks(openrouter, words)
    openrouter.script(streamed(words) if way.endswith("stream") else reply(way, whole(words), "tool_calls"))
    message = await ask(model_of(openrouter, output_version=version), way)
    assert sorted_blocks(message.content_blocks) == blocks
    assert (message.content == message.content_blocks) is (version == "v1")
    assert [call["name"] for call in message.tool_calls] == [word for word in words if word in CALLS]


@pytest.mark.parametrize("way", ["stream", "astream"])
@each_row("order", ORDERS)
async def test_v3_events_have_the_same_blocks(openrouter: Emulator, order: str, way: Way) -> None:
    openrouter.clear()
    blocks = await plain_blocks(openrouter, order.split())
    openrouter.script(streamed(order.split()))
    events, message = await events_of(model_of(openrouter), way)
    assert_valid_event_stream(events)
    finished = [event["content"] for event in events if event["event"] == "content-block-finish"]
    assert sorted_blocks(finished) == blocks
    # langchain-core leaves refusal blocks out of the message that it assembles.
    assert sorted_blocks(message.content) == [block for block in blocks if json.loads(block)["type"] != "refusal"]
    assert message.additional_kwargs.get("refusal") == whole(order.split()).get("refusal")


@pytest.mark.parametrize("way", WAYS)
@each_row("order", ORDERS)
async def test_the_next_turn_sends_the_same_message(openrouter: Emulator, order: str, way: Way) -> None:
    """The next request has the same message for v0 and v1, streamed or not."""
    words = order.split()
    openrouter.clear()
    answers = [{"role": "tool", "content": "1", "tool_call_id": CALLS[word]["id"]} for word in words if word in CALLS]
    for version in ("v0", "v1"):
        model = model_of(openrouter, output_version=version)
        openrouter.script(streamed(words) if way.endswith("stream") else reply(way, whole(words), "tool_calls"))
        message = await ask(model, way)
        openrouter.script(reply("invoke", {"content": "Done."}))
        await model.ainvoke([("human", "hi"), message, *answers, ("human", "Go on.")])
    sent_v0, sent_v1 = openrouter.bodies[1]["messages"], openrouter.bodies[3]["messages"]
    assert sent_v0 == sent_v1
    message_sent = whole(words)
    assert sent_v0[1]["content"] == message_sent.get("content")
    for key in ("reasoning", "reasoning_details", "refusal"):
        assert sent_v0[1].get(key) == message_sent.get(key)
    calls = sent_v0[1].get("tool_calls", [])
    assert [call["function"]["name"] for call in calls] == [word for word in words if word in CALLS]
    assert [call["id"] for call in calls] == [
        message["tool_call_id"] for message in sent_v0 if message["role"] == "tool"
    ]


@pytest.mark.usefixtures("no_translator")
@pytest.mark.parametrize("order", ["says f g", "thinks f g", "thinks says f g"])
async def test_these_orders_lose_a_call_without_the_translator(openrouter: Emulator, order: str) -> None:
    """This is the reason for the translator. If it fails, the translator is no longer needed."""
    openrouter.script(streamed(order.split()))
    message = await ask(model_of(openrouter, output_version="v1"), "stream")
    assert len(message.tool_calls) == 2
    assert [block["type"] for block in message.content].count("tool_call") < 2
