"""Find the message in the error of a server, in whatever form it was sent: JSON of any shape, events, or a page."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from langchain_kimi._openrouter.json import LENIENT_DECODER, parse_lenient
from langchain_kimi._openrouter.wire import WireError
from langchain_kimi._patterns import lazy_pattern

NO_MESSAGE = "The server sent an error without a message."
NO_REASON = "The provider failed without giving a reason."
MESSAGE_KEYS = (
    "error", "message", "msg", "faultstring", "detail", "errors", "reason", "errordescription", "baseresp",
    "statusmsg", "errormessage", "errormsg", "err", "errmsg", "statusmessage", "details", "description", "messages",
    "title",
)  # fmt: skip
"""The keys under which hosts send the message of an error, in order of preference. Case, `_` and `-` do not count."""
CONTAINER_KEYS = ("innererror", "fault", "providererror", "response", "result", "data")
"""The keys under which hosts send an object with the error."""
GENERIC_MESSAGES = frozenset(
    {"", "provider returned error", "error", *(status.phrase.lower() for status in HTTPStatus)}
    # Google's, whose details are more specific.
    | {"request contains an invalid argument"}
)
"""Messages without information: the reason is then in `metadata.raw`, or beside the message."""
MAX_MESSAGE = 2000
"""The maximum number of characters of the reason; `response` has the whole text."""
MAX_OBJECT = 500
"""The maximum number of characters of an object without a message, which is shown as JSON."""
MAX_LEVELS = 8
"""The maximum depth at which a message is searched, because errors may contain errors, also as JSON in a text."""
MAX_PAGE = 2**15
"""The maximum number of characters of an error page that are searched for its message."""
_FRAMING = lazy_pattern(r"\s*(?:(?::|event:|id:|retry:)[^\n]*(?:\n|\Z)|data:\s*)?")
"""White space, and the lines of an event before its data."""


def reason_of(error: WireError, raw: Any) -> str:
    """Return the provider's own message if the message of an error object is generic; otherwise that message.

    Args:
        error: The error object of a reply.
        raw: Its `metadata.raw`, parsed if it is JSON.
    """
    value = error.get("message")
    message = str(value) if isinstance(value, int | float) else message_of(parse_if_json(value))
    if not _is_generic(message):
        return message
    metadata = error.get("metadata")
    others = [
        message_of(raw),
        named_message({key: value for key, value in error.items() if key not in {"message", "metadata"}}),
        named_message(metadata) if isinstance(metadata, dict) else "",
    ]
    return next((text for text in others if not _is_generic(text)), "") or others[0] or message or NO_REASON


def message_of(raw: Any, depth: int = MAX_LEVELS) -> str:
    """Return the message in an error of any form: text, or one of `MESSAGE_KEYS`, nested or not."""
    if isinstance(raw, str):
        inner = parse_if_json(raw) if depth else raw
        return (message_of(inner, depth - 1) if inner is not raw else "") or raw.strip()[:MAX_MESSAGE]
    if isinstance(raw, list) and raw and depth:
        return message_of(raw[0], depth - 1)
    if not isinstance(raw, dict) or not depth:
        return ""
    return named_message(raw, depth) or (as_text(raw)[:MAX_OBJECT] if any(raw.values()) else "")


def named_message(error: Mapping[str, Any], depth: int = MAX_LEVELS) -> str:
    """Return the message under one of `MESSAGE_KEYS` or in one of `CONTAINER_KEYS`, a specific one if there is one."""
    values = {name.lower().replace("_", "").replace("-", ""): value for name, value in error.items()}
    metadata, containers = values.get("metadata"), map(values.get, CONTAINER_KEYS)
    messages = [
        *(message_of(values.get(key), depth - 1) for key in MESSAGE_KEYS),
        message_of(metadata.get("raw"), depth - 1) if isinstance(metadata, dict) else "",
        *(named_message(value, depth - 1) for value in containers if isinstance(value, dict) and depth),
    ]
    return next((text for text in messages if not _is_code(text)), "") or next(filter(None, messages), "")


def _is_generic(message: str) -> bool:
    return message.lower().rstrip(".") in GENERIC_MESSAGES


def _is_code(message: str) -> bool:
    """Return whether a message says no more than a status or a code does."""
    return _is_generic(message) or (" " not in message and message.isascii())


def as_text(value: Any) -> str:
    """Return a value as text, objects as JSON."""
    # A value that was parsed may be nested too deeply to be serialized here, because the stack is deeper.
    try:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    except RecursionError:
        return "The reason is nested too deeply to be shown."


def parse_if_json(raw: Any) -> Any:
    """Return the value of a text that is JSON, of its first line of JSON, or of its first event; else the text."""
    if not isinstance(raw, str):
        return raw
    text = _without_framing(raw)
    try:
        if text.startswith('"'):
            inner = parse_lenient(text)
            return parse_if_json(inner) if inner.lstrip()[:1] in {"{", "["} else raw
        if text.startswith("["):
            return parse_lenient(text)
        return LENIENT_DECODER.raw_decode(text)[0] if text.startswith("{") else raw
    except (ValueError, RecursionError):
        return raw


def _without_framing(text: str) -> str:
    position = -1
    end = 0
    while end > position:
        position, end = end, _FRAMING.match(text, end).end()  # type: ignore[union-attr]  # it matches everywhere
    return text[end:]


def without_tags(page: str) -> str:
    """Return the text of an HTML page, in time proportional to its length: without tags, styles and scripts."""
    folded, texts, position = page.lower(), [], 0
    while (start := page.find("<", position)) >= 0:
        texts.append(page[position:start])
        hidden = next((name for name in ("style", "script") if folded.startswith(name, start + 1)), None)
        end = folded.find(f"</{hidden}", start) if hidden else start
        end = page.find(">", end) if end >= 0 else -1
        if end < 0:
            # An unfinished tag: the page was truncated, or it is not HTML.
            return " ".join([*texts, "" if hidden else page[start + 1 :].replace("<", " ")])
        position = end + 1
    return " ".join([*texts, page[position:]])
