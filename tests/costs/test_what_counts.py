"""The counted calls, if several are made for one question, or no call at all."""

import asyncio
from collections.abc import Iterator

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.runnables import RunnableParallel
from pydantic import BaseModel

from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import Budget, track_costs
from langchain_kimi.errors import KimiBudgetExceededError
from langchain_kimi.testing import Emulator, Reply
from tests.costs.conftest import STORY, drain


class Person(BaseModel):
    """A person."""

    name: str
    age: int


@pytest.fixture
def _cache() -> Iterator[None]:
    set_llm_cache(InMemoryCache())
    yield
    set_llm_cache(None)


def test_a_repair_is_counted_as_a_separate_call(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="no object"), Reply(text='{"name": "Ada", "age": 36}'))
    chain = model.with_structured_output(Person, method="json_schema", repair=1)
    with track_costs() as costs:
        assert chain.invoke(STORY) == Person(name="Ada", age=36)
    assert costs.total.calls == len(openrouter.requests) == 2
    assert costs.total.unknown == 0


def test_a_repair_is_refused_as_any_call_is(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="no object"), times=None)
    chain = model.with_structured_output(Person, method="json_schema", repair=1)
    budget = Budget(max_cost=1e-9, reserve=0)
    with pytest.raises(KimiBudgetExceededError):
        chain.invoke(STORY, {"callbacks": [budget]})
    assert len(openrouter.requests) == budget.total.calls == 1


@pytest.mark.usefixtures("_cache")
async def test_a_hit_of_the_cache_spends_nothing(model: ChatKimi, openrouter: Emulator) -> None:
    model.invoke(STORY)
    budget = Budget(max_cost=1e-9, reserve=0)
    for _ in range(2):
        model.invoke(STORY, {"callbacks": [budget]})
        await model.ainvoke(STORY, {"callbacks": [budget]})
    assert len(openrouter.requests) == 1
    assert (budget.total.cache_hits, budget.total.calls, budget.spent) == (4, 0, 0)


async def test_tasks_and_threads_are_counted_where_they_were_begun(model: ChatKimi) -> None:
    async def inside() -> int:
        with track_costs() as costs:
            await asyncio.gather(model.ainvoke(STORY), drain(model.astream(STORY)))
        return costs.total.calls

    with track_costs() as costs:
        assert list(await asyncio.gather(inside(), inside())) == [2, 2]
        await asyncio.to_thread(model.invoke, STORY)
        await RunnableParallel(one=model, other=model).ainvoke(STORY)
        await model.abatch([STORY] * 3, {"max_concurrency": 2})
        begun = asyncio.create_task(model.ainvoke(STORY))
    await begun
    await model.ainvoke(STORY)
    assert (costs.total.calls, costs.in_flight) == (11, 0)
