"""Schemas that are nested deeply: an error of the package or a warning, in each way of calling."""

from typing import Any

import pytest
from langchain_core.tools import StructuredTool

from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.faults.ways import WAYS, ask, model_of
from tests.rows import each_row

DEEP, DEEPER_THAN_ACCEPTED = 2000, 40
NESTED: dict[str, Any] = {
    "properties": lambda inner: {"type": "object", "properties": {"a": inner}},
    "items": lambda inner: {"type": "array", "items": inner},
    "prefixItems": lambda inner: {"type": "array", "prefixItems": [inner]},
    "additionalProperties": lambda inner: {"type": "object", "additionalProperties": inner},
    "anyOf": lambda inner: {"anyOf": [inner, {"type": "null"}]},
    "allOf": lambda inner: {"allOf": [inner]},
    "not": lambda inner: {"not": inner},
    "$defs": lambda inner: {"type": "object", "$defs": {"A": inner}},
    "enum": lambda inner: {"enum": [inner]},
    "default": lambda inner: {"type": "string", "default": [inner]},
    "an unknown keyword": lambda inner: {"type": "string", "x-note": {"a": inner}},
}


def schema(kind: str, levels: int) -> dict[str, Any]:
    """Return the schema of an object with a property that is nested so many levels deep."""
    inner: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        inner = NESTED[kind](inner)
    return {"title": "Deep", "description": "A schema.", "type": "object", "properties": {"x": inner}}


def as_function(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "deep", "parameters": parameters}}


def as_format(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "deep", "schema": parameters}}


def as_tool(parameters: dict[str, Any]) -> StructuredTool:
    return StructuredTool(name="deep", description="A tool.", args_schema=parameters, func=dict)


USES: dict[str, Any] = {
    "a tool as a dict": lambda model, deep: model.bind_tools([as_function(deep)]),
    "a tool of LangChain": lambda model, deep: model.bind_tools([as_tool(deep)]),
    "tools of the call": lambda model, deep: model.bind(tools=[as_function(deep)]),
    "a schema as a tool": lambda model, deep: model.bind_tools([deep]),
    "output by a tool": lambda model, deep: model.with_structured_output(deep, method="function_calling"),
    "output by a schema": lambda model, deep: model.with_structured_output(deep, method="json_schema"),
    "output by a prompt": lambda model, deep: model.with_structured_output(deep, method="json_mode"),
    "a response format": lambda model, deep: model.bind(response_format=as_format(deep)),
    "another parameter": lambda model, deep: model.bind(model_kwargs={"new_parameter": deep}),
}


@pytest.mark.covered
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", WAYS)
@each_row("use", USES, ids=str)
def test_a_schema_that_is_nested_very_deeply_is_an_error(openrouter: Emulator, use: str, way: str) -> None:
    for kind in NESTED if use == "a tool as a dict" else ("properties", "anyOf"):
        openrouter.clear()
        with model_of(openrouter, max_retries=0) as model:
            try:
                error: Any = ask(USES[use](model, schema(kind, DEEP)), way).error
            except KimiUsageError as raised:
                error = raised
        assert isinstance(error, KimiUsageError), kind
        assert "nested" in str(error)
        assert openrouter.bodies == []


@pytest.mark.parametrize("way", WAYS)
def test_a_schema_that_is_deeper_than_the_service_accepts_is_sent_with_a_warning(
    openrouter: Emulator, way: str
) -> None:
    openrouter.clear()
    openrouter.script(Reply(text="Hello."))
    deep = as_function(schema("properties", DEEPER_THAN_ACCEPTED))
    warned = pytest.warns(UserWarning, match=r"the schema of the tool deep: .* nested 41 deep, more than 30")
    with model_of(openrouter, max_retries=0) as model, warned:
        outcome = ask(model.bind_tools([deep]), way)
    assert outcome.error is None
    assert openrouter.bodies[0]["tools"] == [deep]
