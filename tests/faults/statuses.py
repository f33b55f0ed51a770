"""Failures with an HTTP error status."""

from typing import Any

from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiContextOverflowError,
    KimiInvalidRequestError,
    KimiModerationError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiPermissionError,
    KimiRateLimitError,
    KimiServerError,
    KimiUnexpectedStatusError,
)
from langchain_kimi.testing import RawReply, faults
from langchain_kimi.testing.responses import dump
from tests.faults.cases import AGAIN, ANSWER, PROVIDER, Answered, Case, Failed

WAIT = 0.02
BUSY = "moonshotai/kimi-k2-0905 is temporarily rate-limited upstream."
SEVERAL: Any = {
    "error": {
        "message": "Provider returned error",
        "code": 502,
        "metadata": {
            "provider_name": "Novita",
            "raw": '{"detail": [{"msg": "worker lost"}]}',
            "previous_errors": [{"provider": "groq", "code": "capacity_exhausted", "status": 429}],
        },
    }
}
DAILY = "Rate limit exceeded: free-models-per-day."
TOOL_CHOICE = {"error": {"message": "tool_choice 'specified' is incompatible with thinking enabled"}}

LIMITS = (
    Case(
        what="429 with Retry-After, then an answer",
        script=[faults.rate_limited(WAIT), ANSWER],
        waits=WAIT,
        plain=Answered(requests=2),
    ),
    Case(
        what="429 with the retry time in `availability` only, then an answer",
        script=[faults.no_capacity(WAIT, with_code=False), ANSWER],
        waits=WAIT,
        plain=Answered(requests=2),
    ),
    Case(
        what="429 with Retry-After, always",
        script=[faults.rate_limited(WAIT)],
        waits=WAIT,
        plain=Failed(
            kind=KimiRateLimitError, leads=BUSY, advises=f"Wait {WAIT:g} s before the next attempt.", status=429,
            code=429, provider=PROVIDER, retryable=True, facts={"retry_after": WAIT},
        ),
    ),
    Case(
        what="429, the free models' limit per minute",
        script=[faults.free_rate_limited(reset_at=1)],
        plain=Failed(
            kind=KimiRateLimitError, leads="Rate limit exceeded: free-models-per-min.", advises="models=[...].",
            status=429, code=429, retryable=True,
        ),
    ),
    Case(
        what="429, the free models' limit per day",
        script=[faults.free_daily_cap()],
        plain=Failed(
            kind=KimiRateLimitError, leads=DAILY, advises="or use a paid model.", status=429, code=429,
        ),
    ),
)  # fmt: skip

REFUSALS = (
    Case(
        what="400 with its reason in `metadata.raw` only",
        script=[faults.provider_refused(TOOL_CHOICE)],
        plain=Failed(
            kind=KimiInvalidRequestError, leads="tool_choice 'specified' is incompatible with thinking enabled",
            advises="For structured output, use method='json_schema'.", status=400, code=400, provider=PROVIDER,
            facts={"raw": TOOL_CHOICE},
        ),
    ),
    Case(
        what="400, the context is too long",
        script=[faults.context_overflow()],
        plain=Failed(
            kind=KimiContextOverflowError, leads="This endpoint's maximum context length is 262144 tokens.",
            advises="a larger context.", status=400, code=400, facts={"error_type": "context_length_exceeded"},
        ),
    ),
    Case(
        what="400, unknown model",
        script=[faults.unknown_model()],
        plain=Failed(
            kind=KimiNotFoundError, leads="moonshotai/kimi-k2-0905 is not a valid model ID", advises="lists fallbacks.",
            status=400, code=400,
        ),
    ),
    Case(
        what="401",
        script=[faults.unauthorized()],
        plain=Failed(
            kind=KimiAuthenticationError, leads="User not found.", advises="is missing, unknown or disabled.",
            status=401, code=401,
        ),
    ),
    Case(
        what="402, no credits",
        script=[faults.out_of_credits()],
        plain=Failed(
            kind=KimiPaymentRequiredError,
            leads="Insufficient credits.",
            advises="or lower max_tokens.",
            status=402,
            code=402,
        ),
    ),
    Case(
        what="402, too many max_tokens for the credits",
        script=[faults.out_of_credits(100)],
        plain=Failed(
            kind=KimiPaymentRequiredError, leads="This request requires more credits, or fewer max_tokens.",
            advises="or lower max_tokens.", status=402, code=402,
        ),
    ),
    Case(
        what="403, the key's limit is exhausted",
        script=[faults.key_limit_exceeded()],
        plain=Failed(
            kind=KimiPaymentRequiredError, leads="Key limit exceeded (total limit).", advises="or lower max_tokens.",
            status=403, code=403,
        ),
    ),
    Case(
        what="403, moderation",
        script=[faults.moderated(["violence"])],
        plain=Failed(
            kind=KimiModerationError, leads="moonshotai/kimi-k2-0905 requires moderation.",
            advises="may say why.", status=403, code=403, provider=PROVIDER,
        ),
    ),
    Case(
        what="403",
        script=[faults.http_error(403, "Guardrail: personal data", {"patterns": ["iban"]})],
        plain=Failed(
            kind=KimiPermissionError, leads="Guardrail: personal data", advises="do not allow this request.",
            status=403, code=403, facts={"metadata": {"patterns": ["iban"]}},
        ),
    ),
    Case(
        what="404, the filters exclude all providers",
        script=[faults.no_endpoints(with_code=False)],
        plain=Failed(
            kind=KimiNotFoundError, leads="No endpoints found that can handle the requested parameters.",
            advises="Providers were excluded by: require_parameters. OpenRouter suggests: moonshotai/kimi-k2.6.",
            status=404, facts={"error_type": "not_found"},
        ),
    ),
    Case(
        what="413 as text",
        script=[faults.payload_too_large()],
        plain=Failed(
            kind=KimiInvalidRequestError, leads="Payload Too Large", advises="`raw` describe the problem.", status=413,
        ),
    ),
    Case(
        what="302 to another URL",
        script=[RawReply(status=302, headers={"location": "http://127.0.0.1:9/elsewhere"})],
        plain=Failed(
            kind=KimiUnexpectedStatusError, leads="HTTP status 302 without a body",
            advises="check base_url, the proxy and the request.", status=302,
        ),
    ),
)  # fmt: skip

DOWN = (
    Case(
        what="408",
        script=[faults.timed_out()],
        plain=Failed(
            kind=KimiServerError, leads="Request timed out", advises=AGAIN, status=408, code=408, retryable=True
        ),
    ),
    Case(
        what="500",
        script=[faults.internal_error()],
        plain=Failed(
            kind=KimiServerError, leads="Internal Server Error", advises=AGAIN, status=500, code=500, retryable=True
        ),
    ),
    Case(
        what="502 as an HTML page",
        script=[faults.bad_gateway()],
        plain=Failed(kind=KimiServerError, leads="502 Bad Gateway", advises=AGAIN, status=502, retryable=True),
    ),
    Case(
        what="502 as an HTML page, `max_retries=0`",
        script=[faults.bad_gateway()],
        plain=Failed(kind=KimiServerError, leads="502 Bad Gateway", advises=AGAIN, status=502),
        settings={"max_retries": 0},
    ),
    Case(
        what="502 after other providers failed, with its reason nested in `metadata.raw`",
        script=[RawReply(502, {"content-type": "application/json"}, dump(SEVERAL))],
        plain=Failed(
            kind=KimiServerError, leads="worker lost", advises=AGAIN, status=502, code=502, provider="Novita",
            retryable=True, facts={"metadata": SEVERAL["error"]["metadata"]},
        ),
    ),
    Case(what="503, then an answer", script=[faults.unavailable(), ANSWER], plain=Answered(requests=2)),
    Case(
        what="503 with Retry-After",
        script=[faults.unavailable(WAIT)],
        waits=WAIT,
        plain=Failed(
            kind=KimiServerError, leads="Service temporarily unavailable", advises=f"Wait {WAIT:g} s", status=503,
            code=503, retryable=True, facts={"retry_after": WAIT},
        ),
    ),
    Case(
        what="524 as text",
        script=[faults.edge_timeout()],
        plain=Failed(kind=KimiServerError, leads="error code: 524", advises=AGAIN, status=524, retryable=True),
    ),
    Case(
        what="529",
        script=[faults.overloaded()],
        plain=Failed(
            kind=KimiServerError, leads="Overloaded", advises=AGAIN, status=529, code=529, provider=PROVIDER,
            retryable=True,
        ),
    ),
)  # fmt: skip
CASES = (*LIMITS, *REFUSALS, *DOWN)
