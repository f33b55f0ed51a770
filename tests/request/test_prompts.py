"""Prompts of a model's inputs."""

import re
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue

from langchain_kimi import KimiInvalidRequestError, KimiUsageError
from langchain_kimi._request.prompts import batches_with_image_types, prompt_of
from tests.rows import each_row

CONVERT = FakeListChatModel(responses=[])._convert_input
IMAGE = HumanMessage([{"type": "image", "base64": "iVBORw0KGgoAAAAN"}])
TYPED = {"type": "image", "base64": "iVBORw0KGgoAAAAN", "mime_type": "image/png"}
UNKNOWN = HumanMessage([{"type": "image", "base64": "aW1n"}])


class OwnMessage(HumanMessage):
    """A user's own class."""


INPUTS: dict[str, Any] = {
    "a text": "hi",
    "no messages": [],
    "messages": [
        SystemMessage("Be brief."),
        HumanMessage("hi", id="1"),
        AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "c"}]),
        ToolMessage("1", tool_call_id="c"),
        AIMessageChunk(content="so"),
        ChatMessage(content="and", role="user"),
        FunctionMessage(content="2", name="f"),
        OwnMessage(content="own"),
    ],
    "plain messages": [HumanMessage("hi"), AIMessage("Hello.")],
    "a tuple": (HumanMessage("hi"), AIMessage("Hello.")),
    "roles and texts": [("system", "Be brief."), {"role": "user", "content": "hi"}, "and"],
    "a prompt": ChatPromptValue(messages=[HumanMessage("hi")]),
    "a text prompt": StringPromptValue(text="hi"),
}


@each_row("model_input", INPUTS.values(), ids=INPUTS)
def test_the_prompt_is_that_of_langchain_core(model_input: Any) -> None:
    prompt, expected = prompt_of(model_input, CONVERT), CONVERT(model_input)
    assert prompt == expected
    assert type(prompt) is type(expected)
    assert prompt.model_fields_set == expected.model_fields_set
    assert prompt.to_messages() == expected.to_messages()
    assert prompt.model_dump() == expected.model_dump()


def test_the_prompt_has_the_same_messages_in_a_new_list() -> None:
    messages: list[BaseMessage] = [HumanMessage("hi"), AIMessage("Hello.")]
    prompt = prompt_of(messages, CONVERT)
    messages.pop()
    assert [message.text for message in prompt.to_messages()] == ["hi", "Hello."]
    assert prompt.to_messages()[0] is messages[0]


def test_other_inputs_are_errors() -> None:
    unreadable: list[Any] = [5, [5], [("nobody", "hi")], [{"content": "hi"}]]
    for model_input in unreadable:
        with pytest.raises(KimiUsageError, match="cannot be read as messages"):
            prompt_of(model_input, CONVERT)


def test_images_get_their_types() -> None:
    prompt = prompt_of([HumanMessage("hi"), IMAGE], CONVERT)
    assert [message.content for message in prompt.to_messages()] == ["hi", [TYPED]]
    assert IMAGE.content == [{"type": "image", "base64": "iVBORw0KGgoAAAAN"}]
    with pytest.raises(KimiUsageError, match=re.escape("messages[1].content[0]: base64 data")):
        prompt_of([HumanMessage("hi"), UNKNOWN], CONVERT)


def test_images_of_batches_get_their_types() -> None:
    error = ValueError("mime_type key is required for base64 data.")
    batches = batches_with_image_types([[HumanMessage("hi")], [IMAGE]], error)
    assert [[message.content for message in messages] for messages in batches] == [["hi"], [[TYPED]]]
    with pytest.raises(KimiUsageError, match="base64 data"):
        batches_with_image_types([[UNKNOWN]], error)


def test_an_error_with_another_reason_is_raised_again() -> None:
    error = ValueError("of a callback")
    with pytest.raises(ValueError, match="of a callback") as caught:
        batches_with_image_types([[HumanMessage("hi")]], error)
    assert caught.value is error
    refused = KimiInvalidRequestError("refused")
    with pytest.raises(KimiInvalidRequestError) as raised:
        batches_with_image_types([[IMAGE]], refused)
    assert raised.value is refused
