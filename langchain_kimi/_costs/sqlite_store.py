"""Keep the accounts of budgets in an SQLite file, for the processes of one machine."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from decimal import ROUND_CEILING, Decimal
from os import PathLike, fspath
from pathlib import Path

from langchain_kimi._costs.store import Amount, Balance, Charge, Limit, Shortage, overdraft, shortage_of

_DIGITS = 12
"""The number of decimal digits of a dollar. With it, SQLite's integers reach 9 million dollars."""
_LOCK_TIMEOUT = 60.0
"""Seconds to wait for the lock of the file. Each transaction takes about a millisecond."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, cost INTEGER NOT NULL, tokens INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
    account TEXT NOT NULL, call TEXT NOT NULL, cost INTEGER NOT NULL, tokens INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (account, call)
) WITHOUT ROWID;
"""


def to_units(dollars: Decimal) -> int:
    """Return dollars as an integer of the smallest unit, rounded up."""
    return int(dollars.scaleb(_DIGITS).to_integral_value(ROUND_CEILING))


def to_dollars(units: int) -> Decimal:
    """Return the dollars of an integer of the smallest unit."""
    dollars = Decimal(units).scaleb(-_DIGITS)
    # Without trailing zeros, but also without an exponent.
    return dollars.quantize(Decimal(1)) if dollars == dollars.to_integral_value() else dollars.normalize()


class SQLiteStore:
    """Accounts in a file. Each operation opens it again, so that the store works in threads, forks and pickles.

    Args:
        path: The file. It is created when it does not exist. It must be on a disk of this machine, because locks of
            network disks are not reliable.
    """

    is_shared = True

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = str(Path(fspath(path)).absolute())
        with closing(self._connected()) as connection:
            # The mode is stored in the file. While another process uses the file, it cannot be set, but is set already.
            with suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_LOCK_TIMEOUT, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connected()) as connection:
            # The lock is taken at the beginning, so that no other process changes the rows after they are read.
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def reserve(self, call: str, limits: Sequence[Limit], amount: Amount) -> Shortage | None:
        """Reserve an amount; see `Store`."""
        with self._transaction() as rows:
            new = [limit for limit in limits if _reservation(rows, limit.account, call) is None]
            for limit in new:
                if shortage := shortage_of(limit, _balance(rows, limit.account), amount):
                    return shortage
            rows.executemany(
                "INSERT INTO calls (account, call, cost, tokens) VALUES (?, ?, ?, ?)",
                [(limit.account, call, to_units(amount.cost), amount.tokens) for limit in new],
            )
        return None

    def attempt(self, call: str, number: int, limits: Sequence[Limit], charge: Charge) -> Shortage | None:
        """Charge a failed attempt; see `Store`."""
        shortage = None
        with self._transaction() as rows:
            for limit in limits:
                reservation = _reservation(rows, limit.account, call)
                if reservation is not None and reservation[1] < number:
                    _add(rows, limit.account, charge.within(reservation[0]))
                    rows.execute(
                        "UPDATE calls SET attempts = ? WHERE account = ? AND call = ?", (number, limit.account, call)
                    )
                    shortage = shortage or overdraft(limit, _balance(rows, limit.account))
        return shortage

    def settle(self, call: str, accounts: Sequence[str], charge: Charge) -> list[str]:
        """Replace a reservation by the cost; see `Store`."""
        settled = []
        with self._transaction() as rows:
            for account in accounts:
                if reservation := _reservation(rows, account, call):
                    rows.execute("DELETE FROM calls WHERE account = ? AND call = ?", (account, call))
                    _add(rows, account, charge.within(reservation[0]))
                    settled.append(account)
        return settled

    def correct(self, accounts: Sequence[str], difference: Amount) -> None:
        """Add a difference to the amount spent; see `Store`."""
        with self._transaction() as rows:
            for account in accounts:
                _add(rows, account, difference)

    def balance(self, account: str) -> Balance:
        """Return the state of an account."""
        with closing(self._connected()) as rows:
            return _balance(rows, account)

    def reset(self, account: str) -> None:
        """Set the amount spent to zero."""
        with self._transaction() as rows:
            rows.execute("DELETE FROM accounts WHERE name = ?", (account,))


def _balance(rows: sqlite3.Connection, account: str) -> Balance:
    spent = rows.execute("SELECT cost, tokens FROM accounts WHERE name = ?", (account,)).fetchone() or (0, 0)
    query = "SELECT coalesce(sum(cost), 0), coalesce(sum(tokens), 0) FROM calls WHERE account = ?"
    reserved = rows.execute(query, (account,)).fetchone()
    return Balance(Amount(to_dollars(spent[0]), spent[1]), Amount(to_dollars(reserved[0]), reserved[1]))


def _reservation(rows: sqlite3.Connection, account: str, call: str) -> tuple[Amount, int] | None:
    """Return the amount reserved for a call, and the number of its attempts that were charged."""
    query = "SELECT cost, tokens, attempts FROM calls WHERE account = ? AND call = ?"
    row = rows.execute(query, (account, call)).fetchone()
    return (Amount(to_dollars(row[0]), row[1]), row[2]) if row else None


def _add(rows: sqlite3.Connection, account: str, amount: Amount) -> None:
    rows.execute(
        "INSERT INTO accounts (name, cost, tokens) VALUES (?, ?, ?) ON CONFLICT (name) "
        "DO UPDATE SET cost = cost + excluded.cost, tokens = tokens + excluded.tokens",
        (account, to_units(amount.cost), amount.tokens),
    )
