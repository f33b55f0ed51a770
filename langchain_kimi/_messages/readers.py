"""The way back, put together: bytes, the wire's chunks, mended, LangChain's chunks or result."""

from collections.abc import Iterable, Iterator
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_kimi._messages.chunk_sums import with_first
from langchain_kimi._messages.from_wire import (
    CUT,
    breaking_chunk_from,
    chunk_from,
    faults_of,
    last_chunk_from,
    message_from,
)
from langchain_kimi._messages.hints import with_hint
from langchain_kimi._messages.plain_answer import plain_answer
from langchain_kimi.errors import KimiEmptyReplyError, KimiError, KimiReplyError
from langchain_kimi.kimi.mend import Mender, Mending
from langchain_kimi.openrouter.assembly import Assembly
from langchain_kimi.openrouter.chunks import as_chunk
from langchain_kimi.openrouter.reading import Opened
from langchain_kimi.openrouter.stream import PlainReader, StreamReader
from langchain_kimi.openrouter.wire import WireBody, WireChoice, WireReply, WireToolCall

EXCUSED = CUT | {"content_filter"}
"""Finish reasons that explain why nothing came."""


class ChoiceReader:
    """Follows one choice through a reply: mends it and adds it up."""

    def __init__(self, body: WireBody, mending: Mending | None = None) -> None:
        self._mender = Mender(body, mending)
        self._hopes_for_call = mending is not None and mending.hopes_for_call
        self._assembly = Assembly()

    def add(self, chunk: WireReply, choice: WireChoice | None) -> WireChoice | None:
        """Take the next chunk and its choice; gives the choice back mended."""
        mended = None if choice is None else self._mender.feed(choice)
        self._assembly.add(chunk, mended)
        return mended

    def close(self, *, cut: bool = False) -> Iterator[WireChoice]:
        """Take the end of the reply, or that it broke off (`cut`); yields what the mending still owed."""
        for choice in self._mender.close(cut=cut):
            self._assembly.add({}, choice)
            yield choice

    def reply(self) -> WireReply:
        """Give the mended reply as far as it came."""
        return self._assembly.reply()

    def whole(self) -> WireReply:
        """Give the mended reply at its end, with a hint where there is something to be done about it.

        Raises:
            KimiEmptyReplyError: there is nothing in it.
            KimiReplyError: it holds no call although one was to be forced.
        """
        reply = self.reply()
        choice = (reply.get("choices") or [])[0]
        message = {key: value for key, value in (choice.get("message") or {}).items() if key != "role" and value}
        if not message and choice.get("finish_reason") not in EXCUSED:
            raise KimiEmptyReplyError(
                "The model's reply is empty: no text, no reasoning, no tool call.",
                provider=_word(reply.get("provider")),
                model=_word(reply.get("model")),
                generation_id=_word(reply.get("id")),
                advice="Trying again, or at another provider (provider={'ignore': [...]}), may help.",
            )
        if self._hopes_for_call and not message.get("tool_calls") and choice.get("finish_reason") not in EXCUSED:
            raise KimiReplyError(
                "The model answered without the tool call that was to be forced: it thinks, and cannot be.",
                is_retryable=False,
                advice="Ask a Kimi that need not think, or leave tool_choice at 'auto'; the answer is in `partial`.",
            )
        return with_hint(reply)

    def explain(self, error: KimiError) -> list[WireChoice]:
        """Add to an error what came of the answer until then; gives what the mending had held back of it."""
        owed = list(self.close(cut=True))
        reply = self.reply()
        error.learn(
            partial=message_from(reply, whole=False),
            usage=error.usage or reply.get("usage"),
            provider=error.provider or _word(reply.get("provider")),
            model=error.model or _word(reply.get("model")),
            generation_id=error.generation_id or _word(reply.get("id")),
        )
        return owed


def _word(value: Any) -> str | None:
    """Give a text, and None for the object that was seen in the provider's place."""
    return value if isinstance(value, str) else None


def _note_head(error: KimiError, opened: Opened) -> None:
    """Add to an error what the reply's head said: by the id a call can be looked up even if nothing came of it."""
    error.learn(
        status=error.status or opened.status,
        generation_id=error.generation_id or opened.headers.get("x-generation-id"),
    )


class StreamedMessage:
    """Reads a streamed reply as LangChain's chunks; their sum is the message."""

    def __init__(
        self,
        opened: Opened,
        body: WireBody,
        *,
        idle: float | None,
        with_usage: bool,
        mending: Mending | None = None,
    ) -> None:
        self._opened = opened
        self.wire = StreamReader(opened, idle)
        self._choice = ChoiceReader(body, mending)
        self._with_usage = with_usage
        self._begun = False

    @property
    def has_begun(self) -> bool:
        """Whether a chunk was handed out; the mere end of an empty reply is none, so that it can be tried again."""
        return self._begun

    def feed(self, piece: bytes, waited: float) -> Iterator[ChatGenerationChunk]:
        """Take the next bytes; gives the chunks that they complete, one by one."""
        chunks = self._chunks(self.wire.feed(piece, waited))
        return chunks if self._begun else with_first(chunks)

    def close(self) -> Iterator[ChatGenerationChunk]:
        """Take the end of the bytes; yields the rest and the last chunk."""
        yield from self._chunks(self.wire.close())
        for owed in self._choice.close():
            if chunk := chunk_from(owed):
                self._begun = True
                yield chunk
        reply = self._choice.whole()
        choice = (reply.get("choices") or [])[0]
        calls = (choice.get("message") or {}).get("tool_calls") or []
        ended = choice.get("finish_reason") not in CUT
        if breaking := breaking_chunk_from(calls, ended=ended, faults=faults_of(choice)):
            yield breaking
        yield last_chunk_from(reply, with_usage=self._with_usage)

    def explain(self, error: KimiError) -> list[ChatGenerationChunk]:
        """Add to an error what came of the answer until then; return the chunks that close the stream."""
        held_back = [chunk for choice in self._choice.explain(error) if (chunk := chunk_from(choice))]
        _note_head(error, self._opened)
        return closing_chunks(held_back, error.partial)

    def _chunks(self, wire_chunks: Iterable[WireReply]) -> Iterator[ChatGenerationChunk]:
        for wire_chunk in wire_chunks:
            choices = wire_chunk.get("choices")
            mended = self._choice.add(wire_chunk, choices[0] if choices else None)
            if mended and (chunk := chunk_from(mended)):
                self._begun = True
                yield chunk


def closing_chunks(held_back: list[ChatGenerationChunk], partial: AIMessage | None) -> list[ChatGenerationChunk]:
    """Return the chunks to hand out at the end of a stream that failed, so that no call that it cut looks valid.

    Args:
        held_back: The chunks that had not been handed out yet. They come first: the chunk that breaks a call off fits
            all of the call, not only the part that was handed out.
        partial: The message as far as it came.
    """
    cut = partial.invalid_tool_calls if partial else []
    # The calls of a partial message stand in the order of their numbers.
    calls: list[WireToolCall] = [
        {"index": number, "function": {"name": call["name"], "arguments": call["args"]}}
        for number, call in enumerate(cut)
    ]
    breaking = breaking_chunk_from(calls, ended=False)
    return [*held_back, breaking] if breaking else held_back


class PlainMessage:
    """Reads a reply that is not streamed as LangChain's result: one generation a choice."""

    def __init__(self, opened: Opened, body: WireBody, *, idle: float | None, mending: Mending | None = None) -> None:
        self._opened = opened
        self._wire = PlainReader(opened, idle)
        self._body = body
        self._mending = mending
        self._choices: dict[int, ChoiceReader] = {}

    @property
    def has_begun(self) -> bool:
        """Nothing is handed out before the end."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Take the next bytes; gives nothing yet."""
        return self._wire.feed(piece, waited)

    def close(self) -> Iterator[ChatResult]:
        """Take the end of the bytes; yields the result."""
        usual = None
        for reply in self._wire.close():
            usual = plain_answer(reply, self._body, self._mending)
            if usual is None:
                self._add(reply)
        messages = [message_from(reply) for reply in ([usual] if usual else self._mended())]
        metadata = messages[0].response_metadata
        shared = {key: metadata[key] for key in ("token_usage", "model_name", "system_fingerprint") if key in metadata}
        yield ChatResult(generations=[ChatGeneration(message=message) for message in messages], llm_output=shared)

    def explain(self, error: KimiError) -> tuple[()]:
        """Add to an error what came of the answer until then; nothing of it is handed out."""
        for reader in [*self._choices.values()][:1]:
            reader.explain(error)
        _note_head(error, self._opened)
        return ()

    def _mended(self) -> list[WireReply]:
        for reader in self._choices.values():
            list(reader.close())
        return [reader.whole() for reader in self._choices.values()]

    def _add(self, reply: WireReply) -> None:
        """Add the reply, or a chunk of one that was streamed although that was not asked for."""
        choices = reply.get("choices") or []
        is_chunk = not any(choice.get("message") for choice in choices)
        for place, choice in enumerate(choices if is_chunk else as_chunk(reply).get("choices") or ()):
            # The choices of a plain reply are told apart by their places: not all hosts number them.
            index: Any = choice.get("index") if is_chunk else place
            self._reader(index if isinstance(index, int) else place).add(reply, choice)
        if not choices:
            for reader in self._choices.values():
                reader.add(reply, None)

    def _reader(self, number: int) -> ChoiceReader:
        if number not in self._choices:
            self._choices[number] = ChoiceReader(self._body, self._mending)
        return self._choices[number]
