import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from langchain_kimi._kimi.tools import CallValidator, OfferedTools, load_validator

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "array", "items": {"type": "integer"}}},
    "required": ["city"],
    "additionalProperties": False,
}


def validator(schema: Any = SCHEMA) -> CallValidator:
    return CallValidator(
        OfferedTools({"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]})
    )


@pytest.mark.parametrize("arguments", [{"city": "Paris"}, {"city": "", "days": [1, 2]}])
def test_valid_arguments_have_no_error(arguments: dict[str, Any]) -> None:
    checked = validator()
    assert checked.fault("f", arguments) is None
    assert (checked.unknown_tools, checked.mismatches) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, ["'city' is a required property"]),
        ({"city": 1}, ["city: 1 is not of type 'string'"]),
        ({"city": "a", "days": [1, "b"]}, ["days[1]: 'b' is not of type 'integer'"]),
        ({"city": 1, "days": 2, "x": 3}, ["city: 1 is not", "days: 2 is not", "'x' was unexpected"]),
        ({"city": "a", "days": ["a", "b", "c", "d", "e"]}, ["days[2]", "and 2 more"]),
    ],
)
def test_invalid_arguments_are_described(arguments: dict[str, Any], words: list[str]) -> None:
    checked = validator()
    fault = checked.fault("f", arguments)
    assert fault is not None
    assert fault.startswith("The arguments do not match the schema of f: ")
    assert [word for word in words if word not in fault] == []
    assert checked.mismatches == 1


def test_a_renamed_tool_is_described_by_its_own_name() -> None:
    tools = [{"type": "function", "function": {"name": "files_read", "parameters": SCHEMA}}]
    checked = CallValidator(OfferedTools({"tools": tools}), {"files_read": "files.read"})
    assert "the schema of files.read: " in (checked.fault("files_read", {}) or "")
    assert checked.fault("g", {}) == "There is no tool 'g'; offered: files.read."


def test_an_unknown_tool_is_an_error_that_lists_the_offered_tools() -> None:
    checked = validator()
    assert checked.fault("g", {}) == "There is no tool 'g'; offered: f."
    assert checked.unknown_tools == 1
    assert CallValidator(OfferedTools({})).fault("g", {}) == "There is no tool 'g'; offered: none."


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "#/$defs/nowhere"}, {"properties": {"city": 5}}])
def test_a_call_passes_if_its_schema_is_invalid(schema: Any) -> None:
    assert validator(schema).fault("f", {"city": "Paris"}) is None


def test_a_reference_to_a_url_is_not_downloaded() -> None:
    paths: list[str] = []

    class Recorder(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        schema = {"properties": {"city": {"$ref": f"http://127.0.0.1:{server.server_port}/city.json"}}}
        assert validator(schema).fault("f", {"city": 5}) is None
        server.shutdown()
    assert paths == []


def test_a_missing_package_is_an_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(ImportError, match=r"langchain-kimi-openrouter\[validation\]"):
        load_validator()
