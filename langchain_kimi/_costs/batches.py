"""Count batches in cost trackers and budgets: reserve an amount for each batch, and add its rows when they are read."""

import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import ChatResult, LLMResult

from langchain_kimi._costs.budget import Budget
from langchain_kimi._costs.charges import (
    NO_COST,
    CallCost,
    cost_of_error,
    cost_of_result,
    dollars_of,
    plausible_tokens,
)
from langchain_kimi._costs.reservations import decimal
from langchain_kimi._costs.store import Amount, Charge
from langchain_kimi._costs.tracking import KimiCostCallback
from langchain_kimi._costs.worst_case import worst_case
from langchain_kimi.errors import KimiError


def trackers_in(handlers: Iterable[BaseCallbackHandler]) -> list[KimiCostCallback]:
    """Return the cost trackers and budgets among handlers, without duplicates."""
    return list(dict.fromkeys(one for one in handlers if isinstance(one, KimiCostCallback)))


def reserve(trackers: Iterable[KimiCostCallback], key: str, bodies: Sequence[Mapping[str, Any]]) -> None:
    """Reserve the maximum cost of a batch in all budgets, or in none of them. A budget does not wait for a batch.

    Args:
        trackers: The trackers.
        key: The key of the batch.
        bodies: The requests of its rows, in OpenRouter's form, with the model that determines their prices.

    Raises:
        KimiBudgetExceededError: The batch exceeds a budget.
        KimiUsageError: The maximum cost of a row is unknown.
    """
    done: list[KimiCostCallback] = []
    try:
        for budget in trackers:
            if isinstance(budget, Budget):
                _reserve(budget, key, bodies)
                done.append(budget)
    except BaseException:
        release(done, key)
        raise


def _reserve(budget: Budget, key: str, bodies: Sequence[Mapping[str, Any]]) -> None:
    shortage = budget._store.reserve(key, budget._limits, _upper_bound(budget, bodies))  # noqa: SLF001 - of the same package
    if shortage is not None:
        raise budget._in_process.refusal(shortage)  # noqa: SLF001 - of the same package


def _upper_bound(budget: Budget, bodies: Sequence[Mapping[str, Any]]) -> Amount:
    if budget.reserve != "worst_case":
        return Amount(decimal(budget.reserve) * len(bodies))
    is_priced = any(limit.max_cost is not None for limit in budget._limits)  # noqa: SLF001 - of the same package
    cases = [worst_case(body, budget.prices, is_priced=is_priced) for body in bodies]
    return Amount(sum((case.cost for case in cases), NO_COST), sum(case.tokens for case in cases))


def release(trackers: Iterable[KimiCostCallback], key: str) -> None:
    """Cancel the reservation of a batch that was not submitted."""
    settle(trackers, key, Charge(NO_COST, 0))


def settle(trackers: Iterable[KimiCostCallback], key: str, charge: Charge) -> None:
    """Replace the reservation of a batch by its cost, in every budget that has one.

    A budget that is not shared is also charged without a reservation, because another process may have submitted the
    batch.
    """
    for budget in trackers:
        if not isinstance(budget, Budget):
            continue
        accounts = budget._accounts  # noqa: SLF001 - of the same package
        settled = budget._store.settle(key, accounts, charge)  # noqa: SLF001 - of the same package
        if not settled and not budget._store.is_shared:  # noqa: SLF001 - of the same package
            amount = Amount(charge.cost or NO_COST, charge.tokens or 0)
            budget._store.correct(accounts, amount)  # noqa: SLF001 - of the same package
        budget._in_process.notify()  # noqa: SLF001 - of the same package


_recorded: "weakref.WeakKeyDictionary[KimiCostCallback, set[str]]" = weakref.WeakKeyDictionary()
"""The keys of the batches that each tracker has counted, because results may be read several times."""
_recording = threading.Lock()


def record(
    trackers: Iterable[KimiCostCallback],
    key: str,
    model: str,
    outcomes: Sequence[ChatResult | KimiError],
    reported: Decimal | None,
) -> None:
    """Add the rows of a batch to the sums of cost trackers, and settle it in budgets, once.

    Args:
        trackers: The trackers.
        key: The key of the batch.
        model: The model that was requested.
        outcomes: The results of the rows, or their errors.
        reported: The cost of the batch in US dollars; None if it is not reported.
    """
    # Threads may read the results of a batch at the same time.
    with _recording:
        new = [tracker for tracker in trackers if key not in _recorded.setdefault(tracker, set())]
        for tracker in new:
            _recorded[tracker].add(key)
    for tracker in new:
        for outcome in outcomes:
            _count(tracker, model, outcome)
    if new:
        settle(new, key, charge_of(outcomes, reported))


def _count(tracker: KimiCostCallback, model: str, outcome: ChatResult | KimiError) -> None:
    run_id = uuid4()
    tracker._begin(run_id, model, None)  # noqa: SLF001 - of the same package
    # The methods of `Budget` are not used, because they would settle the reservation of a call.
    if isinstance(outcome, KimiError):
        KimiCostCallback.on_llm_error(tracker, outcome, run_id=run_id)
    else:
        KimiCostCallback.on_llm_end(tracker, _llm_result(outcome), run_id=run_id)


def charge_of(outcomes: Iterable[ChatResult | KimiError], reported: Decimal | None = None) -> Charge:
    """Return the charge for a batch: its reported cost, or the sum of its rows.

    A row that reports no cost counts with list prices.
    """
    costs = [_cost_of(outcome) for outcome in outcomes]
    dollars = [dollars_of(cost) for cost in costs]
    tokens = sum(plausible_tokens(cost.usage.get("total_tokens")) for cost in costs if cost.usage)
    if reported is None and any(each is None for each in dollars):
        return Charge(None, tokens)
    return Charge(sum((each or NO_COST for each in dollars), NO_COST) if reported is None else reported, tokens)


def _cost_of(outcome: ChatResult | KimiError) -> CallCost:
    return cost_of_error(outcome) if isinstance(outcome, KimiError) else cost_of_result(_llm_result(outcome))


def _llm_result(result: ChatResult) -> LLMResult:
    return LLMResult(generations=[list(result.generations)], llm_output=result.llm_output)
