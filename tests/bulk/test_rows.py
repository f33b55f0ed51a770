"""The gate of a run's calls, and the costs of a row."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from langchain_kimi import ChatKimi, KimiBudgetExceededError, KimiRateLimitError, KimiUsageError
from langchain_kimi._openrouter.http.gates import current_gate
from langchain_kimi.bulk.admission import OwnAdmission
from langchain_kimi.bulk.purse import Purse
from langchain_kimi.bulk.rate_limiter import Limits
from langchain_kimi.bulk.rows import Estimates, Row, RowCosts, RunGate, key_text
from langchain_kimi.testing import Emulator, Reply, faults


def gate_of(purse: Purse) -> RunGate:
    return RunGate(OwnAdmission(Limits(), purse), Estimates(cost=True))


async def ask(model: ChatKimi, gate: RunGate, **arguments: Any) -> RowCosts:
    costs = RowCosts(gate.settle)
    current_gate.set(gate)
    await model.ainvoke("hi", {"callbacks": [costs]}, **arguments)
    return costs


async def test_a_call_reserves_its_worst_case_and_pays_its_cost(model: ChatKimi, openrouter: Emulator) -> None:
    purse = Purse(Decimal(1))

    costs = await ask(model, gate_of(purse), max_tokens=100)

    assert purse.reserved == 0
    assert purse.spent == costs.total.charged > 0


async def test_a_call_that_fails_unbilled_frees_its_reservation(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(faults.rate_limited(retry_after=0))
    purse = Purse(Decimal(1))
    admission = OwnAdmission(Limits(), purse)
    gate = RunGate(admission, Estimates(cost=True))

    with pytest.raises(KimiRateLimitError):
        await ask(model, gate, max_tokens=100)

    assert purse.reserved == purse.spent == 0
    assert admission.refusals == 1


async def test_a_cut_stream_costs_its_worst_case(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(faults.silence())
    purse = Purse(Decimal(1))
    call = asyncio.create_task(ask(model, gate_of(purse), max_tokens=100))
    while not openrouter.requests:  # noqa: ASYNC110 - the server runs in a thread
        await asyncio.sleep(0)
    reserved = purse.reserved
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    assert purse.spent == reserved > 0


async def test_a_call_that_does_not_fit_is_not_sent(model: ChatKimi, openrouter: Emulator) -> None:
    with pytest.raises(KimiBudgetExceededError):
        await ask(model, gate_of(Purse(Decimal("0.0001"))), max_tokens=100)

    assert openrouter.requests == []


async def test_tokens_a_minute_count_the_prompt(model: ChatKimi, openrouter: Emulator) -> None:
    limits = Limits(tokens_per_minute=1_000_000)
    admission = OwnAdmission(limits, None)

    await ask(model, RunGate(admission, Estimates(tokens=True)))

    assert (admission.requests, admission.refusals) == (1, 0)
    body = b'{"model": "moonshotai/kimi-k2-0905", "messages": [{"role": "user", "content": "hello"}]}'
    assert Estimates(tokens=True).of(body)[0] > Estimates().of(body)[0] == 0


async def test_each_server_has_a_separate_rate(model: ChatKimi, openrouter: Emulator) -> None:
    admission = OwnAdmission(Limits(max_concurrency=1), None)
    gate = RunGate(admission, Estimates())
    with Emulator() as other:
        openrouter.script(Reply(text="one"))
        first = await gate.enter("https://a", b"{}", None)
        # The only place at the first server is taken, and the second one has another.
        await ask(model, gate)
        await ask(model.model_copy(update={"openrouter_api_base": other.base_url}), gate)
        gate.leave(first, None)

    assert admission.requests == 3


@pytest.mark.parametrize(("value", "key"), [(5, "5"), ("a", "a"), (0, "0"), (False, "False")])
def test_a_key_is_text(value: Any, key: str) -> None:
    assert key_text(value) == key


@pytest.mark.parametrize("value", [None, float("nan"), ""])
def test_a_key_that_is_missing_is_refused(value: Any) -> None:
    with pytest.raises(KimiUsageError, match="key of the row is null or empty"):
        key_text(value)


def test_the_input_of_a_row_has_its_nulls_filled() -> None:
    assert Row(0, "k", {"a": None}).input == {"a": None}
    assert Row(0, "k", {"a": None}, filled={"a": ""}).input == {"a": ""}
