"""Schemas of tools and of structured output are converted in time that is proportional to their size."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from langchain_kimi._openrouter.json_schema import NAMED_SCHEMAS, ONE_SCHEMA, SCHEMA_LISTS, check_nesting, references
from langchain_kimi._schemas.output import SchemaMismatchError, matches_outermost, output_schema
from langchain_kimi._schemas.strict import StrictForm, is_recursive, without_titles
from langchain_kimi._schemas.tools import bind_arguments, response_format_to_wire
from langchain_kimi.errors import KimiUsageError
from tests.growth import assert_linear

pytestmark = [pytest.mark.uncovered, pytest.mark.filterwarnings("ignore:strict is not sent")]

Schema = dict[str, Any]
STRING: Schema = {"type": "string"}
DEPTH = 90
"""Levels of the deep shapes. Deeper schemas are refused."""


def named(keyword: str, count: int, inner: Schema) -> Schema:
    return {keyword: {f"p{number}": inner for number in range(count)}}


def nested(keyword: str, size: int, inner: Schema) -> Schema:
    """Return a schema with long lists of properties, one in another."""
    schema = inner
    for _ in range(DEPTH):
        more = named("properties", size // DEPTH, STRING)["properties"]
        deeper = {"p": schema} if keyword in NAMED_SCHEMAS else [schema, STRING] if keyword in SCHEMA_LISTS else schema
        schema = {"type": "object", "properties": more}
        schema[keyword] = {**more, **deeper} if keyword == "properties" and isinstance(deeper, dict) else deeper
    return schema


INNER: dict[str, Schema] = {
    "strings": STRING,
    "references": {"$ref": "#/$defs/p0"},
    "nothing": {},
    "types": {"type": ["string", "null"]},
    "branches": {"anyOf": [STRING, {"type": "null"}]},
    "branches of references": {"anyOf": [{"$ref": "#/$defs/p0"}, {"$ref": "#/$defs/p1"}]},
    "tagged": {"oneOf": [STRING, {"$ref": "#/$defs/p1"}], "discriminator": {"propertyName": "a"}},
    "constants": {"const": "a"},
    "objects": {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
    "lists": {"type": "array", "items": {"$ref": "#/$defs/p0"}},
}
SHAPES: dict[str, Callable[[int], Schema]] = {
    **{
        f"{keyword} of {name}": partial(lambda keyword, inner, size: named(keyword, size, inner), keyword, inner)
        for keyword in sorted(NAMED_SCHEMAS)
        for name, inner in INNER.items()
    },
    **{
        f"{keyword} of {name}": partial(lambda keyword, inner, size: {keyword: [inner] * size}, keyword, inner)
        for keyword in sorted(SCHEMA_LISTS)
        for name, inner in INNER.items()
    },
    **{
        f"nested {keyword}": partial(lambda keyword, size: nested(keyword, size, STRING), keyword)
        for keyword in sorted(NAMED_SCHEMAS | SCHEMA_LISTS | ONE_SCHEMA)
    },
    "required": lambda size: {
        **named("properties", size, STRING),
        "required": [f"p{number}" for number in reversed(range(size))],
    },
    "required without properties": lambda size: {
        "properties": {},
        "required": [f"p{number}" for number in range(size)],
    },
    "required, none of them": lambda size: {
        **named("properties", size, STRING),
        "required": [f"q{number}" for number in range(size)],
    },
    "an enum": lambda size: {"enum": [f"p{number}" for number in range(size)]},
    "an enum of all types": lambda size: {
        "enum": [[number, str(number), None, {}][number % 4] for number in range(size)]
    },
    "types": lambda size: {"type": ["string", "null"] * size},
    "a pattern": lambda size: {"properties": {"a": {"type": "string", "pattern": "(?" * size}}},
    "a description": lambda size: {"description": "<" * size, "properties": {"a": {"description": "\\" * size}}},
    "unknown keywords": lambda size: {f"x-{number}": number for number in range(size)},
    "a chain of references": lambda size: {
        "$defs": {f"p{number}": {"$ref": f"#/$defs/p{number + 1}"} for number in range(size)},
        "$ref": "#/$defs/p0",
    },
    "a ring of references": lambda size: {
        "$defs": {f"p{number}": {"$ref": f"#/$defs/p{(number + 1) % size}"} for number in range(size)},
        "properties": {"a": {"$ref": "#/$defs/p0"}},
    },
    "a long reference": lambda size: {"$ref": "#" + "/a" * size},
    "escapes in a reference": lambda size: {"$ref": "#/" + "~1%25" * size},
    "parts that repeat the root": lambda size: {"allOf": [{"$ref": "#"} for _ in range(size)]},
    "branches that repeat the root": lambda size: {"anyOf": [{"$ref": "#"}] * size},
}
VALUES: tuple[Any, ...] = ({}, {"a": "x"}, [], "x", 1, None, {"p0": "x"})


def complete(schema: Schema) -> Schema:
    return {"title": "f", "type": "object", **schema}


def describe(schema: Schema) -> None:
    output = output_schema(complete(schema))
    output.tool()
    output.response_format(strict=True)
    assert output.can_be_strict() in {True, False}


def validate(schema: Schema) -> None:
    output = output_schema({key: value for key, value in complete(schema).items() if key != "type"})
    for value in VALUES:
        with suppress(SchemaMismatchError):
            output.validated(value)
        matches_outermost(schema, value, schema)


def walk(schema: Schema) -> None:
    check_nesting(schema, "f")
    assert len(list(references(schema))) >= 0
    assert is_recursive(schema) in {True, False}
    without_titles(schema)


def bind(schema: Schema) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": complete(schema)}}
    bind_arguments([tool, complete(schema)], tool_choice="f", strict=True)
    response_format_to_wire(complete(schema), strict=True)


SCANNERS: dict[str, Callable[[Schema], object]] = {
    "describe": describe,
    "strict": StrictForm,
    "validate": validate,
    "walk": walk,
    "bind": bind,
}


def check_growth(shape: Callable[[int], Schema], *scanners: Callable[[Schema], object]) -> None:
    made: dict[int, Schema] = {}

    def scan(size: int) -> None:
        # The schemas are made before the measurement.
        schema = made[size] if size in made else made.setdefault(size, shape(size))
        for scanner in scanners:
            with suppress(KimiUsageError):
                scanner(schema)

    assert_linear(scan, DEPTH)


SOME = (("required", "describe"), ("parts that repeat the root", "validate"), ("nested anyOf", "walk"))
"""Shapes that once took more than linear time, and one more."""


@pytest.mark.parametrize(("shape", "scanner"), SOME)
def test_a_schema_is_converted_in_linear_time(shape: str, scanner: str) -> None:
    check_growth(SHAPES[shape], SCANNERS[scanner])


@pytest.mark.long
@pytest.mark.parametrize("scanner", SCANNERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_scanner_of_schemas_takes_linear_time(shape: str, scanner: str) -> None:
    check_growth(SHAPES[shape], SCANNERS[scanner])


@pytest.mark.long
@given(shapes=st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=4))
def test_no_combination_of_shapes_takes_more_than_linear_time(shapes: list[str]) -> None:
    def combined(size: int) -> Schema:
        merged: Schema = {}
        for shape in shapes:
            merged |= SHAPES[shape](size)
        return {**merged, "properties": {**merged.get("properties", {}), "last": SHAPES[shapes[0]](size)}}

    check_growth(combined, *SCANNERS.values())


def test_there_are_many_shapes_and_all_are_json() -> None:
    assert len(SHAPES) > 100
    assert all(json.dumps(shape(DEPTH)) for shape in SHAPES.values())
