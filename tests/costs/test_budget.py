"""A budget refuses the next call before it is sent, in every way to call; what the emulator got is the proof."""

import asyncio
import pickle
import sqlite3
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware, ModelRetryMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelError
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import RunnableLambda

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.profiles import prices
from langchain_kimi.callbacks import Budget, Costs, KimiCostCallback, track_costs
from langchain_kimi.errors import KimiAuthenticationError, KimiBudgetExceededError, KimiError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.chat.asking import WAYS as CALL_WAYS
from tests.chat.asking import Way, ask
from tests.conftest import KEY
from tests.costs.conftest import STORY, drain, get_weather

TINY = 1e-9
"""Dollars: spent after any call."""


ASK: Any = {"messages": [HumanMessage("What is the weather in Oslo?")]}


WAYS: dict[str, Any] = {
    "invoke": lambda model, config: model.invoke(STORY, config),
    "stream": lambda model, config: list(model.stream(STORY, config)),
    "batch": lambda model, config: model.batch([STORY] * 3, config),
    "chain": lambda model, config: (RunnableLambda(str) | model).invoke(STORY, config),
    "structured": lambda model, config: model.with_structured_output({"title": "Sea", "type": "object"}).invoke(
        STORY, config
    ),
    "agent": lambda model, config: create_agent(model, [get_weather]).invoke(ASK, config),
    "agent, streamed": lambda model, config: list(
        create_agent(model, [get_weather]).stream(ASK, config, stream_mode="messages")
    ),
}
ASYNC_WAYS: dict[str, Any] = {
    "ainvoke": lambda model, config: model.ainvoke(STORY, config),
    "astream": lambda model, config: drain(model.astream(STORY, config)),
    "abatch": lambda model, config: model.abatch([STORY] * 3, config),
    "astream_events": lambda model, config: drain(model.astream_events(STORY, config, version="v2")),
    "agent": lambda model, config: create_agent(model, [get_weather]).ainvoke(ASK, config),
    "agent, streamed": lambda model, config: drain(
        create_agent(model, [get_weather]).astream(ASK, config, stream_mode="messages")
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_sent_when_the_budget_is_spent(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    budget = Budget(max_cost=TINY, reserve=0)
    model.invoke(STORY, {"callbacks": [budget]})
    with pytest.raises(KimiBudgetExceededError) as caught:
        WAYS[way](model, {"callbacks": [budget]})
    assert len(openrouter.requests) == 1
    assert caught.value.spent == budget.spent == budget.total.cost > TINY
    assert (caught.value.limit, caught.value.unit) == (TINY, "USD")
    assert (budget.total.calls, budget.total.failed, budget.in_flight) == (1, 0, 0)


@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_nothing_is_sent_async_either(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    budget = Budget(max_cost=TINY, reserve=0)
    await model.ainvoke(STORY, {"callbacks": [budget]})
    with pytest.raises(KimiBudgetExceededError):
        await ASYNC_WAYS[way](model, {"callbacks": [budget]})
    assert len(openrouter.requests) == 1
    assert (budget.total.calls, budget.total.failed, budget.in_flight) == (1, 0, 0)


def test_a_budget_of_the_model_applies_to_all_its_runs(openrouter: Emulator) -> None:
    budget = Budget(max_cost=TINY, reserve=0)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, callbacks=[budget])
    # The same one for the run too: the amount that a call reserves does not refuse the call itself.
    model.invoke(STORY, {"callbacks": [budget]})
    with pytest.raises(KimiBudgetExceededError):
        create_agent(model, []).invoke(ASK)
    assert len(openrouter.requests) == 1
    budget.reset()
    model.invoke(STORY)
    assert len(openrouter.requests) == 2


def test_tokens_are_a_limit_too(model: ChatKimi, openrouter: Emulator) -> None:
    budget = Budget(max_tokens=40, reserve=0)
    with pytest.raises(KimiBudgetExceededError) as caught:
        model.batch([STORY] * 10, {"callbacks": [budget], "max_concurrency": 1})
    assert (caught.value.spent, caught.value.limit, caught.value.unit) == (budget.total.total_tokens, 40, "tokens")
    assert len(openrouter.requests) == budget.total.calls == 2


def test_the_lower_of_two_limits_decides(model: ChatKimi, openrouter: Emulator) -> None:
    budget = Budget(max_cost=TINY, max_tokens=1_000_000, reserve=0)
    model.invoke(STORY, {"callbacks": [budget]})
    with pytest.raises(KimiBudgetExceededError, match="USD spent"):
        model.invoke(STORY, {"callbacks": [budget]})


@pytest.mark.parametrize("limit", [{"max_cost": 0}, {"max_tokens": 0}])
def test_a_budget_of_zero_refuses_every_call(model: ChatKimi, openrouter: Emulator, limit: Any) -> None:
    with pytest.raises(KimiBudgetExceededError):
        model.invoke(STORY, {"callbacks": [Budget(**limit)]})
    assert openrouter.requests == []


def test_an_endless_agent_is_stopped(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(tool_calls=[ToolCall("get_weather", {"city": "Oslo"})]), times=None)
    budget = Budget(max_cost=0.0005, reserve=0)
    with pytest.raises(KimiBudgetExceededError):
        create_agent(model, [get_weather]).invoke(ASK, {"callbacks": [budget], "recursion_limit": 200})
    assert len(openrouter.requests) == budget.total.calls > 1
    last = budget.total.cost / budget.total.calls
    assert 0.0005 <= budget.total.cost < 0.0005 + 3 * last


def test_middleware_does_not_try_again(model: ChatKimi, openrouter: Emulator) -> None:
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0.0, on_failure="error")
    refusals: list[BaseException] = []

    class Watching(BaseCallbackHandler):
        def on_chain_error(self, error: BaseException, **_: Any) -> None:
            refusals.append(error)

    agent = create_agent(model, [], middleware=[retry, ModelFallbackMiddleware(model)])
    with pytest.raises(KimiBudgetExceededError) as caught:
        agent.invoke(ASK, {"callbacks": [Budget(max_cost=0), Watching()]})
    assert openrouter.requests == []
    assert refusals
    assert caught.value.is_retryable is False


def test_a_batch_returns_refusals_in_place_of_answers(model: ChatKimi, openrouter: Emulator) -> None:
    budget = Budget(max_cost=TINY, reserve=0)
    config: Any = {"callbacks": [budget], "max_concurrency": 1}
    answers = model.batch([STORY] * 4, config, return_exceptions=True)
    assert [isinstance(answer, KimiBudgetExceededError) for answer in answers] == [False, True, True, True]
    assert len(openrouter.requests) == 1


def test_only_calls_in_flight_can_exceed_the_budget(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.behave(pause=0.05)
    budget = Budget(max_cost=TINY, reserve=0)
    config: Any = {"callbacks": [budget], "max_concurrency": 4}
    answers = model.batch([STORY] * 20, config, return_exceptions=True)
    sent = len(openrouter.requests)
    assert 1 <= sent <= 4
    assert [isinstance(answer, KimiBudgetExceededError) for answer in answers].count(True) == 20 - sent


ESTIMATE = 0.001
"""Dollars: above what one answer of the emulator costs."""


async def test_an_estimate_bounds_fifty_calls_at_once(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.behave(pause=0.05)
    budget = Budget(max_cost=10 * ESTIMATE, reserve=ESTIMATE)
    config: Any = {"callbacks": [budget]}
    answers = await asyncio.gather(*(model.ainvoke(STORY, config) for _ in range(50)), return_exceptions=True)
    refusals = [answer for answer in answers if isinstance(answer, KimiBudgetExceededError)]
    assert len(openrouter.requests) == budget.total.calls == 10
    assert len(refusals) == 40
    assert "0.010 USD reserved for calls in flight" in str(refusals[-1])
    assert refusals[-1].spent == 0
    assert budget.spent < 10 * ESTIMATE
    # The reserved amounts are free again, so another call is made.
    await model.ainvoke(STORY, config)


def test_an_estimate_bounds_fifty_threads(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.behave(pause=0.05)
    budget = Budget(max_cost=10 * ESTIMATE, reserve=ESTIMATE)
    start = threading.Barrier(50)
    refused = []

    def ask() -> None:
        start.wait()
        try:
            model.invoke(STORY, {"callbacks": [budget]})
        except KimiBudgetExceededError as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(openrouter.requests) == budget.total.calls == 50 - len(refused)
    assert budget.spent <= 10 * ESTIMATE


def test_a_call_of_unknown_cost_counts_with_the_estimate(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.fail_next(faults.connection_cut(), times=None)
    budget = Budget(max_cost=2 * ESTIMATE, reserve=ESTIMATE)
    for _ in range(2):
        with pytest.raises(KimiError, match="broke"):
            list(model.stream(STORY, {"callbacks": [budget]}))
    with pytest.raises(KimiBudgetExceededError):
        model.invoke(STORY, {"callbacks": [budget]})
    assert (budget.spent, budget.total.cost, budget.total.unknown) == (2 * ESTIMATE, 0, 2)
    assert len(openrouter.requests) == 2


@pytest.mark.parametrize("details", [None, {"upstream_inference_cost": None}])
async def test_an_unreported_charge_for_an_own_key_counts_with_list_prices(
    model: ChatKimi, openrouter: Emulator, details: Any
) -> None:
    budget = Budget(max_cost=1, reserve=0)
    spent = 0.0
    for number, way in enumerate(CALL_WAYS, start=1):
        openrouter.script(Reply(text="Yes.", cost=0, usage={"is_byok": True, "cost_details": details}))
        await ask(model, way, STORY, {"callbacks": [budget]})
        assert budget.spent > spent
        assert (budget.total.calls, budget.total.unknown, budget.total.cost) == (number, number, 0)
        spent = budget.spent


def test_a_call_without_a_reported_cost_counts_with_list_prices() -> None:
    budget = Budget(max_cost=0.001, reserve=0)
    usage = {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100}
    reply = AIMessage("Yes.", usage_metadata=usage, response_metadata={"model_name": "moonshotai/kimi-k2-0905"})
    silent = FakeMessagesListChatModel(responses=[reply], callbacks=[budget])
    silent.invoke(STORY)
    listed = prices("moonshotai/kimi-k2-0905")
    assert listed is not None
    assert budget.spent == pytest.approx((1_000 * listed.prompt + 100 * listed.completion) / 1e6)
    # It is no fact, so that the sums say that they lack it.
    assert (budget.total.cost, budget.total.unknown) == (0, 1)
    answers = silent.batch([STORY] * 10, {"max_concurrency": 1}, return_exceptions=True)
    assert isinstance(answers[-1], KimiBudgetExceededError)
    assert 0.001 <= budget.spent < 0.0025


@pytest.mark.parametrize("first", [True, False])
async def test_trackers_do_not_count_a_refused_call(model: ChatKimi, openrouter: Emulator, *, first: bool) -> None:
    costs, spent, other = KimiCostCallback(), Budget(max_cost=0), Budget(max_cost=1, reserve=0.5)
    config: Any = {"callbacks": [spent, costs, other] if first else [costs, other, spent]}
    with track_costs() as tracked:
        for _ in range(3):
            with pytest.raises(KimiBudgetExceededError):
                model.invoke(STORY, config)
            with pytest.raises(KimiBudgetExceededError):
                await model.ainvoke(STORY, config)
    for counting in (costs, spent, other, tracked):
        assert (counting.total, counting.in_flight) == (Costs(), 0)
    assert openrouter.requests == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"max_cost": -1},
        {"max_cost": float("nan")},
        {"max_cost": "0.50"},
        {"max_tokens": -1},
        {"max_cost": 1, "reserve": -1},
        {"max_cost": 1, "reserve": float("inf")},
    ],
)
def test_a_limit_must_be_a_number_of_at_least_zero(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"max_cost|max_tokens|reserve"):
        Budget(**wrong)


def test_an_amount_that_was_spent_elsewhere_counts() -> None:
    budget = Budget(max_cost=1.0)
    budget.add(0.25, 10)
    budget.add(tokens=5)
    assert (budget.spent, budget.spent_tokens) == (0.25, 15)


def test_the_error_is_typed_and_survives_a_pickle() -> None:
    error = KimiBudgetExceededError("Spent.", spent=1.5, limit=1.0, unit="USD", advice="Stop.")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - written one line above
    assert (type(again), str(again), vars(again)) == (KimiBudgetExceededError, "Spent. Stop.", vars(error))
    assert all(isinstance(again, kind) for kind in (KimiUsageError, ModelError, ValueError))
    assert again.is_retryable is False


def test_a_refusal_names_the_source_of_list_prices() -> None:
    budget = Budget(max_cost=0.000001, reserve=0)
    message = AIMessage(
        "Yes.",
        usage_metadata={"input_tokens": 1000, "output_tokens": 10, "total_tokens": 1010},
        response_metadata={"model_name": "moonshotai/kimi-k3"},
    )
    run = uuid4()
    budget.on_chat_model_start({}, [[]], run_id=run)
    budget.on_llm_end(LLMResult(generations=[[ChatGeneration(message=message)]]), run_id=run)
    with pytest.raises(KimiBudgetExceededError, match=r"USD of it by list prices \(genai-prices .*, \d{4}-\d\d-\d\d\)"):
        budget.on_chat_model_start({}, [[]], run_id=uuid4())


class Damage(BaseCallbackHandler):
    """Makes the file of a budget unusable when a call has begun."""

    run_inline = True

    def __init__(self, file: Path) -> None:
        self.file = file

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        damage(self.file)


def damage(file: Path) -> None:
    for path in file.parent.glob(f"{file.name}-*"):
        path.unlink()
    file.write_bytes(b"This is not a database." * 100)


@pytest.mark.parametrize("way", CALL_WAYS)
async def test_a_reply_is_not_lost_if_the_budget_s_store_fails(
    openrouter: Emulator, tmp_path: Path, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "budget.db"
    budget = Budget(max_cost=1, shared=file)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, callbacks=[budget, Damage(file)], max_tokens=100)
    assert (await ask(model, way, [HumanMessage(STORY)])).text
    assert "was not charged, because its store failed with DatabaseError" in caplog.text
    assert (budget.total.calls, budget.in_flight) == (1, 0)


@pytest.mark.parametrize("way", CALL_WAYS)
async def test_an_error_of_a_call_is_raised_if_the_budget_s_store_fails(
    openrouter: Emulator, tmp_path: Path, way: Way
) -> None:
    file = tmp_path / "budget.db"
    openrouter.fail_next(faults.unauthorized())
    model = ChatKimi(
        api_key=KEY,
        base_url=openrouter.base_url,
        callbacks=[Budget(max_cost=1, shared=file), Damage(file)],
        max_tokens=100,
    )
    with pytest.raises(KimiAuthenticationError):
        await ask(model, way, [HumanMessage(STORY)])


@pytest.mark.parametrize("way", CALL_WAYS)
async def test_a_call_is_not_made_if_the_budget_s_store_fails_before_it(
    openrouter: Emulator, tmp_path: Path, way: Way
) -> None:
    file = tmp_path / "budget.db"
    budget, other = Budget(max_cost=1, shared=file), Budget(max_cost=1)
    damage(file)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, callbacks=[other, budget], max_tokens=100)
    with pytest.raises(sqlite3.DatabaseError):
        await ask(model, way, [HumanMessage(STORY)])
    assert openrouter.requests == []
    assert (budget.in_flight, other.in_flight, other.reserved) == (0, 0, 0)


@pytest.mark.parametrize("prices", [{"input": 1, "output": 2}, {}, {"prompt": 1}, [1, 2]])
def test_invalid_prices_are_refused_before_the_first_call(prices: Any) -> None:
    with pytest.raises(KimiUsageError, match="`prompt` and `completion`"):
        Budget(max_cost=1, prices=prices)
