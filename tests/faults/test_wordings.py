"""Errors by the words of their messages: a prompt beyond the context, in whatever place and words it is reported."""

import json
from typing import Any

import pytest
from langchain_core.exceptions import ContextOverflowError

from langchain_kimi.errors import (
    KimiContextOverflowError,
    KimiModerationError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiRateLimitError,
    KimiStatusError,
)
from langchain_kimi.testing import Emulator, RawReply
from tests.faults.cases import chunk, stream_of
from tests.faults.ways import WAYS, ask, model_of
from tests.openrouter.failure_cases import OVERFLOWS
from tests.openrouter.other_messages import OTHERS
from tests.openrouter.overflow_cases import REPORTS

WORDINGS = [*OVERFLOWS, *REPORTS]
JSON = {"content-type": "application/json"}


def direct(message: str) -> RawReply:
    return RawReply(400, JSON, json.dumps({"error": {"message": message, "code": 400}}).encode())


def upstream(message: str) -> RawReply:
    raw = json.dumps({"error": {"message": message, "type": "invalid_request_error"}})
    metadata = {"raw": raw, "provider_name": "Novita"}
    error = {"message": "Provider returned error", "code": 400, "metadata": metadata}
    return RawReply(400, JSON, json.dumps({"error": error}).encode())


def in_a_200(message: str) -> RawReply:
    body = {"id": "gen-1", "choices": [], "error": {"message": message, "code": 400}}
    return RawReply(200, JSON, json.dumps(body).encode())


def in_a_stream(message: str) -> RawReply:
    event = {"id": "gen-1", "choices": [], "error": {"message": message, "code": 502}}
    data = f": OPENROUTER PROCESSING\n\ndata: {json.dumps(event)}\n\n"
    return RawReply(200, {"content-type": "text/event-stream"}, data.encode())


PLACES = [direct, upstream, in_a_200, in_a_stream]
EVERY = pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.long)], ids=["some", "all"])


@EVERY
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_an_overflow_in_any_words_is_a_context_overflow(openrouter: Emulator, place: Any, way: str, every: int) -> None:
    messages = WORDINGS[PLACES.index(place) :: len(PLACES) * every]
    with model_of(openrouter, max_retries=3) as model:
        for message in messages:
            openrouter.script(place(message))
            error = ask(model, way).error
            assert isinstance(error, KimiContextOverflowError), (message, error)
            assert isinstance(error, ContextOverflowError)
            assert not error.is_retryable
            assert error.attempts == ()
            assert "Shorten the messages" in error.advice
    assert len(openrouter.requests) == len(messages)


@EVERY
@pytest.mark.parametrize("way", WAYS)
def test_other_messages_are_not_a_context_overflow(openrouter: Emulator, way: str, every: int) -> None:
    with model_of(openrouter, max_retries=0) as model:
        for number, message in enumerate(OTHERS[::every]):
            openrouter.script(PLACES[number % 2](message))
            error = ask(model, way).error
            assert isinstance(error, KimiStatusError)
            assert not isinstance(error, ContextOverflowError), message


def test_there_are_enough_wordings() -> None:
    assert len(set(WORDINGS)) >= 60
    assert len(set(OTHERS)) >= 40


KINDS: dict[type[KimiStatusError], tuple[dict[str, Any], ...]] = {
    KimiModerationError: (
        {"type": "safety"},
        {"type": "sensitive_words_detected"},
        {"metadata": {"error_type": "safety"}},
        {"message": "Content Exists Risk"},
        {"message": "The content is high risk."},
        {"message": "The request was blocked by the content filter."},
        {"message": "Your request was flagged by the provider's safety system."},
        {"message": "The prompt was rejected for violating the content policy"},
        {"message": "Unsafe content detected in prompt"},
        {"message": "Input was classified as unsafe: S1"},
        {"message": "Prompt blocked: PROHIBITED_CONTENT"},
        {"message": "输入内容包含敏感信息"},
        {"message": "内容审核未通过"},
        {"message": "请求被内容安全策略拦截"},
        {"message": "Your input contains content that goes against our usage policies."},
        {"message": "Provider returned error", "metadata": {"raw": '{"promptFeedback": {"blockReason": "SAFETY"}}'}},
    ),
    KimiNotFoundError: (
        {"type": "model_not_found"},
        {"metadata": {"error_type": "model_not_found"}},
        {"message": "Model kimi-k9 is not supported"},
        {"message": "Not found the model kimi-k9 or Permission denied"},
        {"message": "There are no healthy deployments for this model: kimi-k9"},
        {"message": "Model kimi-k9 is no longer available"},
        {"message": "Could not find model kimi-k9"},
        {"message": "模型 kimi-k9 不存在"},
        {"message": "The provided model identifier is invalid."},
    ),
    KimiContextOverflowError: (
        {"type": "context_length_exceeded"},
        {"type": "string_above_max_length"},
        {"metadata": {"error_type": "tokens_limit_reached"}},
    ),
    KimiStatusError: (
        {"type": "invalid_request_error"},
        {"message": "The model kimi-k3 is not supported with this tool"},
        {"message": "The request was blocked by a firewall."},
        {"message": "parameter text must be a sensitive boolean"},
        {"message": "model parameter x was not found"},
        {"message": "content must not be empty"},
        {"message": "Unsupported parameter: content_filter"},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_error_type_or_a_usual_sentence_decides_about_the_class(openrouter: Emulator, way: str) -> None:
    with model_of(openrouter, max_retries=0) as model:
        for kind, errors in KINDS.items():
            for error in errors:
                body = json.dumps({"error": {"message": "Bad request.", "code": 400, **error}})
                openrouter.script(RawReply(400, JSON, body.encode()))
                raised = ask(model, way).error
                special = isinstance(raised, (KimiModerationError, KimiNotFoundError, KimiContextOverflowError))
                assert isinstance(raised, kind), error
                assert special is (kind is not KimiStatusError), error


OVERFLOW = "Input is too long: 300000 tokens, maximum 262144"
NESTED: tuple[Any, ...] = (
    {"error": "bad_request", "error_description": OVERFLOW},
    {"error": "Bad Request", "message": OVERFLOW, "statusCode": 400},
    {
        "error": {
            "message": "Provider returned error",
            "metadata": {"raw": json.dumps({"error": {"message": OVERFLOW}})},
        }
    },
    {"error": {"message": json.dumps({"error": {"message": OVERFLOW}})}},
    {"base_resp": {"status_code": 2013, "status_msg": OVERFLOW}},
    [{"error": {"code": 400, "message": OVERFLOW}}],
)
"""Bodies of hosts, which OpenRouter passes on in `metadata.raw`."""


@pytest.mark.parametrize("way", WAYS)
def test_the_reason_is_the_innermost_message(openrouter: Emulator, way: str) -> None:
    with model_of(openrouter, max_retries=0) as model:
        for body in NESTED:
            for raw in (body, json.dumps(body)):
                error = {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}
                openrouter.script(RawReply(400, JSON, json.dumps({"error": error}).encode()))
                raised = ask(model, way).error
                assert isinstance(raised, KimiContextOverflowError), raw
                assert raised.reason == OVERFLOW


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
def test_the_type_of_an_error_without_a_status_decides(openrouter: Emulator, way: str) -> None:
    with model_of(openrouter, max_retries=0) as model:
        for word, kind in {"rate_limit_error": KimiRateLimitError, "billing_error": KimiPaymentRequiredError}.items():
            body = {"id": "gen-1", "choices": [], "error": {"message": "No.", "type": word}}
            openrouter.script(RawReply(200, JSON, json.dumps(body).encode()))
            assert type(ask(model, way).error) is kind


SHAPES: tuple[Any, ...] = (
    {"error": OVERFLOW},
    {"error": [OVERFLOW]},
    {"error": True, "message": OVERFLOW},
    {"error": {}, "message": OVERFLOW},
    {"error": {"message": None, "details": OVERFLOW}},
    {"error": {"message": "Error", "innererror": {"message": OVERFLOW}}},
    {"error_msg": OVERFLOW, "error_code": 336103},
    {"fault": {"faultstring": OVERFLOW, "detail": {"errorcode": "x"}}},
    {"result": {"error": OVERFLOW}},
)


@pytest.mark.parametrize("way", WAYS)
def test_the_message_is_read_from_a_body_of_any_shape(openrouter: Emulator, way: str) -> None:
    with model_of(openrouter, max_retries=0) as model:
        for body in SHAPES:
            text = json.dumps(body)
            for sent in (text, f": PROCESSING\n\n{text}", f"event: error\ndata: {text}\n\n", json.dumps(text)):
                openrouter.script(RawReply(400, JSON, sent.encode()))
                raised = ask(model, way).error
                assert isinstance(raised, KimiContextOverflowError), sent
                assert raised.reason == OVERFLOW


BARE: tuple[Any, ...] = (
    {"object": "error", "message": OVERFLOW, "type": "BadRequestError", "param": None, "code": 400},
    {"detail": OVERFLOW},
    {"code": "InvalidParameter", "message": OVERFLOW},
    {"base_resp": {"status_code": 2013, "status_msg": OVERFLOW}},
    [{"error": {"code": 400, "message": OVERFLOW}}],
)


@pytest.mark.parametrize("way", WAYS)
def test_an_error_without_its_usual_key_does_not_end_an_answer(openrouter: Emulator, way: str) -> None:
    content = stream_of(chunk("The"), done=False)
    with model_of(openrouter, max_retries=0) as model:
        for body in BARE:
            event = f"data: {json.dumps(body)}\n\n".encode()
            streams = [event + b"data: [DONE]\n\n", content + event + b"data: [DONE]\n\n"]
            streams += [content + event.replace(b"data", b"error", 1), content + b"event: error\n" + event]
            for sent in streams if way.endswith("stream") else [json.dumps(body).encode()]:
                kind = "text/event-stream" if way.endswith("stream") else "application/json"
                openrouter.script(RawReply(200, {"content-type": kind}, sent))
                outcome = ask(model, way)
                assert isinstance(outcome.error, KimiContextOverflowError), sent
                assert outcome.error.reason == OVERFLOW
                assert [str(part.text) for part in outcome.shown if part.text] == ["The"] * sent.startswith(content)


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
def test_an_account_without_credit_is_not_a_rate_limit(openrouter: Emulator, way: str) -> None:
    message = "Your account is suspended due to insufficient balance, please recharge your account"
    with model_of(openrouter, max_retries=2) as model:
        for status in (400, 403, 429):
            openrouter.script(RawReply(status, JSON, json.dumps({"error": {"message": message}}).encode()))
            assert type(ask(model, way).error) is KimiPaymentRequiredError
    assert len(openrouter.requests) == 3


TOOLS = [{"type": "function", "function": {"name": f"tool_{number}", "parameters": {}}} for number in range(5)]
PLACES_OF_TOOLS = [
    "tools.3.function.parameters is not a valid moonshot flavored json schema",
    "tools[3].function.name is invalid",
    "Invalid schema at /tools/3/function",
    "body -> tools -> 3 -> function: field required",
    "('body', 'tools', 3, 'function')",
    "$.tools.[3].function: bad",
    "The tool at index 3 has no name",
    "Tool #3: bad",
    "functions[3] has a bad name",
    "[tools][3][function] bad",
]

NO_PLACES_OF_TOOLS = [
    "tools.7.function is bad",
    "messages.3.tool_calls.1.function is bad",
    "tools are bad",
    "too many tools: 3 given",
    "At most 3 functions",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_tool_is_named(openrouter: Emulator, way: str) -> None:
    with model_of(openrouter, max_retries=0) as model:
        bound = model.bind_tools(TOOLS)
        for message in PLACES_OF_TOOLS:
            for place in (direct, upstream):
                openrouter.script(place(message))
                assert "tools[3] is the tool 'tool_3'." in str(ask(bound, way).error)
        for message in NO_PLACES_OF_TOOLS:
            openrouter.script(direct(message))
            assert "is the tool" not in str(ask(bound, way).error)
        openrouter.script(direct(PLACES_OF_TOOLS[0]))
        assert "is the tool" not in str(ask(model, way).error)


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
def test_a_refused_tool_has_the_name_that_the_user_gave_it(openrouter: Emulator, way: str) -> None:
    tools = [*TOOLS[:3], {"type": "function", "function": {"name": "weather.of/a city", "parameters": {}}}]
    validated = {"detail": [{"loc": ["body", "tools", 3, "function", "name"], "msg": "bad name"}]}
    replies = [direct("tools.3.function.name is bad"), RawReply(422, JSON, json.dumps(validated).encode())]
    with model_of(openrouter, max_retries=0) as model:
        for reply in replies:
            openrouter.script(reply)
            assert "tools[3] is the tool 'weather.of/a city'." in str(ask(model.bind_tools(tools), way).error)
