"""Accounts in memory, and the choice of a store."""

import copy
import pickle
from decimal import Decimal
from pathlib import Path

from langchain_kimi._costs.memory_store import MemoryStore, store_at
from langchain_kimi._costs.sqlite_store import SQLiteStore
from langchain_kimi._costs.store import Amount, Balance, Charge, Limit


def test_copies_are_the_same_store() -> None:
    store = MemoryStore()
    assert copy.copy(store) is store
    assert copy.deepcopy(store) is store


def test_a_pickle_has_the_amounts_spent() -> None:
    store = MemoryStore()
    for name in ("one", "two"):
        store.reserve(name, [Limit("x")], Amount(Decimal(1), 2))
    store.settle("one", ["x"], Charge())
    again = pickle.loads(pickle.dumps(store))  # noqa: S301 - written one line above
    assert again.balance("x") == Balance(Amount(Decimal(1), 2))
    again.reserve("three", [Limit("x")], Amount(Decimal(1)))
    assert store.balance("x").reserved == Amount(Decimal(1), 2)


def test_a_path_is_a_file(tmp_path: Path) -> None:
    assert isinstance(store_at(tmp_path / "budget.sqlite"), SQLiteStore)
    assert isinstance(store_at(str(tmp_path / "budget.sqlite")), SQLiteStore)
    assert isinstance(store_at(None), MemoryStore)
