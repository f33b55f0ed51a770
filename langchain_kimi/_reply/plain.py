"""Read a response that is not streamed."""

from collections.abc import Iterator
from typing import Any, cast

from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.chunks import as_chunk
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import PlainReader
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireEvent
from langchain_kimi._reply.choice import ChoiceReader, note_head
from langchain_kimi._reply.messages import (
    message_from,
)
from langchain_kimi.errors import KimiError


class PlainMessage:
    """Reads a reply that is not streamed as LangChain's result: one generation a choice."""

    def __init__(
        self, opened: ResponseHead, body: WireBody, *, idle: float | None, repair_options: RepairOptions | None = None
    ) -> None:
        self._opened = opened
        self._wire = PlainReader(opened, idle)
        self._body = body
        self._mending = repair_options
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
        messages = [message_from(reply) for reply in ([usual] if usual else self._repaired())]
        metadata = messages[0].response_metadata
        shared = {key: metadata[key] for key in ("token_usage", "model_name", "system_fingerprint") if key in metadata}
        yield ChatResult(generations=[ChatGeneration(message=message) for message in messages], llm_output=shared)

    def explain(self, error: KimiError) -> tuple[()]:
        """Add to an error what came of the answer until then; nothing of it is handed out."""
        for reader in [*self._choices.values()][:1]:
            reader.explain(error)
        note_head(error, self._opened)
        return ()

    def _repaired(self) -> list[WireEvent]:
        for reader in self._choices.values():
            list(reader.close())
        return [reader.whole() for reader in self._choices.values()]

    def _add(self, reply: WireEvent) -> None:
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


_SAID = frozenset({"role", "content"})
_SUMMED = frozenset({"usage", "logprobs"})
"""What of a choice is added up in a way of its own."""


def plain_answer(reply: WireEvent, body: WireBody, repair_options: RepairOptions | None) -> WireEvent | None:
    """Give the reply as mending and adding up would give it, or None where they have something to do.

    Args:
        reply: A whole reply, or a part of one.
        body: The request.
        repair_options: What is to be done to the reply, and to be told with it.
    """
    if body.get("tools") or (
        repair_options is not None and (repair_options.empty_answers or repair_options.changed_choice)
    ):
        return None
    choices = reply.get("choices") or ()
    choice = cast("JSONObject", choices[0]) if len(choices) == 1 else {}
    if choice.get("finish_reason") != "stop" or not _only_says(choice.get("message")):
        return None
    if not isinstance(reply.get("usage"), dict) or any(choice.get(key) is not None for key in _SUMMED):
        return None
    return cast("WireEvent", {**reply, "choices": [{"finish_reason": None, **choice}]})


def _only_says(message: Any) -> bool:
    """Say whether a message holds a text and nothing else."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str) or not content:
        return False
    return all(value is None for key, value in message.items() if key not in _SAID)
