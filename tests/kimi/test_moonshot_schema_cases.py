"""The repair and the emulator against the table of shapes."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from langchain_kimi._kimi.schemas import schema_notes
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing.moonshot_schemas import schema_fault
from tests.kimi.moonshot_schema_cases import FOREIGN, SAME, SHAPES, SchemaShape, moonshot_schema
from tests.rows import Test, each_row

SENT = {name: shape for name, shape in SHAPES.items() if not isinstance(shape.sent, list)}
REFUSED = {name: shape for name, shape in SHAPES.items() if isinstance(shape.sent, list)}
VALUES: list[Any] = ["a", "", "abc", 0, 1, 1.5, 2, True, None, [], [1], ["a", 1], ["a", None], [1, 2, 3], [True]]
VALUES += [{}, {"a": "b"}, {"a": 1}, {"b": 1}, {"a": "", "b": 2}, {"next": {}}, {"next": {"next": 1}}, 500, 1000]


def by_name(shapes: dict[str, SchemaShape]) -> Callable[[Test], Test]:
    return each_row("shape", shapes.values(), ids=shapes)


def arguments(schema: dict[str, Any]) -> list[dict[str, Any]]:
    # All names that a schema does not mention are alike, so one of them is enough.
    mentioned = [name for name in ("a", "b", "required", "$ref") if f'"{name}"' in json.dumps(schema)]
    values = [{name: value} for name in ("x", "y", *mentioned) for value in VALUES]
    return [{}, *values, {"x": "a", "y": "b"}, {"a": "b", "b": 1}, {"x": {"a/b": "c"}}, {"x": {"a/b": 1}}]


def test_the_table_is_large_enough() -> None:
    assert len(SHAPES) >= 150


@by_name(SHAPES)
def test_the_emulator_refuses_the_same_schemas_as_the_service(shape: SchemaShape) -> None:
    assert (schema_fault(shape.schema) is not None) == (shape.refused not in (None, "ultra"))


@pytest.mark.uncovered
@by_name(SENT)
def test_the_sent_schema(shape: SchemaShape) -> None:
    before = copy.deepcopy(shape.schema)
    sent = moonshot_schema(shape.schema)
    assert sent == (shape.schema if shape.sent == SAME else shape.sent)
    assert (sent is shape.schema) == (shape.sent == SAME)
    assert shape.schema == before
    assert moonshot_schema(sent) == sent


@by_name({name: shape for name, shape in SENT.items() if shape.sent != SAME or shape.refused in (None, "ultra")})
def test_the_emulator_accepts_the_sent_schema(shape: SchemaShape) -> None:
    assert schema_fault(moonshot_schema(shape.schema)) is None


@by_name(REFUSED)
def test_a_schema_without_an_accepted_form_is_refused(shape: SchemaShape) -> None:
    with pytest.raises(KimiUsageError) as raised:
        moonshot_schema(shape.schema, "search")
    [text] = shape.sent
    assert text in str(raised.value)
    assert "the tool search: parameters" in str(raised.value)


@pytest.mark.uncovered
@each_row("name", [name for name, shape in SENT.items() if not shape.note and name not in FOREIGN])
def test_the_sent_schema_allows_the_same_arguments(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = SHAPES[name].schema
    # Lists as `items` are a form of earlier drafts.
    has_list = name.startswith("items:") and isinstance(schema["properties"]["x"].get("items"), list)
    before = (jsonschema.Draft7Validator if has_list else jsonschema.Draft202012Validator)(schema)
    after = jsonschema.Draft202012Validator(moonshot_schema(schema))
    for value in arguments(schema):
        assert before.is_valid(value) == after.is_valid(value), value


@pytest.mark.uncovered
@by_name(SENT)
def test_rewrites_that_change_the_allowed_arguments_are_noted(shape: SchemaShape) -> None:
    notes = schema_notes([{"function": {"name": "search", "parameters": shape.schema}}])
    if not shape.note:
        assert notes == {}
    else:
        assert any(shape.note in note for note in notes["search"])
