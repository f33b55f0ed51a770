import copy
from typing import Any

import pytest

from langchain_kimi._kimi.schemas import moonshot_schema, schema_notes, with_moonshot_schemas
from langchain_kimi.errors import KimiUsageError

ANYTHING = [{"type": name} for name in ("string", "number", "boolean", "object", "array", "null")]


def root(properties: Any, **others: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **others}


def tool(name: str, parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def test_a_chain_of_references_is_written_out() -> None:
    definitions = {"A": {"$ref": "#/$defs/B", "description": "a"}, "B": {"type": "string"}, "C": {"$ref": "#/$defs/C"}}
    schema = root(
        {"x": {"$ref": "#/$defs/A", "title": "t"}, "y": {"$ref": "#/$defs/C", "title": "t"}}, **{"$defs": definitions}
    )
    sent = moonshot_schema(schema)
    assert sent["properties"]["x"] == {"type": "string", "description": "a", "title": "t"}
    assert sent["properties"]["y"] == {"anyOf": [{"$ref": "#/$defs/C"}], "title": "t"}
    assert sent["$defs"]["A"] == {"type": "string", "description": "a"}


def test_only_changed_tools_are_copied() -> None:
    right, wrong = tool("f", root({"a": {"type": "string"}})), tool("g", root({"a": True}))
    others: list[Any] = [{"type": "openrouter:web_search"}, {"type": "function", "function": {"name": "h"}}]
    before = copy.deepcopy(wrong)
    tools = [right, *others]
    assert with_moonshot_schemas(tools) is tools
    sent = with_moonshot_schemas([right, wrong, *others])
    assert [sent[0], *sent[2:]] == [right, *others]
    assert sent[0] is right
    assert sent[1]["function"]["parameters"]["properties"]["a"] == {"anyOf": ANYTHING}
    assert wrong == before


def test_parameters_that_are_null_become_an_empty_schema() -> None:
    assert with_moonshot_schemas([tool("f", None)]) == [tool("f", root({}))]


def test_the_error_names_the_tool_and_the_property() -> None:
    tools = [tool("f", root({})), tool("search", root({"a": {"type": "array", "items": {"type": "text"}}}))]
    with pytest.raises(KimiUsageError, match=r"the tool search: parameters\.properties\.a\.items has the type 'text'"):
        with_moonshot_schemas(tools)
    with pytest.raises(KimiUsageError, match="the tool f: parameters is not a schema but 5"):
        with_moonshot_schemas([tool("f", 5)])


def test_notes_are_listed_by_tool() -> None:
    tools = [tool("f", root({"a": {"minLength": 1}})), tool("g", root({})), {"type": "openrouter:datetime"}]
    assert schema_notes(tools) == {"f": ["parameters.properties.a: type string added"]}


def test_a_deep_schema_is_sent_with_a_note() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(32):
        schema = root({"a": schema})
    assert moonshot_schema(schema) is schema
    [note] = schema_notes([tool("f", schema)])["f"]
    assert note == "parameters: properties nested 32 deep, more than 30"
