"""From what the wire says of a failure to the error that is raised: one table, one builder."""

import html
import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

from langchain_kimi._openrouter.advice import advice_for
from langchain_kimi._openrouter.wire import JSONObject, WireError, WireEvent
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiContextOverflowError,
    KimiError,
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiModerationError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiPermissionError,
    KimiRateLimitError,
    KimiServerError,
    KimiStatusError,
    RawReply,
)

MILLISECONDS = 1000
EPOCH = 1_000_000_000
"""Seconds since the epoch: the year 2001, before which no reset lies."""


def retry_after(
    headers: Mapping[str, str], metadata: Mapping[str, Any], availability: Mapping[str, Any], now: float
) -> float | None:
    """Seconds that the other side asks to wait.

    In this order: the `Retry-After` header (seconds or a date), `availability.retry_after` (seconds), and
    `X-RateLimit-Reset` (milliseconds since the epoch), a response header or inside `metadata.headers`.
    """
    inner = metadata.get("headers")
    kept = inner if isinstance(inner, dict) else {}
    noted = {str(name).lower(): value for name, value in kept.items()}
    for told in (headers.get("retry-after"), availability.get("retry_after"), noted.get("retry-after")):
        if (asked := _seconds(told, now)) is not None:
            return asked
    reset = number_of(headers.get("x-ratelimit-reset") or noted.get("x-ratelimit-reset"))
    # Other hosts mean seconds by it, or a length of time; and a moment that has passed asks for nothing.
    return reset / MILLISECONDS - now if reset and reset / MILLISECONDS > max(now, EPOCH) else None


def _seconds(value: Any, now: float) -> float | None:
    number = number_of(value)
    if number is None and isinstance(value, str):
        try:
            number = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return None if number is None else max(0.0, number)


def number_of(value: Any) -> float | None:
    """Give a number that was sent as one or as text; None for anything else, a negative or an absurd one."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e15 else None  # noqa: PLR2004 - refuses NaN, infinity and nonsense


BY_STATUS: dict[int, type[KimiStatusError]] = {
    400: KimiInvalidRequestError,
    401: KimiAuthenticationError,
    402: KimiPaymentRequiredError,
    403: KimiPermissionError,
    404: KimiNotFoundError,
    408: KimiServerError,
    409: KimiServerError,
    412: KimiInvalidRequestError,
    413: KimiInvalidRequestError,
    422: KimiInvalidRequestError,
    429: KimiRateLimitError,
}
"""408 is a time-out of the other side, so it may be tried again like a 5xx."""

LASTING = frozenset({501, 505, 511})
"""Not implemented, another version of HTTP, a network that wants a login: asking again changes nothing."""

BY_TYPE: dict[str, int] = {
    "authentication": 401,
    "payment_required": 402,
    "permission_denied": 403,
    "not_found": 404,
    "image_not_found": 404,
    "precondition_failed": 412,
    "payload_too_large": 413,
    "unprocessable": 422,
    "rate_limit_exceeded": 429,
    "server": 500,
    "server_error": 500,
    "unmapped": 500,
    "provider_unavailable": 502,
    "provider_overloaded": 503,
    "timeout": 504,
}
"""OpenRouter's canonical error types; the ones left out all mean 400."""

CONTEXT_TYPES = frozenset({"context_length_exceeded", "token_limit_exceeded", "max_tokens_exceeded"})
CONTEXT_WORDS = re.compile(
    # OpenRouter, OpenAI and Groq; Moonshot; MiniMax; llama.cpp
    r"context_length_exceeded|maximum context length|exceeded model token limit|context[ _-]?(length|window) exceed"
    r"|exceeds? the (model'?s )?(maximum |available )?context"
    # SGLang; vLLM; xAI; DeepInfra; Google
    r"|(longer|greater|larger) than the (model'?s )?(context length|maximum model length)"
    r"|maximum (prompt|input) length is|exceeds maximum input length|exceeds the maximum number of tokens"
    # Anthropic and Fireworks; Anthropic; Bedrock and Cohere; Text Generation Inference
    r"|prompt is too long|exceeds? context limit|input (token length |is )?too long|too many (input |prompt )?tokens"
    r"|inputs`? tokens \+ `?max_new_tokens|reduce the length of (the messages|either)",
    re.IGNORECASE,
)
"""How the hosts that OpenRouter routes to put it; most of them send no error type that says so."""
EXHAUSTED_KEY = re.compile(r"key limit exceeded|insufficient (credits|balance|funds|quota)", re.IGNORECASE)
UNKNOWN_MODEL = re.compile(r"is not a valid model id|model .* (does not exist|not found)", re.IGNORECASE)
DAILY_CAP = re.compile(r"free-models-per-day|free_tier_daily|per-day", re.IGNORECASE)
TAGS = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
WORDLESS = "The other side sent an error without a word about it."
OTHER_WORDS = ("error", "msg", "detail", "errors", "reason")
"""Where hosts put the words of an error that has no `message`."""
WRAPPERS = frozenset({"", "provider returned error", "error", "bad request", "internal server error"})
"""Messages that say nothing: the reason is then in `metadata.raw`."""


def error_from_response(status: int, headers: Mapping[str, str], text: str, *, now: float) -> KimiError:
    """Make the error for a reply whose status says that the call failed.

    Args:
        status: The HTTP status.
        headers: The reply's headers, names in lower case.
        text: The reply's body: the wire's envelope, or an HTML page or plain text of something in between.
        now: Seconds since the epoch, for waits that are given as a point in time.
    """
    kept = {name: value for name, value in headers.items() if name != "set-cookie"}
    raw_reply = RawReply(status, kept, text)
    reply = _parsed(text.lstrip("\ufeff"))
    if isinstance(reply, list) and reply:
        # Google's own form.
        reply = reply[0]
    if isinstance(reply, dict):
        return error_from_reply(cast("WireEvent", reply), raw_reply, now=now)
    plain = " ".join(html.unescape(TAGS.sub(" ", text)).split())[:300]
    return _build({"message": plain or f"HTTP status {status} without a body"}, {}, raw_reply, now)


def error_from_reply(reply: WireEvent, raw_reply: RawReply, *, now: float) -> KimiError:
    """Make the error for a reply or a stream's event that holds an `error`, at any of the places it was seen."""
    error = find_error(reply)
    if error is None:
        told = _told(dict(reply)) or f"HTTP status {raw_reply.status_code}"
        error = {"message": told, "code": cast("JSONObject", reply).get("code")}
    return _build(error, reply, raw_reply, now)


def find_error(reply: WireEvent) -> WireError | None:
    """Find the `error` of a reply or event: at the top, in a choice, or inside a `provider` that is an object.

    An empty one counts where nothing else is told, and a finish reason `error` without any error object, so that it is
    not taken for an answer.
    """
    for place in (reply, reply.get("provider")):
        if isinstance(place, dict) and place.get("error"):
            return _as_error(place["error"])
    choices = reply.get("choices")
    if reply.get("error") == {} and not (choices or reply.get("usage")):
        return {"message": WORDLESS}
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            if choice.get("error"):
                return _as_error(choice["error"])
            if choice.get("finish_reason") == "error":
                return {"message": "The provider stopped with the finish reason 'error'.", "code": 502}
    return None


def malformed(reason: str, raw_reply: RawReply) -> KimiMalformedReplyError:
    """Make the error for a reply that is no reply."""
    return KimiMalformedReplyError(
        reason,
        status=raw_reply.status_code,
        response=raw_reply,
        generation_id=raw_reply.headers.get("x-generation-id"),
        advice="Trying again may help; the text that came is in `response.text`.",
    )


def _as_error(error: Any) -> WireError:
    return cast("WireError", error) if isinstance(error, dict) else {"message": _written(error)}


def _build(error: WireError, reply: WireEvent, raw_reply: RawReply, now: float) -> KimiError:
    metadata = _mapping(error.get("metadata"))
    availability = _mapping(error.get("availability")) or _mapping(metadata.get("availability"))
    error_type = _word(metadata.get("error_type")) or _word(error.get("error_type"))
    code = error.get("code")
    status = _status(error, error_type, raw_reply.status_code)
    raw = _parsed(metadata.get("raw"))
    reason, message = _reason(error, raw), _written(error.get("message"))
    kind = _kind(status, error_type or _word(code), metadata, f"{reason} {message} {_code(raw)}")
    made = kind(
        reason,
        status=status,
        code=code if isinstance(code, int | str) else None,
        error_type=error_type,
        model=_word(reply.get("model")) or _word(metadata.get("model_slug")),
        provider=_word(metadata.get("provider_name")) or _word(reply.get("provider")),
        raw=raw,
        metadata=metadata,
        availability=availability,
        generation_id=_word(reply.get("id")) or raw_reply.headers.get("x-generation-id"),
        retry_after=retry_after(raw_reply.headers, metadata, availability, now),
        response=raw_reply,
        usage=_mapping(reply.get("usage")) or None,
    )
    told = availability.get("retryable")
    if isinstance(told, bool):
        made.learn(is_retryable=told)
    elif status in LASTING or DAILY_CAP.search(f"{reason} {message} {_written(metadata.get('limit_source'))}"):
        made.learn(is_retryable=False)
    made.learn(advice=advice_for(made))
    return made


def _kind(status: int, word: str | None, metadata: Mapping[str, Any], words: str) -> type[KimiStatusError]:
    kind = BY_STATUS.get(status) or (KimiServerError if 500 <= status <= 599 else KimiStatusError)  # noqa: PLR2004 - HTTP's own numbers
    if issubclass(kind, KimiInvalidRequestError | KimiServerError):
        if word in CONTEXT_TYPES or CONTEXT_WORDS.search(words):
            return KimiContextOverflowError
        if issubclass(kind, KimiInvalidRequestError) and UNKNOWN_MODEL.search(words):
            return KimiNotFoundError
    if kind is KimiPermissionError:
        if EXHAUSTED_KEY.search(words):
            return KimiPaymentRequiredError
        if metadata.get("reasons") or "flagged_input" in metadata:
            return KimiModerationError
    return kind


def _status(error: WireError, error_type: str | None, http_status: int) -> int:
    """The status that counts: HTTP's where it is one of failure, else what the error itself says of it."""
    if http_status >= 300:  # noqa: PLR2004 - HTTP's own number
        return http_status
    for told in (error.get("http_status"), error.get("code")):
        number = number_of(told)
        if number is not None and 400 <= number <= 599:  # noqa: PLR2004 - HTTP's own numbers
            return int(number)
    if word := error_type or _word(error.get("code")):
        return BY_TYPE.get(word, 400 if word in CONTEXT_TYPES or error_type else 500)
    # An error without a code inside a reply that began well is a failure of the other side.
    return 500


def _reason(error: WireError, raw: Any) -> str:
    """The upstream's own words where it was passed on, else OpenRouter's message."""
    told = error.get("message")
    message = str(told) if isinstance(told, int | float) else _told(_parsed(told))
    if message.lower().rstrip(".") in WRAPPERS:
        other = {key: cast("JSONObject", error).get(key) for key in OTHER_WORDS}
        return _told(raw) or message or _told(other) or "The provider failed without saying why."
    return message


def _told(raw: Any, depth: int = 8) -> str:
    """The sentence in an upstream's error of any shape: text, `message`, `msg`, `detail`, `error`, nested or not."""
    if isinstance(raw, str):
        return raw.strip()[:2000]
    if isinstance(raw, list) and raw and depth:
        return _told(raw[0], depth - 1)
    if not isinstance(raw, dict) or not depth:
        return ""
    for key in ("error", "message", "msg", "detail", "errors", "reason"):
        if told := _told(raw.get(key), depth - 1):
            return told
    return _written(raw)[:500] if any(raw.values()) else ""


def _written(value: Any) -> str:
    """A value in words; what could be read may still be nested too deep to be written, further up the stack."""
    try:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    except RecursionError:
        return "The reason is nested too deep to be shown."


def _code(raw: Any) -> str:
    """The upstream's own code or type, which may say more than its sentence."""
    inner = raw.get("error") if isinstance(raw, dict) else None
    place = inner if isinstance(inner, dict) else _mapping(raw)
    return f"{_written(place.get('code'))} {_written(place.get('type'))}"


def _parsed(raw: Any) -> Any:
    if isinstance(raw, str) and raw.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            return raw
    return raw


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
