"""Read a streamed response."""

from collections.abc import Iterable, Iterator

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import StreamReader
from langchain_kimi._openrouter.wire import WireBody, WireEvent
from langchain_kimi._reply.choice import ChoiceReader, add_head, is_visible, only_choice
from langchain_kimi._reply.chunk_sums import with_first
from langchain_kimi._reply.chunks import new_chunk
from langchain_kimi._reply.facts import with_cache_status
from langchain_kimi._reply.messages import breaking_chunk_from, call_errors, chunk_from, has_ended, last_chunk_from
from langchain_kimi.errors import KimiError

MAX_BLANKS = 1000
"""The maximum number of chunks of white space that are held back. Each takes a hundred times as much memory as its
bytes."""


class StreamedMessage:
    """Reads a streamed response as LangChain chunks. Their sum is the message."""

    def __init__(
        self,
        head: ResponseHead,
        body: WireBody,
        *,
        idle: float | None,
        with_usage: bool,
        repair_options: RepairOptions | None = None,
    ) -> None:
        self._head = head
        self.wire = StreamReader(head, idle)
        self._choice = ChoiceReader(body, repair_options)
        self._with_usage = with_usage
        self._has_tools = bool(body.get("tools"))
        self._begun = False
        self._blanks: list[ChatGenerationChunk] = []

    @property
    def has_begun(self) -> bool:
        """Whether a chunk was yielded, so that the call can no longer be retried."""
        return self._begun

    def feed(self, piece: bytes, waited: float) -> Iterator[ChatGenerationChunk]:
        """Read the next bytes. Yield the chunks that they complete."""
        chunks = self._chunks(self.wire.feed(piece, waited))
        return chunks if self._begun else with_first(chunks, has_tools=self._has_tools)

    def close(self) -> Iterator[ChatGenerationChunk]:
        """End the response. Yield the chunks that were held back and the last chunk."""
        chunks = self._closing_chunks()
        return chunks if self._begun else with_first(chunks, has_tools=self._has_tools)

    def _closing_chunks(self) -> Iterator[ChatGenerationChunk]:
        """Yield the chunks that were held back, one that keeps invalid calls invalid, and the last chunk."""
        yield from self._chunks(self.wire.close())
        for held_back in self._choice.close():
            if chunk := chunk_from(held_back):
                if self._begun:
                    yield chunk
                else:
                    yield from self._first(chunk)
        reply = self._choice.full_reply()
        if not self._begun:
            self._begun = True
            yield from self._blanks
        choice = only_choice(reply)
        calls = (choice.get("message") or {}).get("tool_calls") or []
        if breaking := breaking_chunk_from(calls, ended=has_ended(choice), errors=call_errors(choice)):
            yield breaking
        yield last_chunk_from(with_cache_status(reply, self._head), with_usage=self._with_usage)

    def explain(self, error: KimiError) -> list[ChatGenerationChunk]:
        """Add the partial message, usage and ids to an error. Return the chunks that close the stream."""
        held_back = [chunk for choice in self._choice.explain(error) if (chunk := chunk_from(choice))]
        add_head(error, self._head)
        return closing_chunks(held_back, self._choice.partial_reply())

    def _chunks(self, wire_chunks: Iterable[WireEvent]) -> Iterator[ChatGenerationChunk]:
        for wire_chunk in wire_chunks:
            choices = wire_chunk.get("choices")
            repaired = self._choice.add(wire_chunk, choices[0] if choices else None)
            if repaired and (chunk := chunk_from(repaired)):
                if self._begun:
                    yield chunk
                else:
                    yield from self._first(chunk)

    def _first(self, chunk: ChatGenerationChunk) -> Iterator[ChatGenerationChunk]:
        """Hold a chunk back while the answer contains only white space, because an empty answer can be retried."""
        self._blanks.append(chunk)
        if len(self._blanks) >= MAX_BLANKS or not _is_blank(chunk):
            self._begun = True
            yield from self._blanks


def _is_blank(chunk: ChatGenerationChunk) -> bool:
    message = chunk.message
    return not (is_visible(str(message.content)) or message.additional_kwargs or _calls_in(chunk))


def closing_chunks(held_back: list[ChatGenerationChunk], reply: WireEvent) -> list[ChatGenerationChunk]:
    """Return the last chunks of a failed stream, so that truncated tool calls stay invalid.

    Args:
        held_back: The chunks that were not yielded yet. They come first, because the chunk that invalidates a call
            depends on all of its arguments.
        reply: The reply as received so far.
    """
    calls = (only_choice(reply).get("message") or {}).get("tool_calls") or []
    breaking = breaking_chunk_from(calls, ended=False)
    return [*held_back, breaking] if breaking else held_back


class CoalescedMessage(StreamedMessage):
    """Reads a streamed response as chunks, with the deltas of each network read joined."""

    def _chunks(self, wire_chunks: Iterable[WireEvent]) -> Iterator[ChatGenerationChunk]:
        return coalesced(super()._chunks(wire_chunks))


def coalesced(chunks: Iterable[ChatGenerationChunk]) -> Iterator[ChatGenerationChunk]:
    """Join consecutive chunks of the same kind: text, reasoning, or tool calls.

    If an error is raised, the chunks before it are yielded first.
    """
    run: list[ChatGenerationChunk] = []
    try:
        for chunk in chunks:
            if run and _kind(chunk) != _kind(run[0]):
                yield _sum(run)
                run = []
            run.append(chunk)
    except KimiError:
        if run:
            yield _sum(run)
        raise
    if run:
        yield _sum(run)


def _kind(chunk: ChatGenerationChunk) -> tuple[bool, ...]:
    message = chunk.message
    return bool(message.content), bool(message.additional_kwargs), bool(_calls_in(chunk))


def _calls_in(chunk: ChatGenerationChunk) -> list[ToolCallChunk]:
    return chunk.message.tool_call_chunks if isinstance(chunk.message, AIMessageChunk) else []


def _sum(chunks: list[ChatGenerationChunk]) -> ChatGenerationChunk:
    if len(chunks) == 1:
        return chunks[0]
    messages = [chunk.message for chunk in chunks]
    return new_chunk(
        "".join(str(message.content) for message in messages),
        "".join(message.additional_kwargs.get("reasoning_content", "") for message in messages),
        _joined([piece for chunk in chunks for piece in _calls_in(chunk)]),
    )


def _joined(pieces: list[ToolCallChunk]) -> list[ToolCallChunk]:
    """Join each piece that only continues the arguments of the piece before it."""
    joined: list[ToolCallChunk] = []
    for piece in pieces:
        continues = joined and joined[-1]["index"] == piece["index"] and not (piece["id"] or piece["name"])
        if continues:
            joined[-1] = {**joined[-1], "args": (joined[-1]["args"] or "") + (piece["args"] or "")}
        else:
            joined.append(piece)
    return joined
