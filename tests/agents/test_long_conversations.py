"""Agents with growing conversations: requests keep their prefix, and conversations that are too long are refused."""

from itertools import pairwise
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware, summarization
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import BaseTool

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.conftest import KEY

CITIES = ("Oslo", "Zürich", "東京", "Lima", "Rome")
TURNS = 6
END_OF_MESSAGES = b'],"tools":['
SYSTEM = "You tell the weather. Be brief."


def split(raw: bytes) -> tuple[bytes, bytes]:
    """Return the body up to the end of its last message, and the rest."""
    head, end, tail = raw.partition(END_OF_MESSAGES)
    assert end
    return head, tail


def long_conversation(model: ChatKimi, weather: BaseTool) -> list[Any]:
    agent = create_agent(model, [weather], system_prompt=SYSTEM)
    messages: list[Any] = []
    for turn in range(TURNS):
        question = HumanMessage(f"What is the weather in {CITIES[turn % len(CITIES)]}? (question {turn})")
        messages = agent.invoke({"messages": [*messages, question]})["messages"]
    return messages


@pytest.mark.parametrize("slug", ["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2-thinking", "moonshotai/kimi-k3"])
@pytest.mark.parametrize("streaming", [False, True])
def test_each_request_begins_with_the_previous_one(
    openrouter: Emulator, weather: BaseTool, calls: list[str], slug: str, streaming: Any
) -> None:
    model = ChatKimi(
        model=slug,
        api_key=KEY,
        base_url=openrouter.base_url,
        streaming=streaming,
        auto_session=True,
        sticky_provider=True,
    )
    messages = long_conversation(model, weather)
    assert len(calls) == TURNS
    parts = [split(request.raw) for request in openrouter.requests]
    assert len(parts) == 2 * TURNS
    for (earlier, _), (later, _) in pairwise(parts):
        assert later.startswith(earlier + b",")
    # The first request names no host. All others name the same one.
    assert len({tail for _, tail in parts[1:]}) == 1
    assert len({body["session_id"] for body in openrouter.bodies}) == 1
    assert [body["provider"]["order"] for body in openrouter.bodies[1:]] == [["moonshotai"]] * (2 * TURNS - 1)
    answers = [message for message in messages if isinstance(message, AIMessage)]
    usages = [answer.response_metadata["token_usage"] for answer in answers]
    assert all(usage["prompt_tokens_details"]["cached_tokens"] > 0 for usage in usages[1:])


def too_long(openrouter: Emulator) -> tuple[ChatKimi, list[Any]]:
    small: Any = {"max_input_tokens": 3000}
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, check_context=True, profile=small)
    turns = [(HumanMessage(f"Question {n}? " + "And so on. " * 100), AIMessage(f"Answer {n}.")) for n in range(8)]
    return model, [*(message for turn in turns for message in turn), HumanMessage("And now?")]


def test_a_conversation_that_is_too_long_is_not_sent(openrouter: Emulator) -> None:
    model, messages = too_long(openrouter)
    with pytest.raises(ContextOverflowError, match="takes 3,000"):
        create_agent(model, []).invoke({"messages": messages})
    assert openrouter.requests == []


@pytest.mark.skipif(
    not hasattr(summarization, "ContextOverflowError"), reason="this version of langchain does not handle overflows"
)
def test_summarization_middleware_shortens_a_conversation_that_is_too_long(openrouter: Emulator) -> None:
    model, messages = too_long(openrouter)
    # The request for a summary is too long as well. It is refused and sent again with less text.
    summarize = SummarizationMiddleware(model=model, trigger=("messages", 6), keep=("messages", 2))
    result = create_agent(model, [], middleware=[summarize]).invoke({"messages": messages})
    assert isinstance(result["messages"][-1], AIMessage)
    summary, answer = openrouter.bodies
    assert "middle of conversation omitted" in summary["messages"][-1]["content"]
    assert len(answer["messages"]) < len(messages)
