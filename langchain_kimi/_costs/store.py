"""The accounts of budgets: amounts, limits, and the interface of stores."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from langchain_kimi._costs.charges import NO_COST


@dataclass(frozen=True, slots=True)
class Amount:
    """US dollars and tokens."""

    cost: Decimal = NO_COST
    tokens: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.cost + other.cost, self.tokens + other.tokens)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.cost - other.cost, self.tokens - other.tokens)


@dataclass(frozen=True, slots=True)
class Charge:
    """The cost of a call that ended. For a value of None, the amount that was reserved for the call is charged."""

    cost: Decimal | None = None
    tokens: int | None = None

    def within(self, reserved: Amount) -> Amount:
        """Return the amount to charge for a call with this reservation."""
        return Amount(
            reserved.cost if self.cost is None else self.cost, reserved.tokens if self.tokens is None else self.tokens
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """The limits of one account. None means no limit."""

    account: str
    max_cost: Decimal | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """The state of an account: the amount spent by calls that ended, and the amount reserved for calls in flight."""

    spent: Amount = Amount()
    reserved: Amount = Amount()


@dataclass(frozen=True, slots=True)
class Shortage:
    """The reason why a call does not fit into an account.

    Attributes:
        unit: The unit of the limit.
        limit: The limit.
        spent: The amount spent by calls that ended.
        reserved: The amount reserved for calls in flight.
        amount: The amount to be reserved for the call.
    """

    unit: Literal["USD", "tokens"]
    limit: Decimal
    spent: Decimal
    reserved: Decimal
    amount: Decimal

    @property
    def is_temporary(self) -> bool:
        """Whether the call may fit once calls in flight have ended."""
        return self.reserved > 0 and self.spent < self.limit and self.spent + self.amount <= self.limit


def shortage_of(limit: Limit, balance: Balance, amount: Amount) -> Shortage | None:
    """Return the reason why an amount does not fit into an account; None if it fits."""
    spent, reserved = balance.spent, balance.reserved
    if limit.max_tokens is not None and (
        spent.tokens >= limit.max_tokens or spent.tokens + reserved.tokens + amount.tokens > limit.max_tokens
    ):
        numbers = (limit.max_tokens, spent.tokens, reserved.tokens, amount.tokens)
        return Shortage("tokens", *map(Decimal, numbers))
    if limit.max_cost is not None and (
        spent.cost >= limit.max_cost or spent.cost + reserved.cost + amount.cost > limit.max_cost
    ):
        return Shortage("USD", limit.max_cost, spent.cost, reserved.cost, amount.cost)
    return None


def overdraft(limit: Limit, balance: Balance) -> Shortage | None:
    """Return the shortage of an account that, with its reservations, exceeds its limit; None if it does not."""
    total = balance.spent + balance.reserved
    if limit.max_tokens is not None and total.tokens > limit.max_tokens:
        numbers = (limit.max_tokens, balance.spent.tokens, balance.reserved.tokens, 0)
        return Shortage("tokens", *map(Decimal, numbers))
    if limit.max_cost is not None and total.cost > limit.max_cost:
        return Shortage("USD", limit.max_cost, balance.spent.cost, balance.reserved.cost, NO_COST)
    return None


class Store(Protocol):
    """The accounts of one or several budgets. Each operation is atomic, even if it changes several accounts.

    Attributes:
        is_shared: Whether other processes use the same accounts. This process is not notified when their calls end.
    """

    is_shared: bool

    def reserve(self, call: str, limits: Sequence[Limit], amount: Amount) -> Shortage | None:
        """Reserve an amount for a call in all accounts; in none of them if it does not fit into one.

        An account that already has a reservation for the call is not changed.

        Returns:
            The shortage of the first account into which the amount does not fit; None if it was reserved.
        """
        ...

    def attempt(self, call: str, number: int, limits: Sequence[Limit], charge: Charge) -> Shortage | None:
        """Charge a failed attempt of a call. The reservation of the call stays for the next attempt.

        Args:
            call: The call.
            number: The number of the attempt, from 1. An attempt that was charged already is not charged again.
            limits: The accounts.
            charge: The cost of the attempt.

        Returns:
            The shortage if the next attempt does not fit anymore; otherwise None.
        """
        ...

    def settle(self, call: str, accounts: Sequence[str], charge: Charge) -> list[str]:
        """Replace the reservation of a call by its cost. Return the accounts that had such a reservation."""
        ...

    def correct(self, accounts: Sequence[str], difference: Amount) -> None:
        """Add a difference to the amounts spent, because the cost of a call has become known later."""
        ...

    def balance(self, account: str) -> Balance:
        """Return the state of an account."""
        ...

    def reset(self, account: str) -> None:
        """Set the amount spent to zero. The reservations of calls in flight are not changed."""
        ...
