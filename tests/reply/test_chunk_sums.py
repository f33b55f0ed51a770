from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks

from langchain_kimi._reply.chunk_sums import FirstChunk, whole, with_first, with_joined_arguments, with_joined_texts
from tests.reply.streams import START, STREAMS, part


@pytest.mark.parametrize("name", [name for name in STREAMS if name != "nothing"])
def test_the_sum_equals_that_of_langchain(name: str) -> None:
    chunks = STREAMS[name]
    before = [chunk.model_copy(deep=True) for chunk in chunks]
    assert whole(chunks) == add_ai_message_chunks(*chunks)
    assert whole(chunks).tool_call_chunks == reduce(add, chunks).tool_call_chunks
    assert whole(chunks).text == reduce(add, chunks).text
    assert chunks == before


def test_the_sum_of_nothing_is_empty() -> None:
    assert whole([]) == AIMessageChunk(content="")


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_pieces_of_arguments_are_joined_before_adding(count: int) -> None:
    chunks = [START, *(part(0, "x") for _ in range(count)), part(0, "", chunk_position="last")]
    start, arguments, end = with_joined_arguments(chunks)
    assert (start, end.chunk_position, end.tool_call_chunks) == (START, "last", [])
    assert arguments.tool_call_chunks == part(0, "x" * count).tool_call_chunks


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_texts_are_joined_before_adding(count: int) -> None:
    def chunk(content: str, **more: Any) -> AIMessageChunk:
        return AIMessageChunk(content=content, response_metadata={"model_provider": "openrouter"}, **more)

    reasoning = [chunk("", additional_kwargs={"reasoning_content": "x"}) for _ in range(count)]
    joined, end = with_joined_texts([*reasoning, *[chunk("y")] * count, chunk("", chunk_position="last")])
    assert joined == chunk("y" * count, additional_kwargs={"reasoning_content": "x" * count})
    assert end.chunk_position == "last"


def test_chunks_are_unchanged_if_there_is_nothing_to_join() -> None:
    chunks = [AIMessageChunk(content="a"), AIMessageChunk(content="", chunk_position="last")]
    assert all(one is other for one, other in zip(with_joined_texts(chunks), chunks, strict=True))
    assert list(with_joined_texts([])) == []


def generations(chunks: list[AIMessageChunk], **more: Any) -> list[ChatGenerationChunk]:
    return [ChatGenerationChunk(message=chunk, **more) for chunk in chunks]


@pytest.mark.parametrize("info", [{}, {"generation_info": {"a": 1}}], ids=["", "with information"])
@pytest.mark.parametrize("name", [name for name in STREAMS if name != "nothing"])
def test_the_first_chunk_adds_like_langchain(name: str, info: dict[str, Any]) -> None:
    chunks = generations(STREAMS[name], **info)
    first, *others = [FirstChunk(**vars(chunks[0])), *chunks[1:]]
    expected = merge_chat_generation_chunks(chunks)
    total = merge_chat_generation_chunks([first, *others])
    assert total is not None
    assert expected == ChatGenerationChunk(**vars(total))
    if others:
        assert type(total) is ChatGenerationChunk
        assert first + others[0] == chunks[0] + chunks[1]


@pytest.mark.parametrize("odd", [["a"], [*generations([START]), "a"], "a"])
def test_only_chunks_can_be_added(odd: Any) -> None:
    with pytest.raises(TypeError):
        FirstChunk(message=START) + odd


def test_dumps_do_not_show_the_class_of_the_first_chunk() -> None:
    chunks = generations(STREAMS["one call"])
    first, *others = with_first(iter(chunks))
    assert type(first) is FirstChunk
    assert first.message is chunks[0].message
    assert others == chunks[1:]
    assert dumpd(first) == dumpd(chunks[0])
    assert list(with_first([])) == []
