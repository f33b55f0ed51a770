import asyncio
from collections.abc import AsyncIterator

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from langchain_kimi._structured.parser import TracedChunk, achunks_of, afor_tracing, as_chunk, chunks_of, for_tracing
from tests.reply.streams import START, STREAMS
from tests.structured.cases import JSON


@pytest.mark.parametrize("name", STREAMS)
def test_only_the_last_traced_string_has_text(name: str) -> None:
    async def chunks() -> AsyncIterator[AIMessageChunk]:
        for chunk in STREAMS[name]:
            yield chunk

    async def run() -> tuple[list[str], list[AIMessageChunk]]:
        return [piece async for piece in afor_tracing(chunks())], [
            chunk async for chunk in achunks_of(afor_tracing(chunks()))
        ]

    traced = list(for_tracing(iter(STREAMS[name])))
    assert "".join(traced) == traced[-1]
    assert [type(piece) for piece in traced] == [*[TracedChunk] * len(STREAMS[name]), str]
    assert [*chunks_of(for_tracing(iter(STREAMS[name])))] == STREAMS[name]
    assert asyncio.run(run()) == (traced, STREAMS[name])


def test_the_text_or_the_arguments_are_traced() -> None:
    assert [*for_tracing(iter(STREAMS["one call"]))][-1] == [*for_tracing(iter(STREAMS["text"]))][-1] == JSON


def test_text_and_messages_become_chunks() -> None:
    call = {"name": "Person", "args": {}, "id": "1", "type": "tool_call"}
    message = AIMessage("x", tool_calls=[call], response_metadata={"a": 1})
    assert as_chunk(START) is START
    assert as_chunk("x") == as_chunk(HumanMessage("x")) == AIMessageChunk(content="x")
    assert as_chunk(message).tool_calls == [call]
    assert as_chunk(message).response_metadata == {"a": 1}
