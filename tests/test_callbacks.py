"""The costs of runs, over HTTP, in every way to call the model."""

import asyncio
import contextvars
import json
import threading
from typing import Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel

from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import Costs, KimiCostCallback, track_costs
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, RawReply
from tests.conftest import KEY
from tests.costs.conftest import STORY, drain, get_weather


def ask_agent(model: ChatKimi, config: Any) -> None:
    agent = create_agent(model, [get_weather])
    agent.invoke({"messages": [HumanMessage("What is the weather in Oslo?")]}, config)


def ask_nested(model: ChatKimi, config: Any) -> None:
    chain = ChatPromptTemplate.from_template("{it}?") | model | StrOutputParser()
    both = RunnableParallel(one=chain, other=RunnableLambda(chain.invoke))
    both.invoke({"it": "Well"}, config)


WAYS: dict[str, tuple[int, Any]] = {
    "invoke": (1, lambda model, config: model.invoke(STORY, config)),
    "stream": (1, lambda model, config: list(model.stream(STORY, config))),
    "stream, no usage": (1, lambda model, config: list(model.stream(STORY, config, stream_usage=False))),
    "batch": (5, lambda model, config: model.batch([STORY] * 5, {**(config or {}), "max_concurrency": 2})),
    "generate": (2, lambda model, config: model.generate([[HumanMessage(STORY)]] * 2, **(config or {}))),
    "agent": (2, ask_agent),
    "nested": (2, ask_nested),
}


ASYNC_WAYS: dict[str, tuple[int, Any]] = {
    "ainvoke": (1, lambda model, config: model.ainvoke(STORY, config)),
    "astream": (1, lambda model, config: drain(model.astream(STORY, config))),
    "abatch": (5, lambda model, config: model.abatch([STORY] * 5, {**(config or {}), "max_concurrency": 2})),
    "astream_events": (1, lambda model, config: drain(model.astream_events(STORY, config, version="v2"))),
    "agent": (
        2,
        lambda model, config: create_agent(model, [get_weather]).ainvoke(
            {"messages": [HumanMessage("What is the weather in Oslo?")]}, config
        ),
    ),
    "agent, streamed": (
        2,
        lambda model, config: drain(
            create_agent(model, [get_weather]).astream(
                {"messages": [HumanMessage("What is the weather in Oslo?")]}, config, stream_mode="messages"
            )
        ),
    ),
}


def check_counts(costs: KimiCostCallback, calls: int) -> None:
    """Every call is counted, with its tokens and its cost, under its names."""
    total = costs.total
    assert (total.calls, total.failed, total.unknown, costs.in_flight) == (calls, 0, 0, 0)
    assert total.total_tokens == total.input_tokens + total.output_tokens > 0
    assert total.cost > 0
    assert costs.models == {"moonshotai/kimi-k2-0905": total}
    assert costs.providers == {"Moonshot AI": total}


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_call_is_counted(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    calls, ask = WAYS[way]
    callback = KimiCostCallback()
    ask(model, {"callbacks": [callback]})
    check_counts(callback, calls)
    with track_costs() as tracked:
        ask(model, None)
    ask(model, None)
    check_counts(tracked, calls)
    assert len(openrouter.requests) == 3 * calls


@pytest.mark.uncovered
@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_every_async_way_to_call_is_counted(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    calls, ask = ASYNC_WAYS[way]
    callback = KimiCostCallback()
    await ask(model, {"callbacks": [callback]})
    check_counts(callback, calls)
    with track_costs() as tracked:
        await asyncio.create_task(ask(model, None))
    await ask(model, None)
    check_counts(tracked, calls)
    assert len(openrouter.requests) == 3 * calls


def test_the_sums_are_those_of_the_replies(model: ChatKimi) -> None:
    with track_costs() as costs:
        answers = [model.invoke(STORY), model.invoke(STORY), model.invoke("Another one.")]
    usages = [answer.usage_metadata for answer in answers if answer.usage_metadata]
    assert costs.total.cost == pytest.approx(sum(answer.response_metadata["cost"] for answer in answers))
    assert costs.total.total_tokens == sum(usage["total_tokens"] for usage in usages)
    assert costs.total.cached_share is not None
    assert 0 < costs.total.cached_share < 1


def test_thinking_has_its_share(openrouter: Emulator) -> None:
    model = ChatKimi(model="moonshotai/kimi-k2-thinking", api_key=KEY, base_url=openrouter.base_url)
    with track_costs() as costs:
        model.invoke(STORY)
    assert costs.total.reasoning_tokens > 0
    assert costs.total.reasoning_share is not None
    assert 0 < costs.total.reasoning_share < 1


def test_models_and_hosts_are_counted_separately(model: ChatKimi, openrouter: Emulator) -> None:
    with track_costs() as costs:
        model.invoke(STORY)
        openrouter.behave(provider="Fireworks")
        model.invoke(STORY, model="moonshotai/kimi-k2.6")
    assert {name.split("-2")[0]: row.calls for name, row in costs.models.items()} == {
        "moonshotai/kimi-k2-0905": 1,
        "moonshotai/kimi-k2.6": 1,
    }
    assert {name: row.calls for name, row in costs.providers.items()} == {"Fireworks": 1, "Moonshot AI": 1}
    sums = costs.to_dict()
    assert json.loads(json.dumps(sums)) == sums
    assert sums["total"]["cost"] == pytest.approx(sum(row.cost for row in costs.models.values()))
    for name in (*costs.models, "at Fireworks", "at Moonshot AI", "total"):
        assert name in str(costs)
    assert "calls=2" in repr(costs)
    assert "cost=$0.0" in repr(costs)
    assert "<th>at Fireworks</th>" in costs._repr_html_()


def test_several_answers_to_one_call_are_one_call(model: ChatKimi, openrouter: Emulator) -> None:
    choices = [{"index": n, "finish_reason": "stop", "message": {"content": "Yes."}} for n in range(2)]
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "cost": 0.5}
    body = json.dumps({"id": "gen-1", "model": "kimi", "choices": choices, "usage": usage}).encode()
    openrouter.script(RawReply(headers={"content-type": "application/json"}, body=body))
    with track_costs() as costs:
        model.invoke(STORY)
    assert costs.models == {"kimi": costs.total}
    assert (costs.total.calls, costs.total.cost, costs.total.total_tokens) == (1, 0.5, 7)


def test_an_answer_from_the_cache_costs_nothing(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, cache=InMemoryCache())
    with track_costs() as first:
        model.invoke(STORY)
    with track_costs() as second:
        model.invoke(STORY)
        asyncio.run(model.ainvoke(STORY))
    check_counts(first, 1)
    assert second.total == Costs(cache_hits=2)
    assert len(openrouter.requests) == 1


def test_another_package_s_model_is_counted_without_its_cost() -> None:
    with track_costs() as costs:
        FakeListChatModel(responses=["Yes."]).invoke(STORY)
    assert (costs.total.calls, costs.total.failed, costs.total.unknown) == (1, 0, 1)


def test_threads_share_one_callback(model: ChatKimi, openrouter: Emulator) -> None:
    costs = KimiCostCallback()

    def ask() -> None:
        for _ in range(5):
            model.invoke(STORY, {"callbacks": [costs]})

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_counts(costs, 40)


def test_a_thread_of_one_s_own_takes_the_context_along(model: ChatKimi) -> None:
    with track_costs() as costs:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(model.invoke, STORY))
        thread.start()
        thread.join()
    check_counts(costs, 1)


def test_inside_another_both_count(model: ChatKimi) -> None:
    ask: RunnableLambda[str, Any] = RunnableLambda(model.invoke)

    def tracked(text: str) -> str:
        with track_costs() as inner:
            ask.invoke(text)
        check_counts(inner, 1)
        return text

    with track_costs() as outer:
        model.invoke(STORY)
        RunnableLambda(tracked).invoke(STORY)
        with track_costs() as failing, pytest.raises(KimiError):
            model.invoke(STORY, api_key="", temperature=7)
    assert (outer.total.calls, outer.total.failed) == (3, 1)
    assert failing.total.calls == 1


def test_with_two_callbacks_each_counts_once(model: ChatKimi, openrouter: Emulator) -> None:
    costs = KimiCostCallback()
    own = ChatKimi(api_key=KEY, base_url=openrouter.base_url, callbacks=[costs])
    with track_costs() as tracked:
        own.invoke(STORY, {"callbacks": [costs]})
    check_counts(costs, 1)
    check_counts(tracked, 1)


def test_reset_sets_all_sums_to_zero(model: ChatKimi) -> None:
    costs = KimiCostCallback()
    model.invoke(STORY, {"callbacks": [costs]})
    costs.reset()
    assert (costs.total, costs.models, costs.providers) == (Costs(), {}, {})
    model.invoke(STORY, {"callbacks": [costs]})
    check_counts(costs, 1)


def test_a_stream_may_end_while_its_thread_is_counting() -> None:
    costs = KimiCostCallback()
    first, second = uuid4(), uuid4()

    class Collecting(dict[str, Any]):
        """Python may collect garbage, and so end a stream, wherever it is."""

        def get(self, key: str, default: Any = None) -> Any:
            costs.on_llm_error(GeneratorExit(), run_id=second)
            return super().get(key, default)

    for run_id in (first, second):
        costs.on_chat_model_start({}, [[]], run_id=run_id)
    costs.on_llm_error(KimiError("no", usage=Collecting(cost=0.5)), run_id=first)
    assert (costs.total.calls, costs.total.cost, costs.in_flight) == (2, 0.5, 0)
