"""Settings for recorded exchanges (cassettes) without secrets, which are matched by the content of their bodies.

They are for vcrpy and pytest-recording, which need not be installed for anything else:

    @pytest.fixture
    def vcr_config():
        return cassettes.vcr_config()

    def pytest_recording_configure(config, vcr):
        cassettes.register(vcr)
"""

import inspect
import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import yaml

from langchain_kimi._openrouter.redaction import SECRET_NAME, Redactor

LIVE_HOST = "openrouter.ai"
EMULATOR_HOST = "http://emulator.invalid"
"""Replaces the emulator's address in cassettes, because its port changes with every run."""

SERIALIZER = "yaml"
"""The serializer replaces vcrpy's own under the same name, because the name is the extension of the files."""

FROM_EMULATOR = "Recorded from langchain_kimi.testing's emulator: made by rules, not by OpenRouter and not by Kimi."
FROM_LIVE = "Recorded from OpenRouter."

RECORDED_REQUEST_HEADERS = frozenset({"content-type", "accept"})
RECORDED_RESPONSE_HEADERS = frozenset({"content-type", "x-generation-id", "retry-after"})
_REDACTED = "REDACTED"
_SHORTEST_KEY = 8
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def vcr_config(record_mode: str = "none") -> dict[str, Any]:
    """Return vcrpy's settings for cassettes of this package.

    Args:
        record_mode: vcrpy's record mode: `none`, `once`, `new_episodes` or `all`.
    """
    return {
        "record_mode": record_mode,
        "serializer": SERIALIZER,
        "match_on": ["method", "path", "kimi_body"],
        "decode_compressed_response": True,
        "before_record_request": redact_request,
        "before_record_response": redact_response,
    }


def register(vcr: Any) -> None:
    """Register the matcher and the serializer that `vcr_config` names.

    Args:
        vcr: A `vcr.VCR`.
    """
    vcr.register_matcher("kimi_body", match_body)
    vcr.register_serializer(SERIALIZER, CassetteSerializer)


def match_body(recorded: Any, sent: Any) -> None:
    """Compare the bodies of two requests as JSON. The order of keys does not matter.

    Random UUIDs are numbered by appearance. The indentation of descriptions does not matter, because Python 3.13
    removes it from docstrings and older versions do not.

    Raises:
        AssertionError: The bodies differ.
    """
    assert canonical_body(recorded.body) == canonical_body(sent.body), "the bodies differ"  # noqa: S101 - vcrpy's way


def canonical_body(body: Any) -> str:
    """Return a request's body in a canonical form, for comparisons."""
    text = body.decode() if isinstance(body, bytes) else str(body or "")
    try:
        content = json.loads(text)
    except ValueError:
        return text
    numbers: dict[str, str] = {}
    canonical = json.dumps(_dedented(content), sort_keys=True, ensure_ascii=False)
    return UUID.sub(lambda uuid: numbers.setdefault(uuid[0], f"uuid-{len(numbers)}"), canonical)


def redact_request(request: Any) -> Any:
    """Remove the key, the emulator's port and all headers without meaning for the exchange from a request."""
    keys = _keys_of(request.headers)
    request.uri = _redacted_uri(request.uri, keys)
    request.headers = _redacted_headers(request.headers, RECORDED_REQUEST_HEADERS, keys)
    if request.body:
        request.body = _redacted(_text(request.body), keys).encode()
    return request


def redact_response(response: dict[str, Any]) -> dict[str, Any]:
    """Remove cookies, account ids and all headers without meaning for the exchange from a response."""
    headers = _redacted_headers(response["headers"], RECORDED_RESPONSE_HEADERS)
    body = response.get("body") or {}
    if isinstance(body, dict) and body.get("string"):
        body = {**body, "string": _redacted(_text(body["string"])).encode()}
    return {**response, "headers": headers, "body": body}


class CassetteSerializer:
    """Writes cassettes as plain YAML that begins with the source and the date of the recording."""

    @staticmethod
    def serialize(cassette: Mapping[str, Any]) -> str:
        """Return a cassette as YAML."""
        hosts = {urlsplit(part["request"]["uri"]).hostname for part in cassette["interactions"]}
        origin = {
            "recorded_from": FROM_LIVE if hosts == {LIVE_HOST} else FROM_EMULATOR,
            "recorded_on": datetime.now(UTC).date().isoformat(),
        }
        text: str = yaml.safe_dump({**origin, **cassette}, allow_unicode=True, sort_keys=False, width=120)
        return text

    @staticmethod
    def deserialize(text: str) -> Any:
        """Return the cassette in a YAML text."""
        return yaml.safe_load(text)


def _redacted(text: str, keys: Collection[str] = ()) -> str:
    """Return a text without secrets.

    Args:
        text: The text.
        keys: Keys of any form, from the headers of the request.
    """
    return Redactor(keys, _REDACTED).text(text)


def _keys_of(headers: Mapping[str, Any]) -> list[str]:
    """Return the keys in a request's headers, the longest first."""
    values = [str(value) for name, value in headers.items() if SECRET_NAME.search(name)]
    keys = {value.removeprefix("Bearer ").strip() for value in values}
    return sorted((key for key in keys if len(key) >= _SHORTEST_KEY), key=len, reverse=True)


def _redacted_uri(uri: str, keys: Collection[str]) -> str:
    """Return a URI without secrets and, except for the live service, with a constant host and without its query."""
    parts = urlsplit(uri)
    path = _redacted(parts.path, keys)
    if parts.hostname != LIVE_HOST:
        return EMULATOR_HOST + path
    query = [
        (name, _REDACTED if SECRET_NAME.search(name) else _redacted(value, keys))
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit((parts.scheme, LIVE_HOST, path, urlencode(query), ""))


def _redacted_headers(headers: Mapping[str, Any], names: Collection[str], keys: Collection[str] = ()) -> dict[str, Any]:
    """Return the headers with these names, without secrets in their values."""
    return {
        name: [_redacted(str(one), keys) for one in value] if isinstance(value, list) else _redacted(str(value), keys)
        for name, value in headers.items()
        if name.lower() in names
    }


def _text(body: Any) -> str:
    return body.decode("utf-8", errors="replace") if isinstance(body, bytes) else str(body)


def _dedented(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            key: inspect.cleandoc(value) if key == "description" and isinstance(value, str) else _dedented(value)
            for key, value in content.items()
        }
    return [_dedented(item) for item in content] if isinstance(content, list) else content
