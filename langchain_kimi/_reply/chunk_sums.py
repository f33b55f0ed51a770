"""Sums of a stream's chunks: work that grows with the reply's length and not with its square."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

REASONING = "reasoning_content"
REPEATED = frozenset({"model_provider"})
"""What a sum of metadata holds once, however often it is told."""


class FirstChunk(ChatGenerationChunk):
    """The first chunk of a stream, which adds all the others at once.

    LangChain adds up every stream at its end, for callbacks, as `chunks[0] + chunks[1:]`. It copies the reasoning and
    the arguments so far for each piece of them.
    """

    @classmethod
    def lc_id(cls) -> list[str]:
        """Give the name in dumps: that of any chunk."""
        return ChatGenerationChunk.lc_id()

    def __add__(self, other: ChatGenerationChunk | list[ChatGenerationChunk]) -> ChatGenerationChunk:
        """Add a chunk, or all of them."""
        if isinstance(other, list) and all(map(_has_only_message, (self, *other))):
            messages: Any = [chunk.message for chunk in (self, *other)]
            return ChatGenerationChunk(message=whole(messages))
        return super().__add__(other)


def with_first(chunks: Iterable[ChatGenerationChunk]) -> Iterator[ChatGenerationChunk]:
    """Yield the first of some chunks as a `FirstChunk`, and the others."""
    chunks = iter(chunks)
    for first in chunks:
        yield FirstChunk(message=first.message, generation_info=first.generation_info)
        yield from chunks


def _has_only_message(chunk: Any) -> bool:
    return (
        isinstance(chunk, ChatGenerationChunk) and not chunk.generation_info and type(chunk.message) is AIMessageChunk
    )


def whole(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Add up all chunks at once: chunk by chunk, all the arguments so far would be parsed each time."""
    chunks = chunks or [AIMessageChunk(content="")]
    joined = with_joined_arguments(chunks) if any(chunk.tool_call_chunks for chunk in chunks) else chunks
    first, *others = with_joined_texts(joined)
    return first + others


def with_joined_texts(chunks: Iterable[AIMessageChunk]) -> Iterator[AIMessageChunk]:
    """Yield chunks with the same sum, in which text and reasoning that follow each other are one chunk.

    LangChain copies all the reasoning so far for each piece that it adds.
    """
    speech: Run | None = None
    for chunk in chunks:
        if speech is None:
            speech = Run(chunk)
        elif not speech.extend_with(chunk):
            yield speech.joined()
            speech = Run(chunk)
    if speech is not None:
        yield speech.joined()


class Run:
    """A chunk, and text and reasoning after it."""

    def __init__(self, first: AIMessageChunk) -> None:
        self._first = first
        self._begun = first.additional_kwargs.get(REASONING) or ""
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        is_plain = type(first.content) is str and type(self._begun) is str
        self._metadata = first.response_metadata if is_plain and first.response_metadata.keys() <= REPEATED else None
        self._ids = (None, first.id)

    def extend_with(self, chunk: AIMessageChunk) -> bool:
        """Take a chunk that adds nothing but text and reasoning to the sum; says whether it is one."""
        text, told = chunk.content, chunk.additional_kwargs
        if type(text) is not str or chunk.tool_call_chunks or not _adds_no_facts(chunk, self._metadata, self._ids):
            return False
        if told:
            if len(told) > 1 or type(told.get(REASONING)) is not str:
                return False
            self._thoughts.append(told[REASONING])
        if text:
            self._texts.append(text)
        return True

    def joined(self) -> AIMessageChunk:
        """Give the chunk that has all of it."""
        more: dict[str, Any] = {}
        if self._texts:
            more["content"] = "".join((cast("str", self._first.content), *self._texts))
        if self._thoughts:
            thoughts = "".join((self._begun, *self._thoughts))
            more["additional_kwargs"] = {**self._first.additional_kwargs, REASONING: thoughts}
        return self._first.model_copy(update=more) if more else self._first


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
    metadata = other.response_metadata if other.response_metadata.keys() <= REPEATED else None
    is_silent = chunk.content == "" and not chunk.additional_kwargs
    return is_silent and _adds_no_facts(chunk, metadata, (None, other.id))


def _adds_no_facts(chunk: AIMessageChunk, metadata: dict[str, Any] | None, ids: tuple[str | None, ...]) -> bool:
    """Return whether a chunk has no facts but this metadata and one of these ids."""
    return (
        chunk.response_metadata == metadata
        and chunk.usage_metadata is None
        and chunk.chunk_position is None
        and chunk.id in ids
    )


def _only_continues(piece: ToolCallChunk) -> bool:
    return isinstance(piece["index"], int) and not piece["name"] and not piece["id"]
