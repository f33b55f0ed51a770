from typing import Any

import pytest

from langchain_kimi._kimi.tool_names import accepted_names, check_names, with_accepted_names
from langchain_kimi.errors import KimiUsageError

LONG = "mcp__" + "server" * 20


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}


def call(name: str) -> dict[str, Any]:
    return {"id": "a:0", "type": "function", "function": {"name": name, "arguments": "{}"}}


def body(*names: str, messages: Any = (), choice: Any = "auto") -> Any:
    return {"model": "m", "messages": list(messages), "tools": [tool(name) for name in names], "tool_choice": choice}


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("github.search", "github_search"),
        ("files/read", "files_read"),
        ("with blank", "with_blank"),
        ("1password", "tool_1password"),
        ("_private", "tool__private"),
        ("-", "tool_-"),
        ("搜索", "tool___"),
        ("line\n", "line_"),
    ],
)
def test_a_name_is_replaced(name: str, sent: str) -> None:
    assert accepted_names(body(name)) == {name: sent}


@pytest.mark.parametrize("name", ["search", "get-weather_2", "X" * 64])
def test_accepted_names_are_not_replaced(name: str) -> None:
    request = body(name)
    assert accepted_names(request) == {}
    assert with_accepted_names(request) is request
    check_names(request, is_kimi=True)


def test_long_names_stay_distinct() -> None:
    names = accepted_names(body(LONG + "a", LONG + "b", "x" * 64))
    assert len(set(names.values())) == 2
    assert all(len(sent) == 64 and sent.startswith("mcp__server") for sent in names.values())
    assert accepted_names(body(LONG + "b"))[LONG + "b"] == names[LONG + "b"]


def test_names_are_one_to_one_in_any_letter_case() -> None:
    names = accepted_names(body("a.b", "a/b", "A_B", "a b"))
    sent = [*names.values(), "A_B"]
    assert len({name.casefold() for name in sent}) == 4
    assert all(name.startswith("a_b_") for name in names.values())


def test_names_of_the_conversation_count_too() -> None:
    messages = [{"role": "assistant", "content": None, "tool_calls": [call("a_b"), call("c.d")]}]
    names = accepted_names(body("a.b", messages=messages))
    assert names["c.d"] == "c_d"
    assert names["a.b"].startswith("a_b_")


def test_tools_choice_and_conversation_get_the_new_names() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": None, "tool_calls": [call("a.b"), call("ok")]},
        {"role": "tool", "tool_call_id": "a:0", "name": "a.b", "content": "1"},
        {"role": "tool", "tool_call_id": "a:1", "content": "2"},
    ]
    choice = {"type": "function", "function": {"name": "a.b"}}
    request = body("a.b", "ok", messages=messages, choice=choice)
    sent: Any = with_accepted_names(request)
    assert [one["function"]["name"] for one in sent["tools"]] == ["a_b", "ok"]
    assert sent["tool_choice"]["function"]["name"] == "a_b"
    assert [one["function"]["name"] for one in sent["messages"][1]["tool_calls"]] == ["a_b", "ok"]
    assert sent["messages"][2]["name"] == "a_b"
    assert sent["messages"][0] is messages[0]
    assert request["tools"][0]["function"]["name"] == messages[1]["tool_calls"][0]["function"]["name"] == "a.b"


def test_a_conversation_without_tools_is_renamed_too() -> None:
    messages = [{"role": "assistant", "content": None, "tool_calls": [call("a.b")]}]
    sent: Any = with_accepted_names({"model": "m", "messages": messages})  # type: ignore[typeddict-item]  # a test's messages
    assert sent["messages"][0]["tool_calls"][0]["function"]["name"] == "a_b"
    assert "tools" not in sent


def test_other_models_accept_a_leading_digit() -> None:
    assert accepted_names(body("1password", "a.b"), is_kimi=False) == {"a.b": "a_b"}


def test_other_tools_are_not_renamed() -> None:
    request = {"messages": [], "tools": [{"type": "openrouter:web_search"}, {"type": "function", "function": None}]}
    assert accepted_names(request) == {}


def test_without_the_repair_a_name_is_refused() -> None:
    with pytest.raises(KimiUsageError, match=r"'a\.b' cannot be sent") as raised:
        check_names(body("a.b"), is_kimi=False)
    assert "tool_names" in str(raised.value)
