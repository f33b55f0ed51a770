"""The chunks of a streamed reply in a form whose traces cost little."""

from collections.abc import AsyncIterator, Iterator
from typing import Self

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage


class Piece(str):
    """A chunk of the reply in the form of a text.

    For its traces LangChain adds up what goes into a parser, one by one: sums of message chunks would parse all the
    arguments so far each time, and sums of long texts copy them each time. So the pieces are empty, and one more at
    the end has the whole text.
    """

    __slots__ = ("chunk",)
    chunk: AIMessageChunk

    def __new__(cls, chunk: AIMessageChunk) -> Self:
        """Wrap a chunk."""
        piece = super().__new__(cls)
        piece.chunk = chunk
        return piece


def traceable(chunks: Iterator[AIMessageChunk]) -> Iterator[str]:
    """Yield the chunks as `Piece`s, and then their text, or that of their calls' arguments."""
    texts: list[str] = []
    for chunk in chunks:
        texts.append(_text_of(chunk))
        yield Piece(chunk)
    yield "".join(texts)


async def atraceable(chunks: AsyncIterator[AIMessageChunk]) -> AsyncIterator[str]:
    """Yield the chunks as `Piece`s, and then their text; see `traceable`."""
    texts: list[str] = []
    async for chunk in chunks:
        texts.append(_text_of(chunk))
        yield Piece(chunk)
    yield "".join(texts)


def chunks_of(pieces: Iterator[str]) -> Iterator[AIMessageChunk]:
    """Yield the chunks that `traceable` wrapped."""
    return (piece.chunk for piece in pieces if isinstance(piece, Piece))


def achunks_of(pieces: AsyncIterator[str]) -> AsyncIterator[AIMessageChunk]:
    """Yield the chunks that `atraceable` wrapped."""
    return (piece.chunk async for piece in pieces if isinstance(piece, Piece))


def as_chunk(given: str | BaseMessage) -> AIMessageChunk:
    """Make a chunk of what stands for one."""
    if isinstance(given, AIMessageChunk):
        return given
    if isinstance(given, AIMessage):
        # A model that does not stream hands on its whole message.
        return AIMessageChunk(**{key: value for key, value in given if key != "type"})
    return AIMessageChunk(content=given if isinstance(given, str) else given.content)


def _text_of(chunk: AIMessageChunk) -> str:
    return str(chunk.text) or "".join(piece["args"] or "" for piece in chunk.tool_call_chunks)
