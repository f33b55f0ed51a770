from typing import Any

import pytest

from langchain_kimi._openrouter.json_schema import (
    list_of,
    references,
    resolve,
    subschemas,
    type_of,
    types_of,
    walk,
    with_subschemas,
)

STRING = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"anyOf": [STRING, {"$ref": "#/$defs/B"}]}, "properties": True},
    "additionalProperties": False,
    "items": [STRING],
    "not": {"$ref": "#"},
    "enum": [{"$ref": "not a reference"}],
    "$defs": {"B": {"items": STRING}},
    "anyOf": "not a list",
    "patternProperties": "not an object",
}


def test_direct_subschemas_have_paths() -> None:
    assert dict(subschemas(SCHEMA)) == {
        ("properties", "a"): SCHEMA["properties"]["a"],
        ("properties", "properties"): True,
        ("additionalProperties",): False,
        ("items", "0"): STRING,
        ("not",): {"$ref": "#"},
        ("$defs", "B"): {"items": STRING},
    }


def test_the_walk_goes_from_the_root_down_in_order() -> None:
    assert ["/".join(path) for path, _ in walk(SCHEMA)] == [
        "",
        "properties/a",
        "properties/a/anyOf/0",
        "properties/a/anyOf/1",
        "items/0",
        "not",
        "$defs/B",
        "$defs/B/items",
    ]
    assert list(walk("not a schema")) == []


@pytest.mark.uncovered
def test_a_deep_schema_is_walked_without_recursion() -> None:
    schema: dict[str, Any] = {}
    for _ in range(20_000):
        schema = {"items": schema}
    assert sum(1 for _ in walk(schema)) == 20_001


def test_replacing_nothing_returns_the_same_object() -> None:
    assert with_subschemas(SCHEMA, lambda _, inner: inner) is SCHEMA


def test_inner_schemas_are_replaced_in_place() -> None:
    schema = {"properties": {"a": STRING, "b": True}, "anyOf": [STRING, True], "items": STRING, "title": "t"}
    changed = with_subschemas(schema, lambda path, inner: "/".join(path) if inner is STRING else inner)
    assert changed == {
        "properties": {"a": "properties/a", "b": True},
        "anyOf": ["anyOf/0", True],
        "items": "items",
        "title": "t",
    }
    assert list(changed) == list(schema)


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("#", SCHEMA),
        ("#/$defs/B", {"items": STRING}),
        ("#/properties/a/anyOf/0", STRING),
        ("#/%24defs/B", {"items": STRING}),
        ("#/items/9", None),
        ("#/items/x", None),
        ("#/properties/properties", None),
        ("#/title/a", None),
        ("other.json#/$defs/B", None),
        (None, None),
    ],
)
def test_references_are_resolved(reference: Any, target: Any) -> None:
    assert resolve(SCHEMA, reference) == target


def test_escaped_names_are_resolved() -> None:
    assert resolve({"$defs": {"a/b~c": STRING}}, "#/$defs/a~1b~0c") is STRING


def test_references_are_listed() -> None:
    assert list(references(SCHEMA)) == ["#/$defs/B", "#"]


def test_the_types_of_a_schema() -> None:
    assert types_of({"type": "string"}) == ["string"]
    assert types_of({"type": ["string", "null"]}) == ["string", "null"]
    assert types_of({}) == []
    assert list_of({"enum": [1]}, "enum") == list_of({"enum": (1,)}, "enum") == [1]
    assert list_of({"enum": None}, "enum") == list_of({}, "enum") == []
    assert types_of({"type": 5}) == types_of({"type": {"string": True}}) == []


@pytest.mark.parametrize(
    ("value", "name"),
    [(None, "null"), (True, "boolean"), (1, "integer"), (1.5, "number"), ("", "string"), ([], "array"), ({}, "object")],
)
def test_the_type_of_a_value(value: Any, name: str) -> None:
    assert type_of(value) == name
    assert type_of(object()) == "null"
