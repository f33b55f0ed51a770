"""The spellings of changes in mid-conversation, and what is sent for them."""

from typing import Any

import pytest
from langchain_core.messages import BaseMessage, ChatMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool

from langchain_kimi import ChatKimi, KimiUsageError
from langchain_kimi._request.changes import split_content
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.conftest import KEY
from tests.rows import each_row

SCHEMA = {"type": "object", "properties": {}}
WIRE = {"type": "function", "function": {"name": "clock", "description": "Tell the time.", "parameters": SCHEMA}}
FLAT = {"type": "function", "name": "clock", "description": "Tell the time.", "parameters": SCHEMA}
ANTHROPIC = {"name": "clock", "description": "Tell the time.", "input_schema": SCHEMA}
ADDITION = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": ANTHROPIC}}
REFERENCE = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "weather"}}
REMOVAL = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "weather"}}
UPDATE = {"type": "configuration_update", "reasoning": {"effort": "high"}}
TEXT = {"type": "text", "text": "Go on."}


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return city


def wrapped(block: Any) -> dict[str, Any]:
    return {"type": "non_standard", "value": block}


def body_of(*messages: BaseMessage, **settings: Any) -> dict[str, Any]:
    model = ChatKimi(**{"api_key": KEY, "host": "moonshot", "model": "moonshotai/kimi-k3", **settings})
    return model.request_body([HumanMessage("Hello."), *messages], tools=[weather])


def names(body: Any) -> list[str]:
    return [each["function"]["name"] for each in body.get("tools", [])]


ADDITIONS = {
    "langchain-openai": {"type": "additional_tools", "role": "developer", "tools": [FLAT]},
    "on the wire": {"type": "additional_tools", "tools": [WIRE]},
    "langchain-anthropic": ADDITION,
    "not standard": wrapped(ADDITION),
}


@each_row("block", ADDITIONS.values(), ids=ADDITIONS)
def test_all_spellings_of_an_addition_are_taken(block: Any) -> None:
    body = body_of(SystemMessage([block]))
    [_, later] = body["messages"]
    function = later["tools"][0]["function"]
    assert (set(later), later["role"], names(body)) == ({"role", "tools"}, "system", ["weather"])
    assert (function["name"], function["description"]) == ("clock", "Tell the time.")


@each_row(
    "settings",
    [{"model": "moonshotai/kimi-k2.6"}, {"host": "openrouter"}, {"host": "openrouter", "model": "openai/gpt-6"}],
    ids=["K2", "OpenRouter", "another maker"],
)
def test_other_models_and_hosts_get_all_tools_in_the_request(settings: dict[str, Any]) -> None:
    body = body_of(SystemMessage([ADDITION]), **settings)
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert names(body) == ["weather", "clock"]


def test_text_next_to_a_change_becomes_a_separate_message() -> None:
    body = body_of(SystemMessage([TEXT, ADDITION]), ChatMessage(role="developer", content=[TEXT]))
    assert [message.get("content") for message in body["messages"]] == ["Hello.", "Go on.", None, "Go on."]


def test_a_removed_tool_is_not_sent() -> None:
    body = body_of(SystemMessage([ADDITION]), HumanMessage("And?"), SystemMessage([REMOVAL]))
    assert names(body) == ["clock"]
    assert names(body_of(SystemMessage([ADDITION, {**REMOVAL, "tool": {"name": "clock"}}]))) == ["weather"]


def test_a_removed_tool_can_be_defined_again_in_the_same_message() -> None:
    new: Any = {"type": "additional_tools", "tools": [{**FLAT, "name": "weather"}]}
    for body in (body_of(SystemMessage([REMOVAL, new])), body_of(SystemMessage([new]), model="moonshotai/kimi-k2.6")):
        definitions = [*body.get("tools", []), *(tool for one in body["messages"] for tool in one.get("tools", []))]
        assert [each["function"]["description"] for each in definitions] == ["Tell the time."]
    assert names(body_of(SystemMessage([new, REMOVAL]))) == []


def test_a_reference_has_no_effect() -> None:
    assert body_of(SystemMessage([REFERENCE])) == body_of()


def test_a_new_effort_is_that_of_the_request() -> None:
    body = body_of(HumanMessage([UPDATE, TEXT]), host="openrouter")
    assert (body["reasoning"], len(body["messages"])) == ({"effort": "high"}, 2)
    assert body_of(SystemMessage([UPDATE]), reasoning={"effort": "low"})["reasoning_effort"] == "high"


def test_openrouter_takes_a_new_effort_of_other_makers_in_its_place() -> None:
    body = body_of(HumanMessage([UPDATE, TEXT]), host="openrouter", model="openai/gpt-6")
    update = {"role": "system", "content": "", "configuration_update": {"reasoning": {"effort": "high"}}}
    assert body["messages"][1:] == [update, {"role": "user", "content": "Go on."}]
    assert body_of(HumanMessage([UPDATE]), host="openrouter", model="openai/gpt-6")["messages"][1:] == [update]


def test_a_definition_that_is_no_tool_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="Cannot make a tool"):
        body_of(SystemMessage([{"type": "tool_addition", "tool": {"type": "tool_definition"}}]))


@each_row(
    "block, part",
    [
        ({"type": "tool_removal", "tool": "weather"}, "an object as 'tool'"),
        ({"type": "tool_addition", "tool": ["weather"]}, "an object as 'tool'"),
        ({"type": "additional_tools", "tools": {"name": "weather"}}, "a list as 'tools'"),
        ({"type": "configuration_update", "reasoning": "high"}, "an object as 'reasoning'"),
    ],
)
def test_a_change_of_another_form_is_refused(block: dict[str, Any], part: str) -> None:
    with pytest.raises(KimiUsageError, match=f"A block of type '{block['type']}' needs {part}"):
        body_of(SystemMessage([block]))


def test_other_content_is_returned_unchanged() -> None:
    for content in ("Hello.", [TEXT, "Hello."], [REMOVAL, UPDATE][:1]):
        assert split_content(content, is_system=False) == (content, [])


K3 = {"model": "moonshotai/kimi-k3"}


@each_row(
    "settings, takes_tools",
    [({**K3, "host": "moonshot"}, True), (K3, False), ({"host": "moonshot"}, False)],
    ids=["K3 at Moonshot", "K3 at OpenRouter", "K2 at Moonshot"],
)
def test_the_profile_names_the_changes_that_are_sent_at_their_place(
    settings: dict[str, Any], *, takes_tools: bool
) -> None:
    profile: Any = ChatKimi(api_key=KEY, **settings).profile
    assert (profile["mid_conversation_system_messages"], profile["mid_conversation_tools"]) == (True, takes_tools)


@pytest.mark.parametrize("in_messages", [True, False])
def test_a_later_tool_can_be_called(openrouter: Emulator, *, in_messages: bool) -> None:
    host = {"name": "like Moonshot", "base_url": openrouter.base_url, "takes_later_tools": in_messages}
    openrouter.behave(later_tools=in_messages)
    openrouter.script(Reply(tool_calls=[ToolCall("clock", {})]))
    own = ChatKimi(api_key=KEY, base_url=openrouter.base_url, host=host, model="moonshotai/kimi-k3", max_retries=0)
    conversation = [HumanMessage("Time?"), SystemMessage([ADDITION])]
    tokens = own.get_num_tokens_from_messages(conversation)
    assert tokens > own.get_num_tokens_from_messages(conversation[:1]) + 5
    reply = own.bind_tools([weather]).invoke(conversation)
    assert [call["name"] for call in reply.tool_calls] == ["clock"]
    assert ("tools" in openrouter.bodies[0]["messages"][-1]) is in_messages
