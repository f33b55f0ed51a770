"""What a chunk of a stream holds, and whether it has the form that is read here."""

from typing import cast

from langchain_kimi._openrouter.errors import WORDLESS
from langchain_kimi._openrouter.json import JSON
from langchain_kimi._openrouter.wire import JSONObject, WireChoice, WireEvent

CONTENT_KEYS = (
    "content", "reasoning", "reasoning_content", "reasoning_details", "tool_calls", "refusal", "annotations", "images",
    "audio",
)  # fmt: skip


def holds_only_content(chunk: JSONObject) -> bool:
    """Say whether a chunk is one delta that holds something of the answer: no error, no end, no odd form."""
    choices = chunk.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or chunk.get("error"):
        return False
    choice = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") is not None or choice.get("error"):
        return False
    delta = choice.get("delta")
    if not isinstance(delta, dict) or isinstance(chunk.get("provider"), dict):
        return False
    calls = delta.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        return False
    return bool(delta.get("content") or delta.get("reasoning")) or any(map(delta.get, CONTENT_KEYS))


def has_content(choices: list[WireChoice]) -> bool:
    """Say whether the deltas of a chunk hold something of the answer."""
    return any(any(map((choice.get("delta") or {}).get, CONTENT_KEYS)) for choice in choices)


def choices_of(reply: WireEvent) -> list[WireChoice]:
    """Give the choices of a reply or a chunk that have the form that is read here."""
    choices = reply.get("choices")
    found = choices if isinstance(choices, list) else []
    return [choice for choice in found if isinstance(choice, dict) and _has_form(choice)]


def _has_form(choice: WireChoice) -> bool:
    message = choice.get("delta") or choice.get("message") or {}
    sound = isinstance(message, dict) and isinstance(choice.get("finish_reason"), str | None)
    return sound and isinstance(cast("JSONObject", message).get("tool_calls"), list | None)


def keeps_all(choices: list[WireChoice], reply: WireEvent) -> bool:
    """Say whether the choices are all that the reply has; one that has none may say so in any way."""
    return len(choices) == len(cast("list[WireChoice]", reply.get("choices"))) if choices else not reply.get("choices")


def without_finish(choice: WireChoice) -> WireChoice:
    """Give a choice that does not say how it ended."""
    return cast("WireChoice", {**choice, "finish_reason": None}) if choice.get("finish_reason") else choice


def as_error_chunk(payload: bytes) -> WireEvent:
    """Give the payload of an event that is named `error` the form of a chunk with an `error`."""
    # The parser takes bytes alone, none of their kinds.
    told = JSON.parsed(bytes(payload))
    if told is None:
        told = payload.decode("utf-8", errors="replace").strip()
    if isinstance(told, dict) and told.get("error"):
        return cast("WireEvent", told)
    return cast("WireEvent", {"error": told or WORDLESS})


def as_chunk(reply: WireEvent) -> WireEvent:
    """Give a plain reply the form of a stream's chunk: a stream of one."""
    choices = [{**choice, "delta": choice.get("message") or {}} for choice in choices_of(reply)]
    return cast("WireEvent", {**reply, "choices": choices})
