import threading
import typing
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, NewType, TypedDict

import pytest
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, ConfigDict, RootModel, field_validator
from pydantic.v1 import BaseModel as BaseModelV1

from langchain_kimi._schemas.output import ANY_OBJECT, SchemaMismatchError, output_schema, wire_name
from langchain_kimi.errors import KimiUsageError
from tests.structured.cases import ADA, PERSON_SCHEMA, Color, Person, Strict

PARAMETERS = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
FUNCTION = {"name": "Person", "description": "A person.", "parameters": PARAMETERS}


class PersonV1(BaseModelV1):
    """A person."""

    class Config:
        title = "Person"

    name: str
    age: int


def person_dict() -> Any:
    class Person(TypedDict):
        """A person."""

        name: str
        age: int

    return Person


PersonDict = person_dict()


def person_function(name: str, age: int) -> None:
    """A person."""


person_function.__name__ = "Person"


class Loose(TypedDict, total=False):
    name: str
    age: int


class WithDefault(TypedDict):
    name: Annotated[str, ..., "who"]
    age: Annotated[int | None, None, "how old"]


class Unwritable(TypedDict):
    name: Iterator[str]
    tool: threading.Lock


class Numbers(RootModel[list[int]]):
    """Some numbers."""


class People(RootModel[list[Person]]):
    pass


class Pair(BaseModel):
    model_config = ConfigDict(title="A pair: two")
    left: int
    right: int


class Picky(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def short(cls, name: str) -> str:
        if len(name) > 3:
            raise ValueError(f"not {name}")
        return name


class Many(BaseModel):
    numbers: list[int]


@pytest.mark.parametrize(
    "schema",
    [
        Person,
        person_function,
        PersonV1,
        PersonDict,
        PERSON_SCHEMA,
        FUNCTION,
        {"type": "function", "function": FUNCTION},
        {"type": "json_schema", "json_schema": {"name": "Person", "description": "A person.", "schema": PARAMETERS}},
        {"name": "Person", "description": "A person.", "schema": PARAMETERS},
        {"name": "Person", "description": "A person.", "input_schema": PARAMETERS},
        {"toolSpec": {"name": "Person", "description": "A person.", "inputSchema": {"json": PARAMETERS}}},
        {"title": "Person", "description": "A person.", **PARAMETERS},
    ],
)
def test_every_kind_of_schema_is_one_function(schema: Any) -> None:
    tool = output_schema(schema).tool()["function"]
    properties = tool["parameters"]["properties"]
    assert (tool["name"], tool["description"]) == ("Person", "A person.")
    assert {key: value["type"] for key, value in properties.items()} == {"name": "string", "age": "integer"}
    assert tool["parameters"]["required"] == ["name", "age"]
    assert output_schema(schema).is_object


@pytest.mark.parametrize("schema", [Person, PersonV1, PersonDict, PERSON_SCHEMA, WithDefault, Pair, Numbers])
def test_the_traced_schema_equals_the_one_that_langchain_makes(schema: Any) -> None:
    traced = {"type": "function", "function": output_schema(schema).function}
    assert convert_to_json_schema(traced) == convert_to_json_schema(schema)


def test_the_schema_passed_in_is_not_changed() -> None:
    schema = {"title": "Person", **PARAMETERS, "properties": {"name": {"type": "string", "title": "N"}}}
    before = repr(schema)
    output_schema(schema).response_format(strict=True)
    assert repr(schema) == before


def test_a_json_schema_needs_no_title() -> None:
    assert output_schema(PARAMETERS).tool()["function"] == {"name": "output", "parameters": PARAMETERS}


def test_a_function_without_parameters_gets_an_empty_schema() -> None:
    assert output_schema({"name": "ping"}).tool()["function"]["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize("schema", [{}, {"a": 1}, {"title": "T"}, Unwritable, 5, {"toolSpec": {}}])
def test_an_object_that_is_not_a_schema_is_refused(schema: Any) -> None:
    with pytest.raises(KimiUsageError, match="schema"):
        output_schema(schema)


OF_VALUES: list[Any] = [Color, list[int], dict[str, int], set[int], list, int, bool, type(None), int | None, Any]
OF_VALUES += [Literal["a"], Annotated[int, "a note"], NewType("Size", int), typing.List[int]]  # noqa: UP006 - the old form


@pytest.mark.parametrize("schema", OF_VALUES)
def test_the_error_for_other_types_names_root_model(schema: Any) -> None:
    with pytest.raises(KimiUsageError, match="RootModel"):
        output_schema(schema)
    assert output_schema(RootModel[schema]).model is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Person", "Person"), ("Box[int]", "Box_int_"), ("A pair: two", "A_pair__two"), ("é", "_"), ("", "output")],
)
def test_names_are_made_valid(name: str, expected: str) -> None:
    assert wire_name(name) == expected
    assert len(wire_name(name * 99)) <= 64


def test_a_title_with_spaces_is_traced_unchanged_and_sent_as_a_valid_name() -> None:
    pair = output_schema(Pair)
    assert pair.function["name"] == "A pair: two"
    assert pair.tool()["function"]["name"] == pair.response_format(strict=None)["json_schema"]["name"] == "A_pair__two"


@pytest.mark.parametrize(
    ("schema", "value", "fitted"),
    [
        (Person, ADA, Person(**ADA)),
        (PersonDict, ADA, ADA),
        (Loose, {}, {}),
        (Loose, {"other": 1}, {"other": 1}),
        (WithDefault, {"name": "Ada"}, {"name": "Ada"}),
        (Strict, {"day": "2025-11-23", "color": "red"}, Strict(day=date(2025, 11, 23), color=Color.RED)),
        (Numbers, {"root": [1, 2]}, Numbers([1, 2])),
        (Numbers, [1, 2], Numbers([1, 2])),
        (People, [ADA], People([Person(**ADA)])),
        (RootModel[Person], ADA, RootModel[Person](Person(**ADA))),
        (RootModel[dict[str, int]], {"root": 1}, RootModel[dict[str, int]]({"root": 1})),
        (RootModel[Person | int], {"root": 5}, RootModel[Person | int](5)),
        (RootModel[Color], "red", RootModel[Color](Color.RED)),
        ({"type": "array", "items": {}}, {"root": [1]}, [1]),
        ({"enum": ["a", "b"]}, "a", "a"),
        ({"const": 5}, {"root": 5}, 5),
        ({"anyOf": [PARAMETERS]}, ADA, ADA),
        ({"properties": {"root": {}}}, {"root": [1]}, {"root": [1]}),
        # Other languages write null for a keyword without a value, and draft 3 has a boolean `required`.
        ({"type": "object", "title": None, "required": None, "enum": None, "anyOf": None, "$defs": None}, ADA, ADA),
        ({"type": "object", "required": True}, ADA, ADA),
        ({"type": "string", "enum": None, "oneOf": None, "allOf": None}, "a", "a"),
    ],
)
def test_values_that_match(schema: Any, value: Any, fitted: Any) -> None:
    assert output_schema(schema).validated(value) == fitted


def test_a_class_of_pydantic_1_gives_an_object_of_pydantic_1() -> None:
    person = output_schema(PersonV1).validated({"name": "Ada", "age": "36"})
    assert isinstance(person, PersonV1)
    assert person.age == 36


def test_a_field_of_a_pydantic_1_class_may_be_called_definitions() -> None:
    class Glossary(BaseModelV1):
        definitions: dict[str, PersonV1]

    definition = output_schema(Glossary).definition
    assert list(definition["properties"]) == definition["required"] == ["definitions"]
    assert definition["properties"]["definitions"]["additionalProperties"] == {"$ref": "#/$defs/PersonV1"}
    assert list(definition["$defs"]) == ["PersonV1"]


@pytest.mark.parametrize(
    ("schema", "value", "errors"),
    [
        (Person, {"name": "Ada"}, [("missing", ("age",), "Field required")]),
        (PersonV1, {"name": "Ada"}, [("value_error.missing", ("age",), "field required")]),
        (PersonDict, {"name": "Ada"}, [("missing", ("age",), "Field required")]),
        (PersonDict, [ADA], [("dict_type", (), "Input should be an object")]),
        (Picky, {"name": "longer"}, [("value_error", ("name",), "Value error, not longer")]),
        (Numbers, {"root": 5}, [("list_type", (), "Input should be a valid array")]),
    ],
)
def test_values_that_do_not_match(schema: Any, value: Any, errors: Any) -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        output_schema(schema).validated(value)
    assert [(error["type"], error["loc"], error["msg"]) for error in raised.value.errors] == errors


def test_the_text_shows_five_of_many_errors() -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        output_schema(Many).validated({"numbers": ["x"] * 9})
    assert len(raised.value.errors) == 9
    assert str(raised.value).count("numbers.") == 5
    assert str(raised.value).endswith("; and 4 more")


@pytest.mark.parametrize(
    ("schema", "items"),
    [(Numbers, {"type": "array", "items": {"type": "integer"}}), (RootModel[Color], None)],
)
def test_other_values_are_wrapped_in_an_object(schema: Any, items: Any) -> None:
    parameters = output_schema(schema).tool()["function"]["parameters"]
    assert (parameters["type"], parameters["required"]) == ("object", ["root"])
    assert items is None or parameters["properties"]["root"] == items
    assert output_schema(schema).response_format(strict=None)["json_schema"]["schema"] != parameters


@pytest.mark.parametrize(
    ("own", "argument", "sent"),
    [
        (None, None, None),
        (None, True, True),
        (None, False, False),
        (True, None, True),
        (False, True, False),
        (True, False, True),
    ],
)
def test_strict_is_sent_on_request_and_the_schema_s_own_overrides_it(own: Any, argument: Any, sent: Any) -> None:
    schema = output_schema({**FUNCTION, **({} if own is None else {"strict": own})})
    json_schema = schema.response_format(strict=argument)["json_schema"]
    assert json_schema.get("strict") is sent
    assert (json_schema["schema"].get("additionalProperties") is False) == bool(sent)
    assert list(json_schema)[:3] == ["name", "description", "schema"]


def test_any_object_accepts_objects_only() -> None:
    assert ANY_OBJECT.validated({"a": [1]}) == {"a": [1]}
    with pytest.raises(SchemaMismatchError):
        ANY_OBJECT.validated([1])
