"""The parser of structured output: a whole reply to its value, a streamed one to growing values."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers.transform import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import RunnableConfig, RunnableSerializable
from pydantic import InstanceOf

from langchain_kimi._reply.chunk_sums import whole
from langchain_kimi._schemas.output import OutputSchema
from langchain_kimi._structured.json_text import read_partial_json
from langchain_kimi._structured.reading import calls_others, read_output
from langchain_kimi._structured.serialization import Dumped, DumpedWithSchema


class Piece(str):
    """A chunk of the reply in the form of a text.

    For its traces LangChain adds up what goes into a parser, one by one: sums of message chunks would parse all the
    arguments so far each time, and sums of long texts copy them each time. So the pieces are empty, and one more at
    the end has the whole text.
    """

    __slots__ = ("chunk",)
    chunk: AIMessageChunk

    def __new__(cls, chunk: AIMessageChunk) -> Self:
        """Wrap a chunk."""
        piece = super().__new__(cls)
        piece.chunk = chunk
        return piece


def for_tracing(chunks: Iterator[AIMessageChunk]) -> Iterator[str]:
    """Yield the chunks as `Piece`s, and then their text, or that of their calls' arguments."""
    texts: list[str] = []
    for chunk in chunks:
        texts.append(_text_of(chunk))
        yield Piece(chunk)
    yield "".join(texts)


async def afor_tracing(chunks: AsyncIterator[AIMessageChunk]) -> AsyncIterator[str]:
    """Yield the chunks as `Piece`s, and then their text; see `for_tracing`."""
    texts: list[str] = []
    async for chunk in chunks:
        texts.append(_text_of(chunk))
        yield Piece(chunk)
    yield "".join(texts)


def chunks_of(pieces: Iterator[str]) -> Iterator[AIMessageChunk]:
    """Yield the chunks that `for_tracing` wrapped."""
    return (piece.chunk for piece in pieces if isinstance(piece, Piece))


def achunks_of(pieces: AsyncIterator[str]) -> AsyncIterator[AIMessageChunk]:
    """Yield the chunks that `afor_tracing` wrapped."""
    return (piece.chunk async for piece in pieces if isinstance(piece, Piece))


def as_chunk(given: str | BaseMessage) -> AIMessageChunk:
    """Make a chunk of what stands for one."""
    if isinstance(given, AIMessageChunk):
        return given
    if isinstance(given, AIMessage):
        # A model that does not stream hands on its whole message.
        return AIMessageChunk(**{key: value for key, value in given if key != "type"})
    return AIMessageChunk(content=given if isinstance(given, str) else given.content)


def _text_of(chunk: AIMessageChunk) -> str:
    return str(chunk.text) or "".join(piece["args"] or "" for piece in chunk.tool_call_chunks)


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
        yield from super().transform(for_tracing(map(as_chunk, input)), config, **kwargs)

    async def atransform(
        self,
        input: AsyncIterator[str | BaseMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Yield the values of a reply as it comes; see `StreamedOutput`."""
        pieces = afor_tracing(as_chunk(given) async for given in input)
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


class RawAndParsed(Dumped, RunnableSerializable[AIMessage, dict[str, Any]]):
    """Gives `raw`, `parsed` and `parsing_error`; one of the last two is None.

    A stream of it yields once, at the end.

    Attributes:
        parser: What reads the value.
    """

    parser: StructuredOutputParser

    def invoke(self, input: AIMessage, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: A002 - LangChain's name
        """Read the value of a whole reply."""
        read: Any = self._both
        return self._call_with_config(read, input, config, **kwargs)

    async def ainvoke(self, input: AIMessage, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: A002 - LangChain's name
        """Read the value of a whole reply; nothing is awaited but callbacks."""
        read: Any = self._aboth
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
        pieces: Any = afor_tracing(as_chunk(given) async for given in input)
        read: Any = self._aat_the_end
        async for result in self._atransform_stream_with_config(pieces, read, config, **kwargs):
            yield result

    def _at_the_end(self, pieces: Iterator[Any], config: RunnableConfig) -> Iterator[dict[str, Any]]:
        yield self._both(whole([*chunks_of(pieces)]), config)

    async def _aat_the_end(self, pieces: AsyncIterator[Any], config: RunnableConfig) -> AsyncIterator[dict[str, Any]]:
        yield await self._aboth(whole([chunk async for chunk in achunks_of(pieces)]), config)

    def _both(self, raw: AIMessage, config: RunnableConfig) -> dict[str, Any]:
        try:
            return {"raw": raw, "parsed": self.parser.invoke(raw, config), "parsing_error": None}
        except Exception as error:  # noqa: BLE001 - a validator of the user's may raise anything
            return {"raw": raw, "parsed": None, "parsing_error": error}

    async def _aboth(self, raw: AIMessage, config: RunnableConfig) -> dict[str, Any]:
        try:
            return {"raw": raw, "parsed": await self.parser.ainvoke(raw, config), "parsing_error": None}
        except Exception as error:  # noqa: BLE001 - a validator of the user's may raise anything
            return {"raw": raw, "parsed": None, "parsing_error": error}
