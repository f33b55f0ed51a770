"""Tools whose schemas were written for other providers, or by servers in other languages, can be called."""

from typing import Any

import pytest
from langchain_core.tools import StructuredTool

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, ToolCall
from langchain_kimi.testing.moonshot_schemas import schema_fault
from tests.chat.asking import WAYS, Way, ask

STRING = {"type": "string"}
CITY = {"type": "object", "properties": {"name": {"$ref": "#/$defs/Name"}}, "$defs": {"Name": STRING}}
SCHEMAS: dict[str, dict[str, Any]] = {
    "google": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER"}}},
    "python": {"type": "dict", "properties": {"city": {"type": "str"}, "other": {"type": "any"}}},
    "php": {"type": "object", "properties": [], "definitions": []},
    "go": {"$id": "https://a.example/b", "$ref": "https://a.example/b#/$defs/A", "$defs": {"A": CITY, "Name": STRING}},
    "embedded": {"type": "object", "properties": {"city": CITY}},
    "anchors": {"type": "object", "properties": {"a": {"$anchor": "a", **STRING}, "b": {"$ref": "#a"}}},
    "nulls": {"type": "object", "properties": {"a": {**STRING, "oneOf": None}}, "patternProperties": None},
    "property": {"type": "object", "properties": {"$ref": STRING}},
    "example": {"type": "object", "properties": {"a": {**STRING, "default": {"$ref": "b"}}}},
    "unused": {"type": "object", "properties": {"a": STRING}, "$defs": {"A": {"type": "file"}}},
}
TOOLS: dict[str, Any] = {
    "of LangChain": lambda name, schema: StructuredTool(
        name=name, description="A tool.", args_schema=schema, func=dict
    ),
    "as a dict": lambda name, schema: {"type": "function", "function": {"name": name, "parameters": schema}},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TOOLS)
async def test_a_tool_with_a_foreign_schema(openrouter: Emulator, model: ChatKimi, kind: str, way: Way) -> None:
    bound = model.bind_tools([TOOLS[kind](name, schema) for name, schema in SCHEMAS.items()])
    openrouter.script(Reply(tool_calls=[ToolCall("google", {"city": "Paris"})]))
    message = await ask(bound, way)
    assert [call["args"] for call in message.tool_calls] == [{"city": "Paris"}]
    sent = {tool["function"]["name"]: tool["function"]["parameters"] for tool in openrouter.bodies[-1]["tools"]}
    assert {name: schema_fault(schema) for name, schema in sent.items()} == dict.fromkeys(SCHEMAS)
    assert sent["google"]["properties"] == {"city": STRING, "days": {"type": "integer"}}
    assert sent["go"]["properties"] == {"name": {"$ref": "#/$defs/Name"}}
