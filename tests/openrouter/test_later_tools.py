from typing import Any

from langchain_kimi._openrouter.conversation import Conversation
from langchain_kimi._openrouter.later_tools import name_of, with_all_tools, with_last_effort, with_tools_in_place


def tool(name: str, description: str = "") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description}}


def adding(*tools: Any, removed: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"role": "system", "content": "", "tools": list(tools), "removed_tools": list(removed)}


def effort(value: str | None) -> dict[str, Any]:
    return {"role": "system", "content": "", "configuration_update": {"reasoning": value and {"effort": value}}}


USER: Any = {"role": "user", "content": "Hello."}
SEARCH = {"type": "openrouter:web_search"}


def body_of(*messages: Any, **more: Any) -> Any:
    return {"model": "m", "messages": list(messages), **more}


def names(body: Any) -> list[Any]:
    return [name_of(each) or each["type"] for each in body.get("tools", [])]


def sent(body: Any, *, in_messages: bool) -> Any:
    return with_tools_in_place(with_all_tools(body), in_messages=in_messages)


def test_a_body_without_changes_is_the_same_object() -> None:
    body = body_of(USER, tools=[tool("a")])
    assert with_all_tools(body) is body
    assert with_tools_in_place(body, in_messages=True) is body
    assert with_last_effort(body) is body


def test_tools_of_messages_are_added_to_the_request() -> None:
    body = body_of(USER, adding(tool("b")), USER, adding(tool("c")), tools=[tool("a"), SEARCH])
    assert names(with_all_tools(body)) == ["a", "openrouter:web_search", "b", "c"]
    flat = sent(body, in_messages=False)
    assert flat == body_of(USER, USER, tools=[tool("a"), SEARCH, tool("b"), tool("c")])
    assert body["messages"][1] == adding(tool("b"))


def test_tools_stay_in_their_messages() -> None:
    body = body_of(USER, adding(tool("b"), tool("c")), USER, tools=[tool("a")])
    placed = sent(body, in_messages=True)
    later = {"role": "system", "tools": [tool("b"), tool("c")]}
    assert placed == body_of(USER, later, USER, tools=[tool("a")])
    assert placed["messages"].non_text_messages == [later]


def test_a_request_can_have_only_later_tools() -> None:
    placed = sent(body_of(USER, adding(tool("b"))), in_messages=True)
    assert "tools" not in placed


def test_a_tool_that_is_added_twice_stays_where_it_was_first() -> None:
    body = body_of(adding(tool("a"), tool("b")), USER, adding(tool("b")), tools=[tool("a")])
    placed = sent(body, in_messages=True)
    assert placed == body_of({"role": "system", "tools": [tool("b")]}, USER, tools=[tool("a")])


def test_a_new_definition_replaces_the_old_one() -> None:
    body = body_of(USER, adding(tool("a", "new")), tools=[tool("a", "old")])
    assert sent(body, in_messages=False)["tools"] == [tool("a", "new")]


def test_a_removal_moves_all_tools_to_the_request() -> None:
    body = body_of(USER, adding(tool("b")), adding(removed=("a",)), tools=[tool("a")])
    assert sent(body, in_messages=True) == body_of(USER, tools=[tool("b")])
    assert "tools" not in sent(body_of(USER, adding(removed=("a",)), tools=[tool("a")]), in_messages=True)


def test_server_tools_are_added_and_removed_by_their_type() -> None:
    advisors = [{"type": "openrouter:advisor", "parameters": {"name": name}} for name in ("a", "b")]
    clock = {"type": "openrouter:datetime"}
    body = body_of(USER, adding(clock), adding(*advisors), tools=[tool("a"), SEARCH])
    assert sent(body, in_messages=False)["tools"] == [tool("a"), SEARCH, clock, *advisors]
    wider = {**SEARCH, "parameters": {"max_results": 9}}
    body = body_of(USER, adding(wider), adding(removed=("openrouter:datetime",)), tools=[SEARCH, clock, tool("a")])
    assert sent(body, in_messages=False)["tools"] == [tool("a"), wider]


def test_a_request_without_tools_has_no_choice_of_them() -> None:
    choice = {"tool_choice": "required", "parallel_tool_calls": False}
    body = body_of(USER, adding(removed=("a",)), tools=[tool("a")], **choice)
    assert sent(body, in_messages=False) == body_of(USER)
    body = body_of(USER, adding(removed=("a",)), tools=[tool("a"), tool("b")], **choice)
    assert sent(body, in_messages=False) == body_of(USER, tools=[tool("b")], **choice)


def test_the_last_effort_is_that_of_the_request() -> None:
    body = body_of(effort("low"), USER, effort("high"), reasoning={"max_tokens": 5, "exclude": True})
    body["reasoning_effort"] = "low"
    assert with_last_effort(body) == body_of(USER, reasoning={"exclude": True, "effort": "high"})


def test_an_update_without_an_effort_changes_nothing_else() -> None:
    assert with_last_effort(body_of(effort(None), USER)) == body_of(USER)


def test_an_update_of_another_form_is_ignored() -> None:
    update: Any = {**effort(None), "configuration_update": {"reasoning": "high"}}
    assert with_last_effort(body_of(update, USER)) == body_of(USER)


def test_messages_beyond_text_are_noted() -> None:
    named: Any = {**USER, "name": "me"}
    change: Any = adding(tool("b"))
    body = with_all_tools(body_of(tools=[tool("a")]) | {"messages": Conversation([named, change], [named, change])})
    messages: Any = body["messages"]
    assert messages.non_text_messages == messages == [named, {"role": "system", "content": "", "adds_tools": 0}]


def test_a_tool_without_a_function_has_no_name() -> None:
    assert name_of(SEARCH) is None
