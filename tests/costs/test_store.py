"""The operations of all kinds of stores."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi._costs.memory_store import store_at
from langchain_kimi._costs.store import Amount, Balance, Charge, Limit, Shortage, Store, overdraft, shortage_of
from tests.costs.stores import redis_server

KINDS = ("memory", "sqlite", "redis")
ALL = Limit("all", Decimal("1.00"), 100)
PART = Limit("all/part", Decimal("0.30"))
COST = Amount(Decimal("0.20"), 10)


def dollars(text: str, tokens: int = 0) -> Amount:
    return Amount(Decimal(text), tokens)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    where: Any = {"memory": lambda: None, "sqlite": lambda: tmp_path / "budget.sqlite"}
    if request.param != "redis":
        chosen: Store = store_at(where[request.param]())
        return chosen
    made: Any = store_at(request.getfixturevalue("redis_url"))
    made._client.flushall()
    on_server: Store = made
    return on_server


def test_a_reservation_is_replaced_by_the_cost(store: Store) -> None:
    assert store.balance("all") == Balance()
    assert store.reserve("one", [ALL], COST) is None
    assert store.balance("all") == Balance(reserved=COST)
    assert store.settle("one", ["all"], Charge(Decimal("0.05"), 4)) == ["all"]
    assert store.balance("all") == Balance(spent=dollars("0.05", 4))
    assert store.settle("one", ["all"], Charge(Decimal("0.05"), 4)) == []
    assert store.balance("all").spent == dollars("0.05", 4)


def test_an_infinite_limit_is_no_limit(store: Store) -> None:
    endless = [Limit("endless", Decimal("inf"))]
    assert store.reserve("one", endless, COST) is None
    assert store.attempt("one", 1, endless, Charge(Decimal("0.05"), 4)) is None
    assert store.balance("endless") == Balance(spent=dollars("0.05", 4), reserved=COST)


def test_an_unknown_cost_is_that_of_the_reservation(store: Store) -> None:
    store.reserve("one", [ALL], COST)
    store.settle("one", ["all"], Charge())
    assert store.balance("all") == Balance(spent=COST)


def test_a_call_that_does_not_fit_reserves_nothing(store: Store) -> None:
    for number in range(5):
        assert store.reserve(f"call {number}", [ALL], COST) is None
    shortage = store.reserve("one more", [ALL], dollars("0.01"))
    assert shortage == Shortage("USD", Decimal(1), Decimal(0), Decimal(1), Decimal("0.01"))
    assert shortage.is_temporary
    assert store.balance("all").reserved == dollars("1.00", 50)
    # The call that has the amount already does not need it twice.
    assert store.reserve("call 0", [ALL], COST) is None


def test_tokens_are_limited_too(store: Store) -> None:
    store.reserve("one", [ALL], dollars("0", 60))
    shortage = store.reserve("two", [ALL], dollars("0", 60))
    assert shortage == Shortage("tokens", Decimal(100), Decimal(0), Decimal(60), Decimal(60))
    store.settle("one", ["all"], Charge(Decimal(0), 100))
    spent = store.reserve("two", [ALL], dollars("0"))
    assert spent is not None
    assert not spent.is_temporary


def test_a_call_must_fit_into_all_accounts(store: Store) -> None:
    assert store.reserve("one", [PART, ALL], COST) is None
    shortage = store.reserve("two", [PART, ALL], COST)
    assert shortage is not None
    assert (shortage.limit, shortage.amount) == (Decimal("0.30"), Decimal("0.20"))
    assert store.balance("all").reserved == store.balance("all/part").reserved == COST
    assert store.settle("one", ["all/part", "all"], Charge(Decimal("0.10"))) == ["all/part", "all"]
    assert store.balance("all").spent == store.balance("all/part").spent == dollars("0.10", 10)


def test_a_failed_attempt_is_charged_once_and_its_reservation_stays(store: Store) -> None:
    store.reserve("one", [ALL], dollars("0.40", 10))
    for _ in range(2):
        assert store.attempt("one", 1, [ALL], Charge(Decimal("0.50"), 1)) is None
    assert store.balance("all") == Balance(dollars("0.50", 1), dollars("0.40", 10))
    shortage = store.attempt("one", 2, [ALL], Charge())
    assert shortage == Shortage("USD", Decimal(1), Decimal("0.90"), Decimal("0.40"), Decimal(0))
    assert store.attempt("unknown", 1, [ALL], Charge()) is None


def test_an_attempt_may_have_used_up_the_tokens(store: Store) -> None:
    store.reserve("one", [ALL], dollars("0.10", 60))
    shortage = store.attempt("one", 1, [ALL], Charge(Decimal(0), 50))
    assert shortage == Shortage("tokens", Decimal(100), Decimal(50), Decimal(60), Decimal(0))


def test_amounts_can_be_corrected_and_reset(store: Store) -> None:
    store.reserve("one", [PART, ALL], COST)
    store.settle("one", ["all/part", "all"], Charge())
    store.reserve("two", [ALL], COST)
    store.correct(["all/part", "all"], dollars("-0.15", -4))
    assert store.balance("all/part").spent == dollars("0.05", 6)
    store.reset("all")
    assert store.balance("all") == Balance(reserved=COST)
    assert store.balance("all/part").spent == dollars("0.05", 6)


def test_small_costs_add_up_exactly(store: Store) -> None:
    for number in range(30):
        store.reserve(str(number), [ALL], dollars("0.000000000001"))
        store.settle(str(number), ["all"], Charge(Decimal("0.0000786"), 1))
    assert store.balance("all").spent == dollars("0.002358", 30)


def test_accounts_without_a_limit_only_count(store: Store) -> None:
    free = Limit("free")
    assert store.reserve("one", [free], dollars("1000", 10**6)) is None
    assert store.attempt("one", 1, [free], Charge()) is None
    assert store.balance("free").spent == dollars("1000", 10**6)


def test_a_shortage_is_temporary_if_calls_in_flight_may_leave_enough() -> None:
    limit = Limit("x", Decimal(1))
    assert shortage_of(limit, Balance(dollars("0.5")), dollars("0.5")) is None
    full = shortage_of(limit, Balance(dollars("0.5"), dollars("0.5")), dollars("0.1"))
    assert full is not None
    assert full.is_temporary
    for balance, most in (
        (Balance(dollars("0.5")), dollars("0.6")),
        (Balance(dollars("0.5"), dollars("0.1")), dollars("0.6")),
        (Balance(dollars("1"), dollars("0.1")), dollars("0")),
    ):
        shortage = shortage_of(limit, balance, most)
        assert shortage is not None
        assert not shortage.is_temporary
    assert overdraft(limit, Balance(dollars("0.5"), dollars("0.5"))) is None
    assert overdraft(Limit("x", None, 5), Balance(dollars("9", 5))) is None


def test_a_limit_that_is_reached_refuses_calls_that_reserve_nothing(store: Store) -> None:
    store.correct(["all"], dollars("1.00"))
    shortage = store.reserve("one", [ALL], Amount())
    assert shortage is not None
    assert (shortage.unit, shortage.spent, shortage.limit) == ("USD", Decimal(1), Decimal(1))
    store.reset("all")
    store.correct(["all"], dollars("0", 100))
    shortage = store.reserve("one", [ALL], Amount())
    assert shortage is not None
    assert shortage.unit == "tokens"
