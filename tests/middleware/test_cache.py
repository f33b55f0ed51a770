"""The turns of a thread stay at one provider, and a lost cache is reported, in real agents."""

import warnings
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, dynamic_prompt
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_kimi import ChatKimi, KimiUsageError
from langchain_kimi.middleware import KeepCacheWarm
from langchain_kimi.middleware.cache import cached_share
from langchain_kimi.testing import Emulator, Reply
from tests.middleware.ways import OSLO, WAYS, calls, get_weather, run, thread

LONG = "You answer questions about the weather. " * 200
SUNNY = Reply(text="It is sunny.")


def agent_of(model: Any, *middleware: Any, prompt: str | None = LONG) -> Any:
    checkpointer = InMemorySaver()
    tools = [get_weather] if isinstance(model, ChatKimi) else []
    return create_agent(model, tools, middleware=middleware, checkpointer=checkpointer, system_prompt=prompt)


def sessions(openrouter: Emulator) -> list[Any]:
    return [body.get("session_id") for body in openrouter.bodies]


def orders(openrouter: Emulator) -> list[Any]:
    return [(body.get("provider") or {}).get("order") for body in openrouter.bodies]


async def test_an_agent_without_it_sends_no_session(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(OSLO), SUNNY)
    await run(agent_of(model), "invoke")
    assert (sessions(openrouter), orders(openrouter)) == ([None, None], [None, None])


@pytest.mark.parametrize("way", WAYS)
async def test_a_thread_is_a_session_at_one_provider(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(OSLO), SUNNY, SUNNY, SUNNY)
    agent = agent_of(model, KeepCacheWarm())
    await run(agent, way, config=thread("a"))
    await run(agent, way, "And now?", config=thread("a"))
    await run(agent, way, config=thread("b"))
    assert sessions(openrouter) == ["a", "a", "a", "b"]
    assert orders(openrouter) == [None, ["moonshotai"], ["moonshotai"], None]
    assert not model.sticky_provider


async def test_the_provider_order_can_be_left_out(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(OSLO), SUNNY)
    await run(agent_of(model, KeepCacheWarm(sticky_provider=False)), "invoke")
    assert (sessions(openrouter), orders(openrouter)) == (["1", "1"], [None, None])


async def test_a_long_thread_id_is_digested(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(SUNNY)
    await run(agent_of(model, KeepCacheWarm()), "invoke", config=thread("x" * 257))
    assert len(sessions(openrouter)[0]) == 64


def test_without_a_thread_the_conversation_has_a_session(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(OSLO), SUNNY)
    agent = create_agent(model, [get_weather], middleware=[KeepCacheWarm()])
    agent.invoke({"messages": [HumanMessage("Oslo?")]})
    first, second = sessions(openrouter)
    assert first == second
    assert len(first) == 32


@pytest.mark.parametrize("name", ["session_id", "prompt_cache_key"])
async def test_a_session_of_the_model_stays(model: ChatKimi, openrouter: Emulator, name: str) -> None:
    openrouter.script(SUNNY)
    own = model.model_copy(update={name: "mine"})
    await run(agent_of(own, KeepCacheWarm()), "invoke")
    expected = "mine" if name == "session_id" else None
    assert (openrouter.bodies[0][name], sessions(openrouter)) == ("mine", [expected])


async def test_a_sticky_model_is_not_changed(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(OSLO), SUNNY)
    await run(agent_of(model.model_copy(update={"sticky_provider": True}), KeepCacheWarm()), "invoke")
    assert orders(openrouter) == [None, ["moonshotai"]]


async def test_other_models_are_called_unchanged() -> None:
    messages = await run(agent_of(FakeListChatModel(responses=["Hello."]), KeepCacheWarm()), "invoke")
    assert messages[-1].text == "Hello."


def clock(zone: str) -> Any:
    """Return a middleware that begins the fourth prompt with another time."""

    @dynamic_prompt
    def with_clock(request: ModelRequest[Any]) -> str:
        return f"In {zone} it is {'12:01' if len(request.messages) > 5 else '12:00'}. {LONG}"

    return with_clock


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
async def test_a_changed_prompt_is_reported(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    agent = agent_of(model, KeepCacheWarm(), clock(way), prompt=None)
    openrouter.script(SUNNY, times=None)
    for text in ("One?", "Two?", "Three?"):
        await run(agent, way, text)
    with pytest.warns(UserWarning, match="The prompt cache was lost: 0% of the previous prompt") as caught:
        await run(agent, way, "Four?")
    assert "after 100% in the previous turn" in str(caught[0].message)
    assert "still Moonshot AI: the beginning of the prompt changed" in str(caught[0].message)


def usage(prompt: int, cached: int | None) -> dict[str, Any]:
    """Return the usage of a reply that read these tokens from the cache."""
    details = {} if cached is None else {"prompt_tokens_details": {"cached_tokens": cached}}
    tokens = {"prompt_tokens": prompt, "completion_tokens": 5, "total_tokens": prompt + 5}
    return {"prompt_tokens_details": {}, **tokens, **details}


async def turns(agent: Any, openrouter: Emulator, *usages: dict[str, Any], last: str = "Moonshot AI") -> list[str]:
    """Run one turn for each usage. Return the texts of the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for position, one in enumerate(usages, start=1):
            provider = last if position == len(usages) else None
            openrouter.script(Reply(text="Yes.", usage=one, provider=provider))
            await run(agent, "invoke", f"Turn {position}?")
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("prompts", "warned"),
    [
        ([(2000, 0), (2100, 1900), (2200, 300)], True),
        ([(2000, 0), (2100, 1900), (2200, 500)], False),
        ([(2000, 0), (2100, 900), (2200, 0)], False),
        ([(2000, 0), (2100, 0), (2200, 0)], False),
        ([(900, 0), (1000, 900), (1100, 0)], False),
        ([(2000, 0), (2100, 1900), (2200, None)], False),
        ([(2000, 0), (2100, 1900), (40_000, 2000)], False),
        ([(2000, 0), (2100, 1900)], False),
    ],
    ids=["lost", "low", "was low", "no cache", "short", "unknown", "long result", "two turns"],
)
async def test_the_thresholds_decide(
    model: ChatKimi, openrouter: Emulator, prompts: list[tuple[int, int | None]], *, warned: bool
) -> None:
    usages = [usage(prompt, cached) for prompt, cached in prompts]
    assert len(await turns(agent_of(model, KeepCacheWarm()), openrouter, *usages)) == warned


async def test_a_change_of_provider_is_named(model: ChatKimi, openrouter: Emulator) -> None:
    usages = usage(2000, 0), usage(2100, 1900), usage(2200, 0)
    [text] = await turns(agent_of(model, KeepCacheWarm()), openrouter, *usages, last="Fireworks")
    assert text.endswith("The provider changed from Moonshot AI to Fireworks.")
    assert "0% of the previous prompt (2100 tokens) came from the cache, after 95%" in text


async def test_the_thresholds_can_be_changed(model: ChatKimi, openrouter: Emulator) -> None:
    usages = usage(200, 0), usage(210, 190), usage(220, 140)
    guard = KeepCacheWarm(high_share=0.9, low_share=0.8, min_tokens=100)
    assert len(await turns(agent_of(model, guard), openrouter, *usages)) == 1


def test_a_share_without_usage_is_unknown() -> None:
    assert cached_share(AIMessage("Yes."), AIMessage("Yes.")) is None


def test_the_shares_are_checked() -> None:
    with pytest.raises(KimiUsageError, match=r"got 0\.6 and 0\.5"):
        KeepCacheWarm(low_share=0.6)
