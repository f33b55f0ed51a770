import asyncio
from collections.abc import AsyncIterator
from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_kimi._messages.structured_pieces import (
    Piece,
    achunks_of,
    as_chunk,
    atraceable,
    chunks_of,
    traceable,
    whole,
    with_joined_arguments,
)
from tests.messages.structured_cases import JSON, call_piece, pieces


def part(index: int | None, args: str | None, **more: Any) -> AIMessageChunk:
    """A piece of a call's arguments, with what else came with it."""
    return call_piece(index, None, args).model_copy(update=more)


USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
START = call_piece(0, "Person", "")
STREAMS = {
    "nothing": [],
    "text": [AIMessageChunk(content=text) for text in pieces(JSON, 5)],
    "one call": [START, *(part(0, text) for text in pieces(JSON, 5))],
    "no name yet": [part(0, "{"), part(0, "}"), part(0, None)],
    "two calls by turns": [
        START,
        call_piece(1, "search", ""),
        *(part(index, text) for text in pieces(JSON, 5) for index in (1, 0)),
    ],
    "two pieces in one": [
        START,
        AIMessageChunk(content="", tool_call_chunks=[*part(0, "{").tool_call_chunks, *part(1, "[").tool_call_chunks]),
        part(1, "]"),
        part(0, "}"),
    ],
    "no index": [START, part(None, "{"), part(None, "}"), part(0, "x")],
    "one index, two calls": [START, part(0, "{"), call_piece(0, "search", "["), part(0, "}"), part(0, "]")],
    "words between": [
        AIMessageChunk(content="Hm"),
        START,
        part(0, "{", content="."),
        AIMessageChunk(content="!"),
        part(0, "}", content="?"),
        part(0, " ", content=["a", {"type": "text", "text": "b", "index": 1}]),
        part(0, " ", content="c"),
    ],
    "facts beside": [
        START,
        part(0, "{", response_metadata={"model_provider": "openrouter"}, id="lc_run--1"),
        part(0, '"a', response_metadata={"model_provider": "openrouter"}, id="lc_run--1"),
        part(0, '"', response_metadata={"cost": 1.5}),
        part(0, ":", response_metadata={"cost": 1.5}),
        part(0, "1", additional_kwargs={"reasoning_content": "x"}),
        part(0, ",", additional_kwargs={"reasoning_content": "y"}),
        part(0, '"b"', usage_metadata=USAGE),
        part(0, ":2", usage_metadata=USAGE, id="gen-1"),
        part(0, "}", chunk_position="last"),
    ],
}  # fmt: skip


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


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_traced_is_empty_but_for_its_end(name: str) -> None:
    async def given() -> AsyncIterator[AIMessageChunk]:
        for chunk in STREAMS[name]:
            yield chunk

    async def run() -> tuple[list[str], list[AIMessageChunk]]:
        return [piece async for piece in atraceable(given())], [
            chunk async for chunk in achunks_of(atraceable(given()))
        ]

    seen = list(traceable(iter(STREAMS[name])))
    assert "".join(seen) == seen[-1]
    assert [type(piece) for piece in seen] == [*[Piece] * len(STREAMS[name]), str]
    assert [*chunks_of(traceable(iter(STREAMS[name])))] == STREAMS[name]
    assert asyncio.run(run()) == (seen, STREAMS[name])


def test_the_text_or_else_the_arguments_are_traced() -> None:
    assert [*traceable(iter(STREAMS["one call"]))][-1] == [*traceable(iter(STREAMS["text"]))][-1] == JSON


def test_what_stands_for_a_chunk() -> None:
    call = {"name": "Person", "args": {}, "id": "1", "type": "tool_call"}
    message = AIMessage("x", tool_calls=[call], response_metadata={"a": 1})
    assert as_chunk(START) is START
    assert as_chunk("x") == as_chunk(HumanMessage("x")) == AIMessageChunk(content="x")
    assert as_chunk(message).tool_calls == [call]
    assert as_chunk(message).response_metadata == {"a": 1}
