"""The conversion of a conversation takes time in proportion to its length, whatever the messages are."""

from collections.abc import Callable

import pytest
from langchain_core.messages import AIMessage, BaseMessage, FunctionMessage, HumanMessage, ToolCall, ToolMessage

from langchain_kimi._kimi.history import check_pairs, with_pairs
from langchain_kimi._request.messages import messages_to_wire
from tests.growth import assert_linear
from tests.rows import each_row

pytestmark = pytest.mark.uncovered


def calls(number: int) -> AIMessage:
    return AIMessage("", tool_calls=[ToolCall(name=f"f{index}", args={}, id=f"c{index}") for index in range(number)])


def turns_with_functions(number: int) -> list[BaseMessage]:
    turns = ([AIMessage("", tool_calls=[ToolCall(name="f", args={}, id=f"c{index}")])] for index in range(number))
    return [message for turn in turns for message in (*turn, FunctionMessage(content="1", name="f"))]


CONVERSATIONS: dict[str, Callable[[int], list[BaseMessage]]] = {
    "texts": lambda n: [(AIMessage if index % 2 else HumanMessage)("word") for index in range(n)],
    "results in the opposite order": lambda n: [
        calls(n),
        *(ToolMessage("1", tool_call_id=f"c{index}") for index in reversed(range(n))),
    ],
    "calls without results": lambda n: [calls(1), *(calls(1) for _ in range(n)), calls(n)],
    "results without calls": lambda n: [ToolMessage("1", tool_call_id=f"c{index}") for index in range(n)],
    "function messages": turns_with_functions,
    "function messages of one turn": lambda n: [
        calls(n),
        *(FunctionMessage(content="1", name=f"f{index}") for index in reversed(range(n))),
    ],
}


@each_row("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_the_conversion_takes_linear_time(conversation: Callable[[int], list[BaseMessage]]) -> None:
    conversations: dict[int, list[BaseMessage]] = {}

    def convert(size: int) -> None:
        if size not in conversations:
            conversations[size] = conversation(size)
        wire = messages_to_wire(conversations[size])
        check_pairs(with_pairs([*wire]))

    assert_linear(convert, 250)
