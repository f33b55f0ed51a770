from typing import Any, NotRequired, TypedDict

import pytest
from langchain_core.tools import StructuredTool, tool
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
    tool(search),
    StructuredTool.from_function(search),
    {"title": "search", **Search.model_json_schema()},
]


def function(given: Any, *, strict: bool | None) -> Any:
    return tools_to_wire([given], strict=strict)[0]["function"]


@pytest.mark.parametrize("given", TOOLS)
def test_a_strict_tool_requires_what_may_be_null(given: Any) -> None:
    strict = function(given, strict=True)
    parameters = strict["parameters"]
    assert strict["strict"] is True
    assert (parameters["required"], parameters["additionalProperties"]) == (["query", "limit"], False)
    assert parameters["properties"]["limit"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert function(given, strict=False)["strict"] is False
    assert "strict" not in function(given, strict=None)


def test_a_tool_that_cannot_be_strict_says_why() -> None:
    free = {"title": "note", "type": "object", "properties": {"pairs": {"type": "object"}}}
    for given in (free, {"type": "function", "function": {"name": "note", "parameters": free}}):
        with pytest.warns(UserWarning, match="strict is not sent for note, .* free keys at pairs"):
            assert "strict" not in function(given, strict=True)


@pytest.mark.parametrize("given", [Node, TreeDict])
def test_a_tool_keeps_what_is_recursive(given: Any) -> None:
    parameters = function(given, strict=None)["parameters"]
    items = parameters["properties"]["children"]["items"]
    assert items == {"$ref": f"#/$defs/{given.__name__}"}
    assert parameters["$defs"][given.__name__]["properties"]["name"] == {**STRING}


def test_a_key_that_may_be_missing_is_not_required() -> None:
    parameters = function(SearchDict, strict=None)["parameters"]
    assert parameters["required"] == ["query"]
    assert set(parameters["properties"]) == {"query", "limit"}
