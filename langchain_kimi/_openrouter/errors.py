"""Build the exception for a failure from the status, the headers and the body of the response."""

import html
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from langchain_kimi._openrouter.advice import advice_for
from langchain_kimi._openrouter.bare_errors import bare_error
from langchain_kimi._openrouter.error_messages import (
    MAX_MESSAGE,
    MAX_PAGE,
    NO_MESSAGE,
    as_text,
    message_of,
    named_message,
    parse_if_json,
    reason_of,
    without_tags,
)
from langchain_kimi._openrouter.error_words import EXHAUSTED_KEY, MODERATION_TYPES, MODERATION_WORDS, UNKNOWN_MODEL
from langchain_kimi._openrouter.retry_after import number_of, retry_after
from langchain_kimi._openrouter.wire import FINISH_ERROR, GENERATION_ID, JSONObject, WireError, WireEvent
from langchain_kimi._patterns import lazy_pattern
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
    KimiUnexpectedStatusError,
    RawReply,
)

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
"""The error class of each status. 408 is a timeout on the server's side, so it is retryable like a 5xx."""

PERMANENT_STATUSES = frozenset({501, 505, 511})
"""Statuses for which a retry cannot succeed: not implemented, HTTP version not supported, network login required."""

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
"""The status for each of OpenRouter's canonical error types. Other types count as 400."""
BY_HOST_TYPE: dict[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "invalid_authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "permission_denied_error": 403,
    "not_found_error": 404,
    "resource_not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_reached_error": 429,
    "engine_overloaded_error": 429,
    "overloaded_error": 503,
    "timeout_error": 504,
}
"""The status for the error types of Moonshot and Anthropic, for errors without a status."""

CONTEXT_TYPES = frozenset(
    # GitHub Models sends the last one.
    {"context_length_exceeded", "token_limit_exceeded", "max_tokens_exceeded", "tokens_limit_reached"}
)
MAX_WORD = 200
"""The maximum number of characters of a provider's code or type that are searched."""
MAX_PLAIN = 300
"""The maximum number of characters of the reason that is taken from a page or a plain text."""
DAILY_LIMIT = lazy_pattern(r"free-models-per-day|free_tier_daily|per-day", re.IGNORECASE)


def error_from_response(status: int, headers: Mapping[str, str], text: str, *, now: float) -> KimiError:
    """Return the error for a response with an error status.

    Args:
        status: The HTTP status.
        headers: The response headers, names in lower case.
        text: The body: OpenRouter's envelope, or an HTML page or plain text from a server in between.
        now: The current time in seconds since the epoch, to convert points in time to seconds to wait.
    """
    headers = {name: value for name, value in headers.items() if name != "set-cookie"}
    raw_reply = RawReply(status, headers, text)
    reply = parse_if_json(text.lstrip("\ufeff"))
    if isinstance(reply, list) and reply:
        # Google's own format.
        reply = reply[0]
    if isinstance(reply, dict):
        return error_from_reply(cast("WireEvent", reply), raw_reply, now=now)
    plain = " ".join(html.unescape(without_tags(text[:MAX_PAGE])).split())[:MAX_PLAIN]
    return _build({"message": plain or f"HTTP status {status} without a body"}, {}, raw_reply, now)


def error_from_reply(reply: WireEvent, raw_reply: RawReply, *, now: float) -> KimiError:
    """Return the error for a reply or an event with an error in one of the places that `find_error` searches."""
    error = find_error(reply)
    if error is None:
        message = message_of(dict(reply)) or f"HTTP status {raw_reply.status_code}"
        error = {"message": message, "code": cast("JSONObject", reply).get("code")}
    return _build(error, reply, raw_reply, now)


def find_error(reply: WireEvent) -> WireError | None:
    """Return the `error` of a reply or event: at the top, in a choice, or inside a `provider` that is an object.

    An empty error counts if the reply contains nothing else. The finish reason `error` also counts without an error
    object, so that the reply is not read as an answer.
    """
    for parent in (reply, reply.get("provider")):
        if isinstance(parent, dict) and parent.get("error"):
            return _as_error(parent["error"], cast("JSONObject", parent))
    choices = reply.get("choices")
    if reply.get("error") == {} and not (choices or reply.get("usage")):
        return {"message": message_of(reply) or NO_MESSAGE}
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            if choice.get("error"):
                return _as_error(choice["error"], cast("JSONObject", choice))
            if choice.get("finish_reason") == FINISH_ERROR:
                return {"message": "The provider stopped with the finish reason 'error'.", "code": 502}
    return None if choices else bare_error(cast("JSONObject", reply))


def malformed(
    reason: str, raw_reply: RawReply, reply: Mapping[str, Any] = MappingProxyType({})
) -> KimiMalformedReplyError:
    """Return the error for a reply that does not have the expected form, with the facts that can be read of it."""
    return KimiMalformedReplyError(
        reason,
        status=raw_reply.status_code,
        response=raw_reply,
        model=_text_or_none(reply.get("model")),
        provider=_text_or_none(reply.get("provider")),
        generation_id=_text_or_none(reply.get("id")) or raw_reply.headers.get(GENERATION_ID),
        usage=_as_mapping(reply.get("usage")) or None,
        advice="Trying again may help; the received text is in `response.text`.",
    )


def _as_error(error: Any, parent: JSONObject) -> WireError:
    """Return an error as an object. The facts of an error that is a text, a list or a flag are beside it."""
    if isinstance(error, dict):
        return cast("WireError", error)
    return {"message": named_message(parent) or as_text(error), "code": parent.get("code")}


def _build(error: WireError, reply: WireEvent, raw_reply: RawReply, now: float) -> KimiError:
    """Return the exception for an error object of a reply."""
    metadata = _as_mapping(error.get("metadata"))
    availability = _as_mapping(error.get("availability")) or _as_mapping(metadata.get("availability"))
    error_type = _text_or_none(metadata.get("error_type")) or _text_or_none(error.get("error_type"))
    code = error.get("code")
    status = _status(error, error_type, raw_reply.status_code)
    raw = parse_if_json(metadata.get("raw"))
    reason, message = reason_of(error, raw), as_text(error.get("message"))[:MAX_MESSAGE]
    code_and_type = _code_and_type(raw)
    words = (*code_and_type, as_text(error.get("type"))[:MAX_WORD])
    word = error_type or next(filter(MODERATION_TYPES.fullmatch, words), None) or _text_or_none(code)
    error_class = _error_class(status, word, metadata, "\n".join((reason, message, *words, word or "")))
    built = error_class(
        reason,
        status=status,
        code=code if isinstance(code, int | str) else None,
        error_type=error_type,
        model=_text_or_none(reply.get("model")) or _text_or_none(metadata.get("model_slug")),
        provider=_text_or_none(metadata.get("provider_name")) or _text_or_none(reply.get("provider")),
        raw=raw,
        metadata=metadata,
        availability=availability,
        generation_id=_text_or_none(reply.get("id")) or raw_reply.headers.get(GENERATION_ID),
        retry_after=retry_after(raw_reply.headers, metadata, availability, now),
        response=raw_reply,
        usage=_as_mapping(reply.get("usage")) or None,
    )
    retryable = availability.get("retryable")
    if isinstance(retryable, bool):
        built.update(is_retryable=retryable)
    elif status in PERMANENT_STATUSES or DAILY_LIMIT.search(
        f"{reason} {message} {as_text(metadata.get('limit_source'))}"
    ):
        built.update(is_retryable=False)
    built.update(advice=advice_for(built))
    return built


def _error_class(status: int, word: str | None, metadata: Mapping[str, Any], text: str) -> type[KimiStatusError]:
    """Return the class of the exception for a status, an error type and the texts of the error."""
    is_server_error = 500 <= status <= 599  # noqa: PLR2004 - HTTP's own numbers
    error_class = BY_STATUS.get(status) or (KimiServerError if is_server_error else KimiUnexpectedStatusError)
    if issubclass(error_class, KimiInvalidRequestError | KimiServerError):
        from langchain_kimi._openrouter.overflow import reports_overflow  # noqa: PLC0415 - 3 ms of patterns

        if word in CONTEXT_TYPES or reports_overflow(text):
            return KimiContextOverflowError
        if issubclass(error_class, KimiInvalidRequestError) and UNKNOWN_MODEL.search(text):
            return KimiNotFoundError
    if _may_be_about_credit(error_class, metadata) and EXHAUSTED_KEY.search(text):
        return KimiPaymentRequiredError
    is_refusal = issubclass(error_class, KimiInvalidRequestError | KimiPermissionError | KimiServerError)
    return KimiModerationError if is_refusal and _is_moderation(word, metadata, text) else error_class


def _may_be_about_credit(error_class: type[KimiStatusError], metadata: Mapping[str, Any]) -> bool:
    """Return whether an error of this class may report that the user's account or key has no credit left.

    Anthropic and Alibaba Cloud send 400 for it, Moonshot and OpenAI 429. A 429 that OpenRouter passes on is about
    OpenRouter's own account at the provider, and a retry may reach another one.
    """
    if error_class is KimiRateLimitError:
        return not metadata.get("provider_name")
    return error_class in {KimiPermissionError, KimiInvalidRequestError}


def _is_moderation(word: str | None, metadata: Mapping[str, Any], text: str) -> bool:
    is_flagged = bool(metadata.get("reasons")) or "flagged_input" in metadata
    is_named = word is not None and MODERATION_TYPES.fullmatch(word) is not None
    return is_flagged or is_named or MODERATION_WORDS.search(text) is not None


def _status(error: WireError, error_type: str | None, http_status: int) -> int:
    """Return the HTTP status if it is an error status, otherwise the status in the error itself."""
    if http_status >= 300:  # noqa: PLR2004 - HTTP's own number
        return http_status
    for value in (error.get("http_status"), error.get("code")):
        number = number_of(value)
        if number is not None and 400 <= number <= 599:  # noqa: PLR2004 - HTTP's own numbers
            return int(number)
    if word := error_type or _text_or_none(error.get("code")):
        return BY_TYPE.get(word, 400 if word in CONTEXT_TYPES or error_type else 500)
    # An error without a code, inside a reply that began with 200, is a failure of the server.
    return BY_HOST_TYPE.get(as_text(error.get("type")), 500)


def _code_and_type(raw: Any) -> tuple[str, str]:
    """Return the provider's own code and type, which may be more specific than its message."""
    inner = raw.get("error") if isinstance(raw, dict) else None
    error = inner if isinstance(inner, dict) else _as_mapping(raw)
    return as_text(error.get("code"))[:MAX_WORD], as_text(error.get("type"))[:MAX_WORD]


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
