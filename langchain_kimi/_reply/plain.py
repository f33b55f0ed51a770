"""Read a response that is not streamed."""

from collections.abc import Iterator
from typing import Any, TypeGuard, cast

from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._kimi.repairs import ALL, may_change
from langchain_kimi._openrouter.reply.chunks import as_chunk, numbered
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import PlainReader
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireEvent
from langchain_kimi._reply.choice import ChoiceReader, add_head, is_visible
from langchain_kimi._reply.facts import with_cache_status
from langchain_kimi._reply.messages import generation_info, llm_output, message_from
from langchain_kimi.errors import KimiError

MAX_CHOICES = 128
"""The maximum number of choices that are read. No API allows a larger `n`, and reading a reply with 100,000 empty
choices took seconds."""
_TEXT_KEYS = frozenset({"role", "content"})
_ADDED_UP = frozenset({"usage", "logprobs"})
"""Keys of a choice that `Assembly` adds up instead of copying them."""


class PlainMessage:
    """Reads a response that is not streamed as a LangChain result with one generation per choice."""

    def __init__(
        self, head: ResponseHead, body: WireBody, *, idle: float | None, repair_options: RepairOptions | None = None
    ) -> None:
        self._head = head
        self._wire = PlainReader(head, idle, keeps_choices=cast("JSONObject", body).get("n") not in (None, 1))
        self._body = body
        self._repair_options = repair_options
        self._choices: dict[int, ChoiceReader] = {}
        # The chunks before the first choice, such as the usage before a choice of another index than 0.
        self._early: list[WireEvent] = []

    @property
    def has_begun(self) -> bool:
        """Always False: nothing is returned before the end."""
        return False

    def feed(self, piece: bytes, waited: float) -> tuple[()]:
        """Read the next bytes."""
        for chunk in self._wire.feed(piece, waited):
            self._add(chunk)
        return ()

    def close(self) -> Iterator[ChatResult]:
        """Yield the result at the end of the response."""
        simple = None
        for reply in self._wire.close():
            simple = simple_reply(reply, self._body, self._repair_options)
            if simple is None:
                self._add(reply)
        replies = [simple] if simple else self._repaired()
        messages = [message_from(with_cache_status(reply, self._head)) for reply in replies]
        generations = [
            ChatGeneration(message=message, generation_info=generation_info(message.response_metadata))
            for message in messages
        ]
        yield ChatResult(generations=generations, llm_output=llm_output(messages[0].response_metadata))

    def explain(self, error: KimiError) -> tuple[()]:
        """Add the partial message, the usage and the ids to an error."""
        if self._early:
            self._reader(0)
        if self._choices:
            self._choices[min(self._choices)].explain(error)
        add_head(error, self._head)
        return ()

    def _repaired(self) -> list[WireEvent]:
        for reader in self._choices.values():
            list(reader.close())
        first, *others = (self._choices[index] for index in sorted(self._choices))
        # The first choice is the answer, so the others may be incomplete.
        return [first.full_reply(), *(other.partial_reply() for other in others)]

    def _add(self, reply: WireEvent) -> None:
        """Add the reply, or a chunk of it, because some hosts stream although no stream was requested."""
        choices = reply.get("choices") or []
        is_chunk = not any(choice.get("message") for choice in choices)
        # The reader has put the choices of a plain reply in order.
        pairs = numbered(choices) if is_chunk else list(enumerate(as_chunk(reply).get("choices") or ()))
        for index, choice in pairs:
            if (reader := self._reader(index)) is not None:
                reader.add(reply, choice)
        if not choices:
            for reader in self._choices.values():
                reader.add(reply, None)
            if not self._choices:
                self._early.append(reply)

    def _reader(self, index: int) -> ChoiceReader | None:
        """Return the reader of a choice, or None if there are too many choices."""
        if index not in self._choices and (len(self._choices) < MAX_CHOICES or index == 0):
            reader = self._choices[index] = ChoiceReader(self._body, self._repair_options)
            for chunk in self._early:
                reader.add(chunk, None)
            self._early.clear()
        return self._choices.get(index)


def simple_reply(reply: WireEvent, body: WireBody, repair_options: RepairOptions | None) -> WireEvent | None:
    """Return the same reply as `ChoiceReader` if it needs no repair; otherwise None.

    This is the fast path for a single choice with text, without tools and without anything to report.

    Args:
        reply: A reply, or a chunk of one.
        body: The request.
        repair_options: The options of the repairs.
    """
    if body.get("tools") or (
        repair_options is not None and (repair_options.empty_answers or repair_options.changed_choice)
    ):
        return None
    choices = reply.get("choices") or ()
    choice = cast("JSONObject", choices[0]) if len(choices) == 1 else {}
    message = choice.get("message")
    if choice.get("finish_reason") != "stop" or not _is_text_only(message):
        return None
    if may_change(message["content"], repair_options.repairs if repair_options else ALL):
        return None
    if not isinstance(reply.get("usage"), dict) or any(choice.get(key) is not None for key in _ADDED_UP):
        return None
    return cast("WireEvent", {**reply, "choices": [{"finish_reason": None, **choice}]})


def _is_text_only(message: Any) -> TypeGuard[JSONObject]:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str) or not is_visible(content):
        return False
    return all(value is None for key, value in message.items() if key not in _TEXT_KEYS)
