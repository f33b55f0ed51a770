"""A limit of money that concurrent calls cannot exceed."""

import asyncio
import random
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from langchain_kimi import KimiBudgetExceededError
from langchain_kimi.bulk.purse import Purse


async def test_concurrent_calls_never_exceed_the_limit() -> None:
    chance = random.Random(3)  # noqa: S311 - random numbers of a simulation
    purse = Purse(Decimal("1.00"))
    worst = Decimal("0.01")
    refused = 0

    async def call(number: int) -> None:
        nonlocal refused
        run_id = UUID(int=number)
        try:
            await purse.reserve(run_id, worst)
        except KimiBudgetExceededError:
            refused += 1
            return
        assert purse.spent + purse.reserved <= purse.limit
        await asyncio.sleep(0)
        purse.settle(run_id, worst * chance.randrange(50, 100) / 100)

    await asyncio.gather(*(call(number) for number in range(1_000)))

    assert Decimal("0.98") < purse.spent <= purse.limit
    assert purse.reserved == 0
    assert refused > 800


async def test_a_call_waits_for_those_under_way() -> None:
    purse = Purse(Decimal(1))
    first, second = uuid4(), uuid4()
    await purse.reserve(first, Decimal("0.8"))
    waiting = asyncio.create_task(purse.reserve(second, Decimal("0.8")))
    await asyncio.sleep(0)
    assert not waiting.done()

    purse.settle(first, Decimal("0.1"))
    await waiting

    assert purse.reserved == Decimal("0.8")


async def test_a_refusal_names_the_amounts_and_the_remedy() -> None:
    purse = Purse(Decimal("0.5"))
    await purse.reserve(first := uuid4(), Decimal("0.4"))
    purse.settle(first, Decimal("0.4"))

    with pytest.raises(
        KimiBudgetExceededError, match=r"0\.4 of 0\.5 USD spent.*may cost 0\.2 USD.*max_tokens"
    ) as caught:
        await purse.reserve(uuid4(), Decimal("0.2"))

    assert (caught.value.spent, caught.value.limit) == (0.4, 0.5)


async def test_a_call_of_unknown_cost_counts_with_its_worst_case() -> None:
    purse = Purse(Decimal(1))
    await purse.reserve(run_id := uuid4(), Decimal("0.3"))

    purse.settle(run_id, None)

    assert purse.spent == Decimal("0.3")


async def test_another_attempt_of_a_call_reserves_nothing_more() -> None:
    purse = Purse(Decimal(1))
    run_id = uuid4()
    await purse.reserve(run_id, Decimal("0.3"))
    await purse.reserve(run_id, Decimal("0.3"))

    assert purse.reserved == Decimal("0.3")


async def test_a_call_without_a_reservation_is_charged() -> None:
    purse = Purse(Decimal(1))
    purse.settle(uuid4(), Decimal("0.2"))
    purse.settle(uuid4(), None)

    assert purse.spent == Decimal("0.2")
