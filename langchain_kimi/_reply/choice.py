"""Read one choice of a response: repair its deltas, add them up, and check the result."""

from collections.abc import Iterator
from typing import Any, cast

from langchain_kimi._kimi.incoming import Repairer, RepairOptions
from langchain_kimi._openrouter.reply.assembly import Assembly, text_of
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import (
    REASONING_KEYS,
    JSONObject,
    WireBody,
    WireChoice,
    WireEvent,
    is_complete,
    reason_word,
)
from langchain_kimi._patterns import lazy_pattern
from langchain_kimi._reply.facts import LIMITS
from langchain_kimi._reply.messages import message_from
from langchain_kimi._reply.usage import usage_from
from langchain_kimi.errors import KimiEmptyReplyError, KimiError, KimiReplyError

_EXPLAIN_EMPTY = LIMITS | {"error", "content_filter", "content_policy_violation", "refusal", "safety"}
"""Finish reasons, as `reason_word` returns them, that explain an empty reply."""
_REASONING_KEYS = frozenset(REASONING_KEYS)


class ChoiceReader:
    """Reads one choice of a reply: repairs its deltas and adds them up."""

    def __init__(self, body: WireBody, repair_options: RepairOptions | None = None) -> None:
        self._repairer = Repairer(body, repair_options)
        self._may_lack_forced_call = repair_options is not None and repair_options.may_lack_forced_call
        self._assembly = Assembly()

    def add(self, chunk: WireEvent, choice: WireChoice | None) -> WireChoice | None:
        """Add the next chunk and its choice. Return the repaired choice."""
        repaired = None if choice is None else self._repairer.feed(choice)
        self._assembly.add(chunk, repaired)
        return repaired

    def close(self, *, cut: bool = False) -> Iterator[WireChoice]:
        """End the reply. Yield the repaired choices that were held back.

        Args:
            cut: Whether the reply was cut off.
        """
        for choice in self._repairer.close(cut=cut):
            self._assembly.add({}, choice)
            yield choice

    def partial_reply(self) -> WireEvent:
        """Return the repaired reply as received so far."""
        return self._assembly.reply()

    def full_reply(self) -> WireEvent:
        """Return the repaired reply, after `close`, with a hint if the token limit left it without an answer.

        Raises:
            KimiEmptyReplyError: The reply is empty.
            KimiReplyError: The reply has no tool call, although the user forced one.
        """
        reply = self.partial_reply()
        choice = only_choice(reply)
        if _has_answer(choice) and not self._may_lack_forced_call:
            return reply
        message = {key: value for key, value in (choice.get("message") or {}).items() if key != "role" and value}
        is_explained = _finish_reason(choice) in _EXPLAIN_EMPTY
        if _is_empty(choice, message):
            raise KimiEmptyReplyError(
                "The model's reply is empty: neither text nor a tool call"
                + (", only reasoning." if _REASONING_KEYS & message.keys() else "."),
                provider=_string(reply.get("provider")),
                model=_string(reply.get("model")),
                generation_id=_string(reply.get("id")),
                advice="Trying again, or excluding this provider (provider={'ignore': [...]}), may help.",
            )
        if self._may_lack_forced_call and not message.get("tool_calls") and not is_explained:
            raise KimiReplyError(
                "The model answered without the forced tool call. It always reasons, and reasoning models cannot be "
                "forced to call a tool.",
                is_retryable=False,
                advice="Use a Kimi whose reasoning can be switched off, or tool_choice='auto'. "
                "The answer is in `partial`.",
            )
        return with_advice(reply)

    def explain(self, error: KimiError) -> list[WireChoice]:
        """Add the partial message, usage and ids to an error. Return the choices that the repairs held back."""
        held_back = list(self.close(cut=True))
        reply = self.partial_reply()
        error.update(
            partial=message_from(reply, whole=False),
            usage=error.usage or reply.get("usage"),
            provider=error.provider or _string(reply.get("provider")),
            model=error.model or _string(reply.get("model")),
            generation_id=error.generation_id or _string(reply.get("id")),
        )
        return held_back


def only_choice(reply: WireEvent) -> WireChoice:
    """Return the choice of a reply that is known to have exactly one."""
    return cast("list[WireChoice]", reply["choices"])[0]


def _is_empty(choice: WireChoice, message: JSONObject) -> bool:
    """Return whether a reply has no answer for no reason.

    It does if it has no content and its finish reason does not explain that, or if the model ended it itself without an
    answer.
    """
    has_ended = is_complete(choice.get("finish_reason"))
    return (not message and _finish_reason(choice) not in _EXPLAIN_EMPTY) or (has_ended and not _has_answer(choice))


def is_visible(text: str) -> bool:
    """Return whether a text has a character that is neither white space nor of zero width."""
    return _VISIBLE.search(text) is not None


_VISIBLE = lazy_pattern(r"[^\s\u200b-\u200f\u2060\ufeff\u00ad]")


def _string(value: Any) -> str | None:
    # Some hosts sent an object as `provider`.
    return value if isinstance(value, str) else None


def add_head(error: KimiError, head: ResponseHead) -> None:
    """Add a response's status and generation id to an error.

    The id makes it possible to look up the call even if nothing of the response was received.
    """
    error.update(
        status=error.status or head.status,
        generation_id=error.generation_id or head.generation_id,
    )


def with_advice(reply: WireEvent) -> WireEvent:
    """Return a full reply of one choice, with a hint if the token limit left neither text nor a tool call.

    The hint names the parameters to change. Other replies are returned unchanged.
    """
    choice = only_choice(reply)
    if _finish_reason(choice) not in LIMITS or _has_answer(choice):
        return reply
    report = cast("JSONObject", choice).get("kimi")
    report = {**(report if isinstance(report, dict) else {}), "hint": _hint(reply, choice)}
    return cast("WireEvent", {**reply, "choices": [{**choice, "kimi": report}]})


def _finish_reason(choice: WireChoice) -> str:
    return reason_word(choice.get("finish_reason"))


def _has_answer(choice: WireChoice) -> bool:
    message = choice.get("message") or {}
    content: Any = message.get("content")
    if type(content) is str and is_visible(content):
        return True
    others = {key for key, value in message.items() if value} - _REASONING_KEYS - {"role", "content"}
    return bool(others or is_visible(text_of(content)))


def _hint(reply: WireEvent, choice: WireChoice) -> str:
    """Return the advice for a reply that the token limit left without an answer."""
    has_reasoning = any(value for key, value in (choice.get("message") or {}).items() if key in _REASONING_KEYS)
    usage = usage_from(reply.get("usage"))
    count = usage.get("output_token_details", {}).get("reasoning") if usage else None
    if not (has_reasoning or count):
        return "The token limit was reached before any text: raise max_tokens."
    tokens = f" ({count} tokens)" if count else ""
    return (
        f"Reasoning{tokens} used up max_tokens before any text: raise max_tokens, lower the effort "
        "(reasoning={'effort': 'low'}), or switch reasoning off (reasoning={'enabled': False})."
    )
