import json
import warnings
from typing import Any

import pytest
from pydantic import BaseModel

from langchain_kimi._schemas.output import OutputSchema, output_schema
from langchain_kimi._schemas.strict import StrictForm, is_recursive, strict_function, unwrapped_root, without_titles
from langchain_kimi.testing import prompts, schema_values
from tests.rows import each_row
from tests.schemas.cases import SCHEMAS as FIRST
from tests.schemas.cases import SchemaCase
from tests.schemas.more_cases import MORE, Computed

jsonschema: Any = pytest.importorskip("jsonschema")

SCHEMAS = [*FIRST, *MORE]
STRICT = [case for case in SCHEMAS if case.obstacle is None]
LOOSE = [case for case in SCHEMAS if case.obstacle is not None]
ALLOWED = {
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "exclusiveMaximum",
    "exclusiveMinimum", "format", "items", "maxItems", "maximum", "minItems", "minimum", "multipleOf", "pattern",
    "properties", "required", "type",
}  # fmt: skip
PROMPTS = ["", "'one' and 'two', 3 and 4.5 on 2025-11-23 in Oslo", "red blue cat dog name children odd even following"]


def sent(schema: OutputSchema, *, strict: bool | None) -> dict[str, Any]:
    json_schema: dict[str, Any] = schema.response_format(strict=strict)["json_schema"]
    return json_schema


def breaches(schema: Any, *, at_top: bool = True) -> list[str]:
    """Return the violations that a strict host would refuse."""
    problems = [f"keyword {key}" for key in schema if key not in ALLOWED]
    if at_top and schema.get("type") != "object":
        problems.append("the top is no object")
    if not {"type", "anyOf", "$ref"} & set(schema) or ("$ref" in schema and len(schema) > 1):
        problems.append(f"no type: {schema}")
    if "properties" in schema or schema.get("type") == "object":
        problems += ["open"] if schema.get("additionalProperties") is not False else []
        problems += ["optional"] if schema["required"] != list(schema["properties"]) else []
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ())]
    inner += [schema["items"]] if "items" in schema else []
    return problems + [breach for one in inner for breach in breaches(one, at_top=False)]


def as_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    return json.loads(value.json()) if hasattr(value, "json") else value


def root(schema: OutputSchema, value: Any) -> Any:
    return value if schema.is_object else {"root": value}


def test_the_table_of_schemas_is_not_empty() -> None:
    assert len({case.name for case in SCHEMAS}) == len(SCHEMAS) > 100
    assert len(STRICT) > 70


@pytest.mark.uncovered
@each_row("case", STRICT, ids=lambda case: case.name)
def test_a_strict_schema_follows_the_rules_of_strict_mode(case: SchemaCase) -> None:
    schema = output_schema(case.schema)
    json_schema = sent(schema, strict=True)
    assert json_schema["strict"] is True
    assert breaches(json_schema["schema"]) == []
    jsonschema.Draft202012Validator.check_schema(json_schema["schema"])
    tool = schema.tool(strict=True)["function"]
    assert (tool["strict"], tool["parameters"]) == (True, json_schema["schema"])


@each_row("case", STRICT, ids=lambda case: case.name)
def test_values_are_valid_under_the_strict_schema(case: SchemaCase) -> None:
    schema = output_schema(case.schema)
    validator = jsonschema.Draft202012Validator(sent(schema, strict=True)["schema"])
    for value in case.values:
        validator.validate(root(schema, value))
        assert as_json(schema.validated(root(schema, value))) == value


# The emulator's values ignore patterns and multiples.
@pytest.mark.uncovered
@each_row(
    "case",
    [case for case in STRICT if case.name not in ("pattern", "range", "code by its pattern")],
    ids=lambda c: c.name,
)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_model_accepts_values_of_the_strict_schema(case: SchemaCase, prompt: str) -> None:
    schema = output_schema(case.schema)
    json_schema = sent(schema, strict=True)["schema"]
    value = schema_values.fill(json_schema, prompts.read(prompt))
    jsonschema.Draft202012Validator(json_schema).validate(value)
    schema.validated(value)


@each_row("case", LOOSE, ids=lambda case: case.name)
def test_a_schema_that_cannot_be_strict_is_sent_unchanged_with_the_reason(case: SchemaCase) -> None:
    schema = output_schema(case.schema)
    with pytest.warns(UserWarning, match=f"strict is not sent for .* do not allow .*{case.obstacle}"):
        json_schema = sent(schema, strict=True)
    assert json_schema == sent(schema, strict=None)
    assert "strict" not in json_schema
    with pytest.warns(UserWarning, match="strict is not sent"):
        assert "strict" not in schema.tool(strict=True)["function"]


@each_row("case", SCHEMAS, ids=lambda case: case.name)
def test_values_are_valid_under_the_schema_that_is_not_strict(case: SchemaCase) -> None:
    schema = output_schema(case.schema)
    json_schema = sent(schema, strict=None)["schema"]
    tool = schema.tool()["function"]["parameters"]
    for value in case.values:
        jsonschema.Draft202012Validator(json_schema).validate(value)
        jsonschema.Draft202012Validator(tool).validate(root(schema, value))
        assert as_json(schema.validated(value)) == value


@each_row("case", SCHEMAS, ids=lambda case: case.name)
def test_only_schemas_that_lose_nothing_can_be_strict(case: SchemaCase) -> None:
    schema = output_schema(case.schema)
    assert schema.can_be_strict() == (case.obstacle is None and not case.made_up)
    if schema.is_object and case.obstacle is None:
        assert tuple(StrictForm(schema.definition).newly_required) == case.made_up


def test_computed_fields_are_not_requested() -> None:
    schema = output_schema(Computed)
    assert list(sent(schema, strict=True)["schema"]["properties"]) == ["width", "height"]
    assert schema.validated({"width": 2, "height": 3}).area == 6


@pytest.mark.parametrize("name", ["recursive", "recursive over another", "old recursive model", "recursive typed dict"])
def test_a_call_keeps_recursive_definitions(name: str) -> None:
    [case] = [case for case in SCHEMAS if case.name == name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parameters = output_schema(case.schema).tool()["function"]["parameters"]
    assert is_recursive(parameters)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(parameters).validate({"name": "a", "children": [{"b": 1}], "odd": {"even": 1}})


def test_the_schema_passed_in_is_not_changed() -> None:
    for case in SCHEMAS:
        if isinstance(case.schema, dict):
            before = json.dumps(case.schema)
            StrictForm(output_schema(case.schema).definition)
            assert json.dumps(case.schema) == before


def test_the_warning_names_three_of_many_reasons() -> None:
    properties: dict[str, Any] = {name: {} for name in "abcde"}
    with pytest.warns(UserWarning, match="any value at a, any value at b, any value at c and 2 more"):
        strict_function({"name": "f", "parameters": {"type": "object", "properties": properties}})


def test_a_strict_function_without_parameters_has_an_empty_schema() -> None:
    empty = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    assert strict_function({"name": "f"}) == {"name": "f", "parameters": empty, "strict": True}


@pytest.mark.parametrize(
    ("property_schema", "strict"),
    [
        ({"allOf": [{"$ref": "#/$defs/A"}], "title": "B", "default": 1}, {"$ref": "#/$defs/A"}),
        (
            {"allOf": [{"$ref": "#/$defs/A"}], "description": "b"},
            {"anyOf": [{"$ref": "#/$defs/A"}], "description": "b"},
        ),
        ({"const": 1.5}, {"const": 1.5, "type": "number"}),
        ({"enum": [True, None]}, {"enum": [True, None], "type": ["boolean", "null"]}),
    ],
)
def test_schemas_are_rewritten_in_fewer_keywords(property_schema: Any, strict: Any) -> None:
    form = StrictForm({"type": "object", "properties": {"b": property_schema}, "$defs": {"A": {"type": "integer"}}})
    assert form.obstacles == []
    assert form.schema["properties"]["b"] == strict


def test_a_reference_at_the_root_is_resolved() -> None:
    node = {"type": "object", "properties": {}}
    assert unwrapped_root({"$ref": "#/$defs/A", "$defs": {"A": node}}) == {**node, "$defs": {"A": node}}
    assert unwrapped_root({"$ref": "elsewhere"}) == {"$ref": "elsewhere"}


def test_only_titles_of_schemas_are_removed() -> None:
    schema = {
        "title": "A",
        "properties": {"title": {"title": "Title", "type": "string", "default": {"title": 1}}},
        "anyOf": [{"title": "B", "enum": [{"title": 2}]}],
    }
    assert without_titles(schema) == {
        "properties": {"title": {"type": "string", "default": {"title": 1}}},
        "anyOf": [{"enum": [{"title": 2}]}],
    }


def test_keywords_that_are_null_do_not_count() -> None:
    nulls = {"pattern": None, "enum": None, "minItems": None, "anyOf": None}
    items = {"type": "object", "properties": {"a": {"type": "string", **nulls}}, "required": ["a"], "$defs": None}
    form = StrictForm({**items, "additionalProperties": False})
    assert form.obstacles == form.newly_required == []
    assert form.schema["properties"] == {"a": {"type": "string"}}
    assert StrictForm({"type": "object", "properties": {"a": {"const": None}}, "required": True}).schema[
        "required"
    ] == ["a"]
    assert StrictForm({"type": "object", "properties": None, "allOf": [True]}).obstacles == [
        "allOf at the top",
        "free keys at the top",
    ]
