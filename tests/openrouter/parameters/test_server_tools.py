import copy
import json
import pickle
from typing import Any

import pytest
from openrouter import components
from pydantic import ValidationError

import langchain_kimi
from langchain_kimi import (
    Advisor,
    Bash,
    DateTime,
    Files,
    Fusion,
    ImageGeneration,
    Reasoning,
    SearchModels,
    ServerTool,
    Subagent,
    WebFetch,
    WebSearch,
)
from langchain_kimi._openrouter.parameters.server_tools import BY_TYPE
from tests.rows import each_row

SIZE: dict[str, Any] = {"aspect_ratio": "16:9"}


def test_every_server_tool_is_public() -> None:
    assert [kind for kind in BY_TYPE.values() if getattr(langchain_kimi, kind.__name__) is not kind] == []


def test_the_parameters_are_those_of_the_official_sdk() -> None:
    for kind in BY_TYPE.values():
        official = getattr(components, f"{kind.__name__.replace('DateTime', 'Datetime')}ServerToolConfig").model_fields
        names = sorted(field.alias or name for name, field in official.items())
        assert sorted(vars(kind)["__dataclass_fields__"]) == names


@each_row(
    "tool, parameters",
    [
        (WebSearch(), {}),
        (
            WebSearch(max_results=3, allowed_domains=("a.example",)),
            {"max_results": 3, "allowed_domains": ["a.example"]},
        ),
        (WebSearch(engine="exa", user_location={"city": "Oslo"}), {"engine": "exa", "user_location": {"city": "Oslo"}}),
        (WebFetch(engine="openrouter", max_uses=2), {"engine": "openrouter", "max_uses": 2}),
        (DateTime(timezone="Europe/Oslo"), {"timezone": "Europe/Oslo"}),
        (ImageGeneration(model="a/b", **SIZE), {"model": "a/b", "aspect_ratio": "16:9"}),
        (Bash(engine="openrouter"), {"engine": "openrouter"}),
        (Files(), {}),
        (SearchModels(max_results=20), {"max_results": 20}),
        (Advisor(name="wise", reasoning=Reasoning(effort="high")), {"name": "wise", "reasoning": {"effort": "high"}}),
        (
            Subagent(tools=[WebFetch(max_uses=1), {"type": "openrouter:files"}], reasoning={"effort": "low"}),
            {
                "tools": [
                    {"type": "openrouter:web_fetch", "parameters": {"max_uses": 1}},
                    {"type": "openrouter:files"},
                ],
                "reasoning": {"effort": "low"},
            },
        ),
        (
            Fusion(tools=[], cache_control={"ttl": "1h"}),
            {"tools": [], "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ),
    ],
)
def test_a_server_tool_is_a_dict_in_the_form_of_the_wire(tool: ServerTool, parameters: dict[str, Any]) -> None:
    expected = {"type": tool.tool_type} | ({"parameters": parameters} if parameters else {})
    assert tool == expected
    assert json.loads(json.dumps(tool)) == expected
    official = getattr(components, f"{type(tool).__name__.replace('DateTime', 'Datetime')}ServerToolConfig")
    official.model_validate(parameters)
    assert copy.deepcopy(tool) == pickle.loads(pickle.dumps(tool)) == expected  # noqa: S301 - made here


def test_parameters_are_readable_and_shown() -> None:
    tool = WebSearch(max_results=3, excluded_domains=["a.example"])
    assert (tool.max_results, tool.engine) == (3, None)
    assert repr(tool) == "WebSearch(max_results=3, excluded_domains=['a.example'])"
    assert repr(Files()) == "Files()"


@each_row(
    "kind, parameters, message",
    [
        (WebSearch, {"max_results": 26}, "an integer from 1 to 25, got 26"),
        (WebSearch, {"max_result": 3}, "did you mean 'max_results'"),
        (WebSearch, {"engine": "firecrwl"}, "did you mean 'firecrawl'"),
        (WebSearch, {"allowed_domains": ["a"], "excluded_domains": ["b"]}, "are alternatives"),
        (Subagent, {"tools": "web"}, "a list of server tools or dicts, got 'web'"),
        (Fusion, {"tools": [1]}, "got 1 in it"),
        (Advisor, {"name": "n" * 65}, "at most 64 characters"),
        (Files, {"news": object()}, "must be a JSON value"),
    ],
)
def test_invalid_parameters_are_refused(kind: type[ServerTool], parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        kind(**parameters)


def test_a_new_parameter_is_sent_with_a_warning() -> None:
    new: dict[str, Any] = {"newest": True}
    with pytest.warns(UserWarning, match="'newest' is not a documented key of openrouter:datetime") as warned:
        tool = DateTime(**new)
    assert [warning.filename for warning in warned] == [__file__]
    assert tool == {"type": "openrouter:datetime", "parameters": {"newest": True}}
