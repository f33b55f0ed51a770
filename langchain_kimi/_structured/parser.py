"""Parsers of structured output: the value of a complete reply, and growing values of a streamed reply."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers.transform import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import RunnableConfig, RunnableSerializable
from pydantic import InstanceOf

from langchain_kimi._reply.chunk_sums import sum_of
from langchain_kimi._schemas.output import OutputSchema
from langchain_kimi._structured.json_text import read_partial_json
from langchain_kimi._structured.reading import only_calls_others, read_output
from langchain_kimi._structured.serialization import Dumped, DumpedWithSchema


class TracedChunk(str):
    """An empty string with a chunk of the reply as an attribute.

    LangChain adds up the inputs of a parser for its traces, one by one. Adding message chunks parses all arguments so
    far each time, and adding long texts copies them each time. Therefore these strings are empty, and an additional one
    at the end contains the whole text.
    """

    __slots__ = ("chunk",)
    chunk: AIMessageChunk

    def __new__(cls, chunk: AIMessageChunk) -> Self:
        """Wrap a chunk."""
        traced = super().__new__(cls)
        traced.chunk = chunk
        return traced


def for_tracing(chunks: Iterator[AIMessageChunk]) -> Iterator[str]:
    """Yield the chunks as `TracedChunk`s, then their text, or the arguments of their calls."""
    texts: list[str] = []
    for chunk in chunks:
        texts.append(_text_of(chunk))
        yield TracedChunk(chunk)
    yield "".join(texts)


async def afor_tracing(chunks: AsyncIterator[AIMessageChunk]) -> AsyncIterator[str]:
    """Yield the chunks as `TracedChunk`s, then their text; see `for_tracing`."""
    texts: list[str] = []
    async for chunk in chunks:
        texts.append(_text_of(chunk))
        yield TracedChunk(chunk)
    yield "".join(texts)


def chunks_of(traced: Iterator[str]) -> Iterator[AIMessageChunk]:
    """Yield the chunks that `for_tracing` wrapped."""
    return (item.chunk for item in traced if isinstance(item, TracedChunk))


def achunks_of(traced: AsyncIterator[str]) -> AsyncIterator[AIMessageChunk]:
    """Yield the chunks that `afor_tracing` wrapped."""
    return (item.chunk async for item in traced if isinstance(item, TracedChunk))


def as_chunk(item: str | BaseMessage) -> AIMessageChunk:
    """Return a text or a message as a chunk."""
    if isinstance(item, AIMessageChunk):
        return item
    if isinstance(item, AIMessage):
        # A model that does not stream yields its whole message.
        return AIMessageChunk(**{key: value for key, value in item if key != "type"})
    return AIMessageChunk(content=item if isinstance(item, str) else item.content)


def _text_of(chunk: AIMessageChunk) -> str:
    return str(chunk.text) or "".join(piece["args"] or "" for piece in chunk.tool_call_chunks)


# Up to this number of characters, the value so far is parsed after each piece. For longer replies it is parsed each
# time that the reply has grown by a sixteenth, so that the time grows with the reply's length and not with its square.
_PARSE_ALWAYS_BELOW = 4096
_GROWTH_SHARE = 16


class StreamedOutput:
    """Reads the values of a streamed reply. `feed` takes its chunks and `close` its end; both yield values.

    Args:
        schema: The schema of the value.
        by_call: Whether the value is in a function call; otherwise it is in the text.
        grows: Whether the value so far is yielded each time that it changes. The last value is that of the whole reply.
    """

    def __init__(self, schema: OutputSchema, *, by_call: bool, grows: bool) -> None:
        self._schema = schema
        self._by_call = by_call
        self._grows = grows
        self._chunks: list[AIMessageChunk] = []
        self._call: list[int | str | None] = []
        self._pieces: list[str] = []
        self._length = 0
        self._next_parse = 1
        self._last: list[Any] = []

    def feed(self, chunk: AIMessageChunk) -> Iterator[Any]:
        """Take the next chunk and yield the value so far if it has changed."""
        self._chunks.append(chunk)
        if self._grows:
            piece = "".join(self._argument_pieces(chunk)) if self._by_call else str(chunk.text)
            self._pieces.append(piece)
            self._length += len(piece)
            if self._length >= self._next_parse:
                self._next_parse = self._length + max(1, (self._length - _PARSE_ALWAYS_BELOW) // _GROWTH_SHARE)
                yield from self._changed(self._so_far())

    def close(self) -> Iterator[Any]:
        """Take the end of the reply and yield its value, unless it is a dict and equals the last value yielded.

        Raises:
            KimiStructuredOutputError: See `read_output`.
        """
        value = read_output(sum_of(self._chunks), self._schema, by_call=self._by_call)
        yield from self._changed([value]) if self._schema.model is None else [value]

    def _argument_pieces(self, chunk: AIMessageChunk) -> Iterator[str]:
        """Yield the arguments that a chunk adds to the first call of the schema's function."""
        for piece in chunk.tool_call_chunks:
            if not self._call and piece["name"] == self._schema.name:
                self._call.append(piece["index"])
            if self._call == [piece["index"]]:
                yield piece["args"] or ""

    def _so_far(self) -> list[Any]:
        text = "".join(self._pieces)
        if not self._by_call and only_calls_others(text, self._schema.name):
            return []
        value = self._schema.unwrapped(read_partial_json(text))
        if value is None or isinstance(value, dict) is not self._schema.is_object:
            return []
        return [self._schema.unvalidated(value)]

    def _changed(self, value: list[Any]) -> Iterator[Any]:
        if value and value != self._last:
            self._last = value
            yield from value


class StructuredOutputParser(DumpedWithSchema, BaseTransformOutputParser[Any]):
    """Returns the value in a reply, or raises an error. It returns None only if the schema allows null.

    Attributes:
        target: The schema of the value.
        by_call: Whether a function call was requested; otherwise JSON in the text was.
        grows: Whether a stream yields the value so far before the complete value.
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
            partial: Whether the reply is incomplete. Then the result is None while there is no value to show yet.

        Raises:
            KimiStructuredOutputError: A whole reply has no such value.
        """
        [generation, *_] = result
        item = generation.message if isinstance(generation, ChatGeneration) else generation.text
        if partial:
            return next(self._streamed_output().feed(as_chunk(item)), None)
        message = item if isinstance(item, AIMessage) else as_chunk(item)
        return read_output(message, self.target, by_call=self.by_call)

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Read the value from a reply without starting a thread; see `parse_result`."""
        return self.parse_result(result, partial=partial)

    def transform(
        self,
        input: Iterator[str | BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Yield the values of a streamed reply; see `StreamedOutput`."""
        yield from super().transform(for_tracing(map(as_chunk, input)), config, **kwargs)

    async def atransform(
        self,
        input: AsyncIterator[str | BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Yield the values of a streamed reply; see `StreamedOutput`."""
        pieces = afor_tracing(as_chunk(item) async for item in input)
        async for value in super().atransform(pieces, config, **kwargs):
            yield value

    def _transform(self, pieces: Iterator[Any]) -> Iterator[Any]:
        output = self._streamed_output()
        for chunk in chunks_of(pieces):
            yield from output.feed(chunk)
        yield from output.close()

    async def _atransform(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        output = self._streamed_output()
        async for chunk in achunks_of(pieces):
            for value in output.feed(chunk):
                yield value
        for value in output.close():
            yield value

    def _streamed_output(self) -> StreamedOutput:
        return StreamedOutput(self.target, by_call=self.by_call, grows=self.grows)


class RawAndParsed(Dumped, RunnableSerializable[AIMessage, dict[str, Any]]):
    """Returns `raw`, `parsed` and `parsing_error`; one of the last two is None.

    A stream of it yields once, at the end.

    Attributes:
        parser: The parser of the value.
    """

    parser: StructuredOutputParser

    def invoke(self, input: AIMessage, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: A002 - LangChain's name
        """Read the value of a whole reply."""
        read: Any = self._parsed
        return self._call_with_config(read, input, config, **kwargs)

    async def ainvoke(self, input: AIMessage, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: A002 - LangChain's name
        """Read the value of a whole reply; only callbacks are awaited."""
        read: Any = self._aparsed
        return await self._acall_with_config(read, input, config, **kwargs)

    def transform(
        self,
        input: Iterator[AIMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[dict[str, Any]]:
        """Read the value of a streamed reply, at its end."""
        pieces: Any = for_tracing(map(as_chunk, input))
        read: Any = self._at_the_end
        yield from self._transform_stream_with_config(pieces, read, config, **kwargs)

    async def atransform(
        self,
        input: AsyncIterator[AIMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        """Read the value of a streamed reply, at its end."""
        pieces: Any = afor_tracing(as_chunk(item) async for item in input)
        read: Any = self._aat_the_end
        async for result in self._atransform_stream_with_config(pieces, read, config, **kwargs):
            yield result

    def _at_the_end(self, pieces: Iterator[Any], config: RunnableConfig) -> Iterator[dict[str, Any]]:
        yield self._parsed(sum_of([*chunks_of(pieces)]), config)

    async def _aat_the_end(self, pieces: AsyncIterator[Any], config: RunnableConfig) -> AsyncIterator[dict[str, Any]]:
        yield await self._aparsed(sum_of([chunk async for chunk in achunks_of(pieces)]), config)

    def _parsed(self, raw: AIMessage, config: RunnableConfig) -> dict[str, Any]:
        try:
            return {"raw": raw, "parsed": self.parser.invoke(raw, config), "parsing_error": None}
        except Exception as error:  # noqa: BLE001 - a user's validator may raise anything
            return {"raw": raw, "parsed": None, "parsing_error": error}

    async def _aparsed(self, raw: AIMessage, config: RunnableConfig) -> dict[str, Any]:
        try:
            return {"raw": raw, "parsed": await self.parser.ainvoke(raw, config), "parsing_error": None}
        except Exception as error:  # noqa: BLE001 - a user's validator may raise anything
            return {"raw": raw, "parsed": None, "parsing_error": error}
