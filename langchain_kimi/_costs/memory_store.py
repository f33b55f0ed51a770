"""Keep the accounts of budgets in the memory of one process."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from langchain_kimi._costs.store import Amount, Balance, Charge, Limit, Shortage, overdraft, shortage_of


@dataclass(slots=True)
class _Reservation:
    amount: Amount
    attempts: int = 0


@dataclass(slots=True)
class _Account:
    spent: Amount = field(default_factory=Amount)
    reserved: Amount = field(default_factory=Amount)
    calls: dict[str, _Reservation] = field(default_factory=dict)

    def balance(self) -> Balance:
        return Balance(self.spent, self.reserved)


class MemoryStore:
    """Accounts in memory, for any number of threads. A copy is the same store; a pickle has only the amounts spent."""

    is_shared = False

    def __init__(self) -> None:
        # Reentrant, because the garbage collector may close an abandoned stream in the thread that has the lock.
        self._lock = threading.RLock()
        self._accounts: dict[str, _Account] = {}

    def __getstate__(self) -> dict[str, Amount]:
        with self._lock:
            return {name: account.spent for name, account in self._accounts.items()}

    def __setstate__(self, spent: dict[str, Amount]) -> None:
        self.__init__()  # type: ignore[misc]  # a new lock and accounts
        self._accounts = {name: _Account(amount) for name, amount in spent.items()}

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __copy__(self) -> Self:
        return self

    def reserve(self, call: str, limits: Sequence[Limit], amount: Amount) -> Shortage | None:
        """Reserve an amount; see `Store`."""
        with self._lock:
            new = [limit for limit in limits if call not in self._account(limit.account).calls]
            for limit in new:
                if shortage := shortage_of(limit, self._account(limit.account).balance(), amount):
                    return shortage
            for limit in new:
                account = self._account(limit.account)
                account.calls[call] = _Reservation(amount)
                account.reserved += amount
        return None

    def attempt(self, call: str, number: int, limits: Sequence[Limit], charge: Charge) -> Shortage | None:
        """Charge a failed attempt; see `Store`."""
        shortage = None
        with self._lock:
            for limit in limits:
                account = self._account(limit.account)
                reservation = account.calls.get(call)
                if reservation is not None and reservation.attempts < number:
                    reservation.attempts = number
                    account.spent += charge.within(reservation.amount)
                    shortage = shortage or overdraft(limit, account.balance())
        return shortage

    def settle(self, call: str, accounts: Sequence[str], charge: Charge) -> list[str]:
        """Replace a reservation by the cost; see `Store`."""
        settled = []
        with self._lock:
            for name in accounts:
                account = self._account(name)
                if reservation := account.calls.pop(call, None):
                    account.reserved -= reservation.amount
                    account.spent += charge.within(reservation.amount)
                    settled.append(name)
        return settled

    def correct(self, accounts: Sequence[str], difference: Amount) -> None:
        """Add a difference to the amount spent; see `Store`."""
        with self._lock:
            for name in accounts:
                self._account(name).spent += difference

    def balance(self, account: str) -> Balance:
        """Return the state of an account."""
        with self._lock:
            return self._account(account).balance()

    def reset(self, account: str) -> None:
        """Set the amount spent to zero."""
        with self._lock:
            self._account(account).spent = Amount()

    def _account(self, name: str) -> _Account:
        return self._accounts.setdefault(name, _Account())


def store_at(shared: Any) -> Any:
    """Return the store for the argument `shared` of a budget.

    Args:
        shared: None for a store in memory, the URL of a Redis server, or the path of an SQLite file.
    """
    if shared is None:
        return MemoryStore()
    # Imported here, so that programs without shared budgets import neither of these.
    if str(shared).startswith(("redis://", "rediss://", "unix://")):
        from langchain_kimi._costs.redis_store import RedisStore  # noqa: PLC0415 - imported when needed

        return RedisStore(str(shared))
    from langchain_kimi._costs.sqlite_store import SQLiteStore  # noqa: PLC0415 - imported when needed

    return SQLiteStore(shared)
