"""Accounts in a file: several processes and threads at once."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from langchain_kimi._costs.sqlite_store import SQLiteStore, to_dollars, to_units
from langchain_kimi._costs.store import Amount, Balance, Charge, Limit

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from decimal import Decimal
from langchain_kimi._costs.sqlite_store import SQLiteStore
from langchain_kimi._costs.store import Amount, Charge, Limit

store, fits = SQLiteStore(sys.argv[1]), 0
for number in range(40):
    call = f"{sys.argv[2]}/{number}"
    if store.reserve(call, [Limit("x", Decimal(1))], Amount(Decimal("0.02"))) is None:
        store.settle(call, ["x"], Charge(Decimal("0.01"), 1))
        fits += 1
print(fits)
"""


def test_processes_spend_one_limit(tmp_path: Path) -> None:
    file = tmp_path / "budget.sqlite"
    command = [sys.executable, "-c", PROGRAM, str(file)]
    running = [
        subprocess.Popen([*command, str(number)], cwd=ROOT, stdout=subprocess.PIPE, text=True) for number in range(4)
    ]
    fits = [int(process.communicate()[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0, 0]
    spent = SQLiteStore(file).balance("x").spent
    assert spent == Amount(Decimal("0.01") * sum(fits), sum(fits))
    # A call is refused while others have reserved, so the last ones may be refused before the limit is reached.
    assert Decimal("0.90") < spent.cost <= 1


def test_threads_spend_one_limit(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "budget.sqlite")
    limit = [Limit("x", Decimal(1))]
    with ThreadPoolExecutor(8) as threads:
        lacking = list(threads.map(lambda call: store.reserve(str(call), limit, Amount(Decimal("0.1"))), range(24)))
    assert lacking.count(None) == 10


def test_a_pickle_is_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore("budget.sqlite")
    store.reserve("one", [Limit("x")], Amount(Decimal(1)))
    monkeypatch.chdir(ROOT)
    again = pickle.loads(pickle.dumps(store))  # noqa: S301 - written some lines above
    again.settle("one", ["x"], Charge())
    assert store.balance("x") == Balance(Amount(Decimal(1)))


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
