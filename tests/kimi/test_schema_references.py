from typing import Any

import pytest

from langchain_kimi._kimi.schema_merging import NEVER
from langchain_kimi._kimi.schema_references import ANYTHING, Definitions, endless_reference, with_empty_arrays

STRING = {"type": "string"}
ROOT: dict[str, Any] = {
    "type": "object",
    "properties": {"x": STRING, "a": True},
    "$defs": {"A": STRING, "a/b": {"$ref": "#/$defs/C"}, "": True, "No": False, "C": {"$ref": "#/$defs/a~1b"}},
    "definitions": {"A": {"type": "object", "properties": {"p/q": STRING}, "enum": [["r/s"]]}, "100%": STRING},
}


@pytest.mark.parametrize(
    ("reference", "accepted"),
    [
        ("#", "#"),
        ("#/$defs/A", "#/$defs/A"),
        ("#/definitions/A", "#/$defs/A_2"),
        ("#/$defs/a~1b", "#/$defs/a_b"),
        ("#/$defs/", "#/$defs/definition"),
        ("#/definitions/100%25", "#/$defs/100_"),
        ("#/properties/x", "#/$defs/x"),
        ("#/properties/y", None),
        ("other.json", None),
        ("#anchor", None),
    ],
)
def test_references_in_their_accepted_form(reference: str, accepted: str | None) -> None:
    assert Definitions(ROOT).accepted(reference) == accepted


def test_a_target_elsewhere_becomes_one_definition() -> None:
    definitions = Definitions(ROOT)
    assert definitions.accepted("#/properties/x") == definitions.accepted("#/properties/x") == "#/$defs/x"
    assert definitions.target("#/$defs/x") is STRING


def test_targets() -> None:
    definitions = Definitions(ROOT)
    assert definitions.target("#") == {"type": "object", "properties": ROOT["properties"]}
    assert definitions.target("#/$defs/definition") == ANYTHING
    assert definitions.target("#/$defs/No") == NEVER


def test_recursion_through_other_definitions_is_found() -> None:
    definitions = Definitions(ROOT)
    assert definitions.is_recursive("#/$defs/C")
    assert definitions.is_recursive("#/$defs/a_b")
    assert not definitions.is_recursive("#/$defs/A")


def test_a_definition_that_is_referenced_twice_is_not_recursive() -> None:
    inner = {"$ref": "#/$defs/B"}
    definitions = Definitions({"$defs": {"A": {"properties": {"x": inner, "y": inner}}, "B": STRING}})
    assert not definitions.is_recursive("#/$defs/A")


def test_definitions_with_a_slash_in_a_key_are_inlined() -> None:
    definitions = Definitions(ROOT)
    assert definitions.must_be_inlined("#/$defs/A_2")
    assert not definitions.must_be_inlined("#/$defs/A")
    assert not definitions.must_be_inlined("#")


def test_used_definitions() -> None:
    holder = {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}, "C": {"$ref": "#/$defs/No"}, "D": STRING}
    definitions = Definitions({"items": {"$ref": "#/$defs/A"}, "not": {"$ref": "#/$defs/C"}, "$defs": holder})
    assert [name for name in holder if definitions.is_used(f"#/$defs/{name}")] == ["A", "B", "C"]


LOOP = {"$ref": "#/$defs/Loop"}


def loop(**schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": LOOP}, "required": ["x"], "$defs": {"Loop": schema}}


@pytest.mark.parametrize(
    ("schema", "endless"),
    [
        ({"type": "object"}, None),
        ({"type": "object", "properties": {"x": LOOP}, "$defs": {}}, None),
        ({"type": "object", "properties": {"y": LOOP}, "required": ["x"], "$defs": {"Loop": STRING}}, None),
        ({"type": "object", "properties": {"x": {"oneOf": [LOOP]}, "y": LOOP}, "required": ["x"]}, None),
        ({"type": "object", "properties": {"x": {"not": {}}, "y": {"$ref": "#"}}, "required": ["x", "y"]}, None),
        ({"type": "object", "anyOf": [{"$ref": "#/$defs/Loop"}], "required": ["x"], "$defs": {}}, "#/$defs/Loop"),
        (loop(**STRING), None),
        (loop(type="array"), None),
        (loop(type="array", items=LOOP), "#/$defs/Loop"),
        (loop(type="object", properties={"y": LOOP}), None),
        (loop(type="object", properties={"y": LOOP}, required=["y"]), "#/$defs/Loop"),
        (loop(type="object", properties={"y": LOOP, "z": STRING}, required=["y", "z"]), None),
        (loop(anyOf=[LOOP]), "#/$defs/Loop"),
        (loop(anyOf=[LOOP, {"type": "null"}]), None),
        (loop(oneOf=[LOOP]), None),
        ({"type": "object", "properties": {"x": {"type": "array", "items": {"$ref": "#"}}}, "required": ["x"]}, "#"),
    ],
)
def test_endless_references(schema: Any, endless: str | None) -> None:
    assert endless_reference(schema) == endless


def test_an_array_of_references_is_split_into_an_empty_one_and_others() -> None:
    array = {"type": "array", "items": {"$ref": "#"}}
    split = {"anyOf": [{"type": "array", "maxItems": 0}, array]}
    filled = {**array, "minItems": 1}
    labeled = {**array, "title": "A", "default": []}
    schema = {"properties": {"a": labeled, "b": filled, "c": {"type": "array"}, "d": True}}
    assert with_empty_arrays(schema) == {
        "properties": {"a": {"title": "A", "default": [], **split}, "b": filled, "c": {"type": "array"}, "d": True}
    }
