"""The slots through which handlers and calls of a run find each other."""

import asyncio
from uuid import uuid4

import pytest
from langchain_core.messages import HumanMessage

from langchain_kimi import ChatKimi, KimiAuthenticationError, KimiBudgetExceededError
from langchain_kimi._costs.slots import Slot, Ticket, admitted_slot, slot_for, take_slot
from langchain_kimi.callbacks import Budget, KimiCostCallback
from langchain_kimi.testing import Emulator, faults


class TooLateError(Exception):
    pass


def ticket(waits: list[str]) -> Ticket:
    async def admit() -> None:
        waits.append("waited")

    return Ticket(admit, TooLateError)


async def test_without_handlers_there_is_no_slot() -> None:
    assert take_slot() is None
    assert await admitted_slot() is None


async def test_the_handlers_of_a_run_share_a_slot_which_its_call_takes_once() -> None:
    run_id = uuid4()
    slot = slot_for(run_id)
    assert slot_for(run_id) is slot
    assert take_slot() is slot
    assert take_slot() is None


async def test_runs_that_begin_together_are_taken_in_order() -> None:
    slots = [slot_for(uuid4()) for _ in range(3)]
    slots[1].is_taken = True
    assert [take_slot(), take_slot(), take_slot()] == [slots[0], slots[2], None]


async def test_an_async_call_waits_for_its_tickets() -> None:
    waits: list[str] = []
    slot = slot_for(uuid4())
    slot.tickets += [ticket(waits), ticket(waits)]
    assert await admitted_slot() is slot
    assert waits == ["waited", "waited"]


async def test_a_call_that_blocks_its_loop_is_refused() -> None:
    slot: Slot = slot_for(uuid4())
    slot.tickets.append(ticket([]))
    with pytest.raises(TooLateError):
        take_slot()


async def test_calls_that_a_cancelled_run_did_not_begin_are_discarded(model: ChatKimi, openrouter: Emulator) -> None:
    budget, costs = Budget(max_cost=0.01, reserve=0.004), KimiCostCallback()
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await model.ainvoke("hi", {"callbacks": [budget, costs]})
    assert (budget.in_flight, budget.reserved, costs.in_flight, openrouter.bodies) == (0, 0, 0, [])
    message = await model.ainvoke("hi", {"callbacks": [budget, costs]})
    assert costs.total.cost == budget.spent == message.response_metadata["cost"]


def test_calls_after_a_failed_one_are_discarded(model: ChatKimi, openrouter: Emulator) -> None:
    budget, costs = Budget(max_cost=0.01, reserve=0.003), KimiCostCallback()
    openrouter.fail_next(faults.unauthorized())
    with pytest.raises(KimiAuthenticationError):
        model.generate([[HumanMessage(text)] for text in ("a", "b", "c")], callbacks=[budget, costs])
    assert (budget.in_flight, budget.reserved, costs.in_flight, costs.total.calls) == (0, 0, 0, 1)


def test_calls_before_a_refused_one_are_discarded(model: ChatKimi, openrouter: Emulator) -> None:
    budget, costs = Budget(max_cost=0.01, reserve=0.004), KimiCostCallback()
    with pytest.raises(KimiBudgetExceededError):
        model.generate([[HumanMessage(text)] for text in ("a", "b", "c")], callbacks=[costs, budget])
    assert (budget.in_flight, budget.reserved, costs.in_flight, openrouter.bodies) == (0, 0, 0, [])
