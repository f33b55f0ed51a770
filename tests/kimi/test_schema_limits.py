from typing import Any

import pytest

from langchain_kimi._kimi.schema_limits import limits_exceeded, problems_of, size_of


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"properties": []}, "has [] as properties"),
        ({"type": "date"}, "has the type 'date', which JSON Schema does not have"),
        ({"type": []}, "has the type [], which JSON Schema does not have"),
        ({"anyOf": []}, "has an empty anyOf"),
        ({"required": [1]}, "requires a property whose name is not a string"),
        ({"anyOf": ["a"]}, "has 'a' as a branch of anyOf"),
    ],
)
def test_a_value_that_is_not_allowed(schema: dict[str, Any], problem: str) -> None:
    assert list(problems_of(schema)) == [problem]


def test_allowed_values() -> None:
    assert list(problems_of({"type": ["string", "null"], "anyOf": [True, {}], "required": ["a"]})) == []


def test_many_properties_exceed_a_limit() -> None:
    schema: dict[str, Any] = {"properties": {f"p{number}": {} for number in range(3001)}}
    assert list(limits_exceeded(schema)) == ["parameters: 3001 properties, more than 3000"]


def test_a_large_schema_exceeds_a_limit() -> None:
    assert list(limits_exceeded({"description": "a" * 120_000})) == ["parameters: 120018 bytes, more than 120000"]


def test_a_reserved_name() -> None:
    [note] = limits_exceeded({"properties": {"x": {"properties": {"$ref": {}}}}})
    assert note == "parameters.properties.x: a required property has the reserved name $ref"


def test_the_size_is_that_of_json_without_spaces() -> None:
    assert size_of({"a": "é", "b": 1}) == len('{"a":"é","b":1}'.encode())
