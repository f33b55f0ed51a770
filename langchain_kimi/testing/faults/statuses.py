"""Faults with an HTTP error status, in place of a reply."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.rejections import error_body
from langchain_kimi.testing.responses import COMMON_HEADERS, Fault, OutgoingReply, json_response

_DOCS = "https://openrouter.ai/docs/errors#"
_KEYS = "https://openrouter.ai/settings/keys"
_MINUTE = 60_000


def http_error(
    status: int,
    message: str,
    metadata: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Fault:
    """This status with an error body as OpenRouter writes it."""
    return Fault(f"{status}", lambda _: json_response(status, error_body(status, message, metadata), headers))


def context_overflow(limit: int = 262_144, requested: int = 300_000) -> Fault:
    """400: the prompt is longer than the model's context."""
    message = (
        f"This endpoint's maximum context length is {limit} tokens. However, you requested about {requested} tokens."
    )
    return http_error(400, message, {"provider_name": None, "error_type": "context_length_exceeded"})


def provider_refused(raw: Any, status: int = 400, provider: str = "Moonshot AI") -> Fault:
    """An error of the provider, whose own error, JSON or text, is only in `metadata.raw`."""
    text = raw if isinstance(raw, str) else json.dumps(raw)
    return http_error(status, "Provider returned error", {"provider_name": provider, "raw": text})


def unknown_model() -> Fault:
    """400: there is no such model."""
    return Fault(
        "400 unknown model",
        lambda outgoing: json_response(400, error_body(400, f"{outgoing.requested} is not a valid model ID")),
    )


def unauthorized() -> Fault:
    """401: the API key is unknown."""
    return http_error(401, "User not found.")


def out_of_credits(affordable_tokens: int | None = None) -> Fault:
    """402: no credits are left, or only enough for `affordable_tokens` tokens."""
    if affordable_tokens is None:
        return http_error(402, "Insufficient credits. Add more using https://openrouter.ai/credits")
    return http_error(
        402,
        "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, "
        f"but can only afford {affordable_tokens}. To increase, visit https://openrouter.ai/credits",
    )


def key_limit_exceeded(period: str = "total") -> Fault:
    """403: the key's limit (`total`, `daily`, `weekly` or `monthly`) is exhausted."""
    return http_error(403, f"Key limit exceeded ({period} limit). Manage it using {_KEYS}")


def moderated(reasons: Sequence[str] = ("violence",), flagged_input: str = "How to ... somebody") -> Fault:
    """403: the prompt was flagged."""

    def play(outgoing: OutgoingReply) -> Response:
        metadata = {
            "reasons": list(reasons),
            "flagged_input": flagged_input,
            "provider_name": outgoing.answer.provider,
            "model_slug": outgoing.requested,
        }
        message = f'{outgoing.requested} requires moderation. Your input was flagged for "{", ".join(reasons)}".'
        return json_response(403, error_body(403, message, metadata))

    return Fault("403 moderated", play)


def no_endpoints(
    excluded_by: Sequence[str] = ("require_parameters",), fallback_models: Sequence[str] = ("moonshotai/kimi-k2.6",)
) -> Fault:
    """404: the request's filters exclude all providers. The error lists the filters and alternative models."""
    more = {"excluded_by": list(excluded_by), "fallback_models": list(fallback_models)}
    message = "No endpoints found that can handle the requested parameters."
    return _availability(404, "constraint_filtered", message, error_type="not_found", more=more)


def timed_out() -> Fault:
    """408: the request took too long."""
    return http_error(408, "Request timed out")


def payload_too_large() -> Fault:
    """413, as text: the body is too large for the edge server."""
    return _text(413, "Payload Too Large", "text/plain")


def rate_limited(retry_after: float | None = None, provider: str = "Moonshot AI") -> Fault:
    """429 of an overloaded provider, with a Retry-After header if `retry_after` (in seconds) is not None."""

    def play(outgoing: OutgoingReply) -> Response:
        raw = f"{outgoing.requested} is temporarily rate-limited upstream. Please retry shortly."
        metadata = {"provider_name": provider, "raw": raw}
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        return json_response(429, error_body(429, "Provider returned error", metadata), headers)

    return Fault("429", play)


def free_rate_limited(reset_at: int | None = None) -> Fault:
    """429 of the free models' limit per minute. `reset_at`: milliseconds since 1970. None: a minute from now."""
    return _limited("Rate limit exceeded: free-models-per-min. ", limit=20, reset_at=reset_at)


def free_daily_cap(reset_at: int | None = None) -> Fault:
    """429 of the free models' limit per day. Retrying does not help."""
    message = "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
    return _limited(message, limit=50, reset_at=reset_at)


def no_capacity(retry_after: float = 12) -> Fault:
    """429 without a `code`, whose retry time is only in the body's `availability`."""
    more = {"retry_after": retry_after, "affected_providers": ["moonshotai", "groq"]}
    return _availability(
        429, "capacity_exhausted", "No capacity is left.", error_type="rate_limit_exceeded", more=more, retryable=True
    )


def internal_error() -> Fault:
    """500: an internal error of OpenRouter, without details."""
    return http_error(500, "Internal Server Error")


def bad_gateway() -> Fault:
    """502, as an HTML page from the edge server."""
    page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return _text(502, page, "text/html")


def unavailable(retry_after: float | None = None) -> Fault:
    """503: no provider is available at the moment."""
    headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    return http_error(503, "Service temporarily unavailable", headers=headers)


def edge_timeout() -> Fault:
    """524, as text from the edge server."""
    return _text(524, "error code: 524", "text/plain; charset=UTF-8")


def overloaded() -> Fault:
    """529: the provider is overloaded."""
    return http_error(529, "Provider returned error", {"provider_name": "Moonshot AI", "raw": "Overloaded"})


def _text(status: int, text: str, content_type: str) -> Fault:
    headers = {**COMMON_HEADERS, "content-type": content_type}
    return Fault(f"{status}", lambda _: Response(status, headers, (text.encode(),), chunked=False))


def _limited(message: str, limit: int, reset_at: int | None) -> Fault:
    def play(_: OutgoingReply) -> Response:
        reset = int(time.time() * 1000) + _MINUTE if reset_at is None else reset_at
        headers = {"X-RateLimit-Limit": f"{limit}", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{reset}"}
        return json_response(429, error_body(429, message, {"headers": headers, "provider_name": None}), headers)

    return Fault("429 of the free models", play)


def _availability(  # noqa: PLR0913 - the fields of this error
    status: int, code: str, message: str, *, error_type: str, more: JSONObject, retryable: bool = False
) -> Fault:
    def play(outgoing: OutgoingReply) -> Response:
        availability = {"code": code, "retryable": retryable, "requested_models": [outgoing.requested], **more}
        error: JSONObject = {"message": message, "error_type": error_type, "http_status": status}
        error["availability"] = {**availability, "docs_url": _DOCS + code}
        return json_response(status, {"error": error})

    return Fault(f"{status} {code}", play)
