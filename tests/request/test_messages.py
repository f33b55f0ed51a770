import copy
import json
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolCall,
    ToolMessage,
    ToolMessageChunk,
)

from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi.errors import KimiUsageError

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aW1n"}}
ANTHROPIC_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aW1n"}}
DEVELOPER = {"__openai_role__": "developer"}


def text(value: Any, **more: Any) -> Any:
    return {"type": "text", "text": value, **more}


class Named(HumanMessage):
    """A message that a user derived."""


CASES = [
    # User
    ("human", HumanMessage("hi"), {"role": "user", "content": "hi"}),
    ("human, empty", HumanMessage(""), {"role": "user", "content": ""}),
    ("human, name", HumanMessage("hi", name="ann"), {"role": "user", "content": "hi", "name": "ann"}),
    ("human, chunk", HumanMessageChunk(content="hi"), {"role": "user", "content": "hi"}),
    ("human, derived", Named(content="hi"), {"role": "user", "content": "hi"}),
    ("human, list", HumanMessage(["a", text("b")]), {"role": "user", "content": "a\nb"}),
    ("human, image", HumanMessage([text("a"), ANTHROPIC_IMAGE]), {"role": "user", "content": [text("a"), IMAGE]}),
    ("human, kwargs stay here", HumanMessage("hi", additional_kwargs={"x": 1}), {"role": "user", "content": "hi"}),
    # System
    ("system", SystemMessage("Be brief."), {"role": "system", "content": "Be brief."}),
    ("system, name", SystemMessage("a", name="n"), {"role": "system", "content": "a", "name": "n"}),
    ("system, chunk", SystemMessageChunk(content="a"), {"role": "system", "content": "a"}),
    ("system, list", SystemMessage([text("a"), text("\n\nb")]), {"role": "system", "content": "a\n\nb"}),
    (
        "system, cached",
        SystemMessage([text("a", cache_control={"type": "ephemeral"})]),
        {"role": "system", "content": [text("a", cache_control={"type": "ephemeral"})]},
    ),
    ("developer", SystemMessage("a", additional_kwargs=DEVELOPER), {"role": "developer", "content": "a"}),
    ("developer, list", SystemMessage(["a"], additional_kwargs=DEVELOPER), {"role": "developer", "content": "a"}),
    (
        "system, changes of settings",
        SystemMessage("Be brief.", additional_kwargs={"configuration_update": {"reasoning": {"effort": "low"}}}),
        {"role": "system", "content": "Be brief.", "configuration_update": {"reasoning": {"effort": "low"}}},
    ),
    (
        "system, odd changes",
        SystemMessage("Be brief.", additional_kwargs={"configuration_update": "low"}),
        {"role": "system", "content": "Be brief."},
    ),
    # Assistant
    ("ai", AIMessage("hi"), {"role": "assistant", "content": "hi"}),
    ("ai, chunk", AIMessageChunk(content="hi", chunk_position="last"), {"role": "assistant", "content": "hi"}),
    # Tool
    ("tool", ToolMessage("4", tool_call_id="f:0"), {"role": "tool", "tool_call_id": "f:0", "content": "4"}),
    (
        "tool, what the wire has no field for",
        ToolMessage("4", tool_call_id="f:0", name="f", status="error", artifact={"a": 1}),
        {"role": "tool", "tool_call_id": "f:0", "content": "4"},
    ),
    ("tool, empty", ToolMessage("", tool_call_id="f:0"), {"role": "tool", "tool_call_id": "f:0", "content": ""}),
    ("tool, empty list", ToolMessage([], tool_call_id="f:0"), {"role": "tool", "tool_call_id": "f:0", "content": ""}),
    (
        "tool, chunk",
        ToolMessageChunk(content="4", tool_call_id="f:0"),
        {"role": "tool", "tool_call_id": "f:0", "content": "4"},
    ),
    (
        "tool, list",
        ToolMessage([text("1"), text("2")], tool_call_id="f:0"),
        {"role": "tool", "tool_call_id": "f:0", "content": "1\n2"},
    ),
    (
        "tool, image",
        ToolMessage([text("a"), ANTHROPIC_IMAGE], tool_call_id="f:0"),
        {"role": "tool", "tool_call_id": "f:0", "content": [text("a"), IMAGE]},
    ),
    # Chat
    ("chat, user", ChatMessage(content="a", role="user", name="n"), {"role": "user", "content": "a", "name": "n"}),
    ("chat, system", ChatMessage(content="a", role="system"), {"role": "system", "content": "a"}),
    ("chat, developer", ChatMessage(content="a", role="developer"), {"role": "developer", "content": "a"}),
    (
        "chat, assistant",
        ChatMessage(content="a", role="assistant", name="n", additional_kwargs={"reasoning_content": "Hm."}),
        {"role": "assistant", "content": "a", "name": "n", "reasoning": "Hm."},
    ),
    (
        "chat, tool",
        ChatMessage(content=[text("4")], role="tool", additional_kwargs={"tool_call_id": "f:0"}),
        {"role": "tool", "tool_call_id": "f:0", "content": "4"},
    ),
    ("chat, chunk", ChatMessageChunk(content="a", role="user"), {"role": "user", "content": "a"}),
]


@pytest.mark.parametrize(("message", "wire"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_message_becomes_its_wire_form(message: Any, wire: Any) -> None:
    before = copy.deepcopy(message)
    first = messages_to_wire([message])
    assert first == [wire]
    assert list(first[0]) == list(wire)
    assert message == before


def result(content: Any = None, call_id: str = "f:0", **more: Any) -> Any:
    block = {"type": "tool_result", "tool_use_id": call_id, **more}
    return block if content is None else {**block, "content": content}


def tool_message(content: Any, call_id: str = "f:0") -> Any:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        ([result("4")], [tool_message("4")]),
        ([result()], [tool_message("")]),
        ([result("no", is_error=True)], [tool_message("no")]),
        ([result([text("4"), ANTHROPIC_IMAGE])], [tool_message([text("4"), IMAGE])]),
        ([result("4"), text("")], [tool_message("4")]),
        (
            ["And?", result("4"), result([text("5")], "f:1"), text("Say.")],
            [tool_message("4"), tool_message("5", "f:1"), {"role": "user", "content": "And?\nSay.", "name": "ann"}],
        ),
    ],
)
def test_anthropic_tool_results_become_tool_messages_before_the_user_message(content: Any, wire: Any) -> None:
    assert messages_to_wire([HumanMessage(content, name="ann")]) == wire


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            [result("4"), {"type": "image"}],
            "messages[1].content[1]: a block of type 'image' needs",
        ),
        (
            [text("a"), result([text("4"), {"type": "image", "data": "aW1n"}])],
            "messages[1].content[1].content[1]: a block of type 'image'",
        ),
        ([result("4", "")], "messages[1].content[0]: a block of type 'tool_result' needs 'tool_use_id'."),
    ],
)
def test_errors_in_tool_results_name_the_position(content: Any, expected: Any) -> None:
    with pytest.raises(KimiUsageError) as raised:
        messages_to_wire([HumanMessage("hi"), HumanMessage(content)])
    assert str(raised.value).startswith(expected)


def test_a_function_message_is_paired_with_the_last_open_call_of_its_name() -> None:
    def ask(*ids: Any) -> Any:
        return AIMessage("", tool_calls=[{"name": name, "args": {}, "id": f"{name}:{n}"} for name, n in ids])

    wire = messages_to_wire(
        [
            ask(("f", 0)),
            ask(("f", 1), ("g", 2), ("f", 3)),
            FunctionMessage(content="1", name="f"),
            FunctionMessageChunk(content=[text("3")], name="f"),
            FunctionMessage(content="0", name="f"),
            FunctionMessage(content="2", name="g"),
        ]
    )
    assert wire[2:] == [
        tool_message("1", "f:1"),
        tool_message("3", "f:3"),
        tool_message("0", "f:0"),
        tool_message("2", "g:2"),
    ]


def test_a_function_message_is_paired_with_a_legacy_function_call() -> None:
    legacy = AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": '{"a": 1}'}})
    wire = messages_to_wire([HumanMessage("hi"), legacy, FunctionMessage(content="4", name="f")])
    assert wire[1]["tool_calls"][0]["id"] == wire[2]["tool_call_id"]
    assert wire[1]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a": 1}'}


ERRORS = [
    (
        ChatMessage(content="a", role="critic"),
        (
            "messages[1]: the role 'critic' is not supported. "
            "Supported roles: 'system', 'developer', 'user', 'assistant', 'tool'."
        ),
    ),
    (
        ChatMessage(content="a", role="tool"),
        "messages[1]: a chat message of role 'tool' needs 'tool_call_id' in additional_kwargs. Use a ToolMessage.",
    ),
    (
        FunctionMessage(content="4", name="f"),
        (
            "messages[1]: no open call before it matches the function message 'f'. "
            "Use a ToolMessage with the tool_call_id of the call."
        ),
    ),
    (
        RemoveMessage(id="m1"),
        (
            "messages[1] is a RemoveMessage (of 'm1'), which cannot be sent to a model. "
            "Let the graph's add_messages reducer apply it before calling the model."
        ),
    ),
    (
        BaseMessage("a", type="odd"),
        (
            "messages[1] is of type BaseMessage, which cannot be sent. Accepted types: HumanMessage, AIMessage, "
            "SystemMessage, ToolMessage, ChatMessage, FunctionMessage, and their chunks."
        ),
    ),
    (
        {"role": "user", "content": "a"},
        (
            "messages[1] is of type dict, which cannot be sent. Accepted types: HumanMessage, AIMessage, "
            "SystemMessage, ToolMessage, ChatMessage, FunctionMessage, and their chunks."
        ),
    ),
    (
        SystemMessage([IMAGE]),
        (
            "messages[1].content[0]: a block of type 'image_url' cannot be sent in a message of role 'system'; "
            "accepted types: json, search_result, text, text-plain."
        ),
    ),
]


@pytest.mark.parametrize(("message", "expected"), ERRORS)
def test_the_error_for_a_message_names_its_position(message: Any, expected: Any) -> None:
    with pytest.raises(KimiUsageError) as raised:
        messages_to_wire([HumanMessage("hi"), message])
    assert str(raised.value) == expected


class DerivedTurn(AIMessage):
    """A class of the user, which the general converter handles."""


class DerivedResult(ToolMessage):
    """A class of the user, which the general converter handles."""


CALL = {"name": "f", "args": {"b": [1, None, True], "a": "\n\x7f\u20ac"}, "id": "c1", "type": "tool_call"}
TURNS: list[dict[str, Any]] = [
    {"content": content, **more}
    for content in ("", " ", "Yes.", [text("Yes.")])
    for more in (
        {},
        {"tool_calls": [CALL]},
        {"tool_calls": [CALL, {**CALL, "id": "c2", "args": {}}]},
        {"tool_calls": [{**CALL, "id": None}]},
        {"tool_calls": [{**CALL, "id": ""}]},
        {"tool_calls": [{**CALL, "name": ""}]},
        {"tool_calls": [{**CALL, "args": {"a": 1.5}}]},
        {"tool_calls": [{**CALL, "args": {"a": "\ud800"}}]},
        {"tool_calls": [CALL], "name": "ann"},
        {"tool_calls": [CALL], "additional_kwargs": {"reasoning_content": "Hm."}},
        {"tool_calls": [CALL], "invalid_tool_calls": [{"name": "f", "args": "{", "id": "r1", "error": None}]},
    )
]


def test_usual_turns_and_results_are_converted_as_the_general_converters_do() -> None:
    for fields in TURNS:
        result = ToolMessage("1", tool_call_id="r1")
        general = messages_to_wire([DerivedTurn(**fields), result])
        for kind in (AIMessage, AIMessageChunk):
            assert json.dumps(messages_to_wire([kind(**fields), result])) == json.dumps(general)
    for content in ("", " ", "4", [text("4")]):
        for artifact in (None, {"structured_content": {"a": 1}}):
            values: Any = {"content": content, "tool_call_id": "r1", "name": "f", "artifact": artifact}
            general = messages_to_wire([DerivedResult(**values)])
            assert json.dumps(messages_to_wire([ToolMessage(**values)])) == json.dumps(general)


def test_messages_stay_in_order() -> None:
    messages = [
        SystemMessage("a"),
        SystemMessage("b"),
        HumanMessage("c"),
        HumanMessage("d"),
        AIMessage(""),
        AIMessage("e"),
        AIMessage("f"),
        SystemMessage("g"),
        HumanMessage("h"),
    ]
    wire = messages_to_wire(messages)
    assert [message["content"] for message in wire] == list("abcdefgh")
    assert messages_to_wire([]) == []


def test_the_same_conversation_gives_the_same_bytes_and_is_not_changed() -> None:
    messages = [
        SystemMessage([text("a", cache_control={"type": "ephemeral"})]),
        HumanMessage([text("b"), ANTHROPIC_IMAGE]),
        AIMessage(
            [{"type": "reasoning", "reasoning": "Hm."}],
            tool_calls=[{"name": "f", "args": {"b": 1, "a": 2}, "id": "f:0"}],
            additional_kwargs={"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
        ),
        ToolMessage([text("4")], tool_call_id="f:0"),
    ]
    before = copy.deepcopy(messages)
    assert json.dumps(messages_to_wire(messages)) == json.dumps(messages_to_wire(before))
    assert messages == before


@pytest.mark.parametrize(
    ("artifact", "content"),
    [
        ({"structured_content": {"degrees": 21.5, "city": "Tromsø"}}, '{"degrees": 21.5, "city": "Tromsø"}'),
        ({"other": 1}, ""),
        (None, ""),
    ],
)
def test_a_structured_result_without_content_is_sent_as_json(artifact: Any, content: str) -> None:
    [wire] = messages_to_wire([ToolMessage([], tool_call_id="1", artifact=artifact)])
    assert wire["content"] == content
    [text] = messages_to_wire([ToolMessage("Sunny.", tool_call_id="1", artifact=artifact)])
    assert text["content"] == "Sunny."


def test_a_function_message_is_the_result_of_the_last_open_call_of_its_name() -> None:
    def asking(*ids: str | None) -> AIMessage:
        return AIMessage("", tool_calls=[ToolCall(name="f", args={}, id=call_id) for call_id in ids])

    def result(text: str) -> FunctionMessage:
        return FunctionMessage(content=text, name="f")

    messages = [
        asking("old 1", "old 2"), asking(None), asking("new 1", "new 2"),
        result("a"), ToolMessage("b", tool_call_id="new 2"), result("c"), asking("newest"), result("d"), result("e"),
    ]  # fmt: skip
    results = [wire for wire in messages_to_wire(messages) if wire["role"] == "tool"]
    assert [(wire["content"], wire["tool_call_id"]) for wire in results] == [
        ("a", "new 1"), ("b", "new 2"), ("c", "old 1"), ("d", "newest"), ("e", "old 2"),
    ]  # fmt: skip
    with pytest.raises(KimiUsageError, match=r"messages\[9\]: no open call before it matches the function message 'f'"):
        messages_to_wire([*messages, result("f")])


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ({"type": "image"}, "a block of type 'image' needs 'url' or 'base64'."),
        ({"type": "text-plain"}, "a block of type 'text-plain' needs 'text', 'base64' or 'url'."),
    ],
)
def test_the_error_for_a_block_of_an_assistant_names_its_position(block: Any, reason: Any) -> None:
    with pytest.raises(KimiUsageError) as raised:
        messages_to_wire([AIMessage(["look", block])])
    assert str(raised.value) == f"messages[0].content[1]: {reason}"
