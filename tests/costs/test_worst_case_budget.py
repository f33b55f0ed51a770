"""Budgets that reserve the maximum cost of calls: refusals, waiting, children, retries and other processes."""

import asyncio
import pickle
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi._tracing import _state
from langchain_kimi.callbacks import Budget, Costs, track_costs
from langchain_kimi.errors import KimiBudgetExceededError, KimiError, KimiUsageError
from langchain_kimi.testing import Emulator, RawReply, Reply, faults
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY
from tests.costs.conftest import STORY
from tests.costs.test_failed_calls import billed_failure

PRICES = {"prompt": 0.6, "completion": 2.5}
MOST = 0.001
"""Dollars: above three times the worst case of a call with 100 tokens at these prices."""


@pytest.fixture
def short(openrouter: Emulator) -> ChatKimi:
    """A model with short replies."""
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_tokens=100, max_retries=1)


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_that_might_exceed_the_budget_is_refused(short: ChatKimi, openrouter: Emulator, way: Way) -> None:
    budget = Budget(max_cost=0.00001)
    bound: Any = short.with_config({"callbacks": [budget]})
    with pytest.raises(KimiBudgetExceededError, match=r"and the call may cost 0\.000") as caught:
        await ask(bound, way, [HumanMessage(STORY)])
    assert openrouter.requests == []
    assert (caught.value.spent, budget.spent, budget.reserved, budget.in_flight) == (0, 0, 0, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_the_cost_of_the_reply_replaces_the_reservation(short: ChatKimi, openrouter: Emulator, way: Way) -> None:
    budget = Budget(prices=PRICES, max_cost=MOST, max_tokens=1_000)
    bound: Any = short.with_config({"callbacks": [budget]})
    for _ in range(3):
        await ask(bound, way, [HumanMessage(STORY)])
    assert 0 < budget.spent == budget.total.cost < MOST
    assert budget.reserved == 0
    assert len(openrouter.requests) == 3


def test_without_max_tokens_a_reply_may_be_as_long_as_the_model_writes(model: ChatKimi) -> None:
    with pytest.raises(KimiBudgetExceededError, match="lower max_tokens"):
        model.invoke(STORY, {"callbacks": [Budget(max_cost=0.001)]})


def test_a_call_without_a_known_worst_case_is_refused(openrouter: Emulator) -> None:
    with track_costs() as costs, pytest.raises(KimiUsageError, match="names no model"):
        FakeListChatModel(responses=["Yes."]).invoke(STORY, {"callbacks": [Budget(max_cost=1)]})
    assert (costs.total, costs.in_flight) == (Costs(), 0)


async def test_calls_wait_for_those_in_flight(short: ChatKimi, openrouter: Emulator) -> None:
    openrouter.behave(pause=0.001)
    budget = Budget(prices=PRICES, max_cost=MOST, wait=True)
    config: Any = {"callbacks": [budget]}
    answers = await asyncio.gather(*(short.ainvoke(STORY, config) for _ in range(12)), return_exceptions=True)
    made = len(openrouter.requests)
    refused = [answer for answer in answers if isinstance(answer, KimiBudgetExceededError)]
    assert len(refused) + made == 12
    assert MOST / 2 < budget.spent <= MOST
    assert (budget.total.calls, budget.total.failed, budget.in_flight, budget.reserved) == (made, 0, 0, 0)


async def test_streams_wait_too(short: ChatKimi, openrouter: Emulator) -> None:
    budget = Budget(prices=PRICES, max_cost=MOST / 2, wait=True)
    config: Any = {"callbacks": [budget]}
    first: Any = short.astream(STORY, config)
    await anext(first)
    second = asyncio.create_task(drained(short.astream(STORY, config)))
    await asyncio.sleep(0.05)
    assert len(openrouter.requests) == 1
    assert [chunk async for chunk in first]
    assert await second > 0
    assert len(openrouter.requests) == 2


async def drained(stream: Any) -> int:
    return len([chunk async for chunk in stream])


def test_threads_wait_for_those_in_flight(short: ChatKimi, openrouter: Emulator) -> None:
    budget = Budget(prices=PRICES, max_cost=MOST, wait=30.0)
    config: Any = {"callbacks": [budget], "max_concurrency": 6}
    answers = short.batch([STORY] * 12, config, return_exceptions=True)
    assert all(not isinstance(answer, Exception) or isinstance(answer, KimiBudgetExceededError) for answer in answers)
    assert MOST / 2 < budget.spent <= MOST
    assert (budget.in_flight, budget.reserved) == (0, 0)


def reserving(short: ChatKimi, budget: Budget) -> Any:
    """Return a stream that has begun and has a reservation."""
    stream: Any = short.stream(STORY, {"callbacks": [budget]})
    next(stream)
    return stream


async def test_a_wait_has_an_end(short: ChatKimi, openrouter: Emulator) -> None:
    budget = Budget(prices=PRICES, max_cost=MOST / 2, wait=0.01)
    stream = reserving(short, budget)
    with pytest.raises(KimiBudgetExceededError, match="reserved for calls in flight"):
        await short.ainvoke(STORY, {"callbacks": [budget]})
    with pytest.raises(KimiBudgetExceededError):
        await asyncio.to_thread(short.invoke, STORY, {"callbacks": [budget]})
    assert len(openrouter.requests) == 1
    assert (budget.in_flight, budget.total.calls) == (1, 0)
    stream.close()


async def test_a_call_that_blocks_its_loop_does_not_wait(short: ChatKimi, openrouter: Emulator) -> None:
    budget = Budget(prices=PRICES, max_cost=MOST / 2, wait=True)
    stream = reserving(short, budget)
    with pytest.raises(KimiBudgetExceededError):
        short.invoke(STORY, {"callbacks": [budget]})
    assert len(openrouter.requests) == 1
    stream.close()


async def test_a_call_of_another_model_does_not_wait_in_a_loop() -> None:
    budget = Budget(max_cost=1, reserve=0.6, wait=True)
    budget._store.reserve("other", budget._limits, budget._store.balance("x").spent)
    budget._store.reserve("another", budget._limits, type(budget._store.balance("x").spent)(cost=Decimal("0.6")))
    with pytest.raises(KimiBudgetExceededError):
        await FakeListChatModel(responses=["Yes."]).ainvoke(STORY, {"callbacks": [budget]})


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cancelled_wait_leaves_nothing(short: ChatKimi, openrouter: Emulator, *, streamed: bool) -> None:
    budget = Budget(prices=PRICES, max_cost=MOST / 2, wait=True)
    stream = reserving(short, budget)
    config: Any = {"callbacks": [budget]}
    with track_costs() as costs:
        call: Any = drained(short.astream(STORY, config)) if streamed else short.ainvoke(STORY, config)
        waiting = asyncio.create_task(call)
        await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert (costs.total, costs.in_flight, budget.in_flight) == (Costs(), 0, 1)
    stream.close()


def test_an_interrupted_wait_leaves_nothing(short: ChatKimi, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(prices=PRICES, max_cost=MOST / 2, wait=True)
    stream = reserving(short, budget)
    interrupted = threading.Event()

    class Interrupting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            interrupted.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(threading, "Event", Interrupting)
    with pytest.raises(KeyboardInterrupt):
        short.invoke(STORY, {"callbacks": [budget]})
    assert interrupted.is_set()
    assert budget.in_flight == 1
    stream.close()


def test_a_child_is_limited_by_its_parent(short: ChatKimi, openrouter: Emulator) -> None:
    team = Budget(prices=PRICES, max_cost=MOST, reserve=0)
    ann, ben = team.child("ann", max_cost=MOST), team.child(max_tokens=60)
    assert (ann.name, ben.name) == ("budget/ann", "budget/1")
    short.invoke(STORY, {"callbacks": [ann]})
    short.invoke(STORY, {"callbacks": [ben, team]})
    assert team.spent == pytest.approx(ann.spent + ben.spent)
    assert team.child("ann", max_cost=MOST).spent == ann.spent > 0
    short.invoke(STORY, {"callbacks": [ben]})
    with pytest.raises(KimiBudgetExceededError, match="of 60 tokens spent"):
        short.invoke(STORY, {"callbacks": [ben]})
    openrouter.script(Reply(text="Yes.", cost=MOST))
    short.invoke(STORY, {"callbacks": [ann]})
    with pytest.raises(KimiBudgetExceededError, match=f"of {MOST} USD"):
        short.invoke(STORY, {"callbacks": [team.child(max_cost=1)]})
    with pytest.raises(ValueError, match="max_cost"):
        team.child("none")
    team.reset()
    ann.reset()
    short.invoke(STORY, {"callbacks": [ann]})


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_retry_that_does_not_fit_is_not_made(short: ChatKimi, openrouter: Emulator, way: Way) -> None:
    openrouter.script(billed_failure(streamed=False))
    budget = Budget(max_cost=0.2501)
    bound: Any = short.with_config({"callbacks": [budget]})
    with pytest.raises(KimiBudgetExceededError):
        await ask(bound, way, [HumanMessage(STORY)])
    assert len(openrouter.requests) == 1
    assert (budget.spent, budget.reserved, budget.in_flight) == (0.25, 0, 0)


async def test_a_wait_ends_while_others_are_served(short: ChatKimi, openrouter: Emulator) -> None:
    budget = Budget(prices=PRICES, max_cost=MOST / 2, wait=0.05)
    stream = reserving(short, budget)
    answers = await asyncio.gather(
        *(short.ainvoke(STORY, {"callbacks": [budget]}) for _ in range(2)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [KimiBudgetExceededError] * 2
    assert budget.in_flight == 1
    stream.close()


def test_a_call_that_is_notified_twice_reserves_once(short: ChatKimi) -> None:
    budget = Budget(max_cost=1, reserve=0.25)
    run_id = uuid4()
    for _ in range(2):
        budget.on_chat_model_start({}, [[HumanMessage(STORY)]], run_id=run_id)
    assert budget.reserved == 0.25


def test_a_failed_attempt_is_charged(short: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(billed_failure(streamed=False))
    budget = Budget(max_cost=1)
    answer = short.invoke(STORY, {"callbacks": [budget]})
    assert budget.spent == pytest.approx(0.25 + answer.response_metadata["cost"])


def test_events_of_calls_that_did_not_begin_change_nothing(short: ChatKimi) -> None:
    budget = Budget(max_cost=1)
    budget.on_retry(_state(KimiError("no"), 1, 0.0), run_id=uuid4())
    budget.on_llm_error(KimiError("no"), run_id=uuid4())
    assert budget.spent == 0


def test_a_cancelled_call_counts_with_its_reservation(short: ChatKimi, openrouter: Emulator) -> None:
    openrouter.fail_next(faults.connection_cut(), times=None)
    budget = Budget(prices=PRICES, max_cost=MOST)
    with pytest.raises(KimiError):
        list(short.stream(STORY, {"callbacks": [budget]}))
    assert (budget.total.cost, budget.total.unknown) == (0, 1)
    assert 0 < budget.spent < MOST


def test_a_longer_prompt_than_estimated_widens_the_margin(short: ChatKimi, openrouter: Emulator) -> None:
    usage = {"prompt_tokens": 1_000, "completion_tokens": 5, "total_tokens": 1_005}
    openrouter.script(Reply(text="Yes.", usage=usage), times=None)
    budget = Budget(max_cost=1, max_tokens=3_000)
    answers = short.batch([STORY] * 5, {"callbacks": [budget], "max_concurrency": 1}, return_exceptions=True)
    assert [isinstance(answer, KimiBudgetExceededError) for answer in answers] == [False, False, True, True, True]
    assert budget.total.total_tokens <= 3_000


def test_processes_share_a_file(short: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.behave(prompt_cache=False)
    budget = Budget(prices=PRICES, max_cost=MOST, shared=tmp_path / "budget.sqlite", wait=0.01)
    short.invoke(STORY, {"callbacks": [budget]})
    state = pickle.dumps(budget)
    # A process with another id.
    again = pickle.loads(state)  # noqa: S301 - written one line above
    again._process -= 1
    short.invoke(STORY, {"callbacks": [again]})
    assert budget.spent == again.spent > budget.total.cost == again.total.cost / 2
    same = Budget(prices=PRICES, max_cost=MOST, shared=tmp_path / "budget.sqlite")
    other = Budget(prices=PRICES, max_cost=MOST, shared=tmp_path / "budget.sqlite", name="other")
    assert (same.spent, other.spent) == (budget.spent, 0)


def test_a_call_with_an_invalid_message_is_not_made(short: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(RawReply(body=b"{}"))
    budget = Budget(max_cost=1)
    with pytest.raises(KimiUsageError):
        short.invoke([HumanMessage([{"type": "image_url"}])], {"callbacks": [budget]})
    assert (budget.in_flight, openrouter.requests) == (0, [])
