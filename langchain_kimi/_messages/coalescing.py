"""One chunk for the deltas that came in one read of the network, for users who would rather have fewer chunks."""

from collections.abc import Iterable, Iterator

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel

from langchain_kimi._messages.fast_chunks import new_chunk
from langchain_kimi._messages.readers import StreamedMessage
from langchain_kimi.errors import KimiError
from langchain_kimi.openrouter.wire import WireReply


class CoalescesDeltas(BaseModel, defer_build=True):
    """The part of a model that says whether deltas are put together."""

    coalesce: bool = False
    """Whether the deltas that come in one read of the network make one chunk: less CPU behind hosts that send many at a
    time, and nothing is held back for it. Otherwise each delta is a chunk of its own."""

    @property
    def chunk_reader(self) -> type[StreamedMessage]:
        """What reads a stream as chunks."""
        return CoalescedMessage if self.coalesce else StreamedMessage


class CoalescedMessage(StreamedMessage):
    """Reads a streamed reply as chunks, of which one read of the network makes as few as can be."""

    def _chunks(self, wire_chunks: Iterable[WireReply]) -> Iterator[ChatGenerationChunk]:
        return coalesced(super()._chunks(wire_chunks))


def coalesced(chunks: Iterable[ChatGenerationChunk]) -> Iterator[ChatGenerationChunk]:
    """Put neighbouring chunks of the same kind together: text, reasoning, or pieces of calls.

    What came before an error is yielded before it is raised.
    """
    held: list[ChatGenerationChunk] = []
    try:
        for chunk in chunks:
            if held and _kind(chunk) != _kind(held[0]):
                yield _sum(held)
                held = []
            held.append(chunk)
    except KimiError:
        yield from map(_sum, filter(None, [held]))
        raise
    yield from map(_sum, filter(None, [held]))


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
    """Join the pieces that only continue the arguments of the one before."""
    joined: list[ToolCallChunk] = []
    for piece in pieces:
        continues = joined and joined[-1]["index"] == piece["index"] and not (piece["id"] or piece["name"])
        if continues:
            joined[-1] = {**joined[-1], "args": (joined[-1]["args"] or "") + (piece["args"] or "")}
        else:
            joined.append(piece)
    return joined
