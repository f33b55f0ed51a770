from typing import Any

import pytest

from langchain_kimi._kimi.schema_merging import NEVER, CannotMergeError, common_types, intersection

STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("outer", "inner", "merged"),
    [
        ({"type": "string"}, {"minLength": 1}, {"type": "string", "minLength": 1}),
        ({"type": ["string", "null"]}, {"type": "string"}, {"type": "string"}),
        ({"type": "number"}, {"type": "integer"}, {"type": "integer"}),
        ({"type": "integer"}, {"type": "number"}, {"type": "integer"}),
        ({"type": "string"}, {"type": "null"}, NEVER),
        ({"enum": [1, True]}, {"enum": [True, 2]}, {"enum": [True]}),
        ({"enum": [1]}, {"enum": [True]}, NEVER),
        ({"minimum": 1, "maxLength": 5}, {"minimum": 2, "maxLength": 7}, {"minimum": 2, "maxLength": 5}),
        ({"required": ["a"]}, {"required": ["b", "a"]}, {"required": ["a", "b"]}),
        ({"description": "a", "default": 1}, {"description": "b"}, {"description": "b", "default": 1}),
        ({"items": STRING}, {"items": {"minLength": 1}}, {"items": {"type": "string", "minLength": 1}}),
        ({"items": True}, {"items": STRING}, {"items": STRING}),
        ({"items": False}, {"items": STRING}, {"items": False}),
        ({"items": STRING}, {"items": False}, {"items": False}),
        ({"properties": {"a": STRING}}, {"properties": {"b": True}}, {"properties": {"a": STRING, "b": True}}),
        (
            {"properties": {"a": STRING}, "additionalProperties": False},
            {"properties": {"b": STRING}},
            {"properties": {"a": STRING, "b": NEVER}, "additionalProperties": False},
        ),
        (
            {"properties": {"a": STRING}},
            {"additionalProperties": {"minLength": 1}},
            {"properties": {"a": {"type": "string", "minLength": 1}}, "additionalProperties": {"minLength": 1}},
        ),
    ],
)
def test_the_intersection_of_two_schemas(outer: Any, inner: Any, merged: Any) -> None:
    assert intersection(outer, inner) == merged


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ({"pattern": "a"}, {"pattern": "b"}),
        ({"anyOf": [STRING]}, {"anyOf": [{"type": "null"}]}),
        ({"properties": {"a": STRING}}, {"properties": {}, "patternProperties": {"^a": STRING}}),
        ({"items": STRING}, {"items": [STRING]}),
        ({"items": []}, {"items": STRING}),
    ],
)
def test_other_schemas_cannot_be_merged(outer: Any, inner: Any) -> None:
    with pytest.raises(CannotMergeError):
        intersection(outer, inner)


def test_an_integer_is_a_number() -> None:
    assert common_types(["number", "null"], ["integer", "string"]) == ["integer"]
    assert common_types(["integer"], ["number"]) == ["integer"]
    assert common_types(["integer"], ["integer", "number"]) == ["integer"]


def test_members_of_enums_are_compared_as_json() -> None:
    outer = {"enum": [{"a": [1, True]}, [1.0], 1, "a"]}
    inner = {"enum": [{"a": [1.0, True]}, {"a": [1, 1]}, [1], True, "a"]}
    assert intersection(outer, inner) == {"enum": [{"a": [1.0, True]}, [1], "a"]}
