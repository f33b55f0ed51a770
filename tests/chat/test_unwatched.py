"""`invoke` of a streaming model gives the same whether its chunks are made one by one or only their sum."""

from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiStreamCutError
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import Way, ask, event, reply
from tests.conftest import KEY

RUN = {"run_id": UUID("00000000-0000-4000-8000-000000000001")}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def call(number: int, arguments: str, name: str = "f") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"index": number, "id": f"functions.f:{number}", "type": "function", "function": function}


DETAILS = [{"type": "reasoning.text", "text": "Hm, hm.", "format": "unknown", "index": 0, "signature": "s"}]
LEAKED = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>"
    '{"a": 1}<|tool_call_end|><|tool_calls_section_end|>'
)
MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "text": ({"content": "Hello there."}, "stop"),
    "reasoning": ({"content": "Hello.", "reasoning": "Hm, hm.", "reasoning_details": DETAILS}, "stop"),
    "the other spelling": ({"content": "Hello.", "reasoning_content": "Hm, hm."}, "stop"),
    "both spellings": ({"content": "Hello.", "reasoning": "Hm.", "reasoning_content": "Hm."}, "stop"),
    "calls": ({"content": "So:", "tool_calls": [call(0, '{"a": [1, 2]}'), call(1, "{}")]}, "tool_calls"),
    "a call cut off": ({"tool_calls": [call(0, '{"a": [1, 2]}'), call(1, '{"a": "b')]}, "length"),
    "a call in the text": ({"content": f"So: {LEAKED}"}, "stop"),
    "nothing, for its length": ({"content": ""}, "length"),
    "an image": ({"content": "Look:", "images": [{"type": "image_url", "image_url": {"url": "data:,"}}]}, "stop"),
}


class Watching(BaseCallbackHandler):
    """Counts what it is told of."""

    def __init__(self) -> None:
        self.tokens = 0

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.tokens += 1


@pytest.fixture
def streaming(openrouter: Emulator) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0, streaming=True)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize(("message", "finish"), MESSAGES.values(), ids=MESSAGES.keys())
async def test_the_sum_is_that_of_the_chunks(
    streaming: ChatKimi, openrouter: Emulator, message: dict[str, Any], finish: str, way: Way
) -> None:
    openrouter.script(reply("stream", message, finish), times=2)
    model, watching = streaming.bind_tools([TOOL]), Watching()
    unwatched = await ask(model, way, "hi", {**RUN})
    watched = await ask(model, way, "hi", {**RUN, "callbacks": [watching]})
    assert watching.tokens
    assert dumps(unwatched) == dumps(watched)
    assert [request.body["stream"] for request in openrouter.requests] == [True, True]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_usage_in_an_event_without_a_choice_counts(streaming: ChatKimi, openrouter: Emulator, way: Way) -> None:
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}\n\n'
    body = event({"delta": {"content": "Hello."}}) + event({"delta": {}, "finish_reason": "stop"}) + usage
    openrouter.script(RawReply(headers={"content-type": "text/event-stream"}, body=body), times=2)
    unwatched = await ask(streaming, way, "hi", {**RUN})
    assert unwatched.usage_metadata["total_tokens"] == 3
    assert dumps(unwatched) == dumps(await ask(streaming, way, "hi", {**RUN, "callbacks": [Watching()]}))


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_typed_blocks_are_made_one_by_one(streaming: ChatKimi, openrouter: Emulator, way: Way) -> None:
    openrouter.script(reply("stream", *MESSAGES["reasoning"]), times=2)
    model = streaming.model_copy(update={"output_version": "v1"})
    unwatched = await ask(model, way, "hi", {**RUN})
    assert dumps(unwatched) == dumps(await ask(model, way, "hi", {**RUN, "callbacks": [Watching()]}))


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_stream_that_breaks_off_fails_alike(openrouter: Emulator, way: Way) -> None:
    cut = event({"delta": {"content": "Hel"}}) + event({"delta": {"content": "lo"}})
    openrouter.script(RawReply(headers={"content-type": "text/event-stream"}, body=cut), times=2)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1, streaming=True)
    for config in ({}, {"callbacks": [Watching()]}):
        with pytest.raises(KimiStreamCutError) as caught:
            await ask(model, way, "hi", config)
        assert caught.value.partial is not None
        assert caught.value.partial.content == "Hello"
    # What has begun is not asked for again.
    assert len(openrouter.requests) == 2


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_disable_streaming_is_respected(streaming: ChatKimi, openrouter: Emulator, way: Way) -> None:
    openrouter.script(reply("invoke", {"content": "Hello."}))
    await ask(streaming, way, "hi", stream=False)
    assert "stream" not in openrouter.requests[-1].body


class Shouting(ChatKimi):
    """A model of a user who changes what streams by."""

    def _stream(self, *args: Any, **kwargs: Any) -> Any:
        for chunk in super()._stream(*args, **kwargs):
            chunk.message.content = str(chunk.message.content).upper()
            yield chunk


async def test_a_stream_that_a_subclass_changes_is_used(openrouter: Emulator) -> None:
    openrouter.script(reply("stream", *MESSAGES["text"]))
    model = Shouting(api_key=KEY, base_url=openrouter.base_url, streaming=True)
    assert (await ask(model, "invoke")).content == "HELLO THERE."
