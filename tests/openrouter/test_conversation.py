"""The messages of a request, and those that are more than a role and a text."""

import json

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_kimi._openrouter.conversation import Conversation, non_text_messages, unusual_messages, with_replaced
from langchain_kimi._openrouter.json import is_plain
from langchain_kimi._openrouter.wire import WireMessage
from langchain_kimi._request.messages import messages_to_wire

CALL = {"id": "c1", "name": "f", "args": {}}
MESSAGES: list[BaseMessage] = [
    SystemMessage("Be brief."),
    HumanMessage("Hi."),
    HumanMessage("Hi.", name="Ann"),
    HumanMessage([{"type": "image", "url": "https://example.com/a.png"}]),
    AIMessage("", tool_calls=[CALL]),
    ToolMessage("1", tool_call_id="c1"),
    AIMessage("Yes.", additional_kwargs={"reasoning_content": "Hm."}),
    AIMessage("Yes."),
]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": None},
        {"role": "assistant"},
        {"role": "user", "content": [{"type": "text", "text": "Hi."}]},
        {"role": "user", "content": "Hi.", "name": "Ann"},
        {"role": "tool", "content": "1"},
    ],
)
def test_a_message_with_anything_but_a_role_and_a_text_is_beyond_text(message: WireMessage) -> None:
    text: WireMessage = {"role": "user", "content": "Hi."}
    assert non_text_messages([text, message, text]) == [message]


def test_the_conversion_notes_every_message_beyond_text() -> None:
    wire = messages_to_wire(MESSAGES)
    noted = non_text_messages(wire)
    # Some more may be noted.
    assert len(noted) < len(wire)
    assert all(any(one is message for one in noted) for message in non_text_messages([*wire]))
    assert all(any(one is message for message in wire) for one in noted)


def test_the_conversion_notes_every_unusual_message() -> None:
    wire = messages_to_wire(MESSAGES)
    noted = unusual_messages(wire)
    usual = [message for message in wire if not any(one is message for one in noted)]
    assert [message["role"] for message in usual] == ["user", "assistant", "tool", "assistant"]
    assert is_plain(usual)
    assert {*usual[1]} == {"role", "content", "tool_calls"}
    assert {*usual[2]} == {"role", "content", "tool_call_id"}
    # A list has no notes.
    assert unusual_messages([*wire]) == non_text_messages([*wire])


def test_replaced_messages_keep_the_notes() -> None:
    wire = messages_to_wire(MESSAGES)
    replacements: list[WireMessage] = [{**message} for message in wire]
    replaced = with_replaced(wire, replacements)
    assert replaced == wire
    for selection in (non_text_messages, unusual_messages):
        assert selection(replaced) == selection(wire)
        assert all(any(one is message for message in replacements) for one in selection(replaced))
    assert with_replaced([*wire], replacements) is replacements


def test_a_conversation_without_a_note_is_read_to_its_end() -> None:
    assert non_text_messages([*Conversation([{"role": "user", "content": "Hi."}], [])]) == []


def test_a_conversation_is_written_as_a_list() -> None:
    messages: list[WireMessage] = [{"role": "user", "content": "Hi."}]
    assert json.dumps(Conversation(messages, [])) == json.dumps(messages)
