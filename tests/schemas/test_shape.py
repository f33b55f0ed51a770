from typing import Any

import pytest

from langchain_kimi._schemas.output import SchemaMismatchError, matches_outermost, missing_keys, output_schema

STRING, NULL = {"type": "string"}, {"type": "null"}
OBJECT = {"type": "object", "required": ["a"]}
LOOP = {"$ref": "#/$defs/Loop"}
ROOT = {"$defs": {"Text": STRING, "Loop": LOOP, "Either": {"anyOf": [OBJECT, {"$ref": "#/$defs/Text"}]}}}


@pytest.mark.parametrize(
    ("schema", "fitting", "others"),
    [
        ({"type": "array"}, [[], [None]], [None, {}, "", 0]),
        ({"type": "string"}, [""], [None, 1, [], True]),
        ({"type": "integer"}, [1, 2.0, 10**400], [1.5, True, "1", None, float("inf"), float("nan")]),
        ({"type": "number"}, [1, 1.5], [False, "1", None]),
        ({"type": "boolean"}, [True], [1, None]),
        ({"type": ["object", "null"]}, [{}, None], [[], ""]),
        ({"type": "something"}, [1, None], []),
        ({"enum": ["a", 1, None]}, ["a", 1, None], ["b", True, [], 0]),
        ({"const": 1}, [1], [True, None, "1"]),
        ({"anyOf": [STRING, NULL]}, ["", None], [1, {}]),
        ({"oneOf": [OBJECT, STRING]}, [{"a": 1}, ""], [{}, None]),
        ({"allOf": [STRING, {"enum": ["a", 1]}]}, ["a"], ["b", 1, None]),
        ({"$ref": "#/$defs/Text"}, [""], [None]),
        ({"$ref": "#/$defs/Either"}, ["", {"a": 1}], [None, {}]),
        ({"$ref": "elsewhere.json"}, [None, 1], []),
        (LOOP, [None, 1], []),
        (True, [None, 1], []),
        (False, [], [None, 1]),
    ],
)
def test_matching_and_other_values(schema: Any, fitting: list[Any], others: list[Any]) -> None:
    assert [value for value in fitting if not matches_outermost(schema, value, ROOT)] == []
    assert [value for value in others if matches_outermost(schema, value, ROOT)] == []


def test_missing_required_keys_are_listed() -> None:
    assert missing_keys({"required": ["a", "b"]}, {"b": None}) == ["a"]
    assert missing_keys({}, {}) == []


@pytest.mark.parametrize(
    "schema", [{"type": "array", "items": STRING}, {"enum": ["a", "b"]}, {"anyOf": [STRING, OBJECT]}]
)
def test_null_does_not_match_a_schema_that_does_not_allow_it(schema: Any) -> None:
    with pytest.raises(SchemaMismatchError, match=r"does not have the type or value.*NoneType"):
        output_schema(schema).validated(None)
    assert output_schema({"anyOf": [schema, NULL]}).validated(None) is None
