"""Collect the deltas of a stream whose chunks nobody sees: `invoke` of a streaming model without callbacks.

langchain-core adds up the chunks in any case, and the sum is the same. Measured over loopback, a delta of text takes 15
instead of 21 µs.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._openrouter.wire import WireEvent
from langchain_kimi._reply.chunks import new_chunk
from langchain_kimi._reply.messages import chunk_from, delta_parts
from langchain_kimi._reply.streamed import StreamedMessage

_UNSEEN: ContextVar[object] = ContextVar("unseen", default=None)
"""The model whose chunks nobody sees in this context."""


@contextmanager
def collecting(model: Any, run_manager: Any, streams: tuple[Any, Any]) -> Iterator[None]:
    """Collect the deltas of a streaming model's streams in this context if nobody sees the chunks.

    Callbacks see them, and subclasses with methods of their own. For `output_version="v1"`, langchain-core numbers the
    content blocks of each chunk.

    Args:
        model: The model.
        run_manager: The callbacks of the run.
        streams: The methods `_stream` and `_astream` whose chunks may be collected.
    """
    is_own = (type(model)._stream, type(model)._astream) == streams  # noqa: SLF001 - of its class or a subclass
    is_unseen = model.streaming and is_own and model.output_version != "v1"
    has_callbacks = run_manager is None or run_manager.handlers
    token = _UNSEEN.set(model if is_unseen and not has_callbacks else None)
    try:
        yield
    finally:
        _UNSEEN.reset(token)


def is_collected(model: object) -> bool:
    """Return whether the deltas of a model's streams are collected in this context."""
    return _UNSEEN.get() is model


class CollectedMessage(StreamedMessage):
    """Reads a streamed response as few chunks: after its beginning, the text and the reasoning are one chunk.

    Their sum is that of the chunks of `StreamedMessage`.
    """

    _is_closing = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._texts: list[str] = []
        self._reasoning: list[str] = []

    def close(self) -> Iterator[ChatGenerationChunk]:
        """End the response. Yield the collected text and the last chunks."""
        self._is_closing = True
        return super().close()

    def _chunks(self, wire_chunks: Iterable[WireEvent]) -> Iterator[ChatGenerationChunk]:
        for wire_chunk in wire_chunks:
            if not self._begun:
                yield from super()._chunks((wire_chunk,))
                continue
            choices = wire_chunk.get("choices")
            if not (repaired := self._choice.add(wire_chunk, choices[0] if choices else None)):
                continue
            text, reasoning, calls = delta_parts(repaired)
            self._texts.append(text)
            if reasoning:
                self._reasoning.append(reasoning)
            if calls:
                yield cast("ChatGenerationChunk", chunk_from({"delta": {"tool_calls": calls}}))
        if self._is_closing and (any(self._texts) or self._reasoning):
            yield new_chunk("".join(self._texts), "".join(self._reasoning), [])
