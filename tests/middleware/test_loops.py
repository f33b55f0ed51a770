"""Loops of the same calls with the same results end, in real agents."""

import itertools
import pickle
from typing import Any, cast

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError

from langchain_kimi import ChatKimi, KimiError, KimiUsageError
from langchain_kimi.middleware import KimiLoopError, LoopGuard, RepairInvalidCalls
from langchain_kimi.middleware.loops import length_of_loop, steps_in
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.middleware.ways import BROKEN, OSLO, WAYS, calls, get_weather, kinds, run, thread

BERGEN = ToolCall("get_weather", {"city": "Bergen"})
SUNNY = Reply(text="It is sunny.")
_numbers = itertools.count()


@tool
def next_number() -> int:
    """Return another number each time."""
    return next(_numbers)


def agent_of(model: ChatKimi, *middleware: Any) -> Any:
    return create_agent(model, [get_weather, next_number], middleware=middleware, checkpointer=InMemorySaver())


async def test_an_agent_without_it_loops_until_the_recursion_limit(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(OSLO), times=None)
    with pytest.raises(GraphRecursionError):
        await run(agent_of(model), "invoke", config={**thread(), "recursion_limit": 20})
    assert len(openrouter.bodies) == 10


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
async def test_a_loop_is_an_error(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(OSLO), times=None)
    agent = agent_of(model, LoopGuard())
    with pytest.raises(KimiLoopError, match=r"same calls \(get_weather\) with the same results 3 times") as caught:
        await run(agent, way)
    error = caught.value
    assert isinstance(error, KimiError)
    assert (error.repeats, error.calls) == (3, ({"name": "get_weather", "args": {"city": "Oslo"}},))
    assert error.partial is not None
    assert not error.is_retryable
    assert pickle.loads(pickle.dumps(error)).calls == error.calls  # noqa: S301 - the test's own pickle
    assert len(openrouter.bodies) == 3
    # The thread can be used again, and the steps count from the new message on.
    openrouter.clear()
    openrouter.script(calls(OSLO), SUNNY)
    assert (await run(agent, way))[-1].text == "It is sunny."


@pytest.mark.parametrize("way", WAYS)
async def test_a_loop_gets_a_nudge(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(OSLO), calls(OSLO), SUNNY)
    messages = await run(agent_of(model, LoopGuard(max_repeats=2, on_loop="nudge")), way)
    assert kinds(messages) == ["human", "ai", "tool", "ai", "tool", "human", "ai"]
    assert "same calls with the same results 2 times" in messages[5].text
    assert openrouter.bodies[-1]["messages"][-1] == {"role": "user", "content": messages[5].text}


async def test_a_loop_after_the_nudge_is_an_error(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(OSLO), times=None)
    with pytest.raises(KimiLoopError):
        await run(agent_of(model, LoopGuard(on_loop="nudge")), "invoke")
    assert len(openrouter.bodies) == 6


async def test_alternating_calls_are_a_loop(model: ChatKimi, openrouter: Emulator) -> None:
    for reply in [calls(OSLO), calls(BERGEN)] * 3:
        openrouter.script(reply)
    with pytest.raises(KimiLoopError) as caught:
        await run(agent_of(model, LoopGuard()), "ainvoke")
    assert [call["args"]["city"] for call in caught.value.calls] == ["Oslo", "Bergen"]


async def test_parallel_calls_in_another_order_are_the_same(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(OSLO, BERGEN), calls(BERGEN, OSLO), SUNNY)
    with pytest.raises(KimiLoopError):
        await run(agent_of(model, LoopGuard(max_repeats=2)), "invoke")


async def test_calls_with_other_results_are_not_a_loop(model: ChatKimi, openrouter: Emulator) -> None:
    for reply in [calls(ToolCall("next_number"))] * 4:
        openrouter.script(reply)
    openrouter.script(SUNNY)
    assert (await run(agent_of(model, LoopGuard(max_repeats=2)), "invoke"))[-1].text == "It is sunny."


async def test_the_nudge_of_a_repair_does_not_hide_a_loop(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(OSLO), Reply(text=""), calls(OSLO), calls(BROKEN), calls(OSLO))
    with pytest.raises(KimiLoopError):
        await run(agent_of(model, RepairInvalidCalls(), LoopGuard()), "invoke")


def test_results_belong_to_the_reply_before_them() -> None:
    reply = AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "same"}])
    messages = [ToolMessage("lost", tool_call_id="0"), reply, ToolMessage("1", tool_call_id="same"), reply]
    steps = steps_in([*messages, ToolMessage("1", tool_call_id="same"), AIMessage("Done.")])
    assert [step for step, _ in steps] == [reply, reply]
    assert steps[0][1] == steps[1][1]


@pytest.mark.parametrize(
    ("steps", "repeats", "length"),
    [("", 2, None), ("a", 2, None), ("aa", 2, 1), ("abab", 2, 2), ("xabab", 2, 2), ("aba", 2, None),
     ("aaab", 3, None), ("baaa", 3, 1), ("abcabcabc", 3, 3), ("abcabcabd", 3, None), ("aabaab", 2, 3)],
)  # fmt: skip
def test_the_shortest_repeated_sequence_counts(steps: str, repeats: int, length: int | None) -> None:
    assert length_of_loop(list(steps), repeats) == length


def test_the_arguments_are_checked() -> None:
    with pytest.raises(KimiUsageError, match="max_repeats must be at least 2, got 1"):
        LoopGuard(max_repeats=1)
    with pytest.raises(KimiUsageError, match="on_loop must be 'error' or 'nudge', got 'stop'"):
        LoopGuard(on_loop=cast("Any", "stop"))
