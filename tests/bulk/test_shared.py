"""The server that the workers of a run share."""

import pickle
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from langchain_kimi import ChatKimi, KimiBudgetExceededError, KimiUsageError
from langchain_kimi.bulk import BulkStoppedError, BulkSummary, Shared, Worker
from langchain_kimi.testing import Emulator


async def ask(model: ChatKimi, shared: Shared, row: str) -> None:
    worker = Worker(lambda: model, shared.address())
    try:
        await worker.ask(row)
    finally:
        await worker.close()


async def test_a_run_ends_with_its_table(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    with Shared(tmp_path / "out.parquet", max_cost=1) as shared:
        await ask(model, shared, "a")

    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").num_rows == 1
    assert shared.close().answered == 1


async def test_a_table_that_cannot_be_written_stops_the_run(
    model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "out.db").mkdir()
    shared = Shared(tmp_path / "out.db")
    await ask(model, shared, "a")
    with pytest.raises(BulkStoppedError) as caught:
        shared.close()

    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - as a Ray actor returns it
    assert isinstance(copy, BulkStoppedError)
    assert copy.summary.answered == 1


async def test_a_full_disk_stops_the_run_and_keeps_the_result(model: ChatKimi, openrouter: Emulator) -> None:
    shared = Shared()
    await ask(model, shared, "a")
    store = shared._state._opened
    store._file.close()
    store._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115, ASYNC230 - the run closes it

    for row in "bc":
        with pytest.raises(OSError, match="No space left"):
            await ask(model, shared, row)
    with pytest.raises(BulkStoppedError, match="No space left") as caught:
        shared.close()

    assert [one.ok for one in caught.value.unsaved] == [True]
    assert len(openrouter.bodies) == 2


async def test_all_starts_share_the_money(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    small = model.model_copy(update={"max_tokens": 50})
    with Shared(tmp_path / "out", max_cost=1) as first:
        await ask(small, first, "a")

    second = Shared(tmp_path / "out", max_cost=first.summary().cost)
    with pytest.raises(KimiBudgetExceededError):
        await ask(small, second, "b")

    with pytest.raises(BulkStoppedError, match="Budget exceeded"):
        second.close()
    assert second.summary().earlier_cost == first.summary().cost > 0


def test_a_run_without_workers_ends() -> None:
    with Shared() as shared:
        assert shared.summary() == BulkSummary()
    assert shared.close().rows == 0


def test_values_that_cannot_be_shared_are_refused() -> None:
    unusable: list[Any] = [{"key": str}, {"config": {"tags": ["a"]}}, {"lane": "batch"}]
    for options in unusable:
        with pytest.raises(KimiUsageError, match="key must be the name of a column"):
            Shared(**options)


def test_an_address_of_another_machine_is_an_error_and_ends_the_progress(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "langchain_kimi")
    with pytest.raises(OSError):  # noqa: PT011 - the text depends on the system
        Shared(host="::1%nosuchinterface", progress=True)
    assert [message.startswith("0 rows, 0 failed") for message in caplog.messages] == [True]
