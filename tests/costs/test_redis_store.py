"""Accounts on a Redis server. The operations are tested with those of the other stores."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from langchain_kimi._costs.memory_store import store_at
from langchain_kimi._costs.store import Amount, Charge, Limit
from langchain_kimi.errors import KimiUsageError
from tests.costs.stores import redis_server


def test_clients_spend_one_limit(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        store = store_at(url)
        again = pickle.loads(pickle.dumps(store))  # noqa: S301 - written one line above
        limit = [Limit("x", Decimal(1))]

        def reserve(call: int) -> bool:
            return (store, again)[call % 2].reserve(str(call), limit, Amount(Decimal("0.1"))) is None

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(reserve, range(40))).count(True) == 10
        for call in range(40):
            again.settle(str(call), ["x"], Charge(Decimal("0.05"), 1))
        assert store.balance("x").spent == Amount(Decimal("0.5"), 10)


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(KimiUsageError, match=r"\[redis\]"):
        store_at("redis://127.0.0.1:1/0")
