"""Tests that cassettes contain no secrets, name their source, and are matched by the bodies of requests."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from vcr import VCR
from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.request import Request

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, cassettes, faults
from tests.conftest import KEY

RECORDED = sorted((Path(__file__).parents[2] / "cassettes").rglob("*.yaml"))
PLANTED = "sk-or-v1-" + "0badc0de" * 8


@pytest.fixture
def recorder(tmp_path: Path) -> VCR:
    recorder = VCR(cassette_library_dir=str(tmp_path))
    cassettes.register(recorder)
    return recorder


def ask(base_url: str, text: str = "Hello.") -> Any:
    body = {"model": "moonshotai/kimi-k2-0905", "messages": [{"role": "user", "content": text}]}
    headers = {"Authorization": f"Bearer {KEY}", "X-Secret": KEY}
    with httpx.Client() as client:
        return client.post(f"{base_url}/chat/completions", json=body, headers=headers).json()


def test_an_exchange_is_recorded_without_secrets_and_replayed_from_another_address(
    recorder: VCR, tmp_path: Path
) -> None:
    with Emulator() as openrouter, recorder.use_cassette("one.yaml", **cassettes.vcr_config("all")):
        answer = ask(openrouter.base_url, f"Hello, my key is {PLANTED}.")
    text = (tmp_path / "one.yaml").read_text()
    assert KEY not in text
    assert PLANTED not in text
    assert "127.0.0.1" not in text
    assert "authorization" not in text.lower()
    assert yaml.safe_load(text)["recorded_from"] == cassettes.FROM_EMULATOR
    with recorder.use_cassette("one.yaml", **cassettes.vcr_config()):
        replayed = ask("https://openrouter.ai/api/v1", "Hello, my key is REDACTED.")
    assert replayed["id"] == answer["id"]


def test_equal_requests_are_answered_in_the_recorded_order(recorder: VCR) -> None:
    def reply() -> str:
        return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1).invoke("Hello.").text

    with Emulator() as openrouter, recorder.use_cassette("one.yaml", **cassettes.vcr_config("once")):
        openrouter.script(faults.rate_limited(retry_after=0), Reply("One."), Reply("Two."))
        recorded = [reply(), reply()]
    with recorder.use_cassette("one.yaml", **cassettes.vcr_config()):
        assert [reply(), reply()] == recorded == ["One.", "Two."]


def test_an_unrecorded_request_is_not_answered(recorder: VCR) -> None:
    with Emulator() as openrouter, recorder.use_cassette("one.yaml", **cassettes.vcr_config("all")):
        ask(openrouter.base_url)
    with (
        recorder.use_cassette("one.yaml", **cassettes.vcr_config()),
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        ask("https://openrouter.ai/api/v1", "Something else.")


@pytest.mark.parametrize(
    ("recorded", "sent", "same"),
    [
        ({"a": 1, "b": [2, 3]}, {"b": [2, 3], "a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"description": "One.\n\n    Two."}, {"description": "One.\n\nTwo."}, True),
        ({"content": "One.\n\n    Two."}, {"content": "One.\n\nTwo."}, False),
        ({"description": {"type": "string"}}, {"description": {"type": "number"}}, False),
        (
            {"ids": ["0b3c8a52-3e0a-4c8e-9a4e-0d7b8a1f2c3d", "1b3c8a52-3e0a-4c8e-9a4e-0d7b8a1f2c3d"]},
            {"ids": ["2b3c8a52-3e0a-4c8e-9a4e-0d7b8a1f2c3d", "3b3c8a52-3e0a-4c8e-9a4e-0d7b8a1f2c3d"]},
            True,
        ),
        (
            {"ids": ["0b3c8a52-3e0a-4c8e-9a4e-0d7b8a1f2c3d", "0b3c8a52-3e0a-4c8e-9a4e-0d7b8a1f2c3d"]},
            {"ids": ["2b3c8a52-3e0a-4c8e-9a4e-0d7b8a1f2c3d", "3b3c8a52-3e0a-4c8e-9a4e-0d7b8a1f2c3d"]},
            False,
        ),
    ],
)
def test_bodies_are_compared_by_content(recorded: Any, sent: Any, same: bool) -> None:  # noqa: FBT001 - a column of the table
    def request(body: Any) -> Request:
        return Request("POST", "http://x/", json.dumps(body).encode(), {})

    if same:
        cassettes.match_body(request(recorded), request(sent))
    else:
        with pytest.raises(AssertionError, match="differ"):
            cassettes.match_body(request(recorded), request(sent))


@pytest.mark.parametrize(("body", "text"), [(b"plain", "plain"), (None, ""), ("as text", "as text")])
def test_a_body_that_is_not_json_is_compared_unchanged(body: Any, text: str) -> None:
    assert cassettes.canonical_body(body) == text


def test_a_request_without_a_body_stays_without_one() -> None:
    request = cassettes.redact_request(Request("GET", "https://openrouter.ai/api/v1/models", None, {"Cookie": KEY}))
    assert request.uri == "https://openrouter.ai/api/v1/models"
    assert not request.body
    assert not request.headers


@pytest.mark.parametrize("body", [{}, {"string": b""}, {"string": f"user_{'a1' * 9} had {PLANTED}".encode()}])
def test_other_response_headers_are_removed(body: dict[str, Any]) -> None:
    headers = {"Set-Cookie": [KEY], "CF-RAY": ["1"], "X-Generation-Id": ["gen-1"], "Content-Type": ["text/plain"]}
    response = cassettes.redact_response({"status": {"code": 200}, "headers": headers, "body": body})
    assert sorted(response["headers"]) == ["Content-Type", "X-Generation-Id"]
    assert response["body"].get("string", b"") in {b"", b"REDACTED had REDACTED"}


def test_a_cassette_names_the_live_service() -> None:
    interaction = {"request": {"uri": "https://openrouter.ai/api/v1/chat/completions"}}
    written = yaml.safe_load(cassettes.CassetteSerializer.serialize({"interactions": [interaction]}))
    assert written["recorded_from"] == cassettes.FROM_LIVE


@pytest.mark.uncovered
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_each_cassette_of_the_project_names_its_source(path: Path) -> None:
    cassette = yaml.load(path.read_text(), yaml.CSafeLoader)
    hosts = {part["request"]["uri"].split("/")[2] for part in cassette["interactions"]}
    assert cassette["recorded_from"] == (
        cassettes.FROM_LIVE if hosts == {cassettes.LIVE_HOST} else cassettes.FROM_EMULATOR
    )
    for part in cassette["interactions"]:
        assert {name.lower() for name in part["request"]["headers"]} <= cassettes.RECORDED_REQUEST_HEADERS
        assert {name.lower() for name in part["response"]["headers"]} <= cassettes.RECORDED_RESPONSE_HEADERS


def test_there_are_cassettes() -> None:
    assert len(RECORDED) > 80


LIVE = "https://openrouter.ai/api/v1"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (f"{LIVE}/generation?id=gen-1&api_key=abcdefgh", f"{LIVE}/generation?id=gen-1&api_key=REDACTED"),
        (f"{LIVE}/a?b=sk-or-v1-0123456789", f"{LIVE}/a?b=REDACTED"),
        (f"{LIVE}/keys/" + "sk-or-v1-" + "01234567" * 2, f"{LIVE}/keys/REDACTED"),
        (f"{LIVE}/keys/planted-key-0", f"{LIVE}/keys/REDACTED"),
        ("https://user:secret@openrouter.ai/api/v1/models", f"{LIVE}/models"),
        (f"{LIVE}/models#token", f"{LIVE}/models"),
        ("http://127.0.0.1:9/api/v1/keys/planted-key-0?key=a", f"{cassettes.EMULATOR_HOST}/api/v1/keys/REDACTED"),
    ],
)
def test_uris_contain_no_secrets(uri: str, expected: str) -> None:
    request = Request("POST", uri, b"planted-key-0", {"Authorization": "Bearer planted-key-0"})
    redacted = cassettes.redact_request(request)
    assert redacted.uri == expected
    assert redacted.body == b"REDACTED"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-or-v1-01234567", "sk-proj-0123456789", "sk-ant-api03-abcdefgh", "gsk_0123456789abc", "hf_abcdefghijkl",
        "fw_0123456789", "nvapi-0123456789", "xai-0123456789", "user_2abcdefghij", "org_2abcdefghij", "org-2AbCdEfGhIj",
        "AIzaSy0123456789012345678901234567890", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "Bearer abcdefghij",
    ],
)  # fmt: skip
def test_recorded_headers_and_bodies_contain_no_secrets(secret: str) -> None:
    response = {"headers": {"x-generation-id": [f"a {secret}"]}, "body": {"string": f'"{secret}"'.encode()}}
    assert secret not in str(cassettes.redact_response(response))
    request = Request("POST", LIVE, f'{{"user": "{secret}"}}'.encode(), {"Accept": f"a;b={secret}"})
    redacted = cassettes.redact_request(request)
    assert secret not in f"{redacted.headers} {redacted.body!r}"


@pytest.mark.parametrize(
    "text", ["user_message", "org-wide rules", "task-oriented", "key_performance", "user_emulated"]
)
def test_ordinary_words_stay(text: str) -> None:
    redacted = cassettes.redact_response({"headers": {}, "body": {"string": text}})
    assert redacted["body"]["string"] == text.encode()
