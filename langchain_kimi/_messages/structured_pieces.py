"""The chunks of a streamed reply, added up once: work that grows with the reply's length and not with its square."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Self

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk


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


def whole(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Add up all chunks at once: chunk by chunk, all the arguments so far would be parsed each time."""
    first, *others = chunks or [AIMessageChunk(content="")]
    return add_ai_message_chunks(first, *with_joined_arguments(others))


def with_joined_arguments(chunks: Sequence[AIMessageChunk]) -> Iterator[AIMessageChunk]:
    """Yield chunks with the same sum, in which pieces of arguments that follow each other are one.

    LangChain copies all the arguments so far for each piece that it adds. A piece without an id goes to the first call
    of its index, so that between two pieces with an id their order counts within each index only.
    """
    run: list[AIMessageChunk] = []
    for chunk in chunks:
        if chunk.tool_call_chunks and not all(map(_only_continues, chunk.tool_call_chunks)):
            yield from _joined(run)
            run = []
            yield chunk
        else:
            run.append(chunk)
    yield from _joined(run)


def _joined(run: Sequence[AIMessageChunk]) -> Iterator[AIMessageChunk]:
    arguments: dict[int | None, list[str]] = {}
    for piece in (piece for chunk in run for piece in chunk.tool_call_chunks):
        arguments.setdefault(piece["index"], []).append(piece["args"] or "")
    pieces = [tool_call_chunk(index=index, args="".join(texts)) for index, texts in arguments.items()]
    kept: AIMessageChunk | None = None
    for chunk in run:
        if not chunk.tool_call_chunks:
            yield chunk
        elif kept is None:
            kept = chunk.model_copy(update={"tool_call_chunks": pieces})
            yield kept
        elif not _has_only_arguments(chunk, kept):
            yield chunk.model_copy(update={"tool_call_chunks": []})


def _has_only_arguments(chunk: AIMessageChunk, other: AIMessageChunk) -> bool:
    """Tell whether a chunk adds nothing beside its calls to a sum that has the other one in it."""
    return (
        chunk.content == ""
        and not chunk.additional_kwargs
        and chunk.usage_metadata is None
        and chunk.chunk_position is None
        and chunk.id in (None, other.id)
        and chunk.response_metadata == other.response_metadata
        and chunk.response_metadata.keys() <= {"model_provider"}
    )


def _only_continues(piece: ToolCallChunk) -> bool:
    return isinstance(piece["index"], int) and not piece["name"] and not piece["id"]


def _text_of(chunk: AIMessageChunk) -> str:
    return str(chunk.text) or "".join(piece["args"] or "" for piece in chunk.tool_call_chunks)
