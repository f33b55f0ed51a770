"""A reply whose usage contains impossible numbers is still an answer."""

import math

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import WAYS, Way, ask

NUMBERS = {"5,000 digits": "9" * 5000, "400 digits": "9" * 400, "negative": "-" + "9" * 400, "exponent": "1e999"}


def reply(way: Way, number: str) -> RawReply:
    usage = f'{{"prompt_tokens": {number}, "completion_tokens": 2, "total_tokens": {number}, "cost": {number}}}'
    choice = '"index": 0, "finish_reason": "stop"'
    content = '{"role": "assistant", "content": "Hello"}'
    if way.endswith("invoke"):
        body = f'{{"id": "gen-1", "choices": [{{{choice}, "message": {content}}}], "usage": {usage}}}'
        return RawReply(headers={"content-type": "application/json"}, body=body.encode())
    event = f'data: {{"id": "gen-1", "choices": [{{{choice}, "delta": {content}}}], "usage": {usage}}}'
    return RawReply(headers={"content-type": "text/event-stream"}, body=f"{event}\n\ndata: [DONE]\n\n".encode())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS.keys())
async def test_the_answer_survives(openrouter: Emulator, model: ChatKimi, number: str, way: Way) -> None:
    openrouter.script(reply(way, number))
    message = await ask(model, way)
    assert message.text == "Hello"
    usage = message.usage_metadata or {}
    assert all(math.isfinite(value) for value in usage.values() if isinstance(value, int | float))
