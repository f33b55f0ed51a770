"""Cassettes: recorded exchanges without secrets, matched by what was asked and not by how it was spelled.

For vcrpy (and pytest-recording), which need not be installed for anything else:

    @pytest.fixture
    def vcr_config():
        return cassettes.vcr_config()

    def pytest_recording_configure(config, vcr):
        cassettes.register(vcr)
"""

import inspect
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import yaml

LIVE_HOST = "openrouter.ai"
EMULATOR_HOST = "http://emulator.invalid"
"""Stands in cassettes for the emulator's address, whose port changes with every run."""

SERIALIZER = "yaml"
"""Replaces vcrpy's own way of writing YAML, under the name that gives the files their ending."""

FROM_EMULATOR = "Recorded from langchain_kimi.testing's emulator: made by rules, not by OpenRouter and not by Kimi."
FROM_LIVE = "Recorded from OpenRouter."

KEPT_REQUEST_HEADERS = frozenset({"content-type", "accept"})
KEPT_RESPONSE_HEADERS = frozenset({"content-type", "x-generation-id", "retry-after"})
SECRET = re.compile(r"sk-or-[A-Za-z0-9-]{8,}|user_[A-Za-z0-9]{8,}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def vcr_config(record_mode: str = "none") -> dict[str, Any]:
    """Give vcrpy's settings for cassettes of this package: what to redact, what to match, how to write."""
    return {
        "record_mode": record_mode,
        "serializer": SERIALIZER,
        "match_on": ["method", "path", "kimi_body"],
        "allow_playback_repeats": True,
        "decode_compressed_response": True,
        "before_record_request": redact_request,
        "before_record_response": redact_response,
    }


def register(vcr: Any) -> None:
    """Teach a `vcr.VCR` the matcher and the serializer that `vcr_config` names."""
    vcr.register_matcher("kimi_body", match_body)
    vcr.register_serializer(SERIALIZER, CassetteSerializer)


def match_body(recorded: Any, asked: Any) -> None:
    """Compare the bodies of two requests as JSON, whatever the order of keys.

    Random UUIDs are numbered by appearance, and a description's indentation does not count: Python 3.13 takes it out
    of docstrings, older ones leave it in.

    Raises:
        AssertionError: they differ.
    """
    assert canonical_body(recorded.body) == canonical_body(asked.body), "the bodies differ"  # noqa: S101 - vcrpy's way


def canonical_body(body: Any) -> str:
    """Give a request's body in the one form in which two of them are compared."""
    text = body.decode() if isinstance(body, bytes) else str(body or "")
    try:
        content = json.loads(text)
    except ValueError:
        return text
    seen: dict[str, str] = {}
    written = json.dumps(_dedented(content), sort_keys=True, ensure_ascii=False)
    return UUID.sub(lambda uuid: seen.setdefault(uuid[0], f"uuid-{len(seen)}"), written)


def redact_request(request: Any) -> Any:
    """Take the key, the host's port and every header that says nothing about the exchange out of a request."""
    parts = urlsplit(request.uri)
    if parts.hostname != LIVE_HOST:
        request.uri = EMULATOR_HOST + parts.path
    request.headers = {name: value for name, value in request.headers.items() if name.lower() in KEPT_REQUEST_HEADERS}
    if request.body:
        request.body = SECRET.sub("REDACTED", _text(request.body)).encode()
    return request


def redact_response(response: dict[str, Any]) -> dict[str, Any]:
    """Take cookies, account ids and every header that says nothing about the exchange out of a response."""
    headers = response["headers"]
    kept = {name: value for name, value in headers.items() if name.lower() in KEPT_RESPONSE_HEADERS}
    body = response.get("body") or {}
    if isinstance(body, dict) and body.get("string"):
        body = {**body, "string": SECRET.sub("REDACTED", _text(body["string"])).encode()}
    return {**response, "headers": kept, "body": body}


class CassetteSerializer:
    """Writes a cassette as plain YAML that says first where and when it was recorded."""

    @staticmethod
    def serialize(cassette: Mapping[str, Any]) -> str:
        """Write a cassette."""
        hosts = {urlsplit(part["request"]["uri"]).hostname for part in cassette["interactions"]}
        told = {
            "recorded_from": FROM_LIVE if hosts == {LIVE_HOST} else FROM_EMULATOR,
            "recorded_on": datetime.now(UTC).date().isoformat(),
        }
        written: str = yaml.safe_dump({**told, **cassette}, allow_unicode=True, sort_keys=False, width=120)
        return written

    @staticmethod
    def deserialize(text: str) -> Any:
        """Read a cassette."""
        return yaml.safe_load(text)


def _text(body: Any) -> str:
    return body.decode("utf-8", errors="replace") if isinstance(body, bytes) else str(body)


def _dedented(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            key: inspect.cleandoc(value) if key == "description" and isinstance(value, str) else _dedented(value)
            for key, value in content.items()
        }
    return [_dedented(item) for item in content] if isinstance(content, list) else content
