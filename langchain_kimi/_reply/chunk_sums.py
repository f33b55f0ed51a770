"""Add up the chunks of a stream in linear time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

REASONING = "reasoning_content"
REPEATED = frozenset({"model_provider"})
"""Metadata keys that are identical in every chunk and occur once in their sum."""


class FirstChunk(ChatGenerationChunk):
    """The first chunk of a stream, which adds all other chunks in linear time.

    At the end of every stream LangChain computes `chunks[0] + chunks[1:]` for callbacks. Its own addition copies all
    earlier reasoning and arguments for each chunk.
    """

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the id of the base class, so that dumps do not show this class."""
        return ChatGenerationChunk.lc_id()

    def __add__(self, other: ChatGenerationChunk | list[ChatGenerationChunk]) -> ChatGenerationChunk:
        """Add a chunk, or a list of chunks."""
        if isinstance(other, list) and all(map(_has_only_message, (self, *other))):
            messages: Any = [chunk.message for chunk in (self, *other)]
            return ChatGenerationChunk(message=whole(messages))
        return super().__add__(other)


def with_first(chunks: Iterable[ChatGenerationChunk]) -> Iterator[ChatGenerationChunk]:
    """Yield the chunks, the first as a `FirstChunk`."""
    chunks = iter(chunks)
    for first in chunks:
        yield FirstChunk(message=first.message, generation_info=first.generation_info)
        yield from chunks


def _has_only_message(chunk: Any) -> bool:
    return (
        isinstance(chunk, ChatGenerationChunk) and not chunk.generation_info and type(chunk.message) is AIMessageChunk
    )


def whole(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Return the sum of the chunks. Adding them one by one would parse all earlier arguments each time."""
    chunks = chunks or [AIMessageChunk(content="")]
    joined = with_joined_arguments(chunks) if any(chunk.tool_call_chunks for chunk in chunks) else chunks
    first, *others = with_joined_texts(joined)
    return first + others


def with_joined_texts(chunks: Iterable[AIMessageChunk]) -> Iterator[AIMessageChunk]:
    """Yield chunks with the same sum, with consecutive text and reasoning in one chunk.

    LangChain copies all earlier reasoning for each chunk that it adds.
    """
    run: _Run | None = None
    for chunk in chunks:
        if run is None:
            run = _Run(chunk)
        elif not run.append(chunk):
            yield run.joined()
            run = _Run(chunk)
    if run is not None:
        yield run.joined()


class _Run:
    """Consecutive chunks with text and reasoning, after a first chunk of any kind."""

    def __init__(self, first: AIMessageChunk) -> None:
        self._first = first
        self._first_reasoning = first.additional_kwargs.get(REASONING) or ""
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        is_plain = type(first.content) is str and type(self._first_reasoning) is str
        self._metadata = first.response_metadata if is_plain and first.response_metadata.keys() <= REPEATED else None
        self._ids = (None, first.id)

    def append(self, chunk: AIMessageChunk) -> bool:
        """Append a chunk that adds only text and reasoning to the sum. Return whether it was appended."""
        text, kwargs = chunk.content, chunk.additional_kwargs
        if type(text) is not str or chunk.tool_call_chunks or not _has_no_facts(chunk, self._metadata, self._ids):
            return False
        if kwargs:
            if len(kwargs) > 1 or type(kwargs.get(REASONING)) is not str:
                return False
            self._reasoning.append(kwargs[REASONING])
        if text:
            self._texts.append(text)
        return True

    def joined(self) -> AIMessageChunk:
        """Return the sum of the chunks."""
        update: dict[str, Any] = {}
        if self._texts:
            update["content"] = "".join((cast("str", self._first.content), *self._texts))
        if self._reasoning:
            reasoning = "".join((self._first_reasoning, *self._reasoning))
            update["additional_kwargs"] = {**self._first.additional_kwargs, REASONING: reasoning}
        return self._first.model_copy(update=update) if update else self._first


def with_joined_arguments(chunks: Sequence[AIMessageChunk]) -> Iterator[AIMessageChunk]:
    """Yield chunks with the same sum, with consecutive pieces of arguments joined.

    LangChain copies all earlier arguments for each piece that it adds. It adds a piece without an id to the first call
    with its index. So between two pieces with ids, only the order within each index matters.
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
    with_pieces: AIMessageChunk | None = None
    for chunk in run:
        if not chunk.tool_call_chunks:
            yield chunk
        elif with_pieces is None:
            with_pieces = chunk.model_copy(update={"tool_call_chunks": pieces})
            yield with_pieces
        elif not _has_only_arguments(chunk, with_pieces):
            yield chunk.model_copy(update={"tool_call_chunks": []})


def _has_only_arguments(chunk: AIMessageChunk, other: AIMessageChunk) -> bool:
    """Return whether a chunk adds nothing but its calls to a sum that contains the other chunk."""
    metadata = other.response_metadata if other.response_metadata.keys() <= REPEATED else None
    has_no_text = chunk.content == "" and not chunk.additional_kwargs
    return has_no_text and _has_no_facts(chunk, metadata, (None, other.id))


def _has_no_facts(chunk: AIMessageChunk, metadata: dict[str, Any] | None, ids: tuple[str | None, ...]) -> bool:
    """Return whether a chunk has no facts except this metadata and one of these ids."""
    return (
        chunk.response_metadata == metadata
        and chunk.usage_metadata is None
        and chunk.chunk_position is None
        and chunk.id in ids
    )


def _only_continues(piece: ToolCallChunk) -> bool:
    return isinstance(piece["index"], int) and not piece["name"] and not piece["id"]
