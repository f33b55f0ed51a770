import functools
import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, Tool
from langchain_core.tools import tool as make_tool
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_kimi import WebFetch, WebSearch
from langchain_kimi._schemas.tools import bind_arguments, response_format_to_wire, tool_choice_to_wire, tools_to_wire
from langchain_kimi.errors import KimiUsageError

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
STRICT_PARAMETERS = {**PARAMETERS, "additionalProperties": False}
FUNCTION = {"name": "forecast", "description": "Tell the weather.", "parameters": PARAMETERS}
ANTHROPIC = {"name": "forecast", "description": "Tell the weather.", "input_schema": PARAMETERS}
MCP = {"name": "forecast", "title": "A", "description": "Tell the weather.", "inputSchema": PARAMETERS, "_meta": None}
WIRE = {"type": "function", "function": FUNCTION}
SEARCH = {"type": "openrouter:web_search", "parameters": {"max_results": 3}}
NAMED = {"type": "function", "function": {"name": "forecast"}}


class Forecast(BaseModel):
    """Tell the weather."""

    city: str


class ForecastDict(TypedDict):
    """Tell the weather."""

    city: str


def forecast(city: str) -> str:
    """Tell the weather."""
    return city


@make_tool
def forecast_tool(city: str, user: Annotated[str, InjectedToolArg]) -> str:
    """Tell the weather."""
    return city + user


@make_tool("forecast", extras={"cache_control": {"type": "ephemeral"}, "defer_loading": True})
def cached_tool(city: str) -> str:
    """Tell the weather."""
    return city


@make_tool
def ping() -> str:
    """Answer."""
    return "pong"


class Unwritable(BaseModel):
    call: Callable[[], int]


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        (forecast, "forecast"),
        (forecast_tool, "forecast_tool"),
        (Forecast, "Forecast"),
        (ForecastDict, "ForecastDict"),
        (WIRE, "forecast"),
        ({"function": FUNCTION}, "forecast"),
        (FUNCTION, "forecast"),
        ({"type": "function", **FUNCTION}, "forecast"),
        ({"title": "forecast", "description": "Tell the weather.", **PARAMETERS}, "forecast"),
        (ANTHROPIC, "forecast"),
        (MCP, "forecast"),
        (
            {"type": "custom", "name": "forecast", "description": "Tell the weather.", "input_schema": PARAMETERS},
            "forecast",
        ),
    ],
)
def test_every_kind_of_tool_is_one_function(tool: Any, name: str) -> None:
    [wire] = tools_to_wire([tool], strict=None)
    assert set(wire) == {"type", "function"}
    assert wire["type"] == "function"
    function = wire["function"]
    assert (function["name"], function["description"]) == (name, "Tell the weather.")
    assert function["parameters"]["properties"] == {"city": {"type": "string"}}
    assert function["parameters"]["required"] == ["city"]
    assert "strict" not in function
    assert tools_to_wire([wire], strict=None) == [wire]


def test_a_tool_without_arguments_has_an_empty_schema() -> None:
    [wire] = tools_to_wire([ping], strict=None)
    assert wire["function"]["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    "tool",
    [
        SEARCH,
        {"type": "openrouter:datetime"},
        {"type": "web_search_preview", "max_results": 2},
        {"type": "web_search_2025_08_26"},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "something_new", "with": ["its", "own"]},
    ],
)
def test_server_tools_pass_as_they_are(tool: Any) -> None:
    assert tools_to_wire([tool], strict=True) == [tool]


@pytest.mark.parametrize(
    "tool",
    [
        cached_tool,
        {**WIRE, "cache_control": {"type": "ephemeral"}},
        {"name": "forecast", "input_schema": PARAMETERS, "cache_control": {"type": "ephemeral"}},
    ],
)
def test_cache_control_is_sent_beside_the_function(tool: Any) -> None:
    [wire] = tools_to_wire([tool], strict=None)
    assert set(wire) == {"type", "function", "cache_control"}
    assert wire["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize("tool", [WIRE, FUNCTION, forecast, Forecast])
@pytest.mark.parametrize("strict", [True, False])
def test_strict_is_set_on_every_function(tool: Any, *, strict: bool) -> None:
    [wire] = tools_to_wire([tool], strict=strict)
    assert wire["function"]["strict"] is strict
    assert wire["function"]["parameters"].get("additionalProperties", True) is not strict


def test_a_tool_s_own_strict_is_not_changed() -> None:
    own = {**FUNCTION, "strict": False}
    assert tools_to_wire([{"type": "function", "function": own}], strict=True)[0]["function"]["strict"] is False
    assert tools_to_wire([own], strict=True)[0]["function"]["strict"] is False


def test_the_tools_that_were_passed_in_are_not_changed() -> None:
    tools = [json.loads(json.dumps(WIRE)), json.loads(json.dumps(SEARCH)), json.loads(json.dumps(FUNCTION))]
    tools_to_wire(tools, strict=True)
    assert tools == [WIRE, SEARCH, FUNCTION]


def test_a_function_may_lack_parameters_and_have_other_keys() -> None:
    tool = {"type": "function", "function": {"name": "ping", "eager": 1}}
    assert tools_to_wire([tool], strict=None) == [tool]
    [wire] = tools_to_wire([tool], strict=True)
    assert wire["function"] == {
        "name": "ping",
        "eager": 1,
        "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
        "strict": True,
    }


def test_the_same_tools_are_the_same_bytes() -> None:
    tools: list[Any] = [forecast, Forecast, WIRE, SEARCH, ForecastDict, cached_tool]
    assert len({json.dumps(tools_to_wire(tools, strict=True)) for _ in range(5)}) == 1


@pytest.mark.parametrize("name", ["", " ", None, 5])
def test_a_tool_without_a_name_is_refused(name: Any) -> None:
    with pytest.raises(KimiUsageError, match="not empty") as raised:
        tools_to_wire([{"type": "function", "function": {**FUNCTION, "name": name}}], strict=None)
    assert repr(name) in str(raised.value)


@pytest.mark.parametrize("name", ["x", "get-weather_2", "X" * 64, "dotted.name", "1", "x" * 65])
def test_names_that_can_be_sent(name: str) -> None:
    assert tools_to_wire([{**FUNCTION, "name": name}], strict=None)[0]["function"]["name"] == name


def with_unknown_type(city: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821 - the test
    """Tell the weather."""


@pytest.mark.parametrize(
    "tool",
    [
        *({}, {"type": "object", "properties": {}}, 5, None, Unwritable, {"toolSpec": {}}, list[int], bool),
        *(functools.partial(forecast, "Oslo"), with_unknown_type),
    ],
)
def test_an_object_that_is_not_a_tool_is_refused(tool: Any) -> None:
    with pytest.raises(KimiUsageError, match="Cannot make a tool"):
        tools_to_wire([tool], strict=None)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        (False, None),
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        ("required", "required"),
        ("forecast", NAMED),
        (NAMED, NAMED),
        ({"function": {"name": "forecast"}}, NAMED),
        ({"type": "function", "name": "forecast"}, NAMED),
        ({"type": "tool", "name": "forecast"}, NAMED),
        ({"type": "any"}, "required"),
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        (forecast, NAMED),
        (cached_tool, NAMED),
        ("openrouter:web_search", {"type": "openrouter:web_search"}),
        ({"type": "openrouter:web_search"}, {"type": "openrouter:web_search"}),
        ({"type": "web_search"}, {"type": "web_search"}),
    ],
)
def test_a_tool_choice_becomes_its_wire_form(choice: Any, sent: Any) -> None:
    assert tool_choice_to_wire(choice, [WIRE, SEARCH]) == sent


@pytest.mark.parametrize(("tools", "sent"), [([WIRE], NAMED), ([SEARCH], {"type": "openrouter:web_search"})])
def test_true_chooses_the_only_tool(tools: Any, sent: Any) -> None:
    assert tool_choice_to_wire(True, tools) == sent  # noqa: FBT003 - what users pass


@pytest.mark.parametrize("tools", [[], [WIRE, SEARCH]])
def test_true_with_another_number_of_tools_is_refused(tools: Any) -> None:
    with pytest.raises(KimiUsageError, match=f"there are {len(tools)}"):
        tool_choice_to_wire(True, tools)  # noqa: FBT003 - what users pass


@pytest.mark.parametrize("choice", ["rain", {"type": "tool", "name": "rain"}, {"type": "function"}, Forecast, ping])
def test_a_choice_that_is_not_offered_is_refused_with_the_offered_names(choice: Any) -> None:
    with pytest.raises(KimiUsageError, match="offered tools are: forecast, openrouter:web_search"):
        tool_choice_to_wire(choice, [WIRE, SEARCH])
    with pytest.raises(KimiUsageError, match="offered tools are: none"):
        tool_choice_to_wire(choice, [])


def test_bind_tools_binds_tools_and_choice() -> None:
    bound = bind_arguments(
        [forecast, SEARCH], tool_choice="any", strict=False, parallel_tool_calls=False, temperature=0.5, stop=None
    )
    assert list(bound) == ["temperature", "stop", "tools", "tool_choice", "parallel_tool_calls"]
    assert bound["tools"] == tools_to_wire([forecast, SEARCH], strict=False)
    assert (bound["tool_choice"], bound["parallel_tool_calls"], bound["stop"]) == ("required", False, None)


def test_arguments_that_are_none_are_not_bound() -> None:
    assert set(bind_arguments([forecast])) == {"tools"}


def test_without_tools_nothing_about_tools_is_bound() -> None:
    answer = {"type": "json_schema", "json_schema": {"name": "x", "schema": PARAMETERS}}
    bound = bind_arguments([], tool_choice="any", strict=True, parallel_tool_calls=True, response_format=answer)
    assert set(bound) == {"response_format"}


TITLED = {"title": "T"}
SCHEMA = {"name": "Forecast", "description": "Tell the weather.", "schema": PARAMETERS}


@pytest.mark.parametrize(
    ("schema", "strict", "sent"),
    [
        (Forecast, None, {**SCHEMA}),
        (ForecastDict, False, {**SCHEMA, "name": "ForecastDict", "strict": False}),
        (Forecast, True, {**SCHEMA, "schema": STRICT_PARAMETERS, "strict": True}),
        ({"title": "Forecast", "description": "Tell the weather.", **PARAMETERS}, None, SCHEMA),
        ({**FUNCTION, "name": "Forecast"}, None, SCHEMA),
        (SCHEMA, None, SCHEMA),
        (SCHEMA, True, {"strict": True, **SCHEMA}),
        ({"type": "json_schema", "json_schema": SCHEMA}, None, SCHEMA),
        ({"type": "json_schema", "json_schema": SCHEMA}, True, {**SCHEMA, "strict": True}),
        ({"type": "json_schema", "json_schema": {**SCHEMA, "strict": True}}, False, {**SCHEMA, "strict": True}),
        ({"type": "json_schema", "json_schema": {**SCHEMA, "name": "a b"}}, None, {**SCHEMA, "name": "a_b"}),
        (
            {"type": "json_schema", "json_schema": {"schema": {"title": "T"}}},
            None,
            {"schema": {"title": "T"}, "name": "T"},
        ),
        (
            {"type": "json_schema", "json_schema": {"schema": PARAMETERS}},
            None,
            {"schema": PARAMETERS, "name": "output"},
        ),
        (PARAMETERS, None, {"name": "output", "schema": PARAMETERS}),
    ],
)
def test_a_schema_becomes_a_response_format(schema: Any, strict: Any, sent: Any) -> None:
    wire = response_format_to_wire(schema, strict)
    assert wire == {"type": "json_schema", "json_schema": sent}
    assert response_format_to_wire(wire, None) == wire
    assert bind_arguments([], response_format=schema, strict=strict) == {"response_format": wire}


@pytest.mark.parametrize("schema", [{"type": "text"}, {"type": "json_object"}, {"type": "grammar", "grammar": "root"}])
def test_other_formats_pass_as_they_are(schema: Any) -> None:
    assert response_format_to_wire(schema, True) == schema  # noqa: FBT003 - as `bind_arguments` calls it


def test_a_schema_whose_root_has_several_types_is_accepted() -> None:
    schema = {"title": "T", "type": ["object", "null"], "properties": {}}
    assert response_format_to_wire(schema, None)["json_schema"]["name"] == "T"


def test_an_openai_custom_tool_passes_and_can_be_chosen() -> None:
    custom: BaseTool = Tool(name="code", func=str, description="Run.", metadata={"type": "custom_tool"})
    [wire] = tools_to_wire([custom], strict=None)
    assert wire == {"type": "custom", "name": "code", "description": "Run."}
    assert tool_choice_to_wire("custom", [wire]) == {"type": "custom"}


SELF: dict[str, Any] = {"type": "object", "properties": {}}
SELF["properties"]["self"] = SELF


def deep(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize("parameters", [SELF, deep(600), deep(5000)], ids=["itself", "600", "5000"])
def test_schemas_that_are_too_deep_are_refused(parameters: Any) -> None:
    structured = StructuredTool(name="search", description="d", args_schema=parameters, func=print)
    dicts: list[Any] = [
        {"type": "function", "function": {"name": "search", "parameters": parameters}},
        {"name": "search", "input_schema": parameters},
        {"title": "search", **parameters},
    ]
    for tool in [structured, *dicts]:
        with pytest.raises(KimiUsageError, match="The schema of the tool search contains itself, or is nested"):
            tools_to_wire([tool], strict=None)
    with pytest.raises(KimiUsageError, match="The schema of the output"):
        response_format_to_wire(parameters, None)


@pytest.mark.parametrize("holder", ["$defs", "definitions"])
def test_definitions_of_a_tool_s_dict_schema_are_kept(holder: str) -> None:
    node = {"title": "Node", "type": "object", "properties": {"next": {"$ref": f"#/{holder}/Node"}}}
    schema = {
        "title": "args",
        "description": "Arguments.",
        "type": "object",
        "properties": {"a": {"$ref": f"#/{holder}/Node"}, "title": {"title": "Title", "type": "string"}},
        "required": ["a"],
        holder: {"Node": node},
    }
    tool = StructuredTool(name="walk", description="Walk.", args_schema=schema, func=print)
    [wire] = tools_to_wire([tool], strict=None)
    del node["title"]
    assert wire["function"] == {
        "name": "walk",
        "description": "Walk.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"$ref": f"#/{holder}/Node"}, "title": {"type": "string"}},
            "required": ["a"],
            holder: {"Node": {key: value for key, value in node.items() if key != "title"}},
        },
    }


def test_typed_server_tools_are_sent_beside_functions() -> None:
    tools: list[Any] = [forecast, WebSearch(max_results=3), WebFetch()]
    sent = bind_arguments(tools, tool_choice="openrouter:web_search", strict=True)
    assert sent["tools"][1:] == [SEARCH, {"type": "openrouter:web_fetch"}]
    assert sent["tool_choice"] == {"type": "openrouter:web_search"}
    assert bind_arguments([WebFetch()], tool_choice=True)["tool_choice"] == {"type": "openrouter:web_fetch"}


def test_the_class_of_a_server_tool_is_not_a_tool() -> None:
    with pytest.raises(KimiUsageError, match=r"pass an object, WebSearch\(\)"):
        tools_to_wire([WebSearch], strict=None)


@pytest.mark.parametrize(
    "properties",
    [
        {"a": {"$ref": "#/properties/b~1c"}, "b/c": {"type": "string"}},
        {"a": {"anyOf": [{"$ref": "#name"}, {"type": "null"}]}, "b": {"$anchor": "name", "type": "string"}},
        {"$ref": {"type": "string"}},
        {"a": {"type": "object", "default": {"$ref": "b"}}},
    ],
)
def test_references_of_a_dict_schema_are_kept(properties: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": properties, "description": "Arguments."}
    tool = StructuredTool(name="walk", description="Walk.", args_schema=schema, func=print)
    [wire] = tools_to_wire([tool], strict=None)
    assert wire["function"]["parameters"] == {"type": "object", "properties": properties}
