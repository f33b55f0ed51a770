"""Sums of a stream's chunks: work that grows with the reply's length and not with its square."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk


class FirstChunk(ChatGenerationChunk):
    """The first chunk of a stream, which adds all the others at once.

    LangChain adds up every stream at its end, for callbacks, as `chunks[0] + chunks[1:]`, and copies the arguments so
    far for each piece of a call.
    """

    @classmethod
    def lc_id(cls) -> list[str]:
        """Give the name in dumps: that of any chunk."""
        return ChatGenerationChunk.lc_id()

    def __add__(self, other: ChatGenerationChunk | list[ChatGenerationChunk]) -> ChatGenerationChunk:
        """Add a chunk, or all of them."""
        if isinstance(other, list) and any(map(_calls, other)) and not any(map(_has_info, (self, *other))):
            messages: Any = [chunk.message for chunk in (self, *other)]
            return ChatGenerationChunk(message=whole(messages))
        return super().__add__(other)


def with_first(chunks: Iterable[ChatGenerationChunk]) -> Iterator[ChatGenerationChunk]:
    """Yield the first of some chunks as a `FirstChunk`, and the others."""
    chunks = iter(chunks)
    for first in chunks:
        yield FirstChunk(message=first.message, generation_info=first.generation_info)
        yield from chunks


def _calls(chunk: Any) -> bool:
    return isinstance(chunk, ChatGenerationChunk) and bool(getattr(chunk.message, "tool_call_chunks", None))


def _has_info(chunk: Any) -> bool:
    return not isinstance(chunk, ChatGenerationChunk) or bool(chunk.generation_info)


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
