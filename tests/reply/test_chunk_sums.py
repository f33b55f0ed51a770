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
def test_the_sum_is_langchain_s(name: str) -> None:
    chunks = STREAMS[name]
    kept = [chunk.model_copy(deep=True) for chunk in chunks]
    assert whole(chunks) == add_ai_message_chunks(*chunks)
    assert whole(chunks).tool_call_chunks == reduce(add, chunks).tool_call_chunks
    assert whole(chunks).text == reduce(add, chunks).text
    assert chunks == kept


def test_the_sum_of_nothing_is_empty() -> None:
    assert whole([]) == AIMessageChunk(content="")


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_the_work_of_adding_up_does_not_grow_with_the_pieces(count: int) -> None:
    chunks = [START, *(part(0, "x") for _ in range(count)), part(0, "", chunk_position="last")]
    start, arguments, end = with_joined_arguments(chunks)
    assert (start, end.chunk_position, end.tool_call_chunks) == (START, "last", [])
    assert arguments.tool_call_chunks == part(0, "x" * count).tool_call_chunks


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_the_work_of_adding_up_does_not_grow_with_the_words(count: int) -> None:
    def spoken(content: str, **more: Any) -> AIMessageChunk:
        return AIMessageChunk(content=content, response_metadata={"model_provider": "openrouter"}, **more)

    thoughts = [spoken("", additional_kwargs={"reasoning_content": "x"}) for _ in range(count)]
    said, end = with_joined_texts([*thoughts, *[spoken("y")] * count, spoken("", chunk_position="last")])
    assert said == spoken("y" * count, additional_kwargs={"reasoning_content": "x" * count})
    assert end.chunk_position == "last"


def test_text_is_left_as_it_is_where_there_is_nothing_to_join() -> None:
    chunks = [AIMessageChunk(content="a"), AIMessageChunk(content="", chunk_position="last")]
    assert all(one is other for one, other in zip(with_joined_texts(chunks), chunks, strict=True))
    assert list(with_joined_texts([])) == []


def generations(chunks: list[AIMessageChunk], **more: Any) -> list[ChatGenerationChunk]:
    return [ChatGenerationChunk(message=chunk, **more) for chunk in chunks]


@pytest.mark.parametrize("info", [{}, {"generation_info": {"a": 1}}], ids=["", "with information"])
@pytest.mark.parametrize("name", [name for name in STREAMS if name != "nothing"])
def test_the_first_chunk_adds_as_langchain_does(name: str, info: dict[str, Any]) -> None:
    chunks = generations(STREAMS[name], **info)
    first, *others = [FirstChunk(**vars(chunks[0])), *chunks[1:]]
    due = merge_chat_generation_chunks(chunks)
    found = merge_chat_generation_chunks([first, *others])
    assert found is not None
    assert due == ChatGenerationChunk(**vars(found))
    if others:
        assert type(found) is ChatGenerationChunk
        assert first + others[0] == chunks[0] + chunks[1]


@pytest.mark.parametrize("odd", [["a"], [*generations([START]), "a"], "a"])
def test_only_chunks_can_be_added(odd: Any) -> None:
    with pytest.raises(TypeError):
        FirstChunk(message=START) + odd


def test_only_the_first_chunk_is_a_sum_and_dumps_do_not_show_it() -> None:
    chunks = generations(STREAMS["one call"])
    first, *others = with_first(iter(chunks))
    assert type(first) is FirstChunk
    assert first.message is chunks[0].message
    assert others == chunks[1:]
    assert dumpd(first) == dumpd(chunks[0])
    assert list(with_first([])) == []
