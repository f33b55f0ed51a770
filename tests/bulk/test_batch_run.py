"""Bulk runs through the batch API over a real socket: every row once, whatever happens."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_kimi import ChatKimi, KimiInvalidRequestError, KimiServerError, KimiUsageError, bulk
from langchain_kimi._openrouter.host import OPENROUTER
from langchain_kimi._openrouter.http.calls import Clock
from langchain_kimi.bulk import BulkStoppedError
from langchain_kimi.bulk.batch_run import BatchRun
from langchain_kimi.callbacks import Budget
from langchain_kimi.testing import Emulator, Reply, faults
from tests.batch.driving import moonshot
from tests.bulk.driving import CLOCK, SETTINGS, journal, results, small, submissions
from tests.catalog.serving import Server


class City(BaseModel):
    name: str


async def test_every_row_has_its_result(openrouter: Emulator, tmp_path: Path) -> None:
    rows = ["a", "b", "a", "c", "d", "e"]

    outcome = await results(small(openrouter), iter(rows), tmp_path / "out")

    assert [one.input for one in outcome] == rows
    assert [one.state for one in outcome] == ["new", "new", "duplicate", "new", "new", "new"]
    assert all(one.ok and one.provider == "Moonshot AI" and one.value.text for one in outcome)
    assert sorted(len(body["requests"]) for body in submissions(openrouter)) == [1, 2, 2]
    assert sum(one.cost > 0 for one in outcome) == 5
    assert [one["state"] for one in journal(tmp_path / "out")].count("ended") == 3


@pytest.mark.parametrize("name", ["run", "arun"])
async def test_the_lane_is_an_option_of_a_run(name: str, openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.behave(batch_states=())
    options: Any = {"out": tmp_path / "out", "lane": "batch"}

    if name == "run":
        assert bulk.run(small(openrouter), ["a", "b"], **options).answered == 2
    else:
        assert len([one async for one in bulk.arun(small(openrouter), ["a", "b"], **options)]) == 2

    assert len(submissions(openrouter)) == 1


async def test_a_later_run_sends_only_the_rest(openrouter: Emulator, tmp_path: Path) -> None:
    await results(small(openrouter), ["a", "b"], tmp_path / "out")
    openrouter.clear()

    outcome = await results(small(openrouter), ["a", "b", "c"], tmp_path / "out")

    assert [one.state for one in outcome] == ["stored", "stored", "new"]
    assert [len(body["requests"]) for body in submissions(openrouter)] == [1]


async def test_a_batch_of_a_run_that_was_killed_is_not_submitted_twice(openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.behave(batch_states=("in_progress",) * 3)
    model, out, waits = small(openrouter), tmp_path / "out", asyncio.Event()

    async def sleep(_seconds: float) -> None:
        waits.set()
        await asyncio.Event().wait()

    killed = BatchRun(model, out, {"lane": "batch"}, Clock(async_sleep=sleep))
    reading = asyncio.create_task(anext(killed.results(["a", "b"])))
    await waits.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    outcome = await results(model, ["a", "b", "c"], out)

    assert [one.ok for one in outcome] == [True] * 3
    assert [len(body["requests"]) for body in submissions(openrouter)] == [2, 1]


@pytest.mark.parametrize("kind", ["openrouter", "moonshot"])
async def test_a_batch_without_its_handle_is_found(kind: str, openrouter: Emulator, tmp_path: Path) -> None:
    model, out = small(openrouter) if kind == "openrouter" else moonshot(openrouter), tmp_path / "out"
    await results(model, ["a", "b"], out)
    beside = out.with_name("out.batches.jsonl")
    beside.write_bytes(beside.read_bytes().splitlines(keepends=True)[0])
    out.write_bytes(b"")

    outcome = await results(model, ["b", "a"], out)

    assert [one.value.text.splitlines()[0] for one in outcome] == ["You said: b", "You said: a"]
    assert len(submissions(openrouter)) == 1


async def test_a_batch_that_was_never_accepted_is_sent(openrouter: Emulator, tmp_path: Path) -> None:
    model, out = small(openrouter), tmp_path / "out"
    await results(model, ["a", "b"], out)
    beside = out.with_name("out.batches.jsonl")
    beside.write_bytes(beside.read_bytes().splitlines(keepends=True)[0])
    out.write_bytes(b"")
    openrouter.clear()

    outcome = await results(model, ["a", "b"], out)

    assert [one.ok for one in outcome] == [True, True]
    assert len(submissions(openrouter)) == 1


async def test_rows_that_may_succeed_are_sent_again(openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script_batches(faults.batch_expired(answered=1), faults.rows_rejected(0))

    outcome = await results(small(openrouter, rows=3), ["a", "b", "c"], tmp_path / "out")

    assert [one.error.kind if one.error else None for one in outcome] == [None, "KimiInvalidRequestError", None]
    assert [len(body["requests"]) for body in submissions(openrouter)] == [3, 2]


async def test_the_last_round_keeps_the_errors(openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script_batches(*[faults.batch_expired()] * 2)

    [first] = await results(small(openrouter), ["a"], tmp_path / "out", retries=1)
    openrouter.clear()
    [stored] = await results(small(openrouter), ["a"], tmp_path / "out", retries=0)
    [again] = await results(small(openrouter), ["a"], tmp_path / "out", retries=0, retry_failed=True)

    assert first.error is not None
    assert (first.error.kind, first.error.is_retryable, first.unknown_costs) == ("BatchRowError", True, 0)
    assert (stored.state, stored.ok, again.state, again.ok) == ("stored", False, "new", True)


async def test_structured_output_and_chains_have_their_values(openrouter: Emulator, tmp_path: Path) -> None:
    reader = small(openrouter).with_structured_output(City, method="json_schema", include_raw=True)
    chain: Any = ChatPromptTemplate.from_messages([("user", "{word}")]) | reader
    openrouter.script(Reply(text='{"name": "Rome"}'), Reply(text="no JSON"))

    rows = [{"word": "Rome"}, {"word": "x"}, {"other": 1}]
    good, bad, wrong = await results(chain, rows, tmp_path / "out", retries=0)

    assert good.value["parsed"] == City(name="Rome")
    assert bad.error is not None
    assert bad.error.kind == "KimiStructuredOutputError"
    assert wrong.error is not None
    assert "cannot be rendered" in wrong.error.reason


async def test_a_row_that_is_too_large_fails_alone(openrouter: Emulator, tmp_path: Path) -> None:
    host = replace(OPENROUTER, batch_bytes=4_500)
    model = ChatKimi(base_url=openrouter.base_url, host=host, **SETTINGS)

    outcome = await results(model, ["a" * 900, "b" * 900, "c" * 900, "d" * 5_000], tmp_path / "out")

    assert [one.ok for one in outcome] == [True, True, True, False]
    assert sorted(len(body["requests"]) for body in submissions(openrouter)) == [1, 2]


async def test_the_money_is_not_exceeded(openrouter: Emulator, tmp_path: Path) -> None:
    model, out = small(openrouter, rows=8), tmp_path / "out"
    max_cost = 0.000_5

    with pytest.raises(BulkStoppedError, match="Budget exceeded") as raised:
        await results(model, [f"row {number}" for number in range(8)], out, max_cost=max_cost)

    assert 0 < raised.value.summary.answered < 8
    assert raised.value.summary.cost <= max_cost
    assert all(len(body["requests"]) < 8 for body in submissions(openrouter))


async def test_a_full_disk_ends_the_wait_of_other_batches_for_money(openrouter: Emulator, tmp_path: Path) -> None:
    run = BatchRun(small(openrouter), tmp_path / "out", {"lane": "batch", "max_cost": 0.000_5}, CLOCK)
    run._journal.path = Path("/dev/full")

    with pytest.raises(BulkStoppedError, match="No space left"):
        await anext(run.results(["a", "b", "c", "d"]))

    assert submissions(openrouter) == []


async def test_a_row_that_is_sent_again_counts_the_cost_of_all_batches(openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script(Reply(text=""))
    [outcome] = await results(small(openrouter), ["a"], tmp_path / "out")
    openrouter.clear()
    [plain] = await results(small(openrouter), ["a"], tmp_path / "other")

    assert outcome.ok
    assert outcome.input_tokens == 2 * plain.input_tokens
    assert outcome.cost > plain.cost


async def test_a_budget_of_the_user_stops_the_run(openrouter: Emulator, tmp_path: Path) -> None:
    config = {"callbacks": [Budget(max_cost=0)]}

    with pytest.raises(BulkStoppedError, match="Budget exceeded"):
        await results(small(openrouter), ["a"], tmp_path / "out", config=config)

    assert submissions(openrouter) == []


def answering(*answers: Any) -> ChatKimi:
    client = httpx.AsyncClient(transport=httpx.MockTransport(Server(*answers)))
    return ChatKimi(http_async_client=client, **SETTINGS)


REFUSED = httpx.Response(400, json={"error": {"message": "no", "code": 400}})
BROKEN = httpx.Response(502, json={"error": {"message": "down", "code": 502}})


async def test_a_refused_batch_stops_the_run_and_is_not_open(tmp_path: Path) -> None:
    with pytest.raises(BulkStoppedError) as raised:
        await results(answering(REFUSED), ["a"], tmp_path / "out", max_cost=1)

    assert isinstance(raised.value.__cause__, KimiInvalidRequestError)
    assert [one["state"] for one in journal(tmp_path / "out")] == ["sending", "ended"]


async def test_an_ambiguous_failure_leaves_the_batch_open(tmp_path: Path) -> None:
    with pytest.raises(BulkStoppedError) as raised:
        await results(answering(BROKEN), ["a"], tmp_path / "out")

    assert isinstance(raised.value.__cause__, KimiServerError)
    assert [one["state"] for one in journal(tmp_path / "out")] == ["sending"]


async def test_an_error_stops_a_run_that_is_to_raise(openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script_batches(faults.rows_rejected(0))

    with pytest.raises(BulkStoppedError):
        await results(small(openrouter, rows=1), map(str, range(40)), tmp_path / "out", on_error="raise")

    assert len(submissions(openrouter)) < 40
    with pytest.raises(KimiUsageError, match="are unknown"):
        await results(small(openrouter, model="a/b"), ["a"], tmp_path / "other", max_cost=1)


class Broken:
    """Rows that end with an error, or with an interruption."""

    def __init__(self, error: BaseException) -> None:
        self.problem = error

    def __iter__(self) -> Any:
        yield "a"
        raise self.problem


async def test_rows_that_cannot_be_read_stop_the_run(openrouter: Emulator, tmp_path: Path) -> None:
    with pytest.raises(BulkStoppedError, match="ValueError: broken"):
        await results(small(openrouter), Broken(ValueError("broken")), tmp_path / "out")


async def test_results_that_cannot_be_written_are_kept(openrouter: Emulator, tmp_path: Path) -> None:
    run = BatchRun(small(openrouter), tmp_path / "out", {"lane": "batch"}, CLOCK)
    run._store._file.close()
    full = Path("/dev/full").open("ab+", buffering=0)  # noqa: ASYNC230, SIM115 - it takes no time, and the run closes it
    run._store._file = full

    with pytest.raises(BulkStoppedError) as raised:
        [one async for one in run.results(["a", "b"])]

    assert len(raised.value.unsaved) == 2
    assert [one["state"] for one in journal(tmp_path / "out")] == ["sending", "submitted"]


async def test_a_conversation_with_calls_keeps_its_ids(openrouter: Emulator, tmp_path: Path) -> None:
    call = {"name": "f", "args": {}, "id": "functions.f:0", "type": "tool_call"}
    row = [("user", "Hi"), AIMessage("", tool_calls=[call]), ToolMessage("Sun.", tool_call_id="functions.f:0")]

    [outcome] = await results(small(openrouter), [row], tmp_path / "out")

    assert outcome.ok
    assert journal(tmp_path / "out")[1]["handle"]["call_ids"] == {"0": ["functions.f:0"]}


async def test_keys_of_the_user_identify_rows(openrouter: Emulator, tmp_path: Path) -> None:
    chain: Any = RunnableLambda(lambda row: row["text"]) | small(openrouter)
    rows = [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}]

    assert [one.key for one in await results(chain, rows, tmp_path / "a", key="id")] == ["1", "2"]
    assert [one.key for one in await results(chain, rows, tmp_path / "b", key=lambda row: row["text"])] == ["a", "b"]


def test_a_run_needs_a_file_and_a_batch_api(openrouter: Emulator, tmp_path: Path) -> None:
    with pytest.raises(KimiUsageError, match="needs `out`"):
        BatchRun(small(openrouter), None, {})
    with pytest.raises(KimiUsageError, match="no batch API"):
        BatchRun(ChatKimi(base_url="http://127.0.0.1:1/v1"), tmp_path / "out", {})
    with pytest.raises(KimiUsageError, match='"calls" or "batch"'):
        BatchRun(small(openrouter), tmp_path / "out", {"lane": "fast"})  # type: ignore[typeddict-item]  # an unknown lane


def test_a_journal_of_something_else_is_refused_and_the_output_stays_free(
    openrouter: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "langchain_kimi")
    (tmp_path / "out.batches.jsonl").write_text('{"key": "a"}\n')
    for _ in range(2):
        with pytest.raises(KimiUsageError, match="not the journal"):
            BatchRun(small(openrouter), tmp_path / "out", {"progress": True})
    # The progress has ended, which leaves no bar on a terminal.
    assert caplog.messages == ["0 rows, 0 failed, $0.0000"] * 2


PROGRAM = """
import asyncio, sys
from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.host import OPENROUTER
from langchain_kimi._openrouter.http.calls import Clock
from langchain_kimi.bulk.batch_run import BatchRun
from dataclasses import replace

async def main():
    model = ChatKimi(api_key="k", base_url=sys.argv[1], max_tokens=9, host=replace(OPENROUTER, batch_rows=5))
    run = BatchRun(model, sys.argv[2], {"lane": "batch"}, Clock(async_sleep=lambda _: asyncio.sleep(0.01)))
    async for _ in run.results(f"row {number}" for number in range(100)):
        pass

asyncio.run(main())
"""


@pytest.mark.long
def test_runs_that_are_killed_submit_no_row_twice(openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.behave(batch_states=("in_progress",) * 2)
    out, command = tmp_path / "out", [sys.executable, "-c", PROGRAM, openrouter.base_url, str(tmp_path / "out")]

    for requests in range(1, 80, 8):
        with subprocess.Popen(command) as process:
            while process.poll() is None and len(openrouter.requests) < requests:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
    assert subprocess.run(command, check=True).returncode == 0

    sent = [row["body"]["messages"][0]["content"] for body in submissions(openrouter) for row in body["requests"]]
    assert sorted(sent) == sorted(f"row {number}" for number in range(100))
    assert len({json.loads(line)["key"] for line in out.read_bytes().splitlines()}) == 100
