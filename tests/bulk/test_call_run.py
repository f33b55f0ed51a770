"""Bulk runs over a real socket: every row once, whatever happens."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig, RunnableLambda
from pydantic import BaseModel

from langchain_kimi import (
    ChatKimi,
    KimiAuthenticationError,
    KimiBudgetExceededError,
    KimiInvalidRequestError,
    KimiUsageError,
    bulk,
)
from langchain_kimi.bulk import BulkResult, BulkStoppedError
from langchain_kimi.bulk.call_run import CallRun
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults


class Order(BaseModel):
    city: str


async def results(*arguments: Any, **options: Any) -> list[BulkResult]:
    return sorted([one async for one in bulk.arun(*arguments, **options)], key=lambda one: one.index)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def test_every_row_has_its_result(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    rows = [f"question {number}" for number in range(60)]

    outcome = await results(model, rows, out=tmp_path / "a.jsonl")

    assert [one.input for one in outcome] == rows
    assert [one.index for one in outcome] == list(range(60))
    assert all(one.ok and one.cost > 0 and one.provider and one.value.text for one in outcome)
    assert len(openrouter.bodies) == len(lines(tmp_path / "a.jsonl")) == 60


@pytest.mark.parametrize("kind", ["generator", "async generator", "file"])
async def test_rows_of_every_kind_are_asked(kind: str, model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    async def later() -> AsyncIterator[str]:
        for number in range(5):
            yield f"row {number}"

    def now() -> Iterator[str]:
        yield from (f"row {number}" for number in range(5))

    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(f"row {number}") for number in range(5)))
    source = {"generator": now(), "async generator": later(), "file": tmp_path / "in.jsonl"}[kind]

    assert [one.input for one in await results(model, source)] == [f"row {number}" for number in range(5)]


async def test_a_later_run_asks_only_the_rest(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    rows = [f"question {number}" for number in range(20)]
    first = await results(model, rows[:12], out=tmp_path / "a.jsonl")
    openrouter.clear()

    second = await results(model, rows, out=tmp_path / "a.jsonl")

    assert [one.state for one in second] == ["stored"] * 12 + ["new"] * 8
    assert [one.value for one in second[:12]] == [one.value for one in first]
    assert len(openrouter.bodies) == 8


async def test_equal_rows_are_sent_once(model: ChatKimi, openrouter: Emulator) -> None:
    outcome = await results(model, ["same"] * 10 + ["other"] + ["same"] * 10, max_concurrency=4)

    assert len(openrouter.bodies) == 2
    assert sum(one.cost > 0 for one in outcome) == 2
    assert [one.state for one in outcome].count("duplicate") == 19
    assert {one.value.text for one in outcome if one.input == "same"} == {outcome[0].value.text}


async def test_stored_objects_are_loaded_as_objects(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script(Reply(tool_calls=[ToolCall("Order", {"city": "Oslo"})]))
    chain = ChatPromptTemplate.from_template("Where? {text}") | model.with_structured_output(Order)
    rows = [{"text": "to Oslo"}]

    [new] = await results(chain, rows, out=tmp_path / "a.jsonl")
    [stored] = await results(chain, rows, out=tmp_path / "a.jsonl")

    assert new.value == stored.value == Order(city="Oslo")
    assert (new.state, stored.state) == ("new", "stored")
    assert lines(tmp_path / "a.jsonl")[0]["value"] == {"city": "Oslo"}


async def test_a_value_that_does_not_fit_the_schema_is_an_error_with_its_cost(
    model: ChatKimi, openrouter: Emulator
) -> None:
    openrouter.script(*[Reply(text="I would rather not.")] * 8, times=None)
    plain = model.with_structured_output(Order)
    raw = model.with_structured_output(Order, include_raw=True)

    [one] = await results(plain, ["x"])
    [other] = await results(raw, ["x"])

    for outcome in (one, other):
        assert outcome.error is not None
        assert (outcome.error.kind, outcome.value) == ("KimiStructuredOutputError", None)
        assert outcome.cost > 0


async def test_a_row_that_cannot_be_rendered_is_an_error_row(
    model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    chain = ChatPromptTemplate.from_template("{text}") | model | StrOutputParser()

    outcome = await results(chain, [{"text": "a"}, {"other": "b"}, {"text": "c"}], out=tmp_path / "a.jsonl")

    assert [one.ok for one in outcome] == [True, False, True]
    assert outcome[1].error is not None
    assert "cannot be rendered" in outcome[1].error.reason
    assert "text" in outcome[1].error.reason
    assert len(lines(tmp_path / "a.jsonl")) == 3


async def test_failed_rows_are_stored_and_sent_again_on_request(
    model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    openrouter.script(faults.provider_refused("bad schema"))
    first = await results(model, ["a", "b"], out=tmp_path / "a.jsonl", max_concurrency=1)
    again = await results(model, ["a", "b"], out=tmp_path / "a.jsonl")
    retried = await results(model, ["a", "b"], out=tmp_path / "a.jsonl", retry_failed=True)

    assert [(one.ok, one.state) for one in first] == [(False, "new"), (True, "new")]
    assert [(one.ok, one.state) for one in again] == [(False, "stored"), (True, "stored")]
    assert [(one.ok, one.state) for one in retried] == [(True, "new"), (True, "stored")]


async def test_rows_that_may_succeed_later_are_sent_again_at_the_end(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(*[faults.internal_error()] * 3)

    outcome = await results(model, ["a", "b", "c", "d"], max_concurrency=1)

    assert all(one.ok for one in outcome)
    assert len(openrouter.bodies) == 7


async def test_the_rounds_at_the_end_have_a_limit(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script(faults.internal_error(), times=None)

    outcome = await results(model, ["a", "b"], out=tmp_path / "a.jsonl", retries=2)
    without = await results(model, ["c"], retries=0)

    assert [one.error.kind for one in (*outcome, *without) if one.error] == ["KimiServerError"] * 3
    assert len(openrouter.bodies) == 2 * 3 + 1
    assert len(lines(tmp_path / "a.jsonl")) == 2


async def test_a_stopped_run_asks_no_row_again(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(*[faults.internal_error()] * 9)
    openrouter.script(faults.unauthorized(), times=None)

    with pytest.raises(BulkStoppedError):
        await results(model, [f"q{number}" for number in range(9)], max_concurrency=1)

    assert 9 < len(openrouter.bodies) < 13


async def test_a_row_that_cannot_be_stored_is_not_sent_again(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(faults.internal_error(), times=None)
    rows = [{"text": "x", "lambda": lambda: None}]
    chain = ChatPromptTemplate.from_template("{text}") | model

    [outcome] = await results(chain, rows)

    assert not outcome.ok
    assert len(openrouter.bodies) == 1


@pytest.mark.uncovered
async def test_all_starts_of_a_run_share_its_money(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    small = model.model_copy(update={"max_tokens": 50})
    rows = [f"question {number}" for number in range(100)]
    for _ in range(3):
        with pytest.raises(BulkStoppedError, match="Budget exceeded") as caught:
            await results(small, rows, out=tmp_path / "a.jsonl", max_cost=0.001)

    summary = caught.value.summary
    assert sum(line["cost"] for line in lines(tmp_path / "a.jsonl")) <= 0.001
    assert summary.earlier_cost == pytest.approx(sum(line["cost"] for line in lines(tmp_path / "a.jsonl")))
    assert (summary.cost, summary.answered) == (0, 0)


async def test_an_index_that_cannot_be_read_stops_the_run(model: ChatKimi, openrouter: Emulator) -> None:
    run = CallRun(model, None, {})
    run._store._index.execute("DROP TABLE lines")

    with pytest.raises(BulkStoppedError, match="no such table"):
        [one async for one in run.results(["a", "b"])]

    assert openrouter.bodies == []


@pytest.mark.uncovered
async def test_the_money_is_never_exceeded(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    small = model.model_copy(update={"max_tokens": 50})
    rows = [f"question {number}" for number in range(300)]

    with pytest.raises(BulkStoppedError, match="Budget exceeded") as caught:
        await results(small, rows, out=tmp_path / "a.jsonl", max_cost=0.005, max_concurrency=64)

    spent = sum(line["cost"] for line in lines(tmp_path / "a.jsonl"))
    assert 0.0045 < spent <= 0.005
    assert caught.value.summary.cost == pytest.approx(spent)
    assert isinstance(caught.value.__cause__, KimiBudgetExceededError)
    assert len(openrouter.bodies) == len(lines(tmp_path / "a.jsonl"))

    openrouter.clear()
    done = await results(small, rows, out=tmp_path / "a.jsonl")
    assert len(done) == 300
    assert len(openrouter.bodies) == 300 - caught.value.summary.rows


async def test_an_error_that_every_row_would_have_stops_the_run(
    model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    openrouter.script(Reply(text="fine"))
    openrouter.script(faults.unauthorized(), times=None)

    with pytest.raises(BulkStoppedError) as caught:
        await results(model, [f"q{number}" for number in range(100)], out=tmp_path / "a.jsonl", max_concurrency=2)

    assert isinstance(caught.value.__cause__, KimiAuthenticationError)
    assert len(openrouter.bodies) < 10
    assert any(line["ok"] for line in lines(tmp_path / "a.jsonl"))


async def test_errors_can_stop_the_run(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(faults.provider_refused("bad schema"), times=None)

    with pytest.raises(BulkStoppedError) as caught:
        await results(model, [f"q{number}" for number in range(100)], on_error="raise", max_concurrency=2)

    assert isinstance(caught.value.__cause__, KimiInvalidRequestError)
    assert len(openrouter.bodies) < 10


async def test_an_error_of_the_source_stops_the_run_after_its_rows(model: ChatKimi, openrouter: Emulator) -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise RuntimeError("the database is gone")

    run = bulk.arun(model, broken())
    first = await anext(run)

    assert first.ok
    with pytest.raises(BulkStoppedError, match="the database is gone"):
        await anext(run)


async def test_an_unreadable_file_is_a_usage_error(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    with pytest.raises(KimiUsageError, match="No such file"):
        await results(model, tmp_path / "missing.jsonl")


async def test_results_that_cannot_be_written_are_on_the_error(model: ChatKimi, openrouter: Emulator) -> None:
    run = CallRun(model, None, {})
    run._store._file.close()
    run._store._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115, ASYNC230 - the run closes it

    with pytest.raises(BulkStoppedError, match="No space left") as caught:
        await anext(run.results(["a", "b"]))

    assert {one.input for one in caught.value.unsaved} <= {"a", "b"}
    assert all(one.value.text and one.cost for one in caught.value.unsaved)


async def test_after_a_full_disk_no_row_is_sent_that_waits(model: ChatKimi, openrouter: Emulator) -> None:
    run = CallRun(model, None, {"max_concurrency": 4})
    run._store._file.close()
    run._store._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115, ASYNC230 - the run closes it

    with pytest.raises(BulkStoppedError, match="No space left") as caught:
        await anext(run.results([f"q{number}" for number in range(100)]))

    assert len(openrouter.bodies) == len(caught.value.unsaved) == run.summary.requests
    # Without the stop, the eight rows that are open are sent, and each that ends lets in another one.
    assert len(openrouter.bodies) <= 8


async def test_rows_are_not_read_ahead_of_the_consumer(model: ChatKimi, openrouter: Emulator) -> None:
    taken = 0

    def rows() -> Iterator[str]:
        nonlocal taken
        for number in range(1_000):
            taken += 1
            yield f"q{number}"

    outcome = bulk.arun(model, rows(), max_concurrency=4)
    await anext(outcome)
    for _ in range(50):
        await asyncio.sleep(0.001)
    await outcome.aclose()

    assert taken <= 2 * 4 + 2


async def test_a_consumer_that_stops_ends_the_calls(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script(Reply(text="one"))
    openrouter.script(faults.silence(), times=None)
    before = asyncio.all_tasks()

    async for one in (outcome := bulk.arun(model, [f"q{n}" for n in range(9)], out=tmp_path / "a.jsonl")):
        assert one.ok
        break
    await outcome.aclose()

    assert asyncio.all_tasks() == before
    assert len(lines(tmp_path / "a.jsonl")) == 1


async def test_a_cancelled_run_keeps_its_results(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script(Reply(text="one"))
    openrouter.script(faults.silence(), times=None)
    run = asyncio.create_task(results(model, [f"q{n}" for n in range(9)], out=tmp_path / "a.jsonl"))
    path = tmp_path / "a.jsonl"
    while not path.exists() or not lines(path):  # noqa: ASYNC110 - the process that writes is this one
        await asyncio.sleep(0.001)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)

    openrouter.clear()
    outcome = await results(model, [f"q{n}" for n in range(9)], out=tmp_path / "a.jsonl")
    assert sorted(one.state for one in outcome) == ["new"] * 8 + ["stored"]


async def test_own_keys_identify_rows(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    chain = ChatPromptTemplate.from_template("{text}") | model

    by_column = await results(chain, [{"id": 7, "text": "a"}], key="id")
    by_function = await results(chain, [{"id": 7, "text": "a"}], key=lambda row: f"row-{row['id']}")

    assert (by_column[0].key, by_function[0].key) == ("7", "row-7")
    [missing] = await results(chain, [{"text": "a"}], key="id")
    assert missing.error is not None
    assert "KeyError" in missing.error.reason


async def test_the_users_callbacks_and_tags_reach_the_calls(model: ChatKimi, openrouter: Emulator) -> None:
    seen: list[Any] = []

    def text_of(message: AIMessage, config: RunnableConfig) -> str:
        seen.append(config["tags"])
        return str(message.text)

    chain = model | RunnableLambda(text_of)

    [outcome] = await results(chain, ["a"], config={"tags": ["mine"]})

    assert outcome.ok
    assert seen == [["mine"]]


@pytest.mark.waits
async def test_refusals_slow_down_all_calls(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(*[faults.rate_limited(retry_after=0)] * 3)
    run = CallRun(model.model_copy(update={"max_retries": 2}), None, {"max_concurrency": 8})

    outcome = [one async for one in run.results([f"q{number}" for number in range(20)])]

    assert all(one.ok for one in outcome)
    assert (run.summary.requests, run.summary.refusals, run.summary.answered) == (23, 3, 20)


async def test_a_repeated_row_counts_the_cost_of_all_rounds(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text=""))
    [outcome] = await results(model, ["a"], max_concurrency=1)
    openrouter.clear()
    [plain] = await results(model, ["a"])

    assert outcome.ok
    assert outcome.input_tokens == 2 * plain.input_tokens
    assert outcome.cost > plain.cost
