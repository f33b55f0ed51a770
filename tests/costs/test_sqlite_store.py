"""Accounts in a file: several processes and threads at once."""

import os
import pickle
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from langchain_kimi._costs.sqlite_store import SQLiteStore, to_dollars, to_units
from langchain_kimi._costs.store import Amount, Balance, Charge, Limit
from tests.interpreters import Interpreter

PROGRAM = """
import os, sys
from decimal import Decimal
from langchain_kimi._costs.sqlite_store import SQLiteStore
from langchain_kimi._costs.store import Amount, Charge, Limit

def spend(process):
    store, fits = SQLiteStore(sys.argv[1]), 0
    for number in range(40):
        call = f"{process}/{number}"
        if store.reserve(call, [Limit("x", Decimal(1))], Amount(Decimal("0.02"))) is None:
            store.settle(call, ["x"], Charge(Decimal("0.01"), 1))
            fits += 1
    print(fits, flush=True)

for process in range(4):
    if os.fork() == 0:
        spend(process)
        sys.exit()
assert all(os.wait()[1] == 0 for _ in range(4))
"""


@pytest.mark.waits
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are copies of one that has imported the store")
def test_processes_spend_one_limit(tmp_path: Path, interpreter: Interpreter) -> None:
    file = tmp_path / "budget.sqlite"
    fits = [int(line) for line in interpreter.printed(PROGRAM, str(file)).split()]
    spent = SQLiteStore(file).balance("x").spent
    assert len(fits) == 4
    assert spent == Amount(Decimal("0.01") * sum(fits), sum(fits))
    # A call is refused while others have reserved, so the last ones may be refused before the limit is reached.
    assert Decimal("0.90") < spent.cost <= 1


def test_threads_spend_one_limit(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "budget.sqlite")
    limit = [Limit("x", Decimal(1))]
    with ThreadPoolExecutor(8) as threads:
        shortage = list(threads.map(lambda call: store.reserve(str(call), limit, Amount(Decimal("0.1"))), range(24)))
    assert shortage.count(None) == 10


def test_a_pickle_is_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore("budget.sqlite")
    store.reserve("one", [Limit("x")], Amount(Decimal(1)))
    monkeypatch.chdir(tmp_path.parent)
    again = pickle.loads(pickle.dumps(store))  # noqa: S301 - written some lines above
    again.settle("one", ["x"], Charge())
    assert store.balance("x") == Balance(Amount(Decimal(1)))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("These are notes. " * 100)
    # On Python 3.13 and newer, a connection that stays open would be a warning, which is an error.
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        SQLiteStore(tmp_path / "notes.txt")


def test_a_file_in_use_can_be_opened(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "budget.sqlite")
    with store._transaction():
        reader = SQLiteStore.__new__(SQLiteStore)
        reader.path = store.path
        assert reader.balance("x") == Balance()


@pytest.mark.parametrize("dollars", ["0", "12", "0.1", "0.000000000001", "100"])
def test_dollars_are_integers_in_the_file(dollars: str) -> None:
    assert f"{to_dollars(to_units(Decimal(dollars))):f}" == dollars


def test_smaller_parts_are_rounded_up() -> None:
    assert to_units(Decimal("0.0000000000001")) == 1
