"""The cost of threads and runs has a limit, in real agents."""

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_kimi import ChatKimi, KimiBudgetExceededError, KimiUsageError
from langchain_kimi.callbacks import Budget
from langchain_kimi.middleware import CostLimit
from langchain_kimi.middleware.limits import with_handler
from langchain_kimi.testing import Emulator, Reply
from tests.middleware.ways import OSLO, WAYS, get_weather, kinds, run, thread

SUNNY = Reply(text="It is sunny.", cost=0.01)
CALLS = Reply(tool_calls=[OSLO], cost=0.01)


@pytest.fixture
def limited(model: ChatKimi) -> ChatKimi:
    """Return a model whose calls cost less than half a cent at most, by list prices."""
    return model.model_copy(update={"max_tokens": 100})


def agent_of(model: Any, *middleware: Any, saver: Any = None) -> Any:
    return create_agent(model, [get_weather], middleware=middleware, checkpointer=saver or InMemorySaver())


async def test_an_agent_without_it_spends_any_amount(limited: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(CALLS, CALLS, CALLS, SUNNY)
    await run(agent_of(limited), "invoke")
    assert len(openrouter.bodies) == 4


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
async def test_a_thread_has_a_limit(limited: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(CALLS, SUNNY, CALLS, SUNNY)
    agent = agent_of(limited, CostLimit(0.025))
    await run(agent, way)
    with pytest.raises(KimiBudgetExceededError, match="Budget exceeded") as caught:
        await run(agent, way, "And now?")
    assert (caught.value.spent, caught.value.limit) == (0.03, 0.025)
    assert len(openrouter.bodies) == 3
    # Another thread has a limit of its own.
    await run(agent, way, config=thread("2"))
    assert len(openrouter.bodies) == 4


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
async def test_each_run_has_a_limit(limited: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(CALLS, SUNNY, CALLS, CALLS, CALLS)
    agent = agent_of(limited, CostLimit(0.025, per="run"))
    await run(agent, way)
    with pytest.raises(KimiBudgetExceededError):
        await run(agent, way, "And now?")
    assert len(openrouter.bodies) == 5


async def test_a_call_that_may_exceed_the_limit_is_not_sent(model: ChatKimi, openrouter: Emulator) -> None:
    # Without max_tokens, the reply may have as many tokens as the model can write.
    with pytest.raises(KimiBudgetExceededError, match="the call may cost"):
        await run(agent_of(model, CostLimit(0.02)), "ainvoke")
    assert openrouter.bodies == []


@pytest.mark.parametrize("way", WAYS)
async def test_the_run_can_end_with_a_reply(limited: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(CALLS, times=None)
    messages = await run(agent_of(limited, CostLimit(0.015, on_limit="end")), way)
    assert kinds(messages) == ["human", "ai", "tool", "ai", "tool", "ai"]
    assert messages[-1].text.startswith("Budget exceeded: 0.02 of 0.015 USD spent")


async def test_another_process_continues_the_sum(limited: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(SUNNY, times=None)
    saver = InMemorySaver()
    for _ in range(2):
        await run(agent_of(limited, CostLimit(0.015), saver=saver), "invoke")
    with pytest.raises(KimiBudgetExceededError, match=r"0\.02 of 0\.015 USD spent"):
        await run(agent_of(limited, CostLimit(0.015), saver=saver), "ainvoke")
    assert len(openrouter.bodies) == 2


async def test_a_run_that_is_resumed_is_the_same_run(limited: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(CALLS, times=None)
    saver, pause = InMemorySaver(), HumanInTheLoopMiddleware({"get_weather": True})
    approve: Command[Any] = Command(resume={"decisions": [{"type": "approve"}]})
    for _ in range(3):
        agent = agent_of(limited, pause, CostLimit(0.025, per="run"), saver=saver)
        message: Any = {"messages": [HumanMessage("Oslo?")]} if not openrouter.bodies else approve
        assert "__interrupt__" in agent.invoke(message, thread())
    with pytest.raises(KimiBudgetExceededError):
        agent.invoke(approve, thread())
    assert len(openrouter.bodies) == 3


async def test_without_a_thread_each_run_has_the_limit(limited: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(SUNNY, times=None)
    agent = create_agent(limited, [get_weather], middleware=[CostLimit(0.015)])
    for _ in range(3):
        agent.invoke({"messages": [HumanMessage("Oslo?")]})
    assert len(openrouter.bodies) == 3


async def test_tokens_are_a_limit_too(limited: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(CALLS, times=None)
    with pytest.raises(KimiBudgetExceededError, match="tokens spent") as caught:
        await run(agent_of(limited, CostLimit(max_tokens=600)), "invoke")
    assert caught.value.unit == "tokens"


async def test_a_budget_is_the_total_of_all_threads(limited: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(SUNNY, times=None)
    total = Budget(max_cost=0.025)
    agent = agent_of(limited, CostLimit(0.02, budget=total))
    for name in ("1", "2", "3"):
        await run(agent, "ainvoke", config=thread(name))
    with pytest.raises(KimiBudgetExceededError, match=r"of 0\.025 USD spent"):
        await run(agent, "ainvoke", config=thread("4"))
    assert total.spent == pytest.approx(0.03)


async def test_calls_at_the_same_time_are_reserved(limited: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="Yes.", cost=0.0009), times=None)
    agent = agent_of(limited, CostLimit(0.02, budget=Budget(max_cost=0.003)))
    runs = [run(agent, "ainvoke", config=thread(str(number))) for number in range(20)]
    results = await asyncio.gather(*runs, return_exceptions=True)
    refused = [result for result in results if isinstance(result, KimiBudgetExceededError)]
    assert len(refused) == 20 - len(openrouter.bodies) > 0
    assert len(openrouter.bodies) * 0.0009 <= 0.003


@pytest.mark.parametrize("total", [None, 1.0])
async def test_budgets_that_are_forgotten_begin_with_the_state(
    limited: ChatKimi, openrouter: Emulator, total: float | None
) -> None:
    openrouter.script(SUNNY, times=None)
    limit = CostLimit(0.015, budget=Budget(max_cost=total) if total else None)
    limit.remembered = 1
    agent = agent_of(limited, limit)
    for name in ("1", "2", "1", "2"):
        await run(agent, "invoke", config=thread(name))
    with pytest.raises(KimiBudgetExceededError):
        await run(agent, "invoke", config=thread("1"))


def test_handlers_of_the_model_stay(model: ChatKimi) -> None:
    first, second = BaseCallbackHandler(), BaseCallbackHandler()
    assert with_handler(model.model_copy(update={"callbacks": [first]}), second).callbacks == [first, second]
    manager = CallbackManager([first])
    changed: Any = with_handler(model.model_copy(update={"callbacks": manager}), second).callbacks
    assert (changed.handlers, manager.handlers) == ([first, second], [first])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs max_cost"),
        ({"max_cost": -1}, "at least 0"),
        ({"max_cost": 1, "per": "day"}, "per must be"),
        ({"max_cost": 1, "on_limit": "wait"}, "on_limit must be"),
    ],
)
def test_the_arguments_are_checked(arguments: Any, message: str) -> None:
    with pytest.raises(KimiUsageError, match=message):
        CostLimit(**arguments)
