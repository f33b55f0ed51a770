"""Read a streamed response as the protocol events of `stream_events(version="v3")`, without a chunk for each delta.

langchain-core creates these events from chunks. Here, the deltas of open blocks become events directly, which is
faster. The other events, which occur a few times in a stream (the start and the end of the message and of its blocks),
are created by the installed langchain-core from a few chunks with the joined deltas.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, cast
from uuid import UUID

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import WireBody, WireChoice, WireEvent, WireToolCall
from langchain_kimi._reply.chunks import new_chunk
from langchain_kimi._reply.messages import chunk_from, delta_parts, last_chunk_from
from langchain_kimi._reply.streamed import StreamedMessage
from langchain_kimi.errors import KimiError

Event = dict[str, Any]
Bridge = Callable[..., Iterator[Any]]
"""langchain-core's function that creates events from chunks."""
DELTA = "content-block-delta"
START = "content-block-start"
TEXT, REASONING = "text", "reasoning"


class EventMessage(StreamedMessage):
    """Reads a streamed response as protocol events.

    Args:
        head: The head of the response.
        body: The request.
        message_id: The id of the message that the events describe.
        idle: Seconds without content after which the stream fails; None for no limit.
        with_usage: Whether to include the token usage.
        repair_options: The options of the repairs.
    """

    def __init__(  # noqa: PLR0913 - the parameters of the base class, and the id
        self,
        head: ResponseHead,
        body: WireBody,
        *,
        message_id: str,
        idle: float | None,
        with_usage: bool,
        repair_options: RepairOptions | None = None,
    ) -> None:
        super().__init__(head, body, idle=idle, with_usage=with_usage, repair_options=repair_options)
        self._writer = EventWriter(message_id)

    def feed(self, piece: bytes, waited: float) -> Iterable[Event]:  # type: ignore[override]  # events, not chunks
        """Read the next bytes. Return the events that they complete."""
        wire_chunks = self.wire.feed(piece, waited)
        # A stream that arrives slowly has most of its deltas in pieces of their own, which need no generator.
        return self._read(wire_chunks[0]) if type(wire_chunks) is tuple else self._read_all(wire_chunks)

    def _read_all(self, wire_chunks: Iterable[WireEvent]) -> Iterator[Event]:
        for wire_chunk in wire_chunks:
            yield from self._read(wire_chunk)

    def _read(self, wire_chunk: WireEvent) -> Iterable[Event]:
        choices = wire_chunk.get("choices")
        repaired = self._choice.add(wire_chunk, choices[0] if choices else None)
        if not repaired:
            return ()
        events = self._writer.written(*delta_parts(repaired))
        return self._opening(repaired) if events is None else events

    def _opening(self, repaired: WireChoice) -> Iterator[Event]:
        chunk = cast("ChatGenerationChunk", chunk_from(repaired))
        for begun in (chunk,) if self._begun else self._first(chunk):
            yield from self._writer.added(begun)

    def close(self) -> Iterator[Event]:  # type: ignore[override]  # events, not chunks
        """End the response. Yield the events that were held back and the last events."""
        for chunk in self._closing_chunks():
            is_last = cast("AIMessageChunk", chunk.message).chunk_position == "last"
            yield from self._writer.ended(chunk) if is_last else self._writer.added(chunk)

    def explain(self, error: KimiError) -> list[Event]:  # type: ignore[override]  # events, not chunks
        """Add the partial message, usage and ids to an error. Return the events that were held back."""
        return [event for chunk in super().explain(error) for event in self._writer.added(chunk)]


class EventWriter:
    """Writes the events of one message.

    Args:
        message_id: The id of the message.
        bridge: langchain-core's function; None imports it.
    """

    def __init__(self, message_id: str | None, bridge: Bridge | None = None) -> None:
        self._message_id = message_id
        self._bridge = bridge or core_bridge()
        # The index of each open block. The keys are `text`, `reasoning`, and the numbers of tool calls.
        self._indices: dict[str | int, int] = {}
        # The deltas of each block since the last chunk. Only blocks with deltas are in it, because a message may have
        # thousands of calls.
        self._recent: defaultdict[str | int, list[str]] = defaultdict(list)
        self._chunks: list[ChatGenerationChunk] = []

    def written(self, text: str, reasoning: str, calls: list[WireToolCall] | None) -> tuple[Event, ...] | None:
        """Return the events of a delta that only continues one open block; None if it does more."""
        if calls:
            return None if text or reasoning or len(calls) > 1 else self._arguments(calls[0])
        if not reasoning:
            if not text:
                return ()
            key, delta = TEXT, {"type": "text-delta", "text": text}
        elif text:
            return None
        else:
            key, text, delta = REASONING, reasoning, {"type": "reasoning-delta", "reasoning": reasoning}
        if (index := self._indices.get(key)) is None:
            return None
        self._recent[key].append(text)
        return ({"event": DELTA, "index": index, "delta": delta},)

    def _arguments(self, call: WireToolCall) -> tuple[Event, ...] | None:
        function = call.get("function") or {}
        number: Any = call.get("index")
        index = self._indices.get(number) if type(number) is int else None
        arguments: Any = function.get("arguments")
        is_plain = type(arguments) is str and arguments and call.get("id") is function.get("name") is None
        if index is None or not is_plain:
            return None
        self._recent[number].append(arguments)
        return ({"event": DELTA, "index": index, "delta": {"type": "tool-call-delta", "args": arguments}},)

    def added(self, chunk: ChatGenerationChunk) -> Iterator[Event]:
        """Yield the events of a chunk that is not the last one."""
        keys = _keys_of(chunk)
        is_first = not self._chunks
        self._keep_recent()
        self._chunks.append(chunk)
        for event in self._bridge(iter((chunk,)), message_id=self._message_id):
            name = event["event"]
            if name == "message-start":
                if is_first:
                    yield event
                continue
            if name not in {START, DELTA}:
                return
            key = keys[event["index"]]
            is_new = key not in self._indices
            if is_new:
                self._indices[key] = len(self._indices)
            if is_new or name == DELTA:
                yield {**event, "index": self._indices[key]}

    def ended(self, last: ChatGenerationChunk) -> Iterator[Event]:
        """Yield the events of the last chunk, and those that end the message and its blocks."""
        self._keep_recent()
        is_last = not self._chunks

        def chunks() -> Iterator[ChatGenerationChunk]:
            nonlocal is_last
            yield from self._chunks
            is_last = True
            yield last

        for event in self._bridge(chunks(), message_id=self._message_id):
            if is_last:
                yield event

    def _keep_recent(self) -> None:
        """Keep the deltas since the last chunk, as one chunk for each block."""
        self._chunks += [_joined_chunk(key, "".join(texts)) for key, texts in self._recent.items()]
        self._recent.clear()


def _keys_of(chunk: ChatGenerationChunk) -> list[str | int]:
    """Return the keys of the blocks of a chunk, in the order of its `content_blocks`."""
    message = cast("AIMessageChunk", chunk.message)
    keys: list[Any] = [call["index"] for call in message.tool_call_chunks]
    if message.content:
        keys.insert(0, TEXT)
    if message.additional_kwargs:
        keys.insert(0, REASONING)
    return list(dict.fromkeys(keys))


def _joined_chunk(key: str | int, text: str) -> ChatGenerationChunk:
    if key == TEXT:
        return new_chunk(text, "", [])
    if key == REASONING:
        return new_chunk("", text, [])
    return new_chunk("", "", [tool_call_chunk(args=text, index=cast("int", key))])


def core_bridge() -> Bridge:
    """Return langchain-core's function that creates events from chunks.

    Raises:
        ImportError: langchain-core does not have it.
    """
    from langchain_core.language_models._compat_bridge import (  # noqa: PLC0415 - `message_id_for` guards it
        chunks_to_events,
    )

    return cast("Bridge", chunks_to_events)


def message_id_for(run_id: UUID) -> str:
    """Return the id that langchain-core gives to the message of a run.

    Raises:
        ImportError: langchain-core does not have the prefix of ids.
    """
    from langchain_core.utils.utils import LC_ID_PREFIX  # noqa: PLC0415 - `is_same_as_core` guards it

    return f"{LC_ID_PREFIX}-{run_id}"


SAMPLE: tuple[Any, ...] = (
    {"reasoning": "H"},
    {"reasoning": "m."},
    {"content": "a", "reasoning": "b"},
    {"content": "c"},
    {"tool_calls": [{"index": 0, "id": "f:0", "function": {"name": "f", "arguments": ""}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
    {"tool_calls": [{"index": 1, "id": "g:1", "function": {"name": "g", "arguments": "{"}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]},
    {"tool_calls": [{"index": 1, "function": {"arguments": '"'}}, {"index": 2, "function": {"name": "h"}}]},
    {"content": "d"},
)
"""The deltas of a message in which every kind of block is opened and continued."""


@cache
def is_same_as_core(find_bridge: Callable[[], Bridge] = core_bridge) -> bool:
    """Return whether `EventWriter` creates the same events as the installed langchain-core does from chunks."""
    choices: list[Any] = [{"delta": delta} for delta in SAMPLE]
    usage: Any = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    last = last_chunk_from({"model": "m", "choices": [{"finish_reason": "stop"}], "usage": usage})
    chunks = [cast("ChatGenerationChunk", chunk_from(choice)) for choice in choices]
    try:
        bridge = find_bridge()
        message_id = message_id_for(UUID(int=1))
        writer = EventWriter(message_id, bridge)
        events = [
            event
            for choice, chunk in zip(choices, chunks, strict=True)
            for event in writer.written(*delta_parts(choice)) or writer.added(chunk)
        ]
        return [*events, *writer.ended(last)] == [*bridge(iter([*chunks, last]), message_id=message_id)]
    except (ImportError, AttributeError, KeyError, TypeError):
        return False
