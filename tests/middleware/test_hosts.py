"""Providers with faulty replies are excluded, then other models take over, in real agents."""

import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputValidationError, ToolStrategy
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from langchain_kimi import ChatKimi, KimiEmptyReplyError, KimiNotFoundError, KimiUsageError
from langchain_kimi.middleware import FallbackHosts, RepairInvalidCalls
from langchain_kimi.middleware.hosts import kind_of_fault, state_in
from langchain_kimi.testing import EmulatedHost, Emulator, RawReply, Reply, ToolCall, faults
from tests.middleware.ways import BROKEN, OSLO, WAYS, calls, get_weather, kinds, run, thread

EMPTY = Reply(text="")
SUNNY = Reply(text="It is sunny.")
JSON = {"content-type": "application/json"}
OTHER = "moonshotai/kimi-k2.6"


class Trip(BaseModel):
    """A trip."""

    city: str


def agent_of(model: Any, *middleware: Any, saver: Any = None, **options: Any) -> Any:
    tools = [get_weather] if isinstance(model, ChatKimi) else []
    return create_agent(model, tools, middleware=middleware, checkpointer=saver or InMemorySaver(), **options)


def ignored(openrouter: Emulator) -> list[Any]:
    """Return the providers that each request excludes."""
    return [(body.get("provider") or {}).get("ignore") for body in openrouter.bodies]


def models(openrouter: Emulator) -> list[str]:
    return [body["model"].partition("/")[2] for body in openrouter.bodies]


async def test_an_agent_without_it_fails_at_the_first_empty_reply(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(EMPTY, SUNNY)
    with pytest.raises(KimiEmptyReplyError):
        await run(agent_of(model), "invoke")


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
async def test_a_provider_with_an_empty_reply_is_excluded(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(OSLO), EMPTY, SUNNY, SUNNY)
    saver = InMemorySaver()
    messages = await run(agent_of(model, FallbackHosts(), saver=saver), way)
    assert (kinds(messages), messages[-1].text) == (["human", "ai", "tool", "ai"], "It is sunny.")
    assert ignored(openrouter) == [None, None, ["moonshotai"]]
    assert messages[-1].response_metadata["provider"] == "Novita"
    # Another process continues the thread from its checkpoint.
    await run(agent_of(model, FallbackHosts(), saver=saver), way, "And now?")
    assert ignored(openrouter)[-1] == ["moonshotai"]
    # Other threads are not affected.
    openrouter.script(SUNNY)
    await run(agent_of(model, FallbackHosts(), saver=saver), way, config=thread("2"))
    assert ignored(openrouter)[-1] is None


@pytest.mark.parametrize("way", WAYS)
async def test_a_leak_that_was_read_excludes_the_provider_later(
    model: ChatKimi, openrouter: Emulator, way: str
) -> None:
    leaky, steady = EmulatedHost(tag="leaky", name="Leaky", leaks=True), EmulatedHost(tag="steady", name="Steady")
    openrouter.behave(hosts=(leaky, steady))
    messages = await run(agent_of(model, FallbackHosts()), way)
    replies = [message for message in messages if isinstance(message, AIMessage)]
    assert [reply.response_metadata["provider"] for reply in replies] == ["Leaky", "Steady"]
    assert ignored(openrouter) == [None, ["leaky"]]
    assert state_in(messages[:2])["faults"] == [[0, "leaky", "leak"]]


async def test_a_provider_with_invalid_calls_is_excluded(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), calls(BROKEN), calls(OSLO), SUNNY)
    messages = await run(agent_of(model, FallbackHosts()), "invoke")
    assert kinds(messages) == ["human", "ai", "tool", "ai"]
    both = ["moonshotai", "novita"]
    assert ignored(openrouter) == [None, ["moonshotai"], both, both]


async def test_a_reply_of_reasoning_alone_is_a_fault(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="", reasoning="Hm."), SUNNY)
    messages = await run(agent_of(model, FallbackHosts()), "invoke")
    assert (kinds(messages), state_in(messages)["faults"]) == (["human", "ai"], [[0, "moonshotai", "empty"]])


async def test_a_body_that_is_not_json_is_a_fault(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(RawReply(body=b'{"provider": "Groq"', headers=JSON), SUNNY)
    messages = await run(agent_of(model, FallbackHosts()), "invoke")
    assert messages[-1].text == "It is sunny."
    assert state_in(messages)["faults"][0][2] == "schema"


@pytest.mark.parametrize("strategy", [ProviderStrategy, ToolStrategy])
async def test_a_structured_response_that_does_not_fit_is_a_fault(
    model: ChatKimi, openrouter: Emulator, strategy: Any
) -> None:
    if strategy is ProviderStrategy:
        openrouter.script(Reply(text='{"town": 1}'), Reply(text='{"city": "Oslo"}'))
    else:
        openrouter.script(calls(ToolCall("Trip", {"town": 1})), calls(ToolCall("Trip", {"city": "Oslo"})))
    agent = agent_of(model, FallbackHosts(), response_format=strategy(Trip))
    messages = await run(agent, "ainvoke")
    assert agent.get_state(thread()).values["structured_response"] == Trip(city="Oslo")
    assert ignored(openrouter) == [None, ["moonshotai"]]
    assert state_in(messages)["faults"] == [[0, "moonshotai", "schema"]]


@pytest.mark.parametrize("way", WAYS)
async def test_another_model_takes_over_for_the_conversation(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(EMPTY, EMPTY, SUNNY, EMPTY, SUNNY)
    agent = agent_of(model, FallbackHosts([OTHER], max_hosts=2))
    await run(agent, way)
    await run(agent, way, "And now?")
    assert models(openrouter) == ["kimi-k2-0905", "kimi-k2-0905", "kimi-k2.6", "kimi-k2.6", "kimi-k2.6"]
    # The exclusions of a model do not apply to another one.
    assert ignored(openrouter) == [None, ["moonshotai"], None, None, ["moonshotai"]]


async def test_models_of_other_packages_can_take_over(model: ChatKimi, openrouter: Emulator) -> None:
    class Other(FakeListChatModel):
        def bind_tools(self, *arguments: Any, **options: Any) -> Any:
            return self

    openrouter.script(EMPTY, EMPTY)
    other = Other(responses=["", "Hello."])
    messages = await run(agent_of(model, FallbackHosts([other], max_hosts=2)), "invoke")
    assert (kinds(messages), messages[-1].text) == (["human", "ai"], "Hello.")


async def test_after_the_last_model_the_fault_is_an_error(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(EMPTY, times=None)
    with pytest.raises(KimiEmptyReplyError):
        await run(agent_of(model, FallbackHosts([OTHER], max_hosts=2)), "ainvoke")
    assert len(openrouter.bodies) == 4


async def test_after_the_last_model_a_faulty_reply_is_returned(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), calls(BROKEN), calls(OSLO), SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls(), FallbackHosts(max_hosts=2)), "invoke")
    assert kinds(messages) == ["human", "ai", "tool", "ai", "tool", "ai"]
    assert ignored(openrouter)[2:] == [["moonshotai", "novita"]] * 2


ONLY = (EmulatedHost(tag="steady", name="Steady"),)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_without_other_providers_the_next_model_takes_over(
    model: ChatKimi, openrouter: Emulator, way: str
) -> None:
    openrouter.behave(hosts=ONLY)
    openrouter.script(EMPTY, SUNNY)
    await run(agent_of(model, FallbackHosts([OTHER])), way)
    assert models(openrouter) == ["kimi-k2-0905", "kimi-k2-0905", "kimi-k2.6"]


async def test_without_other_providers_and_models_the_exclusions_end(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.behave(hosts=ONLY)
    openrouter.script(EMPTY, SUNNY)
    await run(agent_of(model, FallbackHosts()), "invoke")
    assert ignored(openrouter) == [None, ["steady"], None]


async def test_a_model_that_is_not_found_stays_an_error(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(faults.no_endpoints())
    with pytest.raises(KimiNotFoundError):
        await run(agent_of(model, FallbackHosts([OTHER])), "ainvoke")


async def test_preferences_of_the_model_stay(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(EMPTY, SUNNY)
    preferences = {"ignore": ["groq"], "sort": "price"}
    own = ChatKimi(api_key="k", base_url=openrouter.base_url, max_retries=0, provider=preferences)
    await run(agent_of(own, FallbackHosts()), "invoke")
    assert openrouter.bodies[1]["provider"] == {"ignore": ["groq", "moonshotai"], "sort": "price"}


async def test_a_provider_can_have_more_faults(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(EMPTY, EMPTY, SUNNY)
    await run(agent_of(model, FallbackHosts(max_faults=2)), "invoke")
    assert ignored(openrouter) == [None, None, ["moonshotai"]]


async def test_an_unknown_provider_counts_without_being_excluded(model: ChatKimi, openrouter: Emulator) -> None:
    unknown = {"id": "gen-1", "choices": [{"message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]}
    openrouter.script(RawReply(body=json.dumps(unknown).encode(), headers=JSON), times=2)
    openrouter.script(SUNNY)
    await run(agent_of(model, FallbackHosts([OTHER], max_hosts=2)), "invoke")
    assert (ignored(openrouter), models(openrouter)[-1]) == ([None] * 3, "kimi-k2.6")


@pytest.mark.parametrize("reply", [Reply(text="", finish_reason="length"), Reply(text="Half", finish_reason="length")])
async def test_a_reply_that_was_cut_off_is_not_a_fault(model: ChatKimi, openrouter: Emulator, reply: Reply) -> None:
    openrouter.script(reply)
    assert kinds(await run(agent_of(model, FallbackHosts()), "invoke")) == ["human", "ai"]
    assert len(openrouter.bodies) == 1


async def test_a_structured_response_that_was_cut_off_is_not_a_fault(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text='{"city": "Os', finish_reason="length"))
    with pytest.raises(StructuredOutputValidationError):
        await run(agent_of(model, FallbackHosts(), response_format=ProviderStrategy(Trip)), "invoke")
    assert len(openrouter.bodies) == 1


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_other_models_are_called_unchanged(way: str) -> None:
    messages = await run(agent_of(FakeListChatModel(responses=["Hello."]), FallbackHosts()), way)
    assert messages[-1].text == "Hello."


def test_a_sound_reply_has_no_fault(model: ChatKimi) -> None:
    reply = AIMessage("Hello.", response_metadata={"kimi": {"repairs": {"call_ids": 1}}})
    assert kind_of_fault(reply, ModelResponse([reply]), ModelRequest(model=model, messages=[])) is None
    assert state_in([AIMessage("Hello.", response_metadata={"kimi": {"repairs": {}}})]) == {}


def test_the_numbers_are_checked() -> None:
    with pytest.raises(KimiUsageError, match="at least 1, got 1 and 0"):
        FallbackHosts(max_hosts=0)
