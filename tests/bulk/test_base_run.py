"""The common behavior of runs of calls and runs of batches."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import RunnableLambda

from langchain_kimi import KimiBudgetExceededError, KimiUsageError
from langchain_kimi.bulk import BulkResult, BulkStoppedError, BulkSummary
from langchain_kimi.bulk.base_run import BaseRun, stopped
from langchain_kimi.bulk.batch_run import BatchRun
from langchain_kimi.bulk.call_run import CallRun
from langchain_kimi.testing import Emulator, faults
from tests.bulk.driving import CLOCK, small

NewRun = Callable[..., BaseRun[Any]]


@pytest.fixture(params=["calls", "batch"])
def new_run(request: pytest.FixtureRequest, openrouter: Emulator) -> NewRun:
    def make(out: Path, **options: Any) -> BaseRun[Any]:
        own: Any = options
        if request.param == "calls":
            return CallRun(small(openrouter), out, own)
        return BatchRun(small(openrouter), out, own, CLOCK)

    return make


async def results(run: BaseRun[Any], rows: Any) -> list[BulkResult]:
    return sorted([one async for one in run.results(rows)], key=lambda one: one.index)


async def test_new_stored_and_equal_rows_have_the_same_results(new_run: NewRun, tmp_path: Path) -> None:
    first = await results(new_run(tmp_path / "out"), ["a", "b", "a"])
    again = new_run(tmp_path / "out")
    second = await results(again, iter(["a", "a", "c"]))

    assert [one.state for one in first] == ["new", "new", "duplicate"]
    assert [one.state for one in second] == ["stored", "stored", "new"]
    assert first[0].value == first[2].value == second[1].value
    assert (again.summary.total, again.summary.rows) == (3, 3)
    assert again.summary.earlier_cost > 0
    assert again.summary.earlier_cost == pytest.approx(sum(one.cost for one in first))


async def test_a_row_without_its_key_is_an_error_row(new_run: NewRun, tmp_path: Path) -> None:
    run = new_run(tmp_path / "out", key=lambda row: row["id"])

    [outcome] = await results(run, [{"text": "a"}])

    assert outcome.error is not None
    assert "KeyError: 'id'" in outcome.error.reason
    assert run.stop is None


def with_tuples(message: AIMessage) -> dict[Any, str]:
    return {("a", 1): message.text}


async def test_a_value_that_cannot_be_stored_is_an_error_row(openrouter: Emulator, tmp_path: Path) -> None:
    run = CallRun(small(openrouter) | RunnableLambda(with_tuples), tmp_path / "out", {})

    outcome = await results(run, ["a", "b"])

    reason = "The value cannot be stored: TypeError: keys must be str, int, float, bool or None, not tuple"
    assert [one.error and one.error.reason for one in outcome] == [reason] * 2
    assert all(one.cost > 0 and one.value is None for one in outcome)
    assert (run.summary.failed, run.stop) == (2, None)
    assert (tmp_path / "out").read_bytes().count(b"\n") == 2


async def test_rows_that_fail_before_or_after_their_calls_can_stop_the_run(
    openrouter: Emulator, tmp_path: Path
) -> None:
    chain = PromptTemplate.from_template("{text}") | small(openrouter) | RunnableLambda(with_tuples)
    for name, row in {"before": {"other": "a"}, "after": {"text": "a"}}.items():
        run = CallRun(chain, tmp_path / name, {"on_error": "raise", "max_concurrency": 1})

        with pytest.raises(BulkStoppedError, match=r"KeyError|TypeError"):
            await results(run, [row] * 20)

        assert run.summary.rows < 5


@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_equal_rows_of_one_that_is_sent_again_do_not_stop_the_run(
    failures: int, openrouter: Emulator, tmp_path: Path
) -> None:
    openrouter.script(*[faults.internal_error()] * failures)

    # These are more rows than can be open at a time.
    outcome = await results(CallRun(small(openrouter), tmp_path / "out", {"max_concurrency": 1}), ["same"] * 20)

    assert [one.index for one in outcome] == list(range(20))
    assert {one.ok for one in outcome} == {failures < 3}
    assert sorted(one.state for one in outcome) == ["duplicate"] * 19 + ["new"]
    assert len(openrouter.bodies) == min(failures + 1, 3)
    assert (tmp_path / "out").read_bytes().count(b"\n") == 1


async def test_rows_with_empty_keys_do_not_share_a_result(new_run: NewRun, tmp_path: Path) -> None:
    keys = {"a": None, "b": "", "c": float("nan"), "d": None, "e": 0}
    run = new_run(tmp_path / "out", key=lambda row: keys[row])

    outcome = await results(run, list(keys))

    reasons = [one.error.reason if one.error else one.key for one in outcome]
    assert reasons == [*["The row cannot be rendered: The key of the row is null or empty."] * 4, "0"]
    assert [one.state for one in outcome] == ["new"] * 5


async def test_an_unexpected_exception_in_a_row_stops_the_run(new_run: NewRun, tmp_path: Path) -> None:
    run = new_run(tmp_path / "out")

    async def defect() -> None:
        raise LookupError("a defect")

    run._spawn(defect())

    with pytest.raises(BulkStoppedError, match="LookupError: a defect"):
        await results(run, ["a"])


def test_a_usage_error_is_raised_itself_and_others_as_a_stopped_run() -> None:
    usage = KimiUsageError("Wrong.")
    summary = BulkSummary(rows=2_000)

    assert stopped(usage, summary, ()) is usage
    budget = stopped(KimiBudgetExceededError("No money.", advice="Pay."), summary, [BulkResult("k", 0)])

    assert isinstance(budget, BulkStoppedError)
    assert "The run stopped after 2,000 rows. No money." in str(budget)
    assert "Pay. Start the same run again to continue." in str(budget)
    assert (budget.summary, [one.key for one in budget.unsaved], summary.stopped) == (summary, ["k"], "No money.")
