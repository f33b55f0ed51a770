"""Follow one choice of a response: repair its deltas and add them up."""

from collections.abc import Iterator
from typing import Any, cast

from langchain_kimi._kimi.incoming import Repairer, RepairOptions
from langchain_kimi._openrouter.reply.assembly import Assembly, text_of
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireChoice, WireEvent
from langchain_kimi._reply.messages import (
    CUT,
    message_from,
    usage_from,
)
from langchain_kimi.errors import KimiEmptyReplyError, KimiError, KimiReplyError

EXCUSED = CUT | {"content_filter"}
"""Finish reasons that explain why nothing came."""


class ChoiceReader:
    """Follows one choice through a reply: mends it and adds it up."""

    def __init__(self, body: WireBody, repair_options: RepairOptions | None = None) -> None:
        self._mender = Repairer(body, repair_options)
        self._hopes_for_call = repair_options is not None and repair_options.hopes_for_call
        self._assembly = Assembly()

    def add(self, chunk: WireEvent, choice: WireChoice | None) -> WireChoice | None:
        """Take the next chunk and its choice; gives the choice back mended."""
        repaired = None if choice is None else self._mender.feed(choice)
        self._assembly.add(chunk, repaired)
        return repaired

    def close(self, *, cut: bool = False) -> Iterator[WireChoice]:
        """Take the end of the reply, or that it broke off (`cut`); yields what the mending still owed."""
        for choice in self._mender.close(cut=cut):
            self._assembly.add({}, choice)
            yield choice

    def reply(self) -> WireEvent:
        """Give the mended reply as far as it came."""
        return self._assembly.reply()

    def whole(self) -> WireEvent:
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
        return with_advice(reply)

    def explain(self, error: KimiError) -> list[WireChoice]:
        """Add to an error what came of the answer until then; gives what the mending had held back of it."""
        owed = list(self.close(cut=True))
        reply = self.reply()
        error.update(
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


def note_head(error: KimiError, opened: ResponseHead) -> None:
    """Add to an error what the reply's head said: by the id a call can be looked up even if nothing came of it."""
    error.update(
        status=error.status or opened.status,
        generation_id=error.generation_id or opened.headers.get("x-generation-id"),
    )


THOUGHTS = frozenset({"reasoning", "reasoning_content", "reasoning_details"})
MORE_ROOM = "raise max_tokens"
LESS_THOUGHT = "or let it think less (reasoning={'effort': 'low'}) or not at all (reasoning={'enabled': False})"


def with_advice(reply: WireEvent) -> WireEvent:
    """Add a hint to a whole reply of one choice when the token limit left room for neither text nor a call.

    It says which parameter to change. A reply that needs none is given back as it is.
    """
    choice = (reply.get("choices") or [])[0]
    if choice.get("finish_reason") != "length" or not _says_nothing(choice):
        return reply
    told = cast("JSONObject", choice).get("kimi")
    report = {**(told if isinstance(told, dict) else {}), "hint": _advice_for(reply, choice)}
    return cast("WireEvent", {**reply, "choices": [{**choice, "kimi": report}]})


def _says_nothing(choice: WireChoice) -> bool:
    message = choice.get("message") or {}
    said = {key for key, value in message.items() if value} - THOUGHTS - {"role", "content"}
    return not said and not text_of(message.get("content")).strip()


def _advice_for(reply: WireEvent, choice: WireChoice) -> str:
    thoughts = THOUGHTS & {key for key, value in (choice.get("message") or {}).items() if value}
    usage = usage_from(reply.get("usage"))
    count = usage.get("output_token_details", {}).get("reasoning") if usage else None
    if not (thoughts or count):
        return f"The token limit was reached before any text: {MORE_ROOM}."
    spent = f" ({count} tokens)" if count else ""
    return f"Thinking{spent} took all that max_tokens leaves, and no text came: {MORE_ROOM}, {LESS_THOUGHT}."
