"""Lookups of unknown costs in the background."""

import logging
import threading
from asyncio import CancelledError
from decimal import Decimal
from typing import Any

import pytest

from langchain_kimi._costs.charges import CallCost
from langchain_kimi._costs.reconciling import Reconciler
from langchain_kimi.errors import KimiConnectionError, KimiNotFoundError

NOW = (0.0, 0.0, 0.0)
RECORD = {"id": "gen-1", "total_cost": 0.5, "model": "kimi", "provider_name": "Host", "native_tokens_prompt": 7}


class Records:
    """The records of `/generation`, by the number of the lookup."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.lookups: list[tuple[str, float]] = []

    def generation(self, generation_id: str, *, wait: float) -> Any:
        self.lookups.append((generation_id, wait))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def test_a_record_is_passed_to_all_requesters() -> None:
    records = Records(RECORD)
    costs: list[CallCost] = []
    reconciler = Reconciler(records, (0.01,))
    # With the lock, so that the first lookup cannot end before the second one begins.
    with reconciler._changed:
        for _ in range(2):
            reconciler.look_up("gen-1", costs.append)
        assert reconciler.pending == 1
    assert reconciler.join()
    [one, other] = costs
    assert one is other
    assert (one.model, one.provider, one.cost, one.generation_id) == ("kimi", "Host", Decimal("0.5"), "gen-1")
    assert records.lookups == [("gen-1", 0.0)]


def test_a_receiver_does_not_block_the_next_lookup() -> None:
    # A receiver locks a ledger, and the thread that starts the next lookup has locked the same ledger.
    reconciler = Reconciler(Records(RECORD, RECORD), (0.0,))
    is_receiving, is_looking_up = threading.Event(), threading.Event()
    was_free: list[bool] = []

    def receive(_: CallCost) -> None:
        is_receiving.set()
        was_free.append(is_looking_up.wait(10))

    reconciler.look_up("gen-1", receive)
    assert is_receiving.wait(10)
    reconciler.look_up("gen-2", lambda _: None)
    assert not reconciler.join(0)
    is_looking_up.set()
    assert reconciler.join(10)
    assert was_free == [True]


def test_a_record_that_is_not_there_yet_is_looked_up_again() -> None:
    records = Records(KimiNotFoundError("no"), {"total_cost": None}, KimiConnectionError("no"), RECORD)
    costs: list[CallCost] = []
    reconciler = Reconciler(lambda: records, (0.0,) * 4)
    reconciler.look_up("gen-1", costs.append)
    assert reconciler.join()
    assert [one.cost for one in costs] == [Decimal("0.5")]
    assert len(records.lookups) == 4


def test_a_cost_that_stays_unknown_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    costs: list[CallCost] = []
    reconciler = Reconciler(Records(*[KimiNotFoundError("no")] * 3), NOW)
    with caplog.at_level(logging.WARNING, "langchain_kimi"):
        reconciler.look_up("gen-1", costs.append)
        assert reconciler.join()
    assert (costs, caplog.messages) == ([], ["The cost of the generation gen-1 is still unknown."])


@pytest.mark.parametrize("problem", [KeyError("sk-key"), OSError("sk-key"), CancelledError(), SystemExit("sk-key")])
def test_any_exception_of_the_source_is_a_failed_lookup(
    caplog: pytest.LogCaptureFixture, problem: BaseException
) -> None:
    costs: list[CallCost] = []
    reconciler = Reconciler(Records(problem, RECORD), NOW)
    reconciler.look_up("gen-1", costs.append)
    assert reconciler.join(60)
    assert [one.cost for one in costs] == [Decimal("0.5")]
    assert caplog.messages == [f"The lookup of the generation gen-1 failed with {type(problem).__name__}."]


def test_an_exception_for_each_lookup_ends_the_waiting(caplog: pytest.LogCaptureFixture) -> None:
    def source() -> Records:
        raise RuntimeError("sk-key")

    reconciler = Reconciler(source, NOW)
    reconciler.look_up("gen-1", lambda _: None)
    assert reconciler.join(60)
    assert (len(caplog.messages), "sk-key" in caplog.text) == (4, False)


def test_an_exception_of_a_receiver_does_not_reach_the_other_ones(caplog: pytest.LogCaptureFixture) -> None:
    costs: list[CallCost] = []
    reconciler = Reconciler(Records(RECORD, RECORD), NOW)
    with reconciler._changed:
        reconciler.look_up("gen-1", lambda cost: dict[CallCost, int]()[cost])
        reconciler.look_up("gen-1", costs.append)
        reconciler.look_up("gen-2", costs.append)
    assert reconciler.join(60)
    assert len(costs) == 2
    assert caplog.messages == ["The cost of the generation gen-1 was not taken over."]


def test_a_lookup_waits_for_its_time() -> None:
    reconciler = Reconciler(Records(), (3600.0,))
    reconciler.look_up("gen-1", print)
    assert not reconciler.join(0.01)
    assert reconciler.pending == 1


def test_the_thread_ends_and_another_one_begins() -> None:
    records = Records(RECORD, RECORD)
    reconciler = Reconciler(records, (0.0,))
    for _ in range(2):
        reconciler.look_up("gen-1", lambda _: None)
        assert reconciler.join()
        while reconciler._thread is not None:
            reconciler.join(0.001)
    assert len(records.lookups) == 2


def test_one_thread_looks_all_calls_up() -> None:
    reconciler = Reconciler(Records(RECORD, RECORD), (0.05,))
    reconciler.look_up("gen-1", lambda _: None)
    thread = reconciler._thread
    reconciler.look_up("gen-2", lambda _: None)
    assert reconciler._thread is thread
    assert reconciler.join()
