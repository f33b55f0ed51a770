"""Content that is neither text nor parts becomes text."""

import json
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiServerError
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import WAYS, Way, ask, event
from tests.conftest import KEY

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
FINISH = {"index": 0, "finish_reason": "stop"}


def body(way: Way, content: Any) -> RawReply:
    if way.endswith("invoke"):
        whole = {"id": "gen-1", "choices": [{**FINISH, "message": {"role": "assistant", "content": content}}]}
        return RawReply(headers={"content-type": "application/json"}, body=json.dumps(whole).encode())
    events = (
        event({"delta": {"content": content}}) + event({"delta": {}, "finish_reason": "stop"}) + b"data: [DONE]\n\n"
    )
    return RawReply(headers={"content-type": "text/event-stream"}, body=events)


@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize(("content", "text"), [(5, "5"), (["a", 5, None], "a5"), ({"text": "a"}, "a")])
@pytest.mark.parametrize("way", WAYS)
async def test_content_of_another_type_becomes_text(way: Way, content: Any, text: str, *, bound: bool) -> None:
    with Emulator() as openrouter:
        openrouter.script(body(way, content))
        model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
        answer = await ask(model.bind_tools([TOOL]) if bound else model, way)
        assert answer.content == text
        model.close()
        await model.aclose()


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("ending", [b"", b"data: [DONE]\n\n", event({"delta": {}, "finish_reason": "stop"})])
async def test_an_event_named_error_is_an_error(way: Way, ending: bytes) -> None:
    with Emulator() as openrouter:
        events = event({"delta": {"content": "Hel"}}) + b'event: error\ndata: {"message": "boom"}\n\n' + ending
        openrouter.script(RawReply(headers={"content-type": "text/event-stream"}, body=events))
        model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
        with pytest.raises(KimiServerError, match="boom") as caught:
            await ask(model, way)
        assert caught.value.partial is not None
        assert caught.value.partial.content == "Hel"
        model.close()
        await model.aclose()
