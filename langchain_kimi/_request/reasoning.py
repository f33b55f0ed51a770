"""Prepare stored `reasoning_details` for a request.

Details are sent back as received, because editing them invalidates their signatures. The exceptions are details of
other chat models, which store the deltas of a stream in a form that hosts refuse.
"""

from collections.abc import Sequence
from typing import Any

from langchain_kimi._openrouter.wire import COMPLETE_DETAILS, JSONObject, WireMessage

_FORMATS = (
    "unknown",
    "anthropic-claude-v1",
    "google-gemini-v1",
    "openai-responses-v1",
    "azure-openai-responses-v1",
    "bedrock-openai-responses-v1",
    "bedrock-xai-responses-v1",
    "xai-responses-v1",
    "meta-responses-v1",
)
"""The formats in OpenRouter's schema."""
_FRAGMENT_KEYS = ("text", "summary")
_RESPONSE_ID = "rs_"
"""The prefix of OpenAI's ids of stored reasoning items."""


def details_to_wire(details: list[Any]) -> list[Any]:
    """Return stored details as the provider created them; the same list if there is nothing to restore.

    LangChain concatenates the lists of chunks, so ChatOpenRouter (langchain-openrouter 0.2.9) stores a streamed thought
    as one entry per delta, and where it merges entries, it repeats the text of `format` once per delta. Anthropic
    refuses the entries ("Invalid signature"). Here, consecutive entries with the same type and index are joined, up to
    the signature.
    """
    restored: list[Any] = []
    for detail in details:
        if detail is None:
            # Hosts refuse it.
            continue
        entry = _with_known_format(detail)
        if restored and _continues(restored[-1], entry):
            restored[-1] = _joined(restored[-1], entry)
        else:
            restored.append(entry)
    unchanged = len(restored) == len(details) and all(new is old for new, old in zip(restored, details, strict=True))
    return details if unchanged else restored


def _with_known_format(detail: Any) -> Any:
    """Return an entry whose `format` is not a repetition of a text."""
    value = detail.get("format") if isinstance(detail, dict) else None
    if not isinstance(value, str) or not value or value in _FORMATS:
        return detail
    # If a text consists of repetitions, it occurs in its double at a position before its own length.
    period = (value * 2).find(value, 1)
    return detail if period == len(value) else {**detail, "format": value[:period]}


def _continues(entry: Any, detail: Any) -> bool:
    """Return whether a detail is the next fragment of an entry. Only streamed details have an index."""
    if not (isinstance(entry, dict) and isinstance(detail, dict)) or detail.get("index") is None:
        return False
    if any(entry.get(key) != detail.get(key) for key in ("type", "index")) or detail.get("type") in COMPLETE_DETAILS:
        return False
    if entry.get("id") and detail.get("id") and entry["id"] != detail["id"]:
        return False
    # The signature is the last fragment of a thought.
    return not (entry.get("signature") and any(detail.get(key) for key in _FRAGMENT_KEYS))


def _joined(entry: JSONObject, detail: JSONObject) -> JSONObject:
    joined = {**entry}
    for key, value in detail.items():
        if key in _FRAGMENT_KEYS and isinstance(value, str):
            joined[key] = (joined.get(key) or "") + value
        elif value is not None:
            joined[key] = value
    return joined


def without_response_ids(messages: list[WireMessage]) -> list[WireMessage]:
    """Return messages without the `rs_` ids that OpenAI would look up; the same list if there are none.

    OpenAI looks up these ids in stored responses, but OpenRouter does not store responses, so the lookup fails. An id
    with encrypted reasoning in the same message needs no lookup and is sent: openai/o4-mini accepts it.
    """
    cleaned = [_without_response_ids(message) if "reasoning_details" in message else message for message in messages]
    return messages if all(new is old for new, old in zip(cleaned, messages, strict=True)) else cleaned


def _without_response_ids(message: WireMessage) -> WireMessage:
    details = message["reasoning_details"]
    looked_up = _response_ids(details) - _response_ids([detail for detail in details if _is_encrypted(detail)])
    if not looked_up:
        return message
    without_ids = [
        {key: value for key, value in detail.items() if key != "id"} if _response_ids([detail]) & looked_up else detail
        for detail in details
    ]
    return {**message, "reasoning_details": without_ids}


def _response_ids(details: Sequence[Any]) -> set[str]:
    ids = {str(detail.get("id")) for detail in details if isinstance(detail, dict)}
    return {one for one in ids if one.startswith(_RESPONSE_ID)}


def _is_encrypted(detail: Any) -> bool:
    return isinstance(detail, dict) and detail.get("type") == "reasoning.encrypted" and bool(detail.get("data"))


def is_openai(slugs: Sequence[Any]) -> bool:
    """Return whether one of the requested models is OpenAI's."""
    return any(str(slug).lstrip("~").startswith("openai/") for slug in slugs)
