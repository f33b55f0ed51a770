"""Invalid calls and empty replies go back to the model, in real agents."""

import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputValidationError, ToolStrategy
from langchain_core.language_models import BaseChatModel, FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage, InvalidToolCall, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from langchain_kimi import ChatKimi, KimiEmptyReplyError, KimiMalformedReplyError, KimiUsageError
from langchain_kimi.middleware import RepairInvalidCalls
from langchain_kimi.middleware.repair import is_faulty
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.middleware.ways import ASK, BROKEN, OSLO, WAYS, calls, get_weather, kinds, run, thread

EMPTY = Reply(text="")
THOUGHTS = Reply(text="", reasoning="Hm.")
CUT = Reply(text="", reasoning="Hm.", finish_reason="length")
SUNNY = Reply(text="It is sunny.")


class Trip(BaseModel):
    """A trip."""

    city: str


def agent_of(model: BaseChatModel, *middleware: Any, **options: Any) -> Any:
    return create_agent(model, [get_weather], middleware=middleware, checkpointer=InMemorySaver(), **options)


@pytest.mark.parametrize("way", WAYS)
async def test_an_agent_without_it_ends_silently(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(BROKEN), SUNNY)
    messages = await run(agent_of(model), way)
    assert (kinds(messages), messages[-1].text, len(openrouter.bodies)) == (["human", "ai"], "", 1)


@pytest.mark.parametrize("way", WAYS)
async def test_an_invalid_call_goes_back_to_the_model(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(BROKEN), calls(OSLO), SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls()), way)
    assert kinds(messages) == ["human", "ai", "tool", "ai", "tool", "ai"]
    assert (messages[-1].text, messages[4].text) == ("It is sunny.", "Sunny in Oslo.")
    answer = messages[2]
    assert isinstance(answer, ToolMessage)
    assert (answer.status, answer.name) == ("error", "get_weather")
    assert "not valid JSON" in answer.text
    assert '{"city": "Os ' in answer.text
    assert "schema" not in answer.text
    sent = openrouter.bodies[1]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert sent[2]["content"] == answer.text


async def test_the_second_answer_has_the_schema(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), calls(BROKEN), calls(OSLO), SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls()), "invoke")
    first, second = messages[2].text, messages[4].text
    assert "schema" not in first
    schema = json.loads(second.partition("this schema: ")[2])
    assert schema["properties"]["city"]["type"] == "string"
    assert schema["required"] == ["city"]
    assert messages[-1].text == "It is sunny."


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
async def test_too_many_invalid_replies_are_an_error(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(BROKEN), times=None)
    agent = agent_of(model, RepairInvalidCalls())
    with pytest.raises(
        KimiMalformedReplyError, match=r"3 times in a row with invalid tool calls\. get_weather"
    ) as caught:
        await run(agent, way)
    error = caught.value
    assert error.partial is not None
    assert error.partial.invalid_tool_calls[0]["name"] == "get_weather"
    assert (error.provider, error.usage is not None) == ("Moonshot AI", True)
    assert error.generation_id == error.partial.response_metadata["id"]
    assert len(openrouter.bodies) == 3
    # The thread can be used again, and the attempts count from the new message on.
    openrouter.clear()
    openrouter.script(calls(BROKEN), calls(BROKEN), calls(OSLO), SUNNY)
    assert (await run(agent, way))[-1].text == "It is sunny."


async def test_without_attempts_the_first_invalid_reply_is_an_error(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN))
    with pytest.raises(KimiMalformedReplyError, match="replied once"):
        await run(agent_of(model, RepairInvalidCalls(max_attempts=0)), "invoke")


@pytest.mark.parametrize("way", WAYS)
async def test_valid_calls_beside_invalid_ones_run(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    bergen = ToolCall("get_weather", {"city": "Bergen"})
    openrouter.script(calls(OSLO, BROKEN, bergen), SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls()), way)
    results = [message.text for message in messages if isinstance(message, ToolMessage)]
    assert sorted(result[:15] for result in results) == ["Sunny in Bergen", "Sunny in Oslo.", "This call was n"]
    assert [message["role"] for message in openrouter.bodies[1]["messages"]] == ["user", "assistant", *["tool"] * 3]
    assert messages[-1].text == "It is sunny."


async def test_every_parallel_invalid_call_is_answered(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN, ToolCall("get_weather", "{'city'")), SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls()), "invoke")
    assert kinds(messages) == ["human", "ai", "tool", "tool", "ai"]
    assert len(openrouter.bodies) == 2


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reply", [EMPTY, THOUGHTS, CUT], ids=["empty", "thoughts", "cut off"])
async def test_an_empty_reply_gets_a_nudge(model: ChatKimi, openrouter: Emulator, way: str, reply: Reply) -> None:
    openrouter.script(reply, SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls()), way)
    assert (kinds(messages), messages[-1].text) == (["human", "ai", "human", "ai"], "It is sunny.")
    what = "was empty" if reply is EMPTY else "contained only reasoning"
    assert openrouter.bodies[1]["messages"][1:] == [{"role": "user", "content": messages[2].content}]
    assert what in messages[2].text


@pytest.mark.parametrize("reply", [EMPTY, CUT], ids=["empty", "cut off"])
async def test_too_many_empty_replies_are_an_error(model: ChatKimi, openrouter: Emulator, reply: Reply) -> None:
    openrouter.script(reply, times=None)
    agent = agent_of(model, RepairInvalidCalls(max_attempts=1))
    with pytest.raises(KimiEmptyReplyError, match="2 times in a row with neither text nor a tool call") as caught:
        await run(agent, "ainvoke")
    assert isinstance(caught.value.partial, AIMessage)
    assert len(openrouter.bodies) == 2


async def test_a_run_continues_the_count_from_its_checkpoint(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), times=None)
    agent = agent_of(model, RepairInvalidCalls())
    config = thread()
    for _ in agent.stream({"messages": [HumanMessage(ASK)]}, config, durability="sync"):
        break
    assert len(openrouter.bodies) == 1
    with pytest.raises(KimiMalformedReplyError, match="3 times"):
        agent.invoke(None, config)
    assert len(openrouter.bodies) == 3


async def test_a_valid_reply_starts_the_count_again(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), calls(OSLO), calls(BROKEN), calls(OSLO), SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls(max_attempts=1)), "invoke")
    assert messages[-1].text == "It is sunny."


async def test_limits_of_model_calls_count_every_attempt(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), times=None)
    agent = agent_of(model, RepairInvalidCalls(max_attempts=9), ModelCallLimitMiddleware(run_limit=2))
    messages = await run(agent, "invoke")
    assert "limit" in messages[-1].text
    assert len(openrouter.bodies) == 2


async def test_an_invalid_call_of_a_response_tool_goes_back(model: ChatKimi, openrouter: Emulator) -> None:
    broken = ToolCall("Trip", '{"city": "Os')
    openrouter.script(calls(broken), calls(broken), calls(ToolCall("Trip", {"city": "Oslo"})))
    agent = agent_of(model, RepairInvalidCalls(), response_format=ToolStrategy(Trip))
    messages = await run(agent, "invoke")
    assert '"city"' in messages[4].text.partition("this schema: ")[2]
    assert agent.get_state(thread()).values["structured_response"] == Trip(city="Oslo")


async def test_an_invalid_call_beside_a_provider_schema_goes_back(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), calls(OSLO), Reply(text='{"city": "Oslo"}'))
    agent = agent_of(model, RepairInvalidCalls(), response_format=ProviderStrategy(Trip))
    await run(agent, "invoke")
    assert agent.get_state(thread()).values["structured_response"] == Trip(city="Oslo")


async def test_a_text_that_does_not_fit_stays_an_error(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="Oslo."))
    with pytest.raises(StructuredOutputValidationError):
        await run(agent_of(model, RepairInvalidCalls(), response_format=ProviderStrategy(Trip)), "ainvoke")


async def test_an_unknown_tool_is_answered_with_the_names(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), calls(ToolCall("get_wether", "{")), SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls()), "invoke")
    assert "The tools are: get_weather." in messages[4].text


async def test_arguments_that_do_not_fit_the_schema_go_back(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(ToolCall("get_weather", {"town": "Oslo"})), calls(OSLO), SUNNY)
    validating = model.model_copy(update={"validate_tool_calls": True})
    messages = await run(agent_of(validating, RepairInvalidCalls()), "invoke")
    assert kinds(messages) == ["human", "ai", "tool", "ai", "tool", "ai"]
    assert "'city' is a required property" in messages[2].text
    assert '{"town": "Oslo"}' in messages[2].text


async def test_server_tools_do_not_stop_a_repair(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(BROKEN), calls(BROKEN), SUNNY)
    search = {"type": "openrouter:web_search"}
    agent = create_agent(model, [get_weather, search], middleware=[RepairInvalidCalls()], checkpointer=InMemorySaver())
    assert (await run(agent, "invoke"))[-1].text == "It is sunny."


class OtherModel(FakeMessagesListChatModel):
    """A model of another package."""

    def bind_tools(self, *args: Any, **kwargs: Any) -> Any:
        return self


async def test_a_call_without_an_id_gets_one() -> None:
    call = InvalidToolCall(type="invalid_tool_call", id=None, name=None, args=None, error=None)
    other = OtherModel(responses=[AIMessage("", invalid_tool_calls=[call]), AIMessage("Done.")])
    messages = await run(agent_of(other, RepairInvalidCalls()), "invoke")
    first, answer = messages[1], messages[2]
    assert isinstance(first, AIMessage)
    assert isinstance(answer, ToolMessage)
    assert answer.tool_call_id == first.invalid_tool_calls[0]["id"] != ""
    assert answer.text.startswith("This call was not run. Its arguments are not a complete JSON object. Make")


async def test_long_arguments_are_shortened(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(ToolCall("get_weather", '{"city": "' + "x" * 5000)), SUNNY)
    messages = await run(agent_of(model, RepairInvalidCalls()), "invoke")
    assert "x…" in messages[2].text
    assert len(messages[2].text) < 1000


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (AIMessage("Hello."), False),
        (AIMessage(" "), True),
        (AIMessage("", response_metadata={"finish_reason": "content_filter"}), False),
        (AIMessage("", additional_kwargs={"refusal": "No."}), False),
        (AIMessage([{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": ""}]), True),
        (AIMessage([{"type": "image", "url": "data:"}]), False),
        (AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "1"}]), False),
    ],
)
def test_an_explained_reply_is_not_faulty(message: AIMessage, expected: bool) -> None:  # noqa: FBT001 - a parametrized value
    assert is_faulty(message) is expected


async def test_a_filtered_reply_is_not_changed(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="", finish_reason="content_filter"))
    assert kinds(await run(agent_of(model, RepairInvalidCalls()), "invoke")) == ["human", "ai"]


def test_the_number_of_attempts_is_checked() -> None:
    with pytest.raises(KimiUsageError, match="max_attempts must be at least 0, got -1"):
        RepairInvalidCalls(max_attempts=-1)
