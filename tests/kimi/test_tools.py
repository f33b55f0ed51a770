from typing import Any

import pytest

from langchain_kimi._kimi.tools import OfferedTools

NAMES = ("get_weather", "search-web", "a", "a1", "Twin", "twin", "functions.dotted")


def offered(*names: str, **body: Any) -> OfferedTools:
    tools = [{"type": "function", "function": {"name": name, "parameters": {"required": ["x"]}}} for name in names]
    return OfferedTools({"tools": tools, **body})  # type: ignore[typeddict-item] # any key of a body


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("get_weather", "get_weather"),
        (" get_weather\n", "get_weather"),
        ("get_weather:12", "get_weather"),
        ("functions.get_weather", "get_weather"),
        ("functions.get_weather:0", "get_weather"),
        ("functions.search-web:0", "search-web"),
        ("GET_WEATHER", "get_weather"),
        ("functions.Get_Weather:1", "get_weather"),
        ("functions.functions.get_weather:0:1", "get_weather"),
        ("functions.getWeather:0", "get_weather"),
        ("search_web", "search-web"),
        ("functions.dotted", "functions.dotted"),
        ("twin", "twin"),
        ("Twin", "Twin"),
        ("TWIN", None),
        ("get_weather0", None),
        ("functions_get_weather_0", None),
        ("get", None),
        ("", None),
    ],
)
def test_a_spelling_means_a_function(spelling: str, name: str | None) -> None:
    assert offered(*NAMES).find(spelling) == name


@pytest.mark.parametrize(
    ("call_id", "name"),
    [
        ("functions.get_weather:0", "get_weather"),
        ("functions_get_weather_0", "get_weather"),
        ("functionsget_weather0", "get_weather"),
        ("functions-search-web-3", "search-web"),
        ("functionsa2", "a"),
        ("functionsa11", None),
        ("functionsb1", None),
        ("call_1", None),
        ("0", None),
    ],
)
def test_an_id_means_a_function(call_id: str, name: str | None) -> None:
    assert offered(*NAMES).find_by_id(call_id) == name


def test_tools_with_required_parameters_need_arguments() -> None:
    tools = OfferedTools({"tools": [{"type": "function", "function": {"name": "f"}}]})
    assert not tools.needs_arguments("f")
    assert offered("f").needs_arguments("f")
    assert not offered("f").needs_arguments("g")


@pytest.mark.parametrize("tools", [None, [], [{"type": "openrouter:web_search"}], [{"function": {"name": ""}}], ["x"]])
def test_requests_without_functions_allow_no_calls(tools: Any) -> None:
    assert not OfferedTools({"tools": tools}).may_be_called


def test_a_choice_of_none_forbids_calls() -> None:
    assert offered("f").may_be_called
    assert not offered("f", tool_choice="none").may_be_called
