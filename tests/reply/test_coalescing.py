import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi import ChatKimi
from langchain_kimi._reply.chunks import new_chunk
from langchain_kimi._reply.streamed import coalesced
from langchain_kimi.errors import KimiError, KimiIncompleteStreamError
from langchain_kimi.testing import Emulator, Reply
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY


def call(**fields: Any) -> ChatGenerationChunk:
    return new_chunk("", "", [tool_call_chunk(**fields)])


TEXT = [new_chunk("a", "", []), new_chunk("b", "", [])]
THOUGHT = [new_chunk("", "x", []), new_chunk("", "y", [])]
CALLS = [
    call(name="f", args="", id="f:0", index=0),
    call(args='{"a":', index=0),
    call(args=" 1}", index=0),
    call(name="g", args=None, id="g:1", index=1),
    call(args="{}", index=1),
]


def contents(chunks: list[ChatGenerationChunk]) -> list[tuple[Any, ...]]:
    return [
        (chunk.message.content, chunk.message.additional_kwargs.get("reasoning_content", ""), len(calls_in(chunk)))
        for chunk in chunks
    ]


def calls_in(chunk: ChatGenerationChunk) -> list[Any]:
    assert isinstance(chunk.message, AIMessageChunk)
    return chunk.message.tool_call_chunks


def test_consecutive_chunks_of_a_kind_are_joined() -> None:
    chunks = list(coalesced([*THOUGHT, *TEXT, *CALLS, new_chunk("c", "", [])]))
    assert contents(chunks) == [("", "xy", 0), ("ab", "", 0), ("", "", 2), ("c", "", 0)]
    assert [(piece["id"], piece["args"]) for piece in calls_in(chunks[2])] == [("f:0", '{"a": 1}'), ("g:1", "{}")]


def test_the_sum_is_the_same() -> None:
    every = [*THOUGHT, *TEXT, *CALLS]
    one, other = (chunks[0] + chunks[1:] for chunks in (list(every), list(coalesced(every))))
    assert one.message == other.message


def test_a_single_chunk_is_unchanged() -> None:
    assert next(coalesced([TEXT[0]])) is TEXT[0]
    assert list(coalesced([])) == []


@pytest.mark.parametrize("before", [[], TEXT])
def test_chunks_before_an_error_are_yielded(before: list[ChatGenerationChunk]) -> None:
    def failing() -> Iterator[ChatGenerationChunk]:
        yield from before
        raise KimiIncompleteStreamError("cut")

    chunks: list[ChatGenerationChunk] = []
    with pytest.raises(KimiIncompleteStreamError):
        chunks.extend(coalesced(failing()))
    assert contents(chunks) == ([("ab", "", 0)] if before else [])


@pytest.mark.parametrize("way", WAYS)
async def test_coalescing_does_not_change_the_answer(way: Way) -> None:
    with Emulator() as openrouter:
        answers = []
        for coalesce in (False, True):
            openrouter.script(Reply(text="One two three four five."))
            model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, coalesce=coalesce)
            answers.append(await ask(model, way))
            model.close()
            await model.aclose()
    first, second = answers
    assert first.content == second.content == "One two three four five."
    assert first.usage_metadata["total_tokens"] == second.usage_metadata["total_tokens"] > 0


EVENTS = "".join(
    f"data: {json.dumps({'choices': [{'delta': {'content': word}, 'finish_reason': None}]})}\n\n" for word in "abc"
)
ENDING = 'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
FAILING = 'data: {"error": {"message": "It broke.", "code": 502}}\n\n'


def model_in_one_read(body: str, **settings: Any) -> ChatKimi:
    head = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=head, content=body.encode()))
    return ChatKimi(api_key=KEY, http_client=httpx.Client(transport=transport), max_retries=0, **settings)


@pytest.mark.parametrize(("coalesce", "expected"), [(False, ["a", "b", "c"]), (True, ["abc"])])
def test_deltas_of_one_read_are_joined_on_request(coalesce: bool, expected: list[str]) -> None:  # noqa: FBT001 - a column of the table
    chunks = list(model_in_one_read(EVENTS + ENDING, coalesce=coalesce).stream("Go."))
    assert [chunk.content for chunk in chunks if chunk.content] == expected
    assert chunks[-1].response_metadata["finish_reason"] == "stop"


def test_deltas_in_the_same_read_as_an_error_are_yielded() -> None:
    chunks: list[Any] = []
    with pytest.raises(KimiError, match=r"It broke\.") as caught:
        chunks.extend(model_in_one_read(EVENTS + FAILING, coalesce=True).stream("Go."))
    assert [chunk.content for chunk in chunks] == ["abc"]
    assert caught.value.partial is not None
    assert caught.value.partial.content == "abc"
