from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi._tokens.counting import TokenCount, shared_counter
from langchain_kimi._tokens.model import _overflow
from langchain_kimi.errors import KimiContextOverflowError
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY

QUESTION = HumanMessage("Say hi in Portuguese. " * 100)
SMALL: Any = {"max_input_tokens": 500}


@pytest.fixture(autouse=True)
def no_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a developer's own vocabulary, and forget the counters of other tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    shared_counter.cache_clear()


def model(openrouter: Emulator, **settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, **settings)


@pytest.mark.parametrize("way", WAYS)
async def test_a_prompt_that_does_not_fit_is_not_sent(openrouter: Emulator, way: Way) -> None:
    kimi = model(openrouter, check_context=True, profile=SMALL)
    tokens = kimi.count_tokens([QUESTION]).tokens
    with pytest.raises(ContextOverflowError) as caught:
        await ask(kimi, way, [QUESTION])
    error = caught.value
    assert isinstance(error, KimiContextOverflowError)
    assert not error.is_retryable
    assert str(error) == (
        f"The prompt has {tokens} tokens (estimated), but the model takes 500. (model moonshotai/kimi-k2-0905) "
        "Nothing was sent. Shorten the conversation."
    )
    assert openrouter.requests == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_shortened_prompt_that_fits_is_sent(openrouter: Emulator, way: Way) -> None:
    kimi = model(openrouter, check_context=True, profile=SMALL)
    tokens = kimi.get_num_tokens_from_messages([QUESTION]) + 45
    usage: Any = {"input_tokens": tokens, "output_tokens": 1, "total_tokens": tokens + 1}
    metadata = {"model_name": "moonshotai/kimi-k2-0905", "provider": "Groq"}
    messages = [QUESTION, AIMessage("Olá.", usage_metadata=usage, response_metadata=metadata), HumanMessage("Again.")]
    limits: list[Any] = [kimi.get_num_tokens_from_messages(messages), kimi.count_tokens(messages).tokens - 1]
    assert limits[0] < limits[1]
    for limit in limits:
        await ask(model(openrouter, check_context=True, profile={"max_input_tokens": limit}), way, messages)
    with pytest.raises(KimiContextOverflowError):
        await ask(model(openrouter, check_context=True, profile={"max_input_tokens": limits[0] - 1}), way, messages)
    assert len(openrouter.requests) == 2


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_room_for_the_reply_counts(openrouter: Emulator, name: str) -> None:
    tokens = model(openrouter).count_tokens([QUESTION]).tokens
    kimi = model(openrouter, check_context=True, profile={"max_input_tokens": tokens + 1000})
    fits: dict[str, Any] = {name: 1000}
    exceeds: dict[str, Any] = {name: 1001}
    kimi.invoke([QUESTION], **fits)
    with pytest.raises(KimiContextOverflowError, match=r"max_tokens asks for 1,001 more, .* or lower max_tokens\."):
        kimi.invoke([QUESTION], **exceeds)
    assert len(openrouter.requests) == 1


def test_a_limit_of_the_profiles(openrouter: Emulator) -> None:
    kimi = model(openrouter, check_context=True)
    kimi.invoke([QUESTION], max_tokens=100_000)
    with pytest.raises(KimiContextOverflowError, match="takes 262,144"):
        kimi.invoke([QUESTION], max_tokens=262_000)
    with pytest.raises(KimiContextOverflowError, match="takes 131,072"):
        kimi.invoke([QUESTION], max_tokens=131_000, model="moonshotai/kimi-k2")
    assert len(openrouter.requests) == 1


@pytest.mark.parametrize(
    ("settings", "call"),
    [
        ({}, {}),
        ({"check_context": True, "model": "somebody/some-model", "profile": None}, {}),
        ({"check_context": True}, {"model": "somebody/some-model"}),
        ({"check_context": True}, {"models": ["somebody/some-model"]}),
        ({"check_context": True}, {"models": ["moonshotai/kimi-k2.5"]}),
        ({"check_context": True}, {"plugins": [{"id": "context-compression"}]}),
    ],
)
def test_a_prompt_that_may_fit_is_sent(openrouter: Emulator, settings: dict[str, Any], call: dict[str, Any]) -> None:
    model(openrouter, **{"profile": SMALL, **settings}).invoke([QUESTION], **call)
    assert len(openrouter.requests) == 1


def test_other_plugins_shorten_nothing(openrouter: Emulator) -> None:
    with pytest.raises(KimiContextOverflowError):
        model(openrouter, check_context=True, profile=SMALL).invoke([QUESTION], plugins=[{"id": "web"}])


def test_the_host_of_the_call_decides_whether_it_fits(openrouter: Emulator) -> None:
    look: Any = {"name": "look", "description": "Look around.", "parameters": {"type": "object", "properties": {}}}
    shorter = model(openrouter, provider={"only": ["moonshotai"]}).count_tokens([QUESTION], [look]).tokens
    kimi = model(openrouter, check_context=True, profile={"max_input_tokens": shorter + 1})
    with pytest.raises(KimiContextOverflowError):
        kimi.invoke([QUESTION], tools=[look])
    kimi.invoke([QUESTION], tools=[look], provider={"only": ["moonshotai"]})
    assert len(openrouter.requests) == 1


def test_an_exact_count_says_so() -> None:
    error = _overflow("moonshotai/kimi-k2-0905", TokenCount(545, exact=True), 0, 500)
    assert "The prompt has 545 tokens (counted), but the model takes 500." in str(error)
