import sys
from typing import Any

import pytest

from langchain_kimi.middleware.tool_index import ToolIndex, words_of
from tests.rows import each_row


def function(name: str, description: str = "", **parameters: str) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": text} for key, text in parameters.items()}
    return {"name": name, "description": description, "parameters": {"type": "object", "properties": properties}}


FUNCTIONS: list[dict[str, Any]] = [
    function("github_create_issue", "Create an issue in a repository.", title="The title of the issue."),
    function("github_list_issues", "List the issues of a repository."),
    function("calendar_add_event", "Add an event.", start="When the meeting begins."),
    function("sendEmail", "Send a message to a person.", to="The address."),
    function("天气查询", "查询城市的天气"),
    {"name": "ping", "parameters": {"properties": {"anything": True, "nothing": False}}},
]


@each_row(
    "text, words",
    [
        ("getWeather", ["get", "weather"]),
        ("get_weather-now2", ["get", "weather", "now2"]),
        ("HTTPServer", ["http", "server"]),
        ("the cities and the boxes of the glass buses", ["city", "box", "glass", "bus"]),
        ("天气API", ["天", "气", "api"]),
        ("Überblick über Straßen", ["überblick", "über", "straßen"]),
        ("is", []),
    ],
)
def test_names_and_texts_have_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@each_row(
    "query, first",
    [
        ("create an issue", "github_create_issue"),
        ("issues list", "github_list_issues"),
        ("schedule a meeting", "calendar_add_event"),
        ("email", "sendEmail"),
        ("查询天气", "天气查询"),
        ("use sendEmail for the issue", "sendEmail"),
        ("ping", "ping"),
    ],
)
def test_the_best_tool_is_first(query: str, first: str) -> None:
    assert ToolIndex(FUNCTIONS).search(query, 3)[0] == first


def test_a_search_has_a_limit() -> None:
    assert ToolIndex(FUNCTIONS).search("issue repository", 1) == ["github_list_issues"]
    assert len(ToolIndex(FUNCTIONS).search("issue repository", 5)) == 2


@pytest.mark.parametrize("query", ["quantum", "the", ""])
def test_a_query_that_fits_nothing_finds_nothing(query: str) -> None:
    assert ToolIndex(FUNCTIONS).search(query, 5) == []


def test_tools_without_words_can_be_found_by_name() -> None:
    index = ToolIndex([{"name": "_"}])
    assert (index.search("_", 5), index.search("weather", 5)) == (["_"], [])


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(ImportError, match="pip install bm25s"):
        ToolIndex(FUNCTIONS)
