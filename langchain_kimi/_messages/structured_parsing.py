"""The parser of structured output: a whole reply to its value, a streamed one to growing values."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers.transform import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import RunnableConfig
from pydantic import InstanceOf

from langchain_kimi._messages.chunk_sums import whole
from langchain_kimi._messages.structured_dump import DumpedWithSchema
from langchain_kimi._messages.structured_json import read_partial_json
from langchain_kimi._messages.structured_pieces import achunks_of, as_chunk, atraceable, chunks_of, traceable
from langchain_kimi._messages.structured_reply import calls_others, read_output
from langchain_kimi._messages.structured_schema import OutputSchema

# Up to this many characters every piece of a reply is worth a look at what is there so far; from there on a growth by
# a sixteenth is, so that the work grows with the reply's length and not with its square.
_SMALL = 4096
_SHARE = 16


class StreamedOutput:
    """Follows a streamed reply: feed it chunks, then close it; both yield values.

    If it grows, what is there so far is yielded each time that it has changed; the last value is the one that the
    whole reply holds.
    """

    def __init__(self, schema: OutputSchema, *, by_call: bool, grows: bool) -> None:
        self._schema = schema
        self._by_call = by_call
        self._grows = grows
        self._chunks: list[AIMessageChunk] = []
        self._call: list[int | str | None] = []
        self._pieces: list[str] = []
        self._length = 0
        self._next_look = 1
        self._last: list[Any] = []

    def feed(self, chunk: AIMessageChunk) -> Iterator[Any]:
        """Take the next chunk; yields the value so far if it has changed."""
        self._chunks.append(chunk)
        if self._grows:
            piece = "".join(self._argument_pieces(chunk)) if self._by_call else str(chunk.text)
            self._pieces.append(piece)
            self._length += len(piece)
            if self._length >= self._next_look:
                self._next_look = self._length + max(1, (self._length - _SMALL) // _SHARE)
                yield from self._changed(self._so_far())

    def close(self) -> Iterator[Any]:
        """Take the end of the reply; yields its value, unless it is a dict that was yielded last.

        Raises:
            KimiStructuredOutputError: see `read_output`.
        """
        value = read_output(whole(self._chunks), self._schema, by_call=self._by_call)
        yield from self._changed([value]) if self._schema.model is None else [value]

    def _argument_pieces(self, chunk: AIMessageChunk) -> Iterator[str]:
        """Yield what a chunk adds to the first call of the schema's function."""
        for piece in chunk.tool_call_chunks:
            if not self._call and piece["name"] == self._schema.name:
                self._call.append(piece["index"])
            if self._call == [piece["index"]]:
                yield piece["args"] or ""

    def _so_far(self) -> list[Any]:
        text = "".join(self._pieces)
        if not self._by_call and calls_others(text, self._schema.name):
            return []
        value = self._schema.unwrap(read_partial_json(text))
        if value is None or isinstance(value, dict) is not self._schema.is_object:
            return []
        return [self._schema.loose(value)]

    def _changed(self, value: list[Any]) -> Iterator[Any]:
        if value and value != self._last:
            self._last = value
            yield from value


class StructuredOutputParser(DumpedWithSchema, BaseTransformOutputParser[Any]):
    """Gives the value that a reply holds, or raises; never None.

    Attributes:
        target: What the value has to look like.
        by_call: Whether the model was asked to call a function, or else to write JSON.
        grows: Whether a stream yields what is there so far, before the whole value.
    """

    target: InstanceOf[OutputSchema]
    by_call: bool
    grows: bool

    @property
    def _type(self) -> str:
        return "kimi_structured_output"

    @property
    def OutputType(self) -> Any:  # noqa: N802 - LangChain's name
        """The pydantic class, or a dict."""
        return self.target.model or dict[str, Any]

    def parse(self, text: str) -> Any:
        """Read the value from a text; see `parse_result`."""
        return self.parse_result([Generation(text=text)])

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Read the value from a reply.

        Args:
            result: The reply; only its first candidate is read.
            partial: Whether the reply is still coming; then None means that there is nothing to show yet.

        Raises:
            KimiStructuredOutputError: There is no such value in a whole reply.
        """
        [generation, *_] = result
        given = generation.message if isinstance(generation, ChatGeneration) else generation.text
        if partial:
            return next(self._follow().feed(as_chunk(given)), None)
        return read_output(
            given if isinstance(given, AIMessage) else as_chunk(given), self.target, by_call=self.by_call
        )

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Read the value from a reply, without a detour through a thread; see `parse_result`."""
        return self.parse_result(result, partial=partial)

    def transform(
        self,
        input: Iterator[str | BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Yield the values of a reply as it comes; see `StreamedOutput`."""
        yield from super().transform(traceable(map(as_chunk, input)), config, **kwargs)

    async def atransform(
        self,
        input: AsyncIterator[str | BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Yield the values of a reply as it comes; see `StreamedOutput`."""
        pieces = atraceable(as_chunk(given) async for given in input)
        async for value in super().atransform(pieces, config, **kwargs):
            yield value

    def _transform(self, pieces: Iterator[Any]) -> Iterator[Any]:
        output = self._follow()
        for chunk in chunks_of(pieces):
            yield from output.feed(chunk)
        yield from output.close()

    async def _atransform(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        output = self._follow()
        async for chunk in achunks_of(pieces):
            for value in output.feed(chunk):
                yield value
        for value in output.close():
            yield value

    def _follow(self) -> StreamedOutput:
        return StreamedOutput(self.target, by_call=self.by_call, grows=self.grows)
