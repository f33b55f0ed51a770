import datetime as dt
import enum
from typing import Any, Literal

import pydantic
import pytest

from langchain_kimi.testing import prompts, schema_values

PROMPT = (
    "Book 2 rooms in Oslo for 'Ada Lovelace' at 99.5 on 2026-05-06, mail ada@example.org, see https://a.example/b. Red!"
)


def filled(schema: dict[str, Any], prompt: str = PROMPT) -> Any:
    return schema_values.fill(schema, prompts.read(prompt))


def named(schema: dict[str, Any], prompt: str = PROMPT) -> Any:
    """Return the value of the schema as a property named `it`."""
    return filled({"type": "object", "properties": {"it": schema}, "required": ["it"]}, prompt)["it"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 2),
        ({"type": "number"}, 2),
        ({"type": "number", "minimum": 50}, 99.5),
        ({"type": "integer", "minimum": 50}, 50),
        ({"type": "integer", "exclusiveMinimum": 100, "maximum": 102}, 101),
        ({"type": "number", "maximum": 0}, 0),
        ({"type": "string"}, "Ada Lovelace"),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 2),
        ({"type": ["null"]}, None),
        ({"const": 7}, 7),
        ({"enum": ["blue", "red"]}, "red"),
        ({"enum": [None, "green"]}, "green"),
        ({"type": "string", "format": "date"}, "2026-05-06"),
        ({"type": "string", "format": "email"}, "ada@example.org"),
        ({"type": "string", "format": "uri"}, "https://a.example/b"),
        ({"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-000000000000"),
        ({"type": "string", "format": "unheard-of"}, "text"),
        ({"type": "string", "maxLength": 3}, "Ada"),
        ({"type": "string", "minLength": 14}, "Ada Lovelace.."),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 2),
        ({"oneOf": [{"type": "null"}]}, None),
        ({"allOf": [{"properties": {"a": {"type": "integer"}}}, {"required": ["a"]}]}, {"a": 2}),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 1}, [2]),
        ({"type": "array", "items": {"type": "number"}}, [2, 99.5]),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 3}, [True] * 3),
        ({"type": "array"}, ["Ada Lovelace"]),
        ({"prefixItems": [{"type": "integer"}, {"type": "null"}]}, [2, None]),
        ({"items": {"type": "null"}}, [None]),
        ({"properties": {}}, {}),
        ({"type": "object"}, {}),
        (True, "Ada Lovelace"),
    ],
)
def test_values_match_the_schema(schema: Any, value: Any) -> None:
    assert named(schema) == value


def test_each_fact_is_used_once() -> None:
    properties = {name: {"type": "integer"} for name in ("a", "b", "c")}
    assert filled({"type": "object", "properties": properties}, "3 + 4") == {"a": 3, "b": 4, "c": 1}


def test_strings_depend_on_the_property_name() -> None:
    properties = {name: {"type": "string"} for name in ("city", "query", "guest", "note", "town")}
    value = filled({"type": "object", "properties": properties})
    assert value["city"] == "Oslo"
    assert value["query"] == PROMPT
    assert value["guest"] == "Ada Lovelace"
    assert value["note"] == f"note: {PROMPT}"
    assert value["town"]


def test_only_required_or_named_properties_are_filled() -> None:
    properties = {name: {"type": "integer"} for name in ("rooms", "beds", "mail")}
    assert filled({"type": "object", "properties": properties, "required": ["beds"]}) == {
        "rooms": 2,
        "beds": 1,
        "mail": 1,
    }


def test_recursive_schemas_end() -> None:
    class Node(pydantic.BaseModel):
        name: str
        left: "Node | None"
        children: list["Node"]

    value = filled(Node.model_json_schema(), "Grow 'a' and 'b'")
    Node.model_validate(value)
    assert value["children"]


def test_values_are_valid() -> None:
    class Color(enum.Enum):
        RED = "red"
        BLUE = "blue"

    class Guest(pydantic.BaseModel):
        name: str = pydantic.Field(min_length=3, max_length=20)
        color: Color

    class Booking(pydantic.BaseModel):
        guests: list[Guest] = pydantic.Field(min_length=2)
        day: dt.date
        moment: dt.datetime
        kind: Literal["double", "single"]
        price: float = pydantic.Field(gt=10)
        pair: tuple[int, str]
        main: Guest | None
        extras: dict[str, int] = {}

    Booking.model_validate(filled(Booking.model_json_schema()))


def test_schemas_with_a_place() -> None:
    assert schema_values.wants_place({"properties": {"start_location": {}}})
    assert not schema_values.wants_place({"properties": {"name": {}}})
    assert not schema_values.wants_place({})
