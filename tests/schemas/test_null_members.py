"""Members of tools and response formats that are null."""

from typing import Any

import pytest

from langchain_kimi._schemas.output import output_schema
from langchain_kimi._schemas.tools import response_format_to_wire, tools_to_wire

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {"name": "ping", "parameters": None}},
        {"name": "ping", "parameters": None},
        {"name": "ping", "input_schema": None},
    ],
)
def test_a_schema_that_is_null_is_one_of_an_empty_object(tool: Any) -> None:
    [wire] = tools_to_wire([tool], strict=None)
    assert wire["function"] == {"name": "ping", "parameters": {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {"name": "ping", "description": None, "parameters": SCHEMA, "strict": None}},
        {"type": "function", "function": {"name": "ping", "parameters": SCHEMA}, "cache_control": None},
        {"type": "function", "name": "ping", "description": None, "parameters": SCHEMA, "strict": None},
        {"name": "ping", "description": None, "parameters": SCHEMA},
        {"name": "ping", "description": None, "input_schema": SCHEMA, "cache_control": None},
        {"title": "ping", "description": None, **SCHEMA},
    ],
)
def test_members_of_a_tool_that_are_null_are_left_out(tool: Any) -> None:
    expected = {"type": "function", "function": {"name": "ping", "parameters": SCHEMA}}
    assert tools_to_wire([tool], strict=None) == [expected]
    assert tools_to_wire([tool], strict=False)[0]["function"]["strict"] is False
    assert output_schema(tool).tool() == expected


def test_members_of_a_response_format_that_are_null_are_left_out() -> None:
    json_schema = {"name": "ping", "description": None, "schema": SCHEMA, "strict": None}
    expected = {"type": "json_schema", "json_schema": {"name": "ping", "schema": SCHEMA}}
    assert response_format_to_wire({"type": "json_schema", "json_schema": json_schema}, None) == expected
    assert response_format_to_wire(json_schema, None) == expected
