from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_kimi._openrouter.http.connection import BASE_URL
from langchain_kimi._openrouter.wire import WireMessage
from langchain_kimi._request.routing import host_of, host_of_url, serving_host
from langchain_kimi._tokens.counting import Billed
from langchain_kimi._tokens.model import billed_before

K2 = "moonshotai/kimi-k2-0905"


def answer(provider: Any = None, tokens: int | None = None, model_name: Any = K2) -> AIMessage:
    usage = None
    if tokens is not None:
        usage = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1}
    metadata = {"provider": provider, "model_name": model_name}
    return AIMessage("Hello.", usage_metadata=usage, response_metadata=metadata)


def conversation(*answers: AIMessage) -> list[BaseMessage]:
    return [message for one in answers for message in (HumanMessage("Hi."), one)]


SERVED = conversation(answer("Novita"), answer("Moonshot AI"))


@pytest.mark.parametrize(
    ("preferences", "messages", "host"),
    [
        ({}, [], None),
        ({}, SERVED, "moonshotai"),
        ({}, conversation(answer("Novita"), AIMessage("Hello.")), "novita"),
        ({"only": ["groq"]}, SERVED, "groq"),
        ({"only": ["deepinfra/fp4"]}, SERVED, "deepinfra"),
        ({"only": ["Moonshot AI"]}, [], "moonshotai"),
        ({"only": ["groq", "novita"]}, [], None),
        ({"only": ["groq", "novita"]}, SERVED, None),
        ({"only": ["groq", "moonshotai"]}, SERVED, "moonshotai"),
        ({"order": ["groq", "novita"]}, SERVED, "groq"),
        ({"order": ["groq", "novita"], "only": ["novita"]}, SERVED, "novita"),
        ({"order": [], "only": None}, SERVED, "moonshotai"),
        ({"ignore": ["moonshotai"]}, SERVED, None),
        ({"ignore": ["groq"]}, SERVED, "moonshotai"),
        ({"order": [{"of": "the future"}]}, SERVED, "moonshotai"),
        ({"sort": "price"}, SERVED, "moonshotai"),
    ],
)
def test_the_expected_host_follows_from_the_request(
    preferences: dict[str, Any], messages: list[BaseMessage], host: str | None
) -> None:
    assert serving_host(preferences, BASE_URL, messages) == host


def test_the_serving_host_follows_from_the_url_or_the_conversation_or_the_preferences() -> None:
    groq, gateway = "https://api.groq.com/openai/v1", "https://models.example.com/v1"
    assert serving_host({}, groq, conversation(AIMessage("Hello."))) == "groq"
    assert serving_host({}, gateway, SERVED) == "moonshotai"
    assert serving_host({"only": ["novita"]}, gateway, SERVED) == "novita"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (BASE_URL, None),
        ("https://eu.openrouter.ai/api/v1", None),
        ("https://api.moonshot.ai/v1", "moonshotai"),
        ("https://api.moonshot.cn/v1", "moonshotai"),
        ("https://router.huggingface.co/v1", "huggingface"),
        ("http://127.0.0.1:8000/v1", None),
        ("http://[::1]:8000/v1", None),
        ("http://localhost:8000/v1", None),
        ("", None),
    ],
)
def test_a_hosts_own_endpoint(url: str, host: str | None) -> None:
    assert host_of_url(url) == host


@pytest.mark.parametrize(
    ("provider", "host"), [("Moonshot AI", "moonshotai"), ("  ", None), ({"name": "Groq"}, None), (None, None)]
)
def test_the_host_of_an_answer(provider: Any, host: str | None) -> None:
    assert host_of(answer(provider)) == host


def sent(messages: list[BaseMessage]) -> list[WireMessage]:
    roles: dict[str, Any] = {"human": "user", "ai": "assistant", "tool": "tool"}
    return [{"role": roles[message.type], "content": str(message.content)} for message in messages]


@pytest.mark.parametrize(
    ("messages", "slug", "host", "billed"),
    [
        (conversation(answer("Groq", 11), answer("Groq", 17)), K2, "groq", Billed(3, 17)),
        (conversation(answer("Groq", 11), answer("Groq")), K2, "groq", Billed(1, 11)),
        (conversation(answer("Groq", 11), answer("Groq", 0)), K2, "groq", Billed(1, 11)),
        (conversation(answer("Groq", -5)), K2, "groq", None),
        (conversation(answer("Groq", 11)), K2, None, None),
        (conversation(answer(None, 11)), K2, None, Billed(1, 11)),
        (conversation(answer(None, 11)), K2, "groq", Billed(1, 11)),
        (conversation(answer("Groq", 11), answer("Novita", 17)), K2, "groq", None),
        (conversation(answer("Groq", 11, "moonshotai/kimi-k2")), f"{K2}:exacto", "groq", Billed(1, 11)),
        (conversation(answer("Groq", 11, "moonshotai/kimi-k2.5")), K2, "groq", None),
        (conversation(answer("Groq", 11, None)), K2, "groq", None),
        (conversation(answer("Groq", 11, "openai/gpt-5")), "openai/gpt-5:nitro", "groq", Billed(1, 11)),
        (conversation(answer("Groq", 11, "openai/gpt-5")), "openai/gpt-6", "groq", None),
        ([answer("Groq", 11)], K2, "groq", None),
        ([], K2, "groq", None),
    ],
)
def test_billed_tokens_are_read_from_the_last_answer_of_the_same_host(
    messages: list[BaseMessage], slug: str, host: str | None, billed: Billed | None
) -> None:
    assert billed_before(messages, sent(messages), slug, host) == billed


def test_the_place_is_that_among_the_messages_that_are_sent() -> None:
    messages = [*conversation(answer("Groq", 11)), ToolMessage("Rain.", tool_call_id="a"), answer("Groq", 30)]
    with_one_more: list[WireMessage] = [*sent(messages)[:3], {"role": "tool"}, *sent(messages)[3:]]
    assert billed_before(messages, with_one_more, K2, "groq") == Billed(4, 30)
    # Where answers were left out, no place is sure.
    assert billed_before(messages, sent(messages)[2:], K2, "groq") is None


def test_usage_may_lack_its_numbers() -> None:
    messages = conversation(answer("Groq", 11), answer("Groq"))
    lacking: Any = {"total_tokens": 12}
    messages[-1] = AIMessage.model_construct(
        content="Hello.", usage_metadata=lacking, response_metadata={"provider": "Groq", "model_name": K2}
    )
    assert billed_before(messages, sent(messages), K2, "groq") == Billed(1, 11)
