"""Lone surrogates, which JSON can escape and UTF-8 cannot encode, do not end a conversation."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, RawReply, Reply
from tests.chat.asking import WAYS, Way, ask, event

CASES = [
    (["a\ud83d"], "a\ufffd"),
    (["\ude00b"], "\ufffdb"),
    (["a\ud83d", "\ude00b"], "a😀b"),
    (["a\ud83d", "b"], "a\ufffdb"),
]


def body(way: Way, texts: list[str]) -> RawReply:
    if way.endswith("invoke"):
        whole = {"id": "gen-1", "choices": [{"message": {"content": "".join(texts)}, "finish_reason": "stop"}]}
        return RawReply(headers={"content-type": "application/json"}, body=json.dumps(whole).encode())
    events = b"".join(event({"delta": {"content": text}}) for text in texts)
    ending = event({"delta": {}, "finish_reason": "stop"}) + b"data: [DONE]\n\n"
    return RawReply(headers={"content-type": "text/event-stream"}, body=events + ending)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("texts", "sent"), CASES)
async def test_an_answer_with_a_lone_surrogate_can_be_sent_back(
    openrouter: Emulator, model: ChatKimi, texts: list[str], sent: str, way: Way
) -> None:
    openrouter.script(body(way, texts), Reply(text="And on."))
    answer = await ask(model, way)
    # Two surrogates are one character, whether streamed together or not.
    assert answer.content.encode("utf-16", "surrogatepass") == "".join(texts).encode("utf-16", "surrogatepass")
    following = await ask(model, way, [HumanMessage("hi"), AIMessage(answer.content), HumanMessage("go on")])
    assert following.content == "And on."
    messages: Any = openrouter.requests[-1].body["messages"]
    assert [message["content"] for message in messages] == ["hi", sent, "go on"]
    assert model.get_num_tokens(answer.content) > 0
