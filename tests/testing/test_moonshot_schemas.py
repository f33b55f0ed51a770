from typing import Any

import pytest

from langchain_kimi.testing.moonshot_schemas import check_moonshot_schemas, schema_fault
from langchain_kimi.testing.rejections import RejectedRequestError

STRING = {"type": "string"}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = STRING
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def parameters(**properties: Any) -> list[dict[str, Any]]:
    definitions = {"D": STRING, "E": {"anyOf": [{"type": "string", "minLength": 1}]}, "N": nested(30)}
    schema = {"type": "object", "properties": properties, "$defs": definitions}
    return [{"type": "function", "function": {"name": "weather", "parameters": schema}}]


@pytest.mark.parametrize(
    "schema",
    [
        STRING,
        {"anyOf": [STRING, {"type": "null"}]},
        {"$ref": "#/$defs/D"},
        {"type": "array", "items": STRING},
        {"type": "string", "enum": ["a"]},
    ],
)
def test_accepted(schema: dict[str, Any]) -> None:
    check_moonshot_schemas([*parameters(city=schema), {"type": "openrouter:datetime"}])
    check_moonshot_schemas([{"type": "function", "function": {"name": "weather"}}])


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"anyOf": [STRING], "type": "string"}, "type should be defined in anyOf items"),
        ({"$ref": "#/$defs/D", "type": "string"}, "type should be defined in the referenced schema"),
        ({"$ref": "#/$defs/D", "enum": ["a"]}, "type is not defined"),
        ({"$ref": "#/$defs/E", "anyOf": [STRING]}, "conflicting keywords after $ref expansion: anyOf"),
        ({"$ref": "#/$defs/D", "anyOf": [{"minLength": 1}]}, "type should be defined in anyOf items"),
        ({"$ref": "#/$defs/E", "minLength": 1}, "conflicting keywords in anyOf after $ref expansion"),
        ({"$ref": "#/$defs/N"}, "schema depth exceeds maximum limit of 30"),
        ({"$ref": "#/$defs/X"}, "invalid $ref path"),
        ({"$ref": "#/properties/city"}, "references must start with #/$defs/"),
        ({"type": "array", "items": [STRING]}, "city.items': wrong type of value"),
        ({"type": "string", "enum": ["a", None]}, "enum value (None) does not match any type"),
        (True, "property schema for 'city' must be an object"),
        ({"type": "array", "items": {"anyOf": [{"enum": ["a"]}]}}, "city.items.anyOf{0}': type is not defined"),
        ({"anyOf": [{"type": "object", "required": ["a"]}]}, "required property 'a' is not defined in properties"),
    ],
)
def test_refused(schema: Any, fault: str) -> None:
    with pytest.raises(RejectedRequestError) as refused:
        check_moonshot_schemas([{"type": "openrouter:datetime"}, *parameters(city=schema)])
    raw = str((refused.value.metadata or {})["raw"])
    assert fault in raw
    assert "tools.1.function.parameters" in raw


@pytest.mark.parametrize("schema", [None, {}, {"type": "string"}, {"properties": {}}])
def test_the_root_needs_the_type_object(schema: Any) -> None:
    with pytest.raises(RejectedRequestError) as refused:
        check_moonshot_schemas([{"type": "function", "function": {"name": "weather", "parameters": schema}}])
    assert "parameters.type is required" in str(refused.value.metadata)


def node(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


LOOP = {"$ref": "#/$defs/Loop"}


def test_a_required_property_without_a_type_is_accepted() -> None:
    assert schema_fault(node(["a"], a={"oneOf": [STRING]})) is None


@pytest.mark.parametrize(
    ("loop", "ends"),
    [
        (node([], next=LOOP), True),
        (node(["next"], next=LOOP), False),
        (node(["next", "name"], next=LOOP, name=STRING), True),
        (node(["next"], next={"anyOf": [LOOP, {"type": "null"}]}), True),
        (node(["next"], next={"anyOf": [LOOP]}), False),
        (node(["next"], next={"type": "array", "items": LOOP}), False),
        (node(["next"], next={"type": "array"}), True),
        (node(["next"], next={}), True),
        (node(["next"], next={"type": ["object", "null"]}), True),
    ],
)
def test_recursion_needs_an_end(loop: Any, *, ends: bool) -> None:
    schema = {**node(["first"], first=LOOP), "$defs": {"Loop": loop}}
    assert (schema_fault(schema) is None) == ends
