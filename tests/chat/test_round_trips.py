"""Replies are sent back unchanged as history."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage, message_chunk_to_message
from langchain_core.tools import tool

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask, reply
from tests.conftest import KEY

THINKER = "moonshotai/kimi-k2-thinking"
DETAILS = [
    {"type": "reasoning.text", "text": "Let me think about it.", "format": "unknown", "index": 0, "signature": None},
    {"type": "reasoning.summary", "summary": "Thought.", "format": "openai-responses-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "c2VjcmV0", "format": "openai-responses-v1", "index": 0, "id": "rs_1"},
]
CALL = {"index": 0, "id": "functions.area:0", "type": "function", "function": {"name": "area", "arguments": '{"w":4}'}}
SENT_CALL = {key: value for key, value in CALL.items() if key != "index"}
FILE = {"type": "file", "file": {"hash": "h", "name": "a.pdf", "content": [{"type": "text", "text": "<file>"}]}}

MESSAGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"content": " Hello. "}, {"content": " Hello. "}),
    "reasoning": (
        {"content": "Yes.", "reasoning": "Let me think about it.", "reasoning_details": DETAILS},
        {"content": "Yes.", "reasoning": "Let me think about it.", "reasoning_details": DETAILS},
    ),
    "reasoning and a call": (
        {"reasoning": "Let me think about it.", "reasoning_details": DETAILS[:1], "tool_calls": [CALL]},
        {
            "content": None,
            "reasoning": "Let me think about it.",
            "reasoning_details": DETAILS[:1],
            "tool_calls": [SENT_CALL],
        },
    ),
    "text and a call": (
        {"content": "Wait.", "tool_calls": [CALL]},
        {"content": "Wait.", "tool_calls": [SENT_CALL]},
    ),
    "refusal": ({"refusal": "No."}, {"content": None, "refusal": "No."}),
    "a parsed file": (
        {"content": "I read it.", "annotations": [FILE, {"type": "url_citation", "url_citation": {"url": "u"}}]},
        {"content": "I read it.", "annotations": [FILE]},
    ),
}


@tool
def area(w: int) -> str:
    """Tell the area of a square."""
    return str(w * w)


def sent_back(openrouter: Emulator, message: Any) -> Any:
    """Return the wire form of a message sent as history."""
    history = [HumanMessage("hi"), message]
    history += [ToolMessage("16", tool_call_id=call["id"]) for call in message.tool_calls]
    openrouter.behave(strict=False)
    ChatKimi(api_key=KEY, base_url=openrouter.base_url, model="other/model").invoke(history)
    return openrouter.bodies[-1]["messages"][1]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("case", MESSAGES)
async def test_a_message_is_sent_back_unchanged(openrouter: Emulator, case: str, version: str, way: Way) -> None:
    wire, expected = MESSAGES[case]
    openrouter.script(reply(way, wire))
    message = await ask(ChatKimi(api_key=KEY, base_url=openrouter.base_url, output_version=version), way)
    sent = sent_back(openrouter, message)
    assert sent == {"role": "assistant", **expected}
    # The keys keep their order.
    assert json.dumps(sent.get("reasoning_details")) == json.dumps(expected.get("reasoning_details"))


@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_is_sent_back_under_its_key(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(reply(way, {"content": "Yes.", "reasoning_content": "Hm."}))
    message = await ask(model, way)
    assert message.additional_kwargs == {"reasoning_content": "Hm.", "reasoning_key": "reasoning_content"}
    assert sent_back(openrouter, message) == {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_sum_of_chunks_and_its_message_are_sent_back_equally(
    openrouter: Emulator, model: ChatKimi, way: Way
) -> None:
    openrouter.script(reply(way, MESSAGES["reasoning and a call"][0]))
    chunk = await ask(model, way)
    assert isinstance(chunk, AIMessageChunk)
    assert sent_back(openrouter, chunk) == sent_back(openrouter, message_chunk_to_message(chunk))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", ["v0", "v1"])
async def test_a_reasoning_kimi_continues_after_a_tool_call(openrouter: Emulator, version: str, way: Way) -> None:
    openrouter.behave(requires_reasoning=True)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, model=THINKER, output_version=version, max_retries=0)
    bound = model.bind_tools([area])
    history: list[Any] = [HumanMessage("Tell the area of a square, w is 4.")]
    first = await ask(bound, way, history)
    [call] = first.tool_calls
    history += [first, area.invoke(call)]
    second = await ask(bound, way, history)
    assert second.tool_calls == []
    history += [second, HumanMessage("Thank you.")]
    assert (await ask(bound, way, history)).text
    sent = openrouter.bodies[2]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "assistant", "user"]
    for message, answer in ((sent[1], first), (sent[3], second)):
        assert message["reasoning"] == answer.additional_kwargs["reasoning_content"]
        assert message["reasoning_details"] == answer.additional_kwargs["reasoning_details"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"]
