from typing import Any, NotRequired, TypedDict

import pytest
from langchain_core.tools import StructuredTool
from langchain_core.tools import tool as make_tool
from pydantic import BaseModel

from langchain_kimi._schemas.tools import tools_to_wire
from tests.schemas.cases import Node, TreeDict

STRING = {"type": "string"}


class Search(BaseModel):
    """Search."""

    query: str
    limit: int | None = None


class SearchDict(TypedDict):
    """Search."""

    query: str
    limit: NotRequired[int]


def search(query: str, limit: int | None = None) -> str:
    """Search."""
    return query


TOOLS = [
    Search,
    search,
    make_tool(search),
    StructuredTool.from_function(search),
    {"title": "search", **Search.model_json_schema()},
]


def function(tool: Any, *, strict: bool | None) -> Any:
    return tools_to_wire([tool], strict=strict)[0]["function"]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_strict_tool_requires_nullable_properties(tool: Any) -> None:
    strict = function(tool, strict=True)
    parameters = strict["parameters"]
    assert strict["strict"] is True
    assert (parameters["required"], parameters["additionalProperties"]) == (["query", "limit"], False)
    assert parameters["properties"]["limit"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert function(tool, strict=False)["strict"] is False
    assert "strict" not in function(tool, strict=None)


def test_a_tool_that_cannot_be_strict_warns_with_the_reason() -> None:
    free = {"title": "note", "type": "object", "properties": {"pairs": {"type": "object"}}}
    for tool in (free, {"type": "function", "function": {"name": "note", "parameters": free}}):
        with pytest.warns(UserWarning, match="strict is not sent for note, .* free keys at pairs"):
            assert "strict" not in function(tool, strict=True)


@pytest.mark.parametrize("tool", [Node, TreeDict])
def test_a_tool_keeps_recursive_definitions(tool: Any) -> None:
    parameters = function(tool, strict=None)["parameters"]
    items = parameters["properties"]["children"]["items"]
    assert items == {"$ref": f"#/$defs/{tool.__name__}"}
    assert parameters["$defs"][tool.__name__]["properties"]["name"] == {**STRING}


def test_an_optional_key_is_not_required() -> None:
    parameters = function(SearchDict, strict=None)["parameters"]
    assert parameters["required"] == ["query"]
    assert set(parameters["properties"]) == {"query", "limit"}
