import copy
from typing import Any

import pytest

from langchain_kimi._kimi.schemas import moonshot_schema, with_moonshot_schemas
from langchain_kimi._kimi.tools import load_validator

ANYTHING = [{"type": name} for name in ("string", "number", "boolean", "object", "array", "null")]
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
VALUES: list[Any] = [
    "a",
    "",
    1,
    1.5,
    True,
    None,
    [],
    [1],
    [1, 2],
    [1, 2, 3],
    ["a"],
    ["a"] * 3,
    {},
    {"a": 1},
    {"x": "a"},
    {"x": None},
    {"x": {"a": 1}},
]


def root(properties: Any, **others: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **others}


# name: (property as it is, property as it is sent)
PROPERTIES: dict[str, tuple[Any, Any]] = {
    "true": (True, {"anyOf": ANYTHING}),
    "any with a description": ({"description": "d"}, {"anyOf": ANYTHING, "description": "d"}),
    "enum of texts": ({"enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
    "enum of numbers": ({"enum": [1, 1.5]}, {"type": "number", "enum": [1, 1.5]}),
    "const": ({"const": 1}, {"type": "integer", "const": 1}),
    "const null": ({"const": None}, {"type": "null", "const": None}),
    "list of anything": ({"type": "array", "items": True}, {"type": "array", "items": {"anyOf": ANYTHING}}),
    "type beside branches": (
        {"type": "string", "anyOf": [{"minLength": 1}, {"type": "string", "enum": ["a"]}, {"type": "null"}]},
        {"anyOf": [{"minLength": 1, "type": "string"}, {"type": "string", "enum": ["a"]}]},
    ),
    "types beside branches": (
        {"type": ["string", "null"], "anyOf": [{"type": ["string", "null", "integer"]}, {"type": "null"}]},
        {"anyOf": [{"type": ["string", "null"]}, {"type": "null"}]},
    ),
    "number beside an integer branch": (
        {"type": "number", "anyOf": [{"type": "integer"}]},
        {"anyOf": [{"type": "integer"}]},
    ),
    "reference with a description": (
        {"$ref": "#/$defs/City", "description": "d"},
        {"type": "string", "description": "d", "title": "City"},
    ),
    "reference with the same type": ({"$ref": "#/$defs/City", "type": "string"}, {"type": "string", "title": "City"}),
    "reference to itself with a description": (
        {"$ref": "#/$defs/Node", "description": "d"},
        {"anyOf": [{"$ref": "#/$defs/Node"}], "description": "d"},
    ),
    "branch that is a reference with a description": (
        {"anyOf": [{"$ref": "#/$defs/City", "description": "d"}, {"type": "null"}]},
        {"anyOf": [{"type": "string", "description": "d", "title": "City"}, {"type": "null"}]},
    ),
    "a pair of numbers": (
        {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}], "minItems": 2, "maxItems": 2},
        {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    ),
    "up to two texts": (
        {"type": "array", "prefixItems": [{"enum": ["a"]}, {"enum": ["a"]}], "items": False},
        {"type": "array", "items": {"enum": ["a"]}, "maxItems": 2},
    ),
    "inner property": (root({"a": {"enum": ["x"]}}), root({"a": {"type": "string", "enum": ["x"]}})),
    "inner additional properties": (
        {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": True}}},
        {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"anyOf": ANYTHING}}}},
    ),
}
# Words that only tell a type: read as hosts mean them, although JSON Schema lets other types pass as well.
MEANT = {
    "list without a type": ({"items": {"type": "string"}}, {"type": "array", "items": {"type": "string"}}),
    "object without a type": ({"properties": {}}, {"type": "object", "properties": {}}),
    "text without a type": ({"minLength": 1}, {"type": "string", "minLength": 1}),
    "number without a type": ({"minimum": 1}, {"type": "number", "minimum": 1}),
}
KEPT: dict[str, Any] = {
    "a type": {"type": "string", "description": "d"},
    "a reference alone": {"$ref": "#/$defs/City"},
    "branches": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
    "false": False,
    "mixed enum": {"enum": ["a", 1]},
    "words of two types": {"minLength": 1, "minimum": 1},
    "a reference with other words": {"$ref": "#/$defs/City", "title": "T", "type": "integer"},
    "a reference to nowhere alone": {"$ref": "#/$defs/Nowhere"},
    "a reference to itself with a type": {"$ref": "#/$defs/Node", "type": "object"},
    "a type beside a branch by reference": {"type": "string", "anyOf": [{"$ref": "#/$defs/City"}]},
    "types beside a branch without": {"type": ["string", "null"], "anyOf": [{"minLength": 1}]},
    "a type that no branch has": {"type": "string", "anyOf": [{"type": "null"}]},
    "a type beside a branch that is false": {"type": "string", "anyOf": [False]},
    "a list that goes on": {"type": "array", "prefixItems": [{"type": "string"}]},
    "a list of different items": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "null"}],
        "maxItems": 2,
    },
    "a list that goes on with others": {"prefixItems": [{}], "items": {"type": "string"}, "type": "array"},
    "a list with more room": {"type": "array", "prefixItems": [{"type": "string"}], "maxItems": 2},
    "a list of anything and nothing": {"type": "array", "prefixItems": [False], "maxItems": 1},
    "an enum with null": {"type": ["string", "null"], "enum": ["a", None]},
    "all of": {"allOf": [{"type": "string"}]},
    "no more properties": root({}, additionalProperties=False),
}
DEFINITIONS = {"City": {"type": "string", "title": "City"}, "Node": NODE}


@pytest.mark.parametrize("name", [*PROPERTIES, *MEANT])
def test_rewritten(name: str) -> None:
    original, expected = (PROPERTIES | MEANT)[name]
    schema = root({"x": original}, **{"$defs": DEFINITIONS})
    before = copy.deepcopy(schema)
    sent = moonshot_schema(schema)
    assert sent == root({"x": expected}, **{"$defs": DEFINITIONS})
    assert schema == before
    assert moonshot_schema(sent) is sent


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_meaning_is_the_same(name: str) -> None:
    schema = root({"x": PROPERTIES[name][0]}, **{"$defs": DEFINITIONS})
    validator = load_validator().Draft202012Validator
    old, new = validator(schema), validator(moonshot_schema(schema))
    for value in VALUES:
        assert old.is_valid({"x": value}) == new.is_valid({"x": value}), value


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str) -> None:
    schema = root({"x": KEPT[name]}, **{"$defs": DEFINITIONS})
    assert moonshot_schema(schema) is schema


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, root({})),
        ({"type": "object"}, root({})),
        ({"properties": {"a": {"type": "string"}}}, root({"a": {"type": "string"}})),
        ({"description": "d"}, root({}, description="d")),
        ({"type": "string"}, {"type": "string"}),
        ({"anyOf": [{"type": "object"}]}, {"anyOf": [{"type": "object"}]}),
        ({"$ref": "#", "description": "d"}, {"anyOf": [{"$ref": "#"}], "description": "d"}),
    ],
)
def test_the_root(schema: Any, expected: Any) -> None:
    sent = moonshot_schema(schema)
    assert sent == expected
    assert moonshot_schema(sent) is sent


def test_a_chain_of_references_is_written_out() -> None:
    definitions = {"A": {"$ref": "#/$defs/B", "description": "a"}, "B": {"type": "string"}, "C": {"$ref": "#/$defs/C"}}
    schema = root(
        {"x": {"$ref": "#/$defs/A", "title": "t"}, "y": {"$ref": "#/$defs/C", "title": "t"}}, **{"$defs": definitions}
    )
    sent = moonshot_schema(schema)
    assert sent["properties"]["x"] == {"type": "string", "description": "a", "title": "t"}
    assert sent["properties"]["y"] == {"anyOf": [{"$ref": "#/$defs/C"}], "title": "t"}
    assert sent["$defs"]["A"] == {"type": "string", "description": "a"}


def test_tools() -> None:
    right: Any = {"type": "function", "function": {"name": "f", "parameters": root({"a": {"type": "string"}})}}
    wrong: Any = {"type": "function", "function": {"name": "g", "parameters": root({"a": True})}}
    others: list[Any] = [{"type": "openrouter:web_search"}, {"type": "function", "function": {"name": "h"}}]
    before = copy.deepcopy(wrong)
    tools = [right, *others]
    assert with_moonshot_schemas(tools) is tools
    sent = with_moonshot_schemas([right, wrong, *others])
    assert [sent[0], *sent[2:]] == [right, *others]
    assert sent[0] is right
    assert sent[1]["function"]["parameters"]["properties"]["a"] == {"anyOf": ANYTHING}
    assert wrong == before
