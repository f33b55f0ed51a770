"""Errors built from replies: one case for each observed failure, then rules for all of them."""

import json
from typing import Any

import pytest

from langchain_kimi._openrouter.errors import (
    BY_TYPE,
    CONTEXT_TYPES,
    error_from_response,
    find_error,
    malformed,
)
from langchain_kimi.errors import (
    KimiContextOverflowError,
    KimiError,
    KimiInvalidRequestError,
    KimiModerationError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiRateLimitError,
    KimiServerError,
    KimiStatusError,
    KimiUnexpectedStatusError,
    RawReply,
)
from tests.openrouter.errors_of import HEADERS, raised, within
from tests.openrouter.failure_cases import MODERATED_BODIES, NO_CREDIT, NOW, OVERFLOWS, ROWS, Row, passed_on, sent


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_failed_request_gives_its_typed_error(row: Row) -> None:
    text = row.body if isinstance(row.body, str) else json.dumps(row.body)
    error = error_from_response(row.status, HEADERS | row.headers, text, now=NOW)
    assert type(error) is row.kind
    assert error.reason.startswith(row.reason)
    assert str(error).startswith(error.reason)
    assert str(error).endswith(error.advice)
    assert error.advice
    assert {name: getattr(error, name) for name in row.facts} == row.facts
    assert error.status == row.facts.get("status", row.status)
    assert error.generation_id == "gen-of-the-head"
    assert error.response == RawReply(row.status, HEADERS | row.headers, text)


@pytest.mark.uncovered
@pytest.mark.parametrize("words", OVERFLOWS)
def test_an_overflow_is_recognized_by_its_message(words: str) -> None:
    for body in (
        sent(words, 400),
        passed_on(words),
        passed_on({"error": {"message": words, "type": "invalid_request_error"}}),
        passed_on(json.dumps({"error": {"message": words}})),
        passed_on(json.dumps({"message": words, "code": 400})),
        passed_on(json.dumps([{"msg": words}])),
    ):
        for status in (400, 413, 422, 500, 502):
            error = raised(status, body)
            assert type(error) is KimiContextOverflowError
            assert not error.is_retryable
            assert "Shorten the messages" in str(error)


@pytest.mark.parametrize("body", MODERATED_BODIES)
def test_a_refused_input_is_a_moderation_error(body: Any) -> None:
    for error in (raised(400, body), raised(403, body), raised(500, body), within(body)):
        assert type(error) is KimiModerationError
        assert not error.is_retryable
        assert "Change the input" in error.advice


@pytest.mark.parametrize(
    "message",
    [
        "Invalid model name passed in model=moonshotai/kimi-k9. Call `/v1/models` to view available models",
        "Unknown model: kimi-k9",
        "The model `kimi-k9` doesn't exist or you have no access to it",
        "Unsupported model: kimi-k9",
        "Invalid model: kimi-k9",
        "kimi-k9 is not a supported model",
        "model_not_found",
        "The model kimi-k0 has been deprecated",
        "Model kimi-k9 is not available",
        "Model kimi-k9 is offline",
        "model_not_supported",
        "DeploymentNotFound",
        "The API deployment for this resource does not exist.",
        "The provided model identifier is invalid.",
        "Unable to access model kimi-k9. Please visit the list of supported models.",
        "litellm.BadRequestError: LLM Provider NOT provided. You passed model=kimi-k9",
        "unknown provider for model kimi-k9",
        "The supported API model names are deepseek-chat, but you passed kimi-k9.",
    ],
)
def test_an_unknown_model_is_not_found(message: str) -> None:
    assert type(raised(400, sent(message, 400))) is KimiNotFoundError
    assert type(raised(400, passed_on({"error": {"message": message}}))) is KimiNotFoundError


def test_a_used_up_quota_of_moonshot_is_not_a_rate_limit() -> None:
    message = "You exceeded your current quota, please check your plan and billing details"
    for status in (403, 429):
        own = raised(status, sent(message, type="exceeded_current_quota_error"))
        assert type(own) is KimiPaymentRequiredError
    # Google sends the same message for a limit per minute.
    assert type(raised(429, sent(message, 429, status="RESOURCE_EXHAUSTED"))) is KimiRateLimitError


@pytest.mark.parametrize(("status", "message"), NO_CREDIT)
def test_an_account_without_credit_is_a_payment_error(status: int, message: str) -> None:
    error = raised(status, sent(message, status))
    assert type(error) is KimiPaymentRequiredError
    assert not error.is_retryable
    assert error.status == status


def test_a_provider_that_is_out_of_quota_may_be_avoided_by_a_retry() -> None:
    error = raised(429, passed_on("insufficient_quota", 429))
    assert type(error) is KimiRateLimitError
    assert error.is_retryable


@pytest.mark.parametrize(
    "reply",
    [
        {"error": True, "message": "The disk is full", "code": 429},
        {"error": "Bad Request", "message": "The disk is full", "code": 429},
        {"error": ["The disk is full"], "code": 429},
        {"error": [{"message": "The disk is full"}], "code": 429},
        {"choices": [{"error": "The disk is full", "code": 429}]},
    ],
)
def test_the_facts_beside_an_error_that_is_not_an_object_count(reply: Any) -> None:
    error = within(reply)
    assert type(error) is KimiRateLimitError
    assert (error.reason, error.code) == ("The disk is full", 429)


def test_an_empty_error_has_the_message_beside_it() -> None:
    assert within({"error": {}, "message": "The disk is full"}).reason == "The disk is full"


def test_mandatory_reasoning_has_advice() -> None:
    message = "Reasoning is mandatory for this endpoint and cannot be disabled."
    assert "reasoning={'exclude': True}" in raised(400, sent(message, 400)).advice


@pytest.mark.parametrize("status", [501, 505, 511])
def test_a_permanent_status_is_not_retryable(status: int) -> None:
    error = raised(status, sent("x", status))
    assert type(error) is KimiServerError
    assert not error.is_retryable
    assert error.advice.startswith("Trying again will not help")


@pytest.mark.parametrize("status", [520, 521, 522, 523, 525, 526, 527, 530, 599])
def test_a_status_of_cloudflare_is_retryable(status: int) -> None:
    error = raised(status, f"error code: {status}")
    assert type(error) is KimiServerError
    assert error.is_retryable


@pytest.mark.parametrize("status", [304, 418, 499, 600, 999])
def test_an_undocumented_status_is_not_retryable(status: int) -> None:
    error = raised(status, "x")
    assert type(error) is KimiUnexpectedStatusError
    assert not error.is_retryable
    assert error.advice.startswith("OpenRouter does not document this status")


@pytest.mark.parametrize("word", sorted(CONTEXT_TYPES))
def test_an_overflow_is_recognized_by_its_type(word: str) -> None:
    for body in (
        sent("x", 400, {"error_type": word}),
        sent("x", error_type=word),
        sent("x", word),
        passed_on(json.dumps({"error": {"message": "x", "code": "context_length_exceeded"}})),
    ):
        assert type(raised(400, body)) is KimiContextOverflowError


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Invalid value for max_tokens"),
        (400, "The context must be a string"),
        (429, "too many tokens per minute"),
        (401, "maximum context length"),
    ],
)
def test_other_errors_are_not_overflows(status: int, words: str) -> None:
    assert type(raised(status, sent(words, status))) is not KimiContextOverflowError


@pytest.mark.parametrize(("word", "status"), BY_TYPE.items())
def test_an_error_type_inside_a_reply_gives_the_status(word: str, status: int) -> None:
    assert within(sent("x", error_type=word)).status == status
    assert within(sent("x", metadata={"error_type": word})).status == status
    assert within(sent("x", word)).status == status


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ({"message": "x", "http_status": 503, "code": 429}, 503, KimiServerError),
        ({"message": "x", "code": "429"}, 429, KimiRateLimitError),
        ({"message": "x", "code": 429.0}, 429, KimiRateLimitError),
        ({"message": "x", "code": 200}, 500, KimiServerError),
        ({"message": "x", "code": 0}, 500, KimiServerError),
        ({"message": "x", "code": None}, 500, KimiServerError),
        ({"message": "x", "code": "²"}, 500, KimiServerError),
        ({"message": "x", "code": True}, 500, KimiServerError),
        ({"message": "x", "code": "unheard_of"}, 500, KimiServerError),
        ({"message": "x", "error_type": "unheard_of"}, 400, KimiInvalidRequestError),
        ({"message": "x", "error_type": "invalid_prompt", "code": 422}, 422, KimiInvalidRequestError),
        ({"message": "x", "code": 402}, 402, KimiStatusError),
    ],
)
def test_the_status_of_an_error_inside_a_reply(error: Any, status: int, kind: type[KimiError]) -> None:
    actual = within({"error": error})
    assert actual.status == status
    assert isinstance(actual, kind)


@pytest.mark.parametrize("code", [429, 500])
def test_the_http_status_has_precedence(code: int) -> None:
    assert raised(403, sent("x", code)).status == 403


ERROR = {"code": 502, "message": "x"}


@pytest.mark.parametrize(
    "reply",
    [
        {"error": ERROR},
        {"error": ERROR, "choices": None},
        {"provider": {"error": ERROR}},
        {"provider": {"name": "x", "error": ERROR}, "choices": []},
        {"choices": [{"error": ERROR}]},
        {"choices": [{"message": {}}, {"error": ERROR}]},
        {"choices": [None, "x", {"error": ERROR}]},
    ],
)
def test_an_error_is_actual_in_every_place(reply: Any) -> None:
    assert find_error(reply) == ERROR


@pytest.mark.parametrize("reply", [{"error": {}}, {"error": {}, "choices": []}, {"error": {}, "choices": None}])
def test_an_error_without_a_message(reply: Any) -> None:
    error = within(reply)
    assert type(error) is KimiServerError
    assert error.reason == "The server sent an error without a message."


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"message": 5}, "5"),
        ({"message": 0.5, "code": 502}, "0.5"),
        ({"message": ["boom", "again"]}, "boom"),
        ({"message": None, "detail": "boom"}, "boom"),
        ({"reason": {"msg": "boom"}}, "boom"),
        ({"message": "", "errors": [{"message": "boom"}]}, "boom"),
        ({"code": 502}, "The provider failed without giving a reason."),
        ({"message": "", "details": "boom"}, "boom"),
    ],
)
def test_the_message_of_an_error(error: Any, reason: str) -> None:
    assert within({"error": error}).reason == reason


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"error": None},
        {"error": {}, "choices": [{"delta": {"content": "x"}}]},
        {"error": {}, "choices": [], "usage": {"cost": 0.1}},
        {"error": ""},
        {"provider": "Groq", "choices": [{"finish_reason": "stop"}]},
        {"provider": {"name": "x"}},
        {"choices": None},
        {"choices": 7},
        {"choices": "error"},
        {"choices": {"error": ERROR}},
        {"choices": [{"error": None, "finish_reason": None}]},
    ],
)
def test_a_reply_without_an_error_returns_none(reply: Any) -> None:
    assert find_error(reply) is None


def test_the_finish_reason_error_is_an_error() -> None:
    error = within({"choices": [{"finish_reason": "error"}]})
    assert type(error) is KimiServerError
    assert "finish reason 'error'" in error.reason


def test_other_fields_of_the_reply_are_kept() -> None:
    usage = {"cost": 0.1}
    reply = {"id": "gen-1", "model": "m", "provider": "Novita", "usage": usage, "error": ERROR}
    error = within(reply)
    assert (error.generation_id, error.model, error.provider, error.usage) == ("gen-1", "m", "Novita", usage)


def test_cookies_are_not_kept() -> None:
    error = raised(502, "x", set_cookie="__cf_bm=secret")
    assert error.response is not None
    assert error.response.headers == HEADERS


def test_a_malformed_reply_keeps_the_raw_response() -> None:
    raw = RawReply(200, {"x-generation-id": "gen-1"}, "<html>")
    error = malformed("The reply is not JSON.", raw)
    assert (error.status, error.generation_id, error.response) == (200, "gen-1", raw)
    assert str(error).endswith("the received text is in `response.text`.")
    assert error.is_retryable
