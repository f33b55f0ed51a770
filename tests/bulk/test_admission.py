"""The admission of the calls of a run."""

import asyncio
from decimal import Decimal

import pytest

from langchain_kimi import KimiBudgetExceededError, KimiRateLimitError, KimiServerError
from langchain_kimi.bulk.admission import NotSentError, Outcome, OwnAdmission, outcome_of
from langchain_kimi.bulk.purse import Purse
from langchain_kimi.bulk.rate_limiter import Limits


def test_the_outcome_of_an_attempt_depends_on_its_error() -> None:
    assert outcome_of(None) == ("answered", None)
    assert outcome_of(KimiRateLimitError("busy", status=429, retry_after=3.0)) == ("refused", 3.0)
    assert outcome_of(KimiServerError("busy", status=503)) == ("refused", None)
    assert outcome_of(KimiServerError("broken", status=500)) == ("answered", None)
    assert outcome_of(asyncio.CancelledError()) == ("abandoned", None)


async def test_attempts_take_money_and_places_and_give_them_back() -> None:
    purse = Purse(Decimal(1))
    admission = OwnAdmission(Limits(max_concurrency=3), purse)

    tickets = [await admission.enter(call, "https://a", 0, Decimal("0.3")) for call in ("a", "b", "c")]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await admission.enter("d", "https://a", 0, Decimal("0.05"))
    outcomes: tuple[Outcome, ...] = ("answered", "refused", "abandoned")
    for ticket, outcome in zip(tickets, outcomes, strict=True):
        admission.leave(ticket, outcome, None)
    for call in ("a", "b", "c", "d"):
        admission.settle(call, Decimal("0.3"))

    assert (admission.requests, admission.refusals) == (3, 1)
    assert (purse.spent, purse.reserved) == (Decimal("1.2"), Decimal(0))
    with pytest.raises(KimiBudgetExceededError):
        await admission.enter("e", "https://b", 0, Decimal("0.1"))


async def test_without_a_limit_of_money_nothing_is_reserved() -> None:
    admission = OwnAdmission(Limits(), None)
    await admission.enter("a", "https://a", 0, None)
    admission.settle("a", None)
    assert admission.requests == 1


async def test_no_attempt_begins_after_the_run_was_stopped() -> None:
    stops: list[bool] = []
    admission = OwnAdmission(Limits(max_concurrency=1), None, is_stopped=lambda: bool(stops))
    first = await admission.enter("a", "https://a", 0, None)
    second = asyncio.create_task(admission.enter("b", "https://a", 0, None))
    await asyncio.sleep(0)

    stops.append(True)
    admission.leave(first, "answered", None)

    with pytest.raises(NotSentError):
        await second
    assert admission.requests == 1
