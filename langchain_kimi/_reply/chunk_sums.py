"""Add up the chunks of a stream in linear time, with the same tool calls as in a reply that is not streamed.

LangChain parses the tool calls of a sum with a parser that completes truncated JSON and gives no reasons for invalid
calls. So the last chunk contains the parsed calls of the whole reply.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from langchain_core.messages import AIMessageChunk, BaseMessageChunk, InvalidToolCall, ToolCall
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import PrivateAttr

REASONING = "reasoning_content"
REPEATED = frozenset({"model_provider"})
"""Metadata keys that are identical in every chunk and occur once in their sum."""


# Objects of these classes are created without validation, so `defer_build` saves a tenth of the import.
class FirstChunk(ChatGenerationChunk, defer_build=True):
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
        if isinstance(other, list) and all(map(_is_ours, (self, *other))):
            messages: Any = [chunk.message for chunk in (self, *other)]
            infos = [chunk.generation_info for chunk in (self, *other) if chunk.generation_info]
            if len(infos) <= 1:
                return ChatGenerationChunk(message=sum_of(messages), generation_info=infos[0] if infos else None)
        return super().__add__(other)


class FirstMessage(AIMessageChunk, defer_build=True):
    """The message of the first chunk of a stream with tools. Its sum with a list of all others has the right calls."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the id of the base class, so that dumps do not show this class."""
        return AIMessageChunk.lc_id()

    def __add__(self, other: Any) -> BaseMessageChunk:  # type: ignore[override]  # the base class takes any message
        """Add a chunk, or a list of chunks. The sum is an `AIMessageChunk`."""
        if isinstance(other, list | tuple) and all(isinstance(chunk, AIMessageChunk) for chunk in other):
            return sum_of([self, *other])
        total: BaseMessageChunk = _as(AIMessageChunk, self) + other
        return total


class LastMessage(AIMessageChunk, defer_build=True):
    """The message of the last chunk of a stream with invalid tool calls. Any sum that ends with it has the right calls.

    Python calls `__radd__` of the right operand first, because its class is a subclass of that of the left operand.
    """

    _calls: tuple[list[ToolCall], list[InvalidToolCall]] = PrivateAttr(default=([], []))

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the id of the base class, so that dumps do not show this class."""
        return AIMessageChunk.lc_id()

    def __radd__(self, other: AIMessageChunk) -> AIMessageChunk:
        """Add this chunk to the sum of the others. The sum is an `AIMessageChunk`."""
        return self.completed(other + _as(AIMessageChunk, self))

    def completed(self, total: AIMessageChunk) -> AIMessageChunk:
        """Return the sum of all chunks with the tool calls of the reply.

        The pieces in `tool_call_chunks` are not changed, so that an invalid call stays invalid if the sum is loaded or
        extended.
        """
        valid, invalid = self._calls
        update: dict[str, Any] = {"tool_calls": [*valid], "invalid_tool_calls": [*invalid]}
        if isinstance(total.content, list):
            by_id = {call["id"]: call for call in invalid}
            update["content"] = [_completed_block(block, by_id) for block in total.content]
        return total.model_copy(update=update)


class BreakingMessage(AIMessageChunk, defer_build=True):
    """The message of the chunk that keeps invalid tool calls invalid in the sum of the chunks.

    langchain-core creates protocol events from `content_blocks`. It shows a piece of arguments as a delta, and writes
    its own error about their JSON. A block of the type `invalid_tool_call` has no delta, and replaces the call.
    """

    _invalid: list[InvalidToolCall] = PrivateAttr(default_factory=list)

    @classmethod
    def lc_id(cls) -> list[str]:
        """Return the id of the base class, so that dumps do not show this class."""
        return AIMessageChunk.lc_id()

    @property
    def content_blocks(self) -> list[Any]:
        """The invalid calls with their errors, at the indices of the calls. A sum has the blocks of the base class."""
        blocks: list[Any] = super().content_blocks
        if len(blocks) != len(self._invalid):
            return blocks
        return [{**call, "index": block["index"]} for call, block in zip(self._invalid, blocks, strict=True)]


def breaking_message(message: AIMessageChunk, invalid: Iterable[InvalidToolCall]) -> AIMessageChunk:
    """Return the message of a chunk that breaks tool calls.

    Args:
        message: The message, with one piece for each call.
        invalid: The calls, in the order of the pieces.
    """
    breaking = _as(BreakingMessage, message)
    breaking._invalid = [*invalid]  # noqa: SLF001 - see `last_message`
    return breaking


def _completed_block(block: Any, invalid: dict[str | None, InvalidToolCall]) -> Any:
    """Return a content block; the block of an invalid call becomes an `invalid_tool_call`."""
    if isinstance(block, dict) and block.get("type") == "tool_call_chunk" and (call := invalid.get(block.get("id"))):
        return {**block, **call, "type": "invalid_tool_call"}
    return block


def last_message(message: AIMessageChunk, valid: list[ToolCall], invalid: list[InvalidToolCall]) -> AIMessageChunk:
    """Return the message of the last chunk, which completes the calls of a sum if some of them are invalid."""
    if not invalid:
        return message
    last = _as(LastMessage, message)
    last._calls = (valid, invalid)  # noqa: SLF001 - pydantic does not take private attributes in constructors
    return last


_Message = TypeVar("_Message", bound=AIMessageChunk)


def _as(kind: type[_Message], message: AIMessageChunk) -> _Message:
    """Return the same message as an object of another class, without validation."""
    fields: dict[str, Any] = {**vars(message), **(message.model_extra or {})}
    made: Any = kind.model_construct(_fields_set=set(message.model_fields_set), **fields)
    return cast("_Message", made)


def with_first(chunks: Iterable[ChatGenerationChunk], *, has_tools: bool = False) -> Iterator[ChatGenerationChunk]:
    """Yield the chunks, the first as a `FirstChunk`. It is the same object, whose class is changed.

    Args:
        chunks: The chunks of a stream.
        has_tools: Whether the request offers tools, so that there may be invalid tool calls.
    """
    chunks = iter(chunks)
    for first in chunks:
        message = cast("AIMessageChunk", first.message)
        if message.chunk_position is None and (has_tools or message.tool_call_chunks):
            _set_class(message, "__class__", FirstMessage)
        # The constructor would take 1 % of a stream of three deltas.
        _set_class(first, "__class__", FirstChunk)
        yield first
        yield from chunks


_set_class = object.__setattr__


def _is_ours(chunk: Any) -> bool:
    return isinstance(chunk, ChatGenerationChunk) and isinstance(chunk.message, AIMessageChunk)


def sum_of(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Return the sum of the chunks. Adding them one by one would parse all earlier arguments each time."""
    first, *others = chunks or [AIMessageChunk(content="")]
    if isinstance(first, FirstMessage):
        first = _as(AIMessageChunk, first)
    parts: Iterable[AIMessageChunk] = [first, *others]
    if any(chunk.tool_call_chunks for chunk in parts):
        parts = with_joined_arguments([first, *others])
    first, *joined = with_joined_texts(parts)
    is_usual = len(joined) == 1 and _adds_only_facts(joined[0], first)
    total = _with_facts(first, joined[0]) if is_usual else first + joined
    return others[-1].completed(total) if others and isinstance(others[-1], LastMessage) else total


def _adds_only_facts(last: AIMessageChunk, text: AIMessageChunk) -> bool:
    """Return whether a chunk ends a stream of text and reasoning, and adds no text and no calls to it."""
    return (
        type(text) is type(last) is AIMessageChunk
        and type(text.content) is str
        and last.content == ""
        and not (text.tool_call_chunks or last.tool_call_chunks)
        and text.usage_metadata is None
        and text.chunk_position is None
        and text.id == last.id
        and text.additional_kwargs.keys().isdisjoint(last.additional_kwargs)
        and text.response_metadata.keys() <= REPEATED
        and text.response_metadata.items() <= last.response_metadata.items()
    )


def _with_facts(text: AIMessageChunk, last: AIMessageChunk) -> AIMessageChunk:
    """Return the same sum as langchain-core, without its validation, which takes 3 % of a stream of three deltas."""
    return text.model_copy(
        update={
            "content": text.content,
            "additional_kwargs": {**text.additional_kwargs, **last.additional_kwargs},
            "tool_call_chunks": [],
            "response_metadata": {**text.response_metadata, **last.response_metadata},
            "usage_metadata": last.usage_metadata and {**last.usage_metadata},
            "id": text.id,
            "chunk_position": last.chunk_position,
        }
    )


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
    """Yield the chunks with all pieces of arguments in the first chunk that has some."""
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
    """Return whether a chunk adds only its calls to a sum that contains the other chunk."""
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
