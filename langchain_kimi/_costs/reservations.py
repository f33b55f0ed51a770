"""The state of a budget in this process: the reservations of its calls, its charges, and its errors."""

import math
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Self

from langchain_kimi._costs.charges import NO_COST, CallCost, cost_by_list, dollars_of, plausible_tokens, price_sources
from langchain_kimi._costs.slots import Slot
from langchain_kimi._costs.store import Amount, Charge, Shortage, Store
from langchain_kimi._costs.waiting import Line
from langchain_kimi._costs.worst_case import MARGIN
from langchain_kimi.errors import KimiBudgetExceededError

_CALIBRATION = 1.05
"""The factor that is added to the largest excess of a prompt over its estimate so far."""


@dataclass(slots=True)
class Reservation:
    """The amount that a budget reserved for a call, and the failed attempts that it has charged."""

    amount: Amount
    prompt_tokens: int = 0
    slot: Slot | None = None
    attempts: int = 0
    shortage: Shortage | None = None
    """The reason why it had to wait."""
    is_reserved: bool = False
    """Whether the amount has been reserved in the store."""


@dataclass(frozen=True, slots=True)
class UnknownCharge:
    """The charge of a call of unknown cost, and the number of earlier resets of each account that has it."""

    amount: Amount
    accounts: dict[str, int]


class InProcess:
    """The state of a budget and its copies in this process. It is not pickled."""

    def __init__(self, *, is_shared: bool, parent: "InProcess | None" = None) -> None:
        self.calls: dict[int, Reservation] = {}
        self.line = Line(is_shared=is_shared)
        self.lines: weakref.WeakSet[Line] = parent.lines if parent else weakref.WeakSet()
        self.lines.add(self.line)
        self.is_shared = is_shared
        self.margin = MARGIN
        self.by_list = NO_COST
        """US dollars that were charged by list prices, because replies reported no cost."""
        self.sources: set[str] = set()
        """The sources and dates of these prices."""
        self.unknown: dict[str, UnknownCharge] = {}
        """The charges of calls whose lookup has not begun yet, by generation id."""
        self.resets: Counter[str] = parent.resets if parent else Counter()
        """The number of resets of each account."""

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(InProcess, is_shared=self.is_shared), ()

    def notify(self) -> None:
        """Wake the calls that wait for the budget, its parents and their other children."""
        for line in list(self.lines):
            line.notify()

    def add_unknown(self, generation_id: str, amount: Amount, accounts: Iterable[str]) -> None:
        """Record the charge of a call of unknown cost."""
        self.unknown[generation_id] = UnknownCharge(amount, {name: self.resets[name] for name in accounts})

    def correct(
        self, store: Store, charge: UnknownCharge, receiver: Callable[[CallCost], None], actual_cost: CallCost
    ) -> None:
        """Replace a charge by the cost that was looked up, and pass the cost on."""
        receiver(actual_cost)
        tokens = plausible_tokens(actual_cost.usage and actual_cost.usage.get("total_tokens"))
        actual = Amount((actual_cost.cost or NO_COST) + actual_cost.upstream_cost, tokens)
        # An account that was reset since does not include the charge any more.
        accounts = [name for name, resets in charge.accounts.items() if self.resets[name] == resets]
        store.correct(accounts, actual - charge.amount)
        self.notify()

    def note_prices(self, cost: CallCost) -> None:
        """Record the list prices at which a call without a reported cost is charged."""
        if not cost.is_known and (dollars := cost_by_list(cost)):
            self.by_list += dollars
            self.sources |= price_sources(cost)

    def refusal(self, shortage: Shortage | None) -> KimiBudgetExceededError:
        """Return the error of a call that does not fit.

        Args:
            shortage: The reason; None if the call was never the first of the waiting calls.
        """
        note = (
            f", {self.by_list:f} USD of it by list prices ({', '.join(sorted(self.sources))})" if self.by_list else ""
        )
        return refused(shortage, note)

    def learn(self, reservation: Reservation, prompt_tokens: int) -> None:
        """Widen the margin of estimates if a prompt had more tokens than its upper bound."""
        if 0 < reservation.prompt_tokens < prompt_tokens:
            excess = prompt_tokens / reservation.prompt_tokens
            self.margin = max(self.margin, MARGIN * excess * _CALIBRATION)


def charge_for(cost: CallCost, reservation: Reservation) -> Charge:
    """Return the charge for a call: the reported cost, otherwise list prices, otherwise the reserved amount."""
    if cost.cost == NO_COST and cost.usage is None:
        return Charge(NO_COST, 0)
    tokens = None if cost.usage is None else plausible_tokens(cost.usage.get("total_tokens"))
    if tokens is None and reservation.amount.tokens == 0:
        tokens = 0
    return Charge(dollars_of(cost), tokens)


def check_limits(max_cost: Any, max_tokens: Any, reserve: Any) -> None:
    """Check the numbers of a budget.

    Raises:
        ValueError: Both limits are missing, or a value is not a number of at least 0.
    """
    if max_cost is None and max_tokens is None:
        raise ValueError("A budget needs max_cost, max_tokens, or both.")
    numbers = {"max_cost": max_cost, "max_tokens": max_tokens, "reserve": 0 if reserve == "worst_case" else reserve}
    for name, number in numbers.items():
        if number is not None and not (isinstance(number, int | float | Decimal) and number >= 0):
            raise ValueError(f"{name} must be a number of at least 0: {number!r}")
    if reserve is None or not math.isfinite(numbers["reserve"]):
        raise ValueError(f"reserve must be a finite number or 'worst_case': {reserve!r}")


def decimal(dollars: Any) -> Decimal:
    """Return a number as the decimal number that its text shows, so that ten times 0.1 is 1."""
    return Decimal(str(dollars))


def refused(shortage: Shortage | None, note: str = "") -> KimiBudgetExceededError:
    """Return the error of a call that does not fit, with a note on the amount spent; see `InProcess.refusal`."""
    if shortage is None:
        return KimiBudgetExceededError(
            "Budget exceeded: earlier calls wait for it.", advice="The call was not sent. Wait longer for it."
        )
    if shortage.unit == "tokens":
        state, reserved = f"{shortage.spent:,} of {shortage.limit:,} tokens spent", f"{shortage.reserved:,} tokens"
        amount = f"{shortage.amount:,} tokens"
    else:
        state, reserved = f"{shortage.spent:f} of {shortage.limit:f} USD spent{note}", f"{shortage.reserved:f} USD"
        amount = f"{shortage.amount:f} USD"
    if shortage.reserved:
        state += f", {reserved} reserved for calls in flight"
    if shortage.amount and shortage.spent < shortage.limit:
        state += f", and the call may cost {amount}"
    return KimiBudgetExceededError(
        f"Budget exceeded: {state}.",
        spent=int(shortage.spent) if shortage.unit == "tokens" else float(shortage.spent),
        limit=int(shortage.limit) if shortage.unit == "tokens" else float(shortage.limit),
        unit=shortage.unit,
        advice="The call was not sent. Raise the limit of the budget, call reset() on it, or lower max_tokens.",
    )
