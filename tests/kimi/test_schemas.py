import copy
import json
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, reject

from langchain_kimi._kimi.schemas import _repair_of, schema_notes, with_moonshot_schemas
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing.moonshot_schemas import schema_fault
from tests.growth import assert_linear
from tests.kimi.moonshot_schema_cases import moonshot_schema

ANYTHING = [{"type": name} for name in ("string", "number", "boolean", "object", "array", "null")]


def root(properties: Any, **others: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **others}


def tool(name: str, parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def test_a_chain_of_references_is_written_out() -> None:
    definitions = {"A": {"$ref": "#/$defs/B", "description": "a"}, "B": {"type": "string"}, "C": {"$ref": "#/$defs/C"}}
    schema = root(
        {"x": {"$ref": "#/$defs/A", "title": "t"}, "y": {"$ref": "#/$defs/C", "title": "t"}}, **{"$defs": definitions}
    )
    sent = moonshot_schema(schema)
    assert sent["properties"]["x"] == {"type": "string", "description": "a", "title": "t"}
    assert sent["properties"]["y"] == {"anyOf": [{"$ref": "#/$defs/C"}], "title": "t"}
    assert sent["$defs"]["A"] == {"type": "string", "description": "a"}


def test_only_changed_tools_are_copied() -> None:
    right, wrong = tool("f", root({"a": {"type": "string"}})), tool("g", root({"a": True}))
    others: list[Any] = [{"type": "openrouter:web_search"}, {"type": "function", "function": {"name": "h"}}]
    before = copy.deepcopy(wrong)
    tools = [right, *others]
    assert with_moonshot_schemas(tools) is tools
    sent = with_moonshot_schemas([right, wrong, *others])
    assert [sent[0], *sent[2:]] == [right, *others]
    assert sent[0] is right
    assert sent[1]["function"]["parameters"]["properties"]["a"] == {"anyOf": ANYTHING}
    assert wrong == before


def test_parameters_that_are_null_become_an_empty_schema() -> None:
    assert with_moonshot_schemas([tool("f", None)]) == [tool("f", root({}))]


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": 5}, "parameters has 5 as type"),
        ({"type": {"object": True}}, "as type"),
        (root({"a": {"anyOf": [{"type": 5}, {"type": "null"}]}}), r"a\.anyOf\.0 has 5 as type"),
    ],
)
def test_a_type_that_is_no_name_is_refused(schema: dict[str, Any], problem: str) -> None:
    with pytest.raises(KimiUsageError, match=problem):
        with_moonshot_schemas([tool("f", schema)])


def test_a_limit_of_items_that_is_no_number_does_not_count() -> None:
    array = {"type": "array", "maxItems": "3", "items": False}
    assert moonshot_schema(root({"a": array})) == root({"a": {"type": "array", "maxItems": 0}})


def test_the_error_names_the_tool_and_the_property() -> None:
    tools = [tool("f", root({})), tool("search", root({"a": {"type": "array", "items": {"type": "text"}}}))]
    with pytest.raises(KimiUsageError, match=r"the tool search: parameters\.properties\.a\.items has the type 'text'"):
        with_moonshot_schemas(tools)
    with pytest.raises(KimiUsageError, match="the tool f: parameters is not a schema but 5"):
        with_moonshot_schemas([tool("f", 5)])


def test_notes_are_listed_by_tool() -> None:
    tools = [tool("f", root({"a": {"minLength": 1}})), tool("g", root({})), {"type": "openrouter:datetime"}]
    assert schema_notes(tools) == {"f": ["parameters.properties.a: type string added"]}


def test_a_deep_schema_is_sent_with_a_note() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(32):
        schema = root({"a": schema})
    assert moonshot_schema(schema) is schema
    [note] = schema_notes([tool("f", schema)])["f"]
    assert note == "parameters: properties nested 32 deep, more than 30"


def named(parameters: dict[str, Any], name: str = "search") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def with_definitions(count: int, siblings: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with definitions that refer to the next one twice."""
    definitions: dict[str, Any] = {
        f"D{number}": {
            "type": "object",
            "properties": {side: {"$ref": f"#/$defs/D{number + 1}", **siblings} for side in ("left", "right")},
        }
        for number in range(count)
    }
    definitions[f"D{count}"] = {"type": "string"}
    return {"type": "object", "properties": {"x": {"$ref": "#/$defs/D0"}}, "$defs": definitions}


def with_branches(depth: int) -> dict[str, Any]:
    """Return parameters in which each level has branches that only require, which get the level's properties."""
    schema: dict[str, Any] = {"type": "object", "properties": {"z": {"type": "string"}}}
    for _ in range(depth):
        requirements = [{"required": ["a"]}, {"required": ["b"]}]
        schema = {"type": "object", "properties": {"a": schema, "b": {"type": "string"}}, "anyOf": requirements}
    return schema


SHAPES: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "many tools": lambda size: [named({"properties": {"x": {"enum": ["a", None]}}}, f"f{n}") for n in range(size)],
    "definitions with siblings": lambda size: [named(with_definitions(size, {"description": "d"}))],
    "definitions in a circle": lambda size: [
        named({"$defs": {f"D{n}": {"properties": {"x": {"$ref": f"#/$defs/D{(n + 1) % size}"}}} for n in range(size)}})
    ],
    "references to one large definition": lambda size: [
        named(
            {
                "properties": {f"p{n}": {"$ref": "#/$defs/A", "description": "d"} for n in range(size)},
                "$defs": {"A": {"type": "object", "properties": {f"q{n}": {"type": "string"} for n in range(size)}}},
            }
        )
    ],
    "an enum of several types": lambda size: [named({"properties": {"x": {"enum": [*range(size), "a", None]}}})],
    "an enum beside branches": lambda size: [
        named({"properties": {"x": {"enum": [*map(str, range(size))], "anyOf": [{"enum": [*map(str, range(size))]}]}}})
    ],
    "required properties": lambda size: [named({"required": [f"p{n}" for n in range(size)]})],
}


SIZES = {"an enum of several types": 5_000, "an enum beside branches": 5_000, "definitions with siblings": 100}


@pytest.mark.uncovered
@pytest.mark.filterwarnings("ignore:Moonshot AI may refuse")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_repair_takes_linear_time(shape: str) -> None:
    def repair(size: int) -> None:
        _repair_of.cache_clear()
        with_moonshot_schemas(SHAPES[shape](size))

    assert_linear(repair, SIZES.get(shape, 200))


@pytest.mark.filterwarnings("ignore:Moonshot AI may refuse")
@pytest.mark.parametrize("tool", [named(with_definitions(28, {"description": "d"})), named(with_branches(28))])
def test_copies_do_not_double_a_schema_with_each_level(tool: dict[str, Any]) -> None:
    [repaired] = with_moonshot_schemas([tool])
    assert len(json.dumps(repaired)) < 3 * len(json.dumps(tool)) + 60_000
    assert with_moonshot_schemas([repaired]) == [repaired]


@pytest.mark.uncovered
def test_a_chain_of_required_references_has_no_limit() -> None:
    chain = {
        f"D{n}": {"type": "object", "properties": {"x": {"$ref": f"#/$defs/D{n + 1}"}}, "required": ["x"]}
        for n in range(2_000)
    }
    parameters = {"type": "object", "properties": {}, "$defs": {**chain, "D2000": {"type": "string"}}}
    assert moonshot_schema(parameters) is parameters


def test_a_repaired_schema_can_be_changed() -> None:
    tool = named({"properties": {"x": {"enum": ["a", None]}}})
    first = with_moonshot_schemas([tool])[0]
    first["function"]["parameters"]["properties"].clear()
    assert with_moonshot_schemas([tool])[0]["function"]["parameters"]["properties"]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"type": "object", "properties": {"required": {"type": "string"}}, "required": ["required"]}, "reserved name"),
        ({"type": "object", "properties": {"x": {"type": "string", "description": "a" * 120_000}}}, "more than 120000"),
        ({"type": "object", "properties": {f"p{n}": {"type": "null"} for n in range(3001)}}, "3001 properties"),
    ],
)
def test_a_schema_that_may_be_refused_is_sent_with_a_warning(parameters: dict[str, Any], text: str) -> None:
    with pytest.warns(UserWarning, match=f"may refuse the schema of the tool search: parameters.*{text}"):
        assert with_moonshot_schemas([named(parameters)]) == [named(parameters)]


def test_unevaluated_properties_are_noted() -> None:
    parameters = {"type": "object", "required": ["x"], "unevaluatedProperties": {"type": "string"}}
    notes = schema_notes([named(parameters)])
    assert notes == {"search": ["parameters: unevaluatedProperties may apply to other values"]}


VALUES = st.sampled_from(["a", "", 1, 1.5, None, True])
LEAVES = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "null", "object", "array"])}),
    st.fixed_dictionaries({"enum": st.lists(VALUES, max_size=3)}),
    st.fixed_dictionaries({"const": VALUES}),
    st.sampled_from([{"$ref": "#/$defs/A"}, {"$ref": "#/definitions/B"}, {"type": "string", "nullable": True}, {}]),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(
            st.sampled_from(["anyOf", "oneOf", "allOf"]), st.lists(inner, min_size=1, max_size=3), min_size=1
        ),
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from("ab"), inner)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.tuples(inner, inner).map(lambda two: {**two[0], **two[1]}),
    ),
    max_leaves=8,
)


@pytest.mark.uncovered
@given(root=SCHEMAS, first=SCHEMAS, second=SCHEMAS)
def test_a_repaired_schema_is_accepted_and_stays_as_it_is(root: Any, first: Any, second: Any) -> None:
    schema = {"properties": {"x": first}, **root, "type": "object", "$defs": {"A": second}, "definitions": {"B": first}}
    try:
        sent = moonshot_schema(schema)
    except KimiUsageError:
        reject()
    assert schema_fault(sent) is None
    assert moonshot_schema(sent) is sent
