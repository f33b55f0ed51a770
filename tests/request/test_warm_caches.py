from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.wire import WireMessage
from langchain_kimi._request.routing import conversation_id
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY

SYSTEM, QUESTION = SystemMessage("Be brief."), HumanMessage("Who are you?")


def model(openrouter: Emulator, **settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, **settings)


def sent(openrouter: Emulator, field: str) -> list[Any]:
    return [body.get(field) for body in openrouter.bodies]


def from_host(name: Any, text: str = "I am Kimi.") -> AIMessage:
    return AIMessage(text, response_metadata={"provider": name})


async def conversation(kimi: ChatKimi, way: Way, turns: int = 3) -> list[BaseMessage]:
    messages: list[BaseMessage] = [SYSTEM, QUESTION]
    for turn in range(turns):
        messages += [await ask(kimi, way, messages), HumanMessage(f"And then {turn}?")]
    return messages


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_sent_unasked(openrouter: Emulator, way: Way) -> None:
    await conversation(model(openrouter), way)
    assert sent(openrouter, "session_id") == sent(openrouter, "provider") == [None] * 3


@pytest.mark.parametrize("way", WAYS)
async def test_turns_share_a_session(openrouter: Emulator, way: Way) -> None:
    await conversation(model(openrouter, auto_session=True), way)
    [session] = set(sent(openrouter, "session_id"))
    assert len(session) == 32
    assert int(session, 16)


def test_conversations_have_sessions_of_their_own(openrouter: Emulator) -> None:
    kimi = model(openrouter, auto_session=True)
    kimi.invoke([SYSTEM, QUESTION])
    kimi.invoke([QUESTION])
    kimi.invoke([SYSTEM, HumanMessage("Another question?")])
    assert len(set(sent(openrouter, "session_id"))) == 3


@pytest.mark.parametrize(
    ("settings", "call", "expected"),
    [
        ({"session_id": "mine"}, {}, "mine"),
        ({}, {"session_id": "mine"}, "mine"),
        ({}, {"session_id": None}, None),
        ({"prompt_cache_key": "mine"}, {}, None),
    ],
)
def test_an_own_session_stays(
    openrouter: Emulator, settings: dict[str, Any], call: dict[str, Any], expected: str | None
) -> None:
    model(openrouter, auto_session=True, **settings).invoke("Hello.", **call)
    assert sent(openrouter, "session_id") == [expected]


def test_the_id_of_a_conversation() -> None:
    assert conversation_id([]) is None
    assert conversation_id([{"role": "system", "content": "Be brief."}]) is None
    opening: list[WireMessage] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"}]
    opening_id = conversation_id(opening)
    later: list[WireMessage] = [
        *opening,
        {"role": "assistant", "content": "Kimi."},
        {"role": "user", "content": "Why?"},
    ]
    assert conversation_id(later) == opening_id
    # The same in every process.
    assert opening_id == "c55c6d70e14a823915916d0b28c902a6"
    # The error about such a value is raised when the body is serialized.
    assert conversation_id([{"role": "user", "content": [{"type": "data", "data": b"x"}]}]) is None


@pytest.mark.parametrize("way", WAYS)
async def test_the_last_host_is_tried_first(openrouter: Emulator, way: Way) -> None:
    openrouter.behave(provider="AtlasCloud")
    await conversation(model(openrouter, sticky_provider=True), way)
    assert sent(openrouter, "provider") == [None, {"order": ["atlas-cloud"]}, {"order": ["atlas-cloud"]}]
    openrouter.behave(provider=None)


def test_the_last_provider_is_tried_next(openrouter: Emulator) -> None:
    kimi = model(openrouter, sticky_provider=True)
    kimi.invoke([QUESTION, from_host("Groq"), QUESTION, from_host("Moonshot AI"), QUESTION])
    assert sent(openrouter, "provider") == [{"order": ["moonshotai"]}]


@pytest.mark.parametrize(
    "preferences",
    [
        {"order": ["novita"]},
        {"only": ["novita", "groq"]},
        {"allow_fallbacks": False},
        {"ignore": ["groq"]},
        {"ignore": ["Groq"]},
    ],
)
def test_explicit_provider_preferences_are_kept(openrouter: Emulator, preferences: dict[str, Any]) -> None:
    model(openrouter, sticky_provider=True, provider=preferences).invoke([QUESTION, from_host("Groq"), QUESTION])
    assert sent(openrouter, "provider") == [preferences]


def test_other_preferences_are_kept_beside(openrouter: Emulator) -> None:
    kimi = model(openrouter, sticky_provider=True, provider={"ignore": ["novita"], "data_collection": "deny"})
    kimi.invoke([QUESTION, from_host("Groq"), QUESTION])
    [preferences] = sent(openrouter, "provider")
    assert preferences == {"ignore": ["novita"], "data_collection": "deny", "order": ["groq"]}


@pytest.mark.parametrize("name", [None, "", " ", {"name": "Groq"}])
def test_a_host_that_is_not_named_is_not_asked(openrouter: Emulator, name: Any) -> None:
    model(openrouter, sticky_provider=True).invoke([QUESTION, from_host("Groq"), QUESTION, from_host(name), QUESTION])
    assert sent(openrouter, "provider") == [None]
