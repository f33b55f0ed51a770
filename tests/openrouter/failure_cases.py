"""Observed error replies of OpenRouter and its providers, each with the expected error."""

from dataclasses import dataclass, field
from typing import Any

from langchain_kimi import errors
from langchain_kimi.errors import KimiStatusError, KimiUnexpectedStatusError

NOW = 1_790_000_000.0
IN_A_MINUTE = str(int((NOW + 60) * 1000))
KEYS = "Manage it using https://openrouter.ai/settings/keys"
LIMITED = "moonshotai/kimi-k2-0905 is temporarily rate-limited upstream. Please retry shortly"


@dataclass(frozen=True)
class Row:
    """A failure: the reply, the class of the error, the begin of its text, and other attributes."""

    status: int
    body: Any
    kind: type[KimiStatusError]
    reason: str
    facts: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.status} {self.reason[:50]}"


def sent(message: Any, code: Any = None, metadata: Any = None, **more: Any) -> dict[str, Any]:
    """Return OpenRouter's sent of an error."""
    optional = {"code": code, "metadata": metadata}
    error = {"message": message, **{key: value for key, value in optional.items() if value is not None}}
    return {"error": {**error, **more}, "user_id": "user_x"}


def passed_on(raw: Any, code: int = 400, provider: str | None = "Moonshot AI", **metadata: Any) -> dict[str, Any]:
    """Return a provider's own error as OpenRouter passes it on."""
    return sent("Provider returned error", code, {"provider_name": provider, "raw": raw, **metadata})


def availability(code: str, *, retryable: bool, **more: Any) -> dict[str, Any]:
    return {"code": code, "retryable": retryable, "requested_models": ["moonshotai/kimi-k2-0905"], **more}


INVALID = errors.KimiInvalidRequestError
SERVER = errors.KimiServerError
RATE = errors.KimiRateLimitError
CREDIT = errors.KimiPaymentRequiredError
FORBIDDEN = errors.KimiPermissionError
MODERATED = errors.KimiModerationError
MISSING = errors.KimiNotFoundError
KEY = errors.KimiAuthenticationError
AGAIN = {"is_retryable": True}
NEVER = {"is_retryable": False}

FREE = {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": IN_A_MINUTE}
FLAGGED = {"reasons": ["violence"], "flagged_input": "How to ... him", "provider_name": "OpenAI", "model_slug": "o/x"}
UNKNOWN = "moonshotai/kimi-k9 is not a valid model ID"
GOOGLE = '{\n "error": {\n "code": 400,\n "message": "Developer instruction is not enabled",\n "status": "X"\n }\n}\n'
XAI = '{"code":"Client specified an invalid argument","error":"Invalid request content: Required function is missing"}'
PAGE = "<html><head><style>p {}</style><title>502 Bad Gateway</title></head><body><h1>cloudflare</h1></body></html>"

ROWS = [
    # the request
    Row(400, sent('Input required: specify "prompt"', 400), INVALID, "Input required", {"code": 400, **NEVER}),
    Row(
        400, sent("Too long", 400, {"error_type": "string_too_long"}),
        INVALID, "Too long", {"error_type": "string_too_long"},
    ),
    Row(400, sent("No models provided", 400), INVALID, "No models provided", NEVER),
    Row(400, passed_on(GOOGLE, provider="Google"), INVALID, "Developer instruction", {"provider": "Google"}),
    Row(400, passed_on(XAI, provider="xAI"), INVALID, "Invalid request content", {"provider": "xAI"}),
    Row(400, passed_on('{"code":400,"msg":"absent"}'), INVALID, "absent", {"raw": {"code": 400, "msg": "absent"}}),
    Row(400, passed_on({"detail": [{"loc": ["body"], "msg": "field required"}]}), INVALID, "field required"),
    Row(400, passed_on({"errors": [{"message": "no such tool"}]}), INVALID, "no such tool"),
    Row(400, passed_on({"error": {"error": {"reason": "deep down"}}}), INVALID, "deep down"),
    Row(400, passed_on({"status": 3, "why": "x"}), INVALID, '{"status": 3, "why": "x"}'),
    Row(400, passed_on("{not json"), INVALID, "{not json", {"raw": "{not json"}),
    Row(400, passed_on(""), INVALID, "Provider returned error", {"raw": ""}),
    Row(400, passed_on(None), INVALID, "Provider returned error", {"raw": None}),
    Row(400, sent("", 400), INVALID, "The provider failed without giving a reason."),
    Row(400, sent('{"error":{"message":"twice wrapped"}}', 400), INVALID, "twice wrapped"),
    Row(400, sent({"message": "no text"}, 400), INVALID, "no text"),
    Row(412, sent("Bad precondition", 412), INVALID, "Bad precondition", NEVER),
    Row(413, "Payload Too Large", INVALID, "Payload Too Large", {"code": None, **NEVER}),
    Row(422, sent("Bad input", 422, {"error_type": "unprocessable"}), INVALID, "Bad input", NEVER),
    # the model
    Row(400, sent(UNKNOWN, 400), MISSING, UNKNOWN, {"code": 400, **NEVER}),
    Row(400, passed_on({"error": {"message": "The model `kimi` does not exist"}}), MISSING, "The model `kimi`"),
    Row(404, sent("No endpoints found for moonshotai/kimi-k2:free.", 404), MISSING, "No endpoints found for", NEVER),
    Row(404, sent("No endpoints found that support tool use. To learn", 404), MISSING, "No endpoints found", NEVER),
    Row(404, sent("No endpoints found that support image input", 404), MISSING, "No endpoints found that support"),
    Row(404, sent("No allowed providers are available for the selected model.", 404), MISSING, "No allowed providers"),
    Row(404, sent("No endpoints available matching your guardrail restrictions and data policy", 404), MISSING, "No"),
    Row(
        404,
        sent("None left", availability=availability("constraint_filtered", retryable=False, excluded_by=["max_price"])),
        MISSING, "None left", {"code": None, **NEVER},
    ),
    Row(
        404, sent("Gone for now", availability=availability("model_unavailable_upstream", retryable=True)),
        MISSING, "Gone for now", AGAIN,
    ),
    # the key and its credit
    Row(401, sent("Missing Authentication header", 401), KEY, "Missing Authentication header", NEVER),
    Row(401, sent("User not found.", 401), KEY, "User not found.", NEVER),
    Row(401, sent("No auth credentials found", 401), KEY, "No auth credentials found", NEVER),
    Row(401, sent("No cookie auth credentials found", 401), KEY, "No cookie auth"),
    Row(402, sent("Insufficient credits. Add more using https://x.example", 402), CREDIT, "Insufficient", NEVER),
    Row(402, sent("This request requires more credits, or fewer max_tokens.", 402), CREDIT, "This request requires"),
    Row(402, sent(f"Key limit exceeded (total limit). {KEYS}", 402), CREDIT, "Key limit exceeded", NEVER),
    Row(403, sent(f"Key limit exceeded (total limit). {KEYS}", 403), CREDIT, "Key limit exceeded", NEVER),
    Row(403, sent(f"Key limit exceeded (daily limit). {KEYS}", 403), CREDIT, "Key limit exceeded (daily", NEVER),
    Row(403, passed_on("Insufficient balance", 403), CREDIT, "Insufficient balance"),
    # permissions
    Row(403, sent("Not in your region", 403, {"error_type": "permission_denied"}), FORBIDDEN, "Not in your", NEVER),
    Row(403, passed_on({"error": "Content violates usage guidelines."}, 403, "xAI"), MODERATED, "Content violates"),
    Row(
        403, sent('o/x requires moderation. Your input was flagged for "violence".', 403, FLAGGED),
        MODERATED, "o/x requires moderation.", {"model": "o/x", "provider": "OpenAI", "metadata": FLAGGED},
    ),
    Row(403, sent("Flagged", 403, {"flagged_input": ""}), MODERATED, "Flagged", NEVER),
    # rate limits
    Row(429, passed_on(LIMITED, 429, "Groq"), RATE, LIMITED, {"provider": "Groq", "raw": LIMITED, **AGAIN}),
    Row(429, passed_on(LIMITED, 429), RATE, LIMITED, {"retry_after": 12.5}, {"retry-after": "12.5"}),
    Row(429, passed_on("limit_rpm/moonshotai/kimi-k2/0-1", 429), RATE, "limit_rpm/moonshotai", {"retry_after": None}),
    Row(
        429, sent("Rate limit exceeded: free-models-per-min. ", 429, {"headers": FREE, "provider_name": None}),
        RATE, "Rate limit exceeded: free-models-per-min.", {"retry_after": 60.0, "provider": None, **AGAIN},
    ),
    Row(
        429, sent("Rate limit exceeded: free-models-per-day. Add 10 credits to unlock", 429, {"headers": FREE}),
        RATE, "Rate limit exceeded: free-models-per-day", {"retry_after": 60.0, **NEVER},
    ),
    Row(429, sent("Rate limit exceeded: free-models-per-day-high-balance.", 429), RATE, "Rate limit exceeded", NEVER),
    Row(429, sent("Daily limit", 429, {"limit_source": "openrouter_free_tier_daily"}), RATE, "Daily limit", NEVER),
    Row(
        429,
        sent(
            "No room left.", error_type="rate_limit_exceeded", http_status=429,
            availability=availability("capacity_exhausted", retryable=True, retry_after=12),
        ),
        RATE, "No room left.", {"retry_after": 12.0, "error_type": "rate_limit_exceeded", "code": None, **AGAIN},
    ),
    Row(
        429, sent("No host will take it", 429, {"availability": availability("capacity_exhausted", retryable=False)}),
        RATE, "No host will take it", NEVER,
    ),
    # the server
    Row(408, sent("Request timed out", 408), SERVER, "Request timed out", AGAIN),
    Row(409, sent("Conflict", 409), SERVER, "Conflict", AGAIN),
    Row(500, sent("Internal Server Error", 500), SERVER, "Internal Server Error", AGAIN),
    Row(500, sent("Internal Server Error", 500, {"raw": "CUDA out of memory"}), SERVER, "CUDA out of memory", AGAIN),
    Row(502, sent("Upstream error from Venice: EngineCore", 502), SERVER, "Upstream error from Venice", AGAIN),
    Row(502, passed_on('"stringly"', 502), SERVER, '"stringly"'),
    Row(502, PAGE, SERVER, "502 Bad Gateway cloudflare", {"code": None, **AGAIN}),
    Row(502, "", SERVER, "HTTP status 502 without a body", AGAIN),
    Row(502, "<STYLE>x</STYLE>&lt;b&gt; &amp; co", SERVER, "<b> & co"),
    Row(
        503, sent("Service temporarily unavailable", 503),
        SERVER, "Service temporarily unavailable", {"retry_after": 3.0}, {"retry-after": "3"},
    ),
    Row(
        503, sent("No region", 503, availability=availability("region_restricted", retryable=False)),
        SERVER, "No region", NEVER,
    ),
    Row(
        504, sent("Timed out", 504, {"error_type": "timeout"}),
        SERVER, "Timed out", {"error_type": "timeout", **AGAIN},
    ),
    Row(524, "error code: 524", SERVER, "error code: 524", {"code": None, **AGAIN}),
    Row(529, passed_on("Overloaded", 529), SERVER, "Overloaded", AGAIN),
    # other servers, and bodies without a usable error
    Row(400, {"object": "error", "message": "bad", "type": "x", "code": 40001}, INVALID, "bad", {"code": 40001}),
    Row(401, {"error": "Invalid API key"}, KEY, "Invalid API key"),
    Row(404, {"detail": "Not Found"}, MISSING, "Not Found"),
    Row(400, [{"error": {"code": 400, "message": "in a list"}}], INVALID, "in a list", {"code": 400}),
    Row(500, [], SERVER, "The provider failed without giving a reason."),
    Row(500, {}, SERVER, "HTTP status 500", {"code": None}),
    Row(500, {"error": {}}, SERVER, "The server sent an error without a message."),
    Row(500, "\ufeff" + '{"error": {"message": "marked"}}', SERVER, "marked"),
    Row(418, sent("teapot", 418), KimiUnexpectedStatusError, "teapot", NEVER),
    Row(302, "", KimiUnexpectedStatusError, "HTTP status 302 without a body", NEVER),
    Row(204, "", SERVER, "HTTP status 204 without a body", {"status": 500}),
]  # fmt: skip

MODERATED_BODIES = [
    sent("x", 400, {"error_type": "content_policy_violation"}),
    sent("x", error_type="refusal"),
    sent("x", "content_policy_violation"),
    passed_on({"error": {"message": "The request was rejected because it was considered high risk"}}),
    passed_on({"error": {"message": "Rejected", "type": "content_filter"}}),
    *(
        sent(words, 400)
        for words in (
            "Your input contains content that goes against our usage policies.",
            "Your prompt contains disallowed content",
            "PROMPT_INJECTION detected",
            "This may be a violation of Terms of Service",
            "Request blocked: NSFW content",
            "您输入的内容违反了相关法规",
            "请求被内容安全策略拦截",
        )
    ),
    passed_on({"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}),
    *(
        {"error": {"message": "x", "type": kind, "code": 400}}
        for kind in (
            "content_policy_violation", "refusal", "content_filter", "ResponsibleAIPolicyViolation",
            "moderation_blocked", "input_moderation", "sensitive_content", "SafetyError",
            "policy_violation", "prompt_blocked",
        )
    ),
]  # fmt: skip

OVERFLOWS = [
    "This endpoint's maximum context length is 262144 tokens. However, you requested about 300000 tokens.",
    "Your request exceeded model token limit: 262144",
    "Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)",
    "prompt is too long: 208310 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
    "The input token count (1190000) exceeds the maximum number of tokens allowed (1048576).",
    "This model's maximum prompt length is 131072 but the request contains 540000 tokens.",
    "The input (150000 tokens) is longer than the model's context length (131072 tokens).",
    "The decoder prompt (length 40000) is longer than the maximum model length of 32768.",
    "Requested input length 140000 exceeds maximum input length 131072",
    "the request exceeds the available context size, try increasing it",
    "Please reduce the length of the messages or completion.",
    "Please reduce the length of either one, or use the context-compression plugin",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 131073",
    "Input is too long for requested model.",
    "Input token length too long",
    "The prompt is too long: 300000, model maximum context length: 262143",
    "context window exceeds limit (2013)",
    "Context length exceeded",
    "too many tokens: total number of tokens in the prompt cannot exceed 128000",
    "tokens to keep from the initial prompt is greater than the context length",
    "The request exceeds the model's maximum context length",
]

NO_CREDIT = (
    (400, "Your credit balance is too low to access the API. Please go to Plans & Billing to purchase credits."),
    (400, "Arrearage: Access denied, please make sure your account is in good standing."),
    (403, "Your team has either used all available credits or reached its monthly spending limit"),
    (403, "Account balance is not enough"),
    (403, "用户额度不足, 剩余额度: 0.00"),
    (429, "Your account is suspended due to insufficient balance, please recharge your account"),
    (429, "insufficient_quota"),
    (403, "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle."),
    (429, "You've reached kimi monthly usage limit"),
)
"""Statuses and messages of hosts for an account or a key without credit."""
