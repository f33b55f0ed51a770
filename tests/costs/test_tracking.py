"""Unknown costs are looked up, and retries of streams are counted."""

import asyncio
import copy
import gc
import pickle
from contextvars import copy_context
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.caches import InMemoryCache

from langchain_kimi import ChatKimi
from langchain_kimi._costs.ledger import Costs
from langchain_kimi._costs.reconciling import Reconciler
from langchain_kimi._costs.tracking import KimiCostCallback, Lookups, _catalog, new_slot, track_costs
from langchain_kimi.callbacks import Budget
from langchain_kimi.catalog import Catalog
from langchain_kimi.errors import KimiError, KimiNotFoundError
from langchain_kimi.testing import Emulator, Reply, faults
from tests.chat.asking import WAYS, ask
from tests.conftest import KEY
from tests.costs.conftest import STORY


class Records:
    """The records of all generations that the emulator has sent."""

    def __init__(self, openrouter: Emulator) -> None:
        self._openrouter = openrouter

    def generation(self, generation_id: str, *, wait: float) -> Any:
        records = self._openrouter._generations._records
        if generation_id not in records:
            raise KimiNotFoundError("There is no such record.")
        return records[generation_id]


@pytest.fixture
def lookups(openrouter: Emulator) -> Reconciler:
    """A reconciler without delays."""
    return Reconciler(Records(openrouter), (0.0, 0.0))


def tracked(lookups: Reconciler) -> KimiCostCallback:
    costs = KimiCostCallback(reconcile=lookups._source)  # type: ignore[arg-type]  # a source, not a function
    costs._lookups.reconciler = lookups
    return costs


def test_a_stream_that_is_left_has_its_cost_after_the_lookup(
    model: ChatKimi, openrouter: Emulator, lookups: Reconciler
) -> None:
    costs = tracked(lookups)
    for _ in model.stream(STORY, {"callbacks": [costs]}):
        break
    gc.collect()
    assert costs.wait_for_costs()
    total = costs.total
    assert (total.calls, total.failed, total.unknown) == (1, 1, 0)
    assert total.cost > 0
    assert total.total_tokens > 0
    assert set(costs.providers) == {"Moonshot AI"}


async def test_a_cancelled_call_has_its_cost_after_the_lookup(
    model: ChatKimi, openrouter: Emulator, lookups: Reconciler
) -> None:
    openrouter.fail_next(faults.silence("middle"))
    costs = tracked(lookups)
    task = asyncio.create_task(model.ainvoke(STORY, {"callbacks": [costs]}))
    await asyncio.wait({task}, timeout=0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert costs.wait_for_costs()
    assert costs.total.calls == 1


def test_a_call_without_a_record_stays_unknown(model: ChatKimi, openrouter: Emulator, lookups: Reconciler) -> None:
    costs = tracked(lookups)
    with pytest.raises(KimiError):
        ChatKimi(api_key=KEY, base_url="http://127.0.0.1:9/v1", max_retries=0).invoke(STORY, {"callbacks": [costs]})
    stream: Any = model.stream(STORY, {"callbacks": [costs]})
    next(stream)
    openrouter._generations._records.clear()
    stream.close()
    assert costs.wait_for_costs()
    assert (costs.total.calls, costs.total.unknown, costs.total.cost) == (2, 1, 0)


def test_sums_that_were_reset_are_not_corrected(model: ChatKimi, lookups: Reconciler) -> None:
    costs = tracked(lookups)
    with lookups._changed:
        for _ in model.stream(STORY, {"callbacks": [costs]}):
            break
        gc.collect()
        assert costs.total.unknown == 1
        costs.reset()
    assert costs.wait_for_costs()
    assert costs.total == Costs()


def test_a_budget_charges_the_cost_of_the_record(model: ChatKimi, lookups: Reconciler) -> None:
    budget = Budget(max_cost=1, reserve=0.25)
    budget._lookups.reconciler = lookups
    child = budget.child(max_cost=0.5)
    with lookups._changed:
        for _ in model.stream(STORY, {"callbacks": [child, budget]}):
            break
        gc.collect()
        assert (budget.spent, child.spent) == (0.25, 0.25)
    assert budget.wait_for_costs()
    assert 0 < budget.spent == child.spent == budget.total.cost < 0.01


def test_the_failed_attempt_of_a_stream_is_counted(openrouter: Emulator, lookups: Reconciler) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1)
    openrouter.script(faults.overloaded(), Reply(text="Yes."))
    costs, budget = KimiCostCallback(), Budget(max_cost=1, reserve=0.1)
    list(model.stream(STORY, {"callbacks": [costs, budget]}))
    assert (costs.total.calls, costs.total.failed, costs.total.retries) == (1, 0, 1)
    assert budget.spent == costs.total.cost


def test_a_budget_that_was_reset_is_not_corrected(model: ChatKimi, lookups: Reconciler) -> None:
    budget = Budget(max_cost=1, reserve=0.25)
    budget._lookups.reconciler = lookups
    child = budget.child(max_cost=0.5)
    with lookups._changed:
        for _ in model.stream(STORY, {"callbacks": [child]}):
            break
        gc.collect()
        budget.reset()
    assert budget.wait_for_costs()
    assert budget.spent == 0 < child.spent < 0.01


def test_a_budget_keeps_nothing_of_a_call_whose_lookup_fails(
    model: ChatKimi, openrouter: Emulator, lookups: Reconciler
) -> None:
    budget = Budget(max_cost=1, reserve=0.25)
    budget._lookups.reconciler = lookups
    with lookups._changed:
        for _ in model.stream(STORY, {"callbacks": [budget]}):
            break
        gc.collect()
        openrouter._generations._records.clear()
    assert budget.wait_for_costs()
    assert (budget.spent, budget.total.unknown, budget._in_process.unknown) == (0.25, 1, {})


async def test_a_failed_attempt_is_not_looked_up_as_the_attempt_that_succeeded(
    openrouter: Emulator, lookups: Reconciler
) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1)
    costs = tracked(lookups)
    for number, way in enumerate(WAYS, start=1):
        openrouter.script(faults.unanswered(), Reply(text="Yes.", cost=0.5))
        await ask(model, way, STORY, {"callbacks": [costs]})
        assert costs.wait_for_costs()
        assert (costs.total.calls, costs.total.unknown, costs.total.cost) == (number, number, 0.5 * number)


async def test_a_failed_attempt_is_not_looked_up_as_an_earlier_one(openrouter: Emulator, lookups: Reconciler) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1)
    costs = tracked(lookups)
    for number, way in enumerate(WAYS, start=1):
        # Only the first attempt has a record, because headers came.
        openrouter.script(faults.connection_cut(after=0), faults.unanswered())
        with pytest.raises(KimiError):
            await ask(model, way, STORY, {"callbacks": [costs]})
        assert costs.wait_for_costs()
        assert (costs.total.calls, costs.total.retries, costs.total.unknown) == (number, number, number)


def test_the_catalog_of_the_environment_finds_costs(
    model: ChatKimi, openrouter: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    catalog: Any = _catalog()
    assert catalog.base_url == "https://openrouter.ai/api/v1"
    with track_costs(reconcile=Catalog(KEY, base_url=openrouter.base_url)) as costs:
        assert costs._lookups.reconciler is not None
        # The server may notice the end of the stream after the first lookups.
        costs._lookups.reconciler._delays = (0.0, *[0.02] * 500)
        for _ in model.stream(STORY):
            break
        gc.collect()
        assert costs.wait_for_costs()
    assert (costs.total.failed, costs.total.unknown) == (1, 0)
    assert costs.total.cost > 0


def test_a_call_that_reached_no_host_is_not_looked_up(lookups: Reconciler) -> None:
    costs = tracked(lookups)
    costs.on_chat_model_start(run_id=(run_id := uuid4()))
    costs.on_llm_error(GeneratorExit(), run_id=run_id)
    assert lookups.pending == 0
    assert costs.total.unknown == 1


def test_without_lookups_there_is_nothing_to_wait_for() -> None:
    assert KimiCostCallback().wait_for_costs()


def test_copies_share_lookups_and_pickles_do_not() -> None:
    lookups = Lookups(reconcile=True)
    assert copy.deepcopy(lookups) is lookups
    again = pickle.loads(pickle.dumps(lookups))  # noqa: S301 - written one line above
    assert again.reconciler is not None
    assert pickle.loads(pickle.dumps(Lookups(reconcile=False))).reconciler is None  # noqa: S301 - the same


def test_a_call_after_an_answer_from_a_cache_is_looked_up(model: ChatKimi, lookups: Reconciler) -> None:
    costs = tracked(lookups)
    cached = model.model_copy(update={"cache": InMemoryCache()})
    for _ in range(2):
        cached.invoke(STORY, {"callbacks": [costs]})
    for _ in model.stream(STORY, {"callbacks": [costs]}):
        break
    gc.collect()
    assert costs.wait_for_costs()
    assert (costs.total.cache_hits, costs.total.failed, costs.total.unknown) == (1, 1, 0)


def test_only_calls_of_this_package_have_slots() -> None:
    run_id = uuid4()
    assert new_slot(run_id, {}) is None
    # In a context of its own, because the next call in this one would take the slot.
    slot = copy_context().run(new_slot, run_id, {"invocation_params": {"_type": "openrouter-kimi"}})
    assert slot is not None
    with track_costs(reconcile=False) as costs:
        assert costs.in_flight == 0
