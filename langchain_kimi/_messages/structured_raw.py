"""The raw reply beside its value, or beside the reason why it has none."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig, RunnableSerializable

from langchain_kimi._messages.chunk_sums import whole
from langchain_kimi._messages.structured_dump import Dumped
from langchain_kimi._messages.structured_parsing import StructuredOutputParser
from langchain_kimi._messages.structured_pieces import achunks_of, as_chunk, atraceable, chunks_of, traceable


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
        pieces: Any = traceable(map(as_chunk, input))
        read: Any = self._at_the_end
        yield from self._transform_stream_with_config(pieces, read, config, **kwargs)

    async def atransform(
        self,
        input: AsyncIterator[AIMessage],  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        """Read the value of a streamed reply, at its end."""
        pieces: Any = atraceable(as_chunk(given) async for given in input)
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
