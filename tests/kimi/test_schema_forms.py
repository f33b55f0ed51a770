from typing import Any

import pytest

from langchain_kimi._kimi.schema_forms import in_common_form
from tests.growth import assert_linear

STRING = {"type": "string"}


def obj(properties: Any, **others: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **others}


@pytest.mark.parametrize(
    ("schema", "common"),
    [
        ({"type": "Integer"}, {"type": "integer"}),
        ({"type": ["STRING", "float"]}, {"type": ["string", "number"]}),
        ({"type": "any", "description": "d"}, {"description": "d"}),
        ({"type": "array", "items": {"type": "dict"}}, {"type": "array", "items": {"type": "object"}}),
        ({"description": 1.5}, {"description": "1.5"}),
        ({"description": ["a", "b"]}, {"description": "a\nb"}),
        ({"additionalProperties": []}, {"additionalProperties": {}}),
        (obj({"a": STRING}, patternProperties=[]), obj({"a": STRING}, patternProperties={})),
        ({"default": {"$ref": "a"}, "x-a": [{"$ref": "a"}], "x-b": 1}, {"x-b": 1}),
    ],
)
def test_a_keyword_in_another_form(schema: dict[str, Any], common: dict[str, Any]) -> None:
    assert in_common_form(schema) == common


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "description": "d", "default": {"a": ["b"]}, "x-a": "b"},
        {"type": "date", "description": {}},
        {"type": [1, None], "$ref": 1},
        {"type": 1, "properties": [1]},
        obj({"type": {"type": "string"}, "$ref": {"type": "string"}}),
        obj({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": STRING}}),
        obj({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {}}),
        obj({"a": {"$ref": "other.json"}, "b": True}),
        obj({"a": {"$ref": "#/definitions/A/b"}}, definitions={"A": STRING}),
        obj({"a": {"$ref": "#/other/A"}}, **{"$defs": {"A": STRING}}),
        obj({"a": {"$ref": "#missing"}}),
    ],
)
def test_other_schemas_are_not_changed(schema: dict[str, Any]) -> None:
    assert in_common_form(schema) is schema


@pytest.mark.parametrize(
    ("reference", "pointer"),
    [
        ("", "#"),
        ("https://a.example/b", "#"),
        ("https://a.example/b#/$defs/A", "#/$defs/A"),
        ("b#/$defs/A", "#/$defs/A"),
        ("#name", "#/$defs/A"),
        ("inner", "#/$defs/In~1ner"),
        ("https://a.example/inner#/properties/p", "#/$defs/In~1ner/properties/p"),
        ("#/definitions/A", "#/$defs/A"),
        ("#/$defs/Deep", "#/properties/x/definitions/Deep"),
        ("#/$defs/Twice", "#/properties/x/definitions/Twice"),
        ("#/$defs/Different", None),
    ],
)
def test_references(reference: str, pointer: str | None) -> None:
    deep = {"Deep": STRING, "Twice": STRING, "Different": STRING}
    schema = obj(
        {"x": obj({}, definitions=deep), "y": obj({}, **{"$defs": {"Twice": STRING, "Different": {}}})},
        additionalProperties={"$ref": reference},
        **{
            "$id": "https://a.example/b",
            "$defs": {"A": {"$anchor": "name", **STRING}, "In/ner": {"id": "inner", **obj({"p": STRING})}},
        },
    )
    assert in_common_form(schema)["additionalProperties"] == {"$ref": reference if pointer is None else pointer}


def test_many_references_by_name_take_linear_time() -> None:
    def schema(size: int) -> dict[str, Any]:
        names = [f"n{number}" for number in range(size)]
        references = {name: {"$ref": f"#{name}"} for name in names}
        return obj(references, **{"$defs": {name: {"$anchor": name, **STRING} for name in names}})

    assert_linear(lambda size: in_common_form(schema(size)), 200)


def test_several_references_are_read_from_one_list() -> None:
    schema = obj({"a": {"$ref": "#first"}, "b": {"$ref": "#second"}})
    schema["$defs"] = {"A": {"$anchor": "first", **STRING}, "B": {"$anchor": "second", **STRING}}

    assert in_common_form(schema)["properties"] == {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/B"}}
