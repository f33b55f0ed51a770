from typing import Any

import pytest

from langchain_kimi._kimi.schema_merging import NEVER
from langchain_kimi._kimi.schema_references import ANYTHING
from langchain_kimi._kimi.schema_rewrites import (
    with_accepted_branches,
    with_declared_properties,
    with_one_item_schema,
    with_single_types,
    with_type,
    with_typed_enum,
)


def always(_schema: Any, _times: int) -> bool:
    return True


STRING, NULL = {"type": "string"}, {"type": "null"}
ACCEPTED: list[dict[str, Any]] = [
    {},
    STRING,
    {"type": "array", "items": STRING},
    {"type": "array", "prefixItems": [True], "maxItems": 1},
    {"type": ["string", "null"]},
    {"type": ["string", "null"], "enum": ["a", None]},
    {"anyOf": [STRING, NULL], "description": "d", "default": None},
    {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
]


@pytest.mark.parametrize("schema", ACCEPTED)
@pytest.mark.parametrize(
    "rewrite", [with_one_item_schema, with_declared_properties, with_typed_enum, with_single_types]
)
def test_accepted_schemas_are_not_changed(schema: dict[str, Any], rewrite: Any) -> None:
    assert rewrite(schema) is schema
    assert with_accepted_branches(schema, is_root=False, may_copy=always) is schema


@pytest.mark.parametrize(("pattern", "expected"), [("^a", ANYTHING), ("^b", STRING), ("[", ANYTHING)])
def test_a_pattern_that_matches_replaces_additional_properties(pattern: str, expected: Any) -> None:
    schema = {"required": ["a"], "patternProperties": {pattern: STRING}, "additionalProperties": STRING}
    assert with_declared_properties(schema)["properties"] == {"a": expected}


def test_an_enum_of_several_types_beside_anyof_keeps_both() -> None:
    schema = {"enum": ["a", 1], "anyOf": [{"minLength": 1}], "allOf": [True]}
    assert with_typed_enum(schema) == {
        "allOf": [True, {"anyOf": [{"minLength": 1}]}],
        "anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}],
    }


def test_an_enum_of_numbers_keeps_its_order() -> None:
    assert with_typed_enum({"enum": [1, 2.5, 3]}) == {"type": "number", "enum": [1, 2.5, 3]}
    assert with_typed_enum({"type": "number", "enum": [1, 2.5, "a"]}) == {"type": "number", "enum": [1, 2.5]}


def test_keywords_of_all_types_stay_beside_the_branches() -> None:
    schema = {"type": ["integer", "array"], "minimum": 1, "items": STRING, "minLength": 1, "not": NULL}
    assert with_single_types(schema) == {
        "minLength": 1,
        "not": NULL,
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "items": STRING}],
    }


@pytest.mark.parametrize(
    ("schema", "typed"),
    [
        ({}, ANYTHING),
        ({"const": None}, {"type": "null", "const": None}),
        ({"pattern": "a"}, {"type": "string", "pattern": "a"}),
        ({"minimum": 1}, {"type": "number", "minimum": 1}),
        ({"minimum": 1, "minLength": 1}, {"minimum": 1, "minLength": 1}),
        ({"x-order": 1}, {"x-order": 1}),
    ],
)
def test_the_type_of_a_property(schema: Any, typed: Any) -> None:
    assert with_type(schema) == typed


def test_the_type_stays_at_the_root() -> None:
    schema = {"type": "object", "anyOf": [{"required": ["a"]}], "properties": {"a": STRING}, "$defs": {}}
    narrowed = {"type": "object", "properties": {"a": STRING}, "required": ["a"]}
    assert with_accepted_branches(schema, is_root=True, may_copy=always) == {
        "type": "object",
        "$defs": {},
        "anyOf": [narrowed],
    }


def test_branches_of_other_types_are_left_out() -> None:
    schema = {"type": "string", "anyOf": [NULL, {"minLength": 1}]}
    assert with_accepted_branches(schema, is_root=False, may_copy=always) == {
        "anyOf": [{"type": "string", "minLength": 1}]
    }
    assert with_accepted_branches({"type": "string", "anyOf": [NULL]}, is_root=False, may_copy=always) == {
        "anyOf": [NEVER]
    }
