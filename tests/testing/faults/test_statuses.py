import json
import time
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator, Fault, faults
from tests.testing.chat import post

MODEL = "moonshotai/kimi-k2-0905"


def failed(openrouter: Emulator, client: httpx.Client, fault: Fault, *, stream: bool = False) -> httpx.Response:
    openrouter.fail_next(fault)
    response = post(client, stream=stream)
    assert post(client).status_code == 200
    return response


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.http_error(422, "Odd.", {"a": 1}, {"x-odd": "1"}), (422, "Odd.", {"a": 1})),
        (faults.context_overflow(10, 20), (400, "maximum context length is 10 tokens", {"provider_name": None})),
        (faults.provider_refused("Bad.", provider="Groq"), (400, "Provider", {"provider_name": "Groq", "raw": "Bad."})),
        (faults.unknown_model(), (400, f"{MODEL} is not a valid model ID", {})),
        (faults.unauthorized(), (401, "User not found.", {})),
        (faults.out_of_credits(), (402, "Insufficient credits", {})),
        (faults.out_of_credits(affordable_tokens=7), (402, "can only afford 7", {})),
        (faults.key_limit_exceeded("daily"), (403, "Key limit exceeded (daily limit)", {})),
        (faults.moderated(["spam"], "buy"), (403, 'flagged for "spam"', {"reasons": ["spam"], "flagged_input": "buy"})),
        (faults.timed_out(), (408, "timed out", {})),
        (faults.rate_limited(provider="Groq"), (429, "Provider returned error", {"provider_name": "Groq"})),
        (faults.internal_error(), (500, "Internal Server Error", {})),
        (faults.unavailable(), (503, "temporarily unavailable", {})),
        (faults.overloaded(), (529, "Provider returned error", {"raw": "Overloaded"})),
    ],
)
def test_errors_with_a_json_body(
    openrouter: Emulator, client: httpx.Client, fault: Fault, expected: tuple[int, str, Any], *, stream: bool
) -> None:
    response = failed(openrouter, client, fault, stream=stream)
    error = response.json()["error"]
    status, words, metadata = expected
    assert response.status_code == error["code"] == status
    assert words in error["message"]
    assert metadata.items() <= error.get("metadata", {}).items()


def test_the_error_of_the_provider_can_be_json(openrouter: Emulator, client: httpx.Client) -> None:
    error = failed(openrouter, client, faults.provider_refused({"error": {"a": "b"}}, status=403)).json()["error"]
    assert json.loads(error["metadata"]["raw"]) == {"error": {"a": "b"}}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.payload_too_large(), (413, "text/plain", "Payload Too Large")),
        (faults.bad_gateway(), (502, "text/html", "<html>")),
        (faults.edge_timeout(), (524, "text/plain", "error code: 524")),
    ],
)
def test_errors_of_the_edge_server(
    openrouter: Emulator, client: httpx.Client, fault: Fault, expected: tuple[int, str, str]
) -> None:
    response = failed(openrouter, client, fault)
    status, kind, text = expected
    assert response.status_code == status
    assert response.headers["content-type"].startswith(kind)
    assert text in response.text


@pytest.mark.parametrize(
    ("fault", "header"),
    [
        (faults.rate_limited(retry_after=2), "2"),
        (faults.rate_limited(retry_after=0.5), "0.5"),
        (faults.rate_limited(), None),
        (faults.unavailable(retry_after=3), "3"),
        (faults.unavailable(), None),
    ],
)
def test_retry_after_headers(openrouter: Emulator, client: httpx.Client, fault: Fault, header: str | None) -> None:
    assert failed(openrouter, client, fault).headers.get("retry-after") == header


@pytest.mark.parametrize(
    ("fault", "words"),
    [(faults.free_rate_limited, "free-models-per-min"), (faults.free_daily_cap, "free-models-per-day")],
)
def test_limits_of_the_free_models(openrouter: Emulator, client: httpx.Client, fault: Any, words: str) -> None:
    response = failed(openrouter, client, fault(reset_at=1_800_000_000_123))
    error = response.json()["error"]
    assert words in error["message"]
    assert error["metadata"]["headers"]["X-RateLimit-Reset"] == "1800000000123"
    assert error["metadata"]["headers"]["X-RateLimit-Remaining"] == response.headers["x-ratelimit-remaining"] == "0"
    reset = int(failed(openrouter, client, fault()).headers["x-ratelimit-reset"])
    assert reset > time.time() * 1000


@pytest.mark.parametrize(
    ("fault", "status", "expected"),
    [
        (
            faults.no_endpoints(["zdr"], ["a/b"]),
            404,
            {"code": "constraint_filtered", "retryable": False, "excluded_by": ["zdr"], "fallback_models": ["a/b"]},
        ),
        (faults.no_capacity(retry_after=7), 429, {"code": "capacity_exhausted", "retryable": True, "retry_after": 7}),
    ],
)
def test_availability_errors(
    openrouter: Emulator, client: httpx.Client, fault: Fault, status: int, expected: dict[str, Any]
) -> None:
    response = failed(openrouter, client, fault)
    error = response.json()["error"]
    assert response.status_code == error["http_status"] == status
    assert "code" not in error
    assert error["availability"]["requested_models"] == [MODEL]
    assert expected.items() <= error["availability"].items()
