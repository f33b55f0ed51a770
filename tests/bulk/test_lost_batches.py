"""Batches that a later run of the lane does not find, or whose rows it asks for only in part: nothing is paid twice."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http.calls import Clock
from langchain_kimi.bulk import BulkResult, BulkStoppedError
from langchain_kimi.bulk.batch_run import BatchRun
from langchain_kimi.bulk.purse import ZERO
from langchain_kimi.testing import Emulator
from tests.batch.driving import moonshot
from tests.bulk.driving import CLOCK, SETTINGS, journal, no_sleep, results, small, submissions
from tests.catalog.serving import Server

LOST = "was deleted, is too old, or belongs to another account"


async def submitted_only(model: ChatKimi, rows: list[str], out: Path, lines: int = 2, **options: Any) -> None:
    """Leave an output as a run that was killed after so many lines of its journal."""
    await results(model, rows, out, **options)
    beside = out.with_name(f"{out.name}.batches.jsonl")
    beside.write_bytes(b"".join(beside.read_bytes().splitlines(keepends=True)[:lines]))
    out.write_bytes(b"")  # noqa: ASYNC240 - it takes no time


def kinds(outcome: list[BulkResult]) -> list[str]:
    return [one.error.kind if one.error else one.state for one in outcome]


@pytest.mark.parametrize("kind", ["openrouter", "moonshot"])
async def test_the_rows_of_a_deleted_batch_fail_and_are_sent_again_on_request(
    kind: str, openrouter: Emulator, tmp_path: Path
) -> None:
    model, out = small(openrouter) if kind == "openrouter" else moonshot(openrouter, max_tokens=9), tmp_path / "out"
    await submitted_only(model, ["a", "b"], out)
    openrouter.clear()

    with pytest.warns(UserWarning, match=LOST):
        first = await results(model, ["a", "b", "c"], out)
    second = await results(model, ["a", "b", "c"], out)
    sent = len(submissions(openrouter))
    with pytest.warns(UserWarning, match="2 rows are sent and paid again"):
        third = await results(model, ["a", "b", "c"], out, retry_failed=True)

    assert kinds(first) == ["KimiNotFoundError", "KimiNotFoundError", "new"]
    assert [one.state for one in second] == ["stored"] * 3
    assert kinds(second)[:2] == ["KimiNotFoundError"] * 2
    assert [(one.error.status, one.error.is_retryable) for one in first[:2] if one.error] == [(404, False)] * 2
    assert [one.unknown_costs for one in first] == [1, 1, int(kind == "moonshot")]
    assert sent == 1
    assert kinds(third) == ["new", "new", "stored"]
    assert len(submissions(openrouter)) == 2
    assert kinds(await results(model, ["a", "b", "c"], out, retry_failed=True)) == ["stored"] * 3


async def test_a_batch_of_another_account_is_read_once_its_key_is_used(openrouter: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await submitted_only(small(openrouter), ["a", "b"], out)
    with Emulator() as other, pytest.warns(UserWarning, match=LOST):
        assert kinds(await results(small(other), ["a", "b"], out)) == ["KimiNotFoundError"] * 2

    assert kinds(await results(small(openrouter), ["a", "b"], out, retry_failed=True)) == ["new"] * 2

    assert len(submissions(openrouter)) == 1


async def test_a_lost_batch_stops_a_run_that_is_to_raise(openrouter: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await submitted_only(small(openrouter), ["a", "b"], out)
    openrouter.clear()

    with pytest.warns(UserWarning, match=LOST), pytest.raises(BulkStoppedError, match="not found"):
        await results(small(openrouter), ["a", "b"], out, on_error="raise")


async def test_a_batch_without_its_handle_is_lost_when_results_are_deleted(
    openrouter: Emulator, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    await submitted_only(small(openrouter), ["a", "b"], out, lines=1)
    openrouter.clear()
    later = Clock(epoch=lambda: time.time() + 31 * 86_400, async_sleep=no_sleep)

    run = BatchRun(small(openrouter), out, {"lane": "batch"}, later)
    with pytest.warns(UserWarning, match="deleted after 30 days"):
        assert kinds([one async for one in run.results(["a", "b"])]) == ["KimiUsageError"] * 2

    assert submissions(openrouter) == []


async def test_results_that_a_full_disk_lost_are_read_again(openrouter: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await submitted_only(small(openrouter), ["a", "b"], out)
    openrouter.clear()
    run = BatchRun(small(openrouter), out, {"lane": "batch"}, CLOCK)
    run._store._file.close()
    run._store._file = Path("/dev/full").open("ab+", buffering=0)  # noqa: ASYNC230, SIM115 - the run closes it

    with pytest.warns(UserWarning, match=LOST), pytest.raises(BulkStoppedError, match="No space"):
        [one async for one in run.results(["a", "b"])]

    assert [one["state"] for one in journal(out)] == ["sending", "submitted"]


async def test_a_run_of_some_rows_leaves_the_others_in_their_batch(openrouter: Emulator, tmp_path: Path) -> None:
    model, out = small(openrouter, rows=3), tmp_path / "out"
    await submitted_only(model, ["a", "b", "c"], out)

    assert kinds(await results(model, ["b"], out)) == ["new"]
    assert kinds(await results(model, ["a", "b", "c"], out)) == ["new", "stored", "new"]

    assert len(submissions(openrouter)) == 1
    assert [one["state"] for one in journal(out)] == ["sending", "submitted", "ended", "ended"]


async def test_open_batches_of_earlier_starts_count_into_the_money(openrouter: Emulator, tmp_path: Path) -> None:
    model, out = small(openrouter, rows=4), tmp_path / "out"
    rows = [f"row {number}" for number in range(8)]
    await submitted_only(model, rows[:4], out, max_cost=1)
    max_cost = float(journal(out)[0]["max_cost"])

    with pytest.raises(BulkStoppedError, match="Budget exceeded"):
        await results(model, rows, out, max_cost=1.1 * max_cost)
    assert len(submissions(openrouter)) == 1

    outcome = await results(model, rows, out, max_cost=2 * max_cost)
    assert kinds(outcome) == ["stored"] * 4 + ["new"] * 4
    assert sum(one.cost for one in outcome) <= 2 * max_cost


BROKEN = httpx.Response(502, json={"error": {"message": "down", "code": 502}})


@pytest.mark.parametrize("lines", [0, 1, 2])
async def test_a_failure_leaves_no_reservation_that_others_wait_for(
    lines: int, openrouter: Emulator, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    if lines:
        await submitted_only(small(openrouter), ["a", "b"], out, lines=lines, max_cost=1)
    client = httpx.AsyncClient(transport=httpx.MockTransport(Server(BROKEN)))
    model = ChatKimi(http_async_client=client, **SETTINGS)

    with pytest.raises(BulkStoppedError):
        await results(model, ["a", "b"], out, max_cost=1)

    run = BatchRun(model, out, {"lane": "batch", "max_cost": 1}, CLOCK)
    with pytest.raises(BulkStoppedError):
        [one async for one in run.results(["a", "b"])]
    assert run._purse is not None
    assert run._purse.reserved == ZERO
    assert run._purse.spent > ZERO


async def test_stored_results_do_not_pile_up(openrouter: Emulator, tmp_path: Path) -> None:
    model, out = small(openrouter, rows=5_000), tmp_path / "out"
    await results(model, ["a"], out)
    taken = 0

    def rows() -> Any:
        nonlocal taken
        for _ in range(5_000):
            taken += 1
            yield "a"

    stored = BatchRun(model, out, {"lane": "batch"}, CLOCK).results(rows())
    await anext(stored)
    assert taken < 1_100
    assert len([one async for one in stored]) == 4_999
