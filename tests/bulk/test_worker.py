"""Workers of a run on a cluster: here, several in one process."""

import asyncio
import json
import pickle
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda

from langchain_kimi import (
    ChatKimi,
    KimiAuthenticationError,
    KimiBudgetExceededError,
    KimiConnectionError,
    KimiError,
    KimiUsageError,
)
from langchain_kimi.bulk import Address, BulkResult, BulkStoppedError, Shared, Worker
from langchain_kimi.bulk.admission import OwnAdmission
from langchain_kimi.bulk.options import checked_options
from langchain_kimi.bulk.rate_limiter import Limits
from langchain_kimi.testing import Emulator, Reply, faults
from tests.bulk.fast_limiter import FastLimiter

Hire = Callable[..., Worker]
Build = Callable[[], Runnable[Any, Any]]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def ask_all(worker: Worker, rows: list[Any]) -> list[BulkResult | BaseException]:
    return await asyncio.gather(*map(worker.ask, rows), return_exceptions=True)


@pytest.fixture
async def hire() -> AsyncIterator[Hire]:
    """Yield a function that makes workers, which end with the test."""
    workers = []

    def make(*arguments: Any, **options: Any) -> Worker:
        workers.append(Worker(*arguments, **options))
        return workers[-1]

    yield make
    for worker in workers:
        with suppress(KimiError):
            await worker.close()


@pytest.fixture
def build(model: ChatKimi) -> Build:
    # A budget reserves the longest answer.
    return lambda: model.model_copy(update={"max_tokens": 50})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "a.jsonl"


async def test_workers_share_one_output(hire: Hire, build: Build, openrouter: Emulator, out: Path) -> None:
    rows = [f"question {number}" for number in range(40)]
    with Shared(out, max_concurrency=8) as shared:
        workers = [hire(build, pickle.loads(pickle.dumps(shared.address()))) for _ in range(4)]  # noqa: S301 - of this process
        outcomes = await asyncio.gather(
            *(ask_all(worker, rows[n * 10 : n * 10 + 10]) for n, worker in enumerate(workers))
        )
        for worker in workers:
            await worker.close()
            await worker.close()
    results = [one for outcome in outcomes for one in outcome if isinstance(one, BulkResult)]

    assert [one.input for one in results] == rows
    assert all(one.ok and one.index == -1 and one.cost > 0 for one in results)
    assert len(lines(out)) == len(openrouter.bodies) == 40
    summary = shared.summary()
    assert (summary.rows, summary.answered, summary.requests) == (40, 40, 40)
    assert summary.cost == pytest.approx(sum(one.cost for one in results))

    openrouter.clear()
    with Shared(out) as shared:
        again = await ask_all(hire(build, shared.address()), [*rows, "another"])
    assert [one.state for one in again if isinstance(one, BulkResult)] == ["stored"] * 40 + ["new"]
    assert len(openrouter.bodies) == 1


async def test_equal_rows_of_several_workers_are_sent_once(hire: Hire, build: Build, openrouter: Emulator) -> None:
    with Shared() as shared:
        workers = [hire(build, shared.address()) for _ in range(3)]
        outcomes = await asyncio.gather(*(ask_all(worker, ["same"] * 3) for worker in workers))

    assert len(openrouter.bodies) == 1
    states = [one.state for outcome in outcomes for one in outcome if isinstance(one, BulkResult)]
    assert (states.count("new"), states.count("duplicate")) == (1, 8)


@pytest.mark.uncovered
async def test_workers_hold_one_budget(hire: Hire, build: Build, openrouter: Emulator, out: Path) -> None:
    shared = Shared(out, max_cost=0.005, max_concurrency=64)
    workers = [hire(build, shared.address()) for _ in range(8)]
    outcomes = await asyncio.gather(
        *(ask_all(worker, [f"question {n} {number}" for number in range(30)]) for n, worker in enumerate(workers))
    )
    with pytest.raises(BulkStoppedError, match="Budget exceeded") as caught:
        shared.close()

    spent = sum(line["cost"] for line in lines(out))
    assert 0.0045 < spent <= 0.005
    assert len(openrouter.bodies) == len(lines(out))
    assert isinstance(caught.value.__cause__, KimiBudgetExceededError)
    failures = {type(one) for outcome in outcomes for one in outcome if not isinstance(one, BulkResult)}
    assert failures == {KimiBudgetExceededError}


async def test_workers_hold_one_limit_of_calls(hire: Hire, build: Build, openrouter: Emulator) -> None:
    openrouter.behave(pause=0.01)
    with Shared(max_concurrency=3) as shared:
        workers = [hire(build, shared.address()) for _ in range(4)]
        calls = asyncio.gather(*(ask_all(worker, [f"{n} {m}" for m in range(5)]) for n, worker in enumerate(workers)))
        most = 0
        while not calls.done():
            most = max(most, sum(not request.finished for request in openrouter.requests))
            await asyncio.sleep(0)

    assert 0 < most <= 3
    assert shared.summary().answered == 20


@pytest.mark.uncovered
@pytest.mark.parametrize("option", ["requests_per_minute", "tokens_per_minute"])
async def test_workers_hold_one_rate(option: str, hire: Hire, build: Build, openrouter: Emulator) -> None:
    limiters: list[FastLimiter] = []

    def new_limiter(limits: Limits) -> FastLimiter:
        limiters.append(FastLimiter(limits))
        return limiters[-1]

    a_second = {"requests_per_minute": 10, "tokens_per_minute": 100}[option]
    options: Any = {option: 60 * a_second}
    with Shared(None, **options) as shared:
        shared._state.admission = OwnAdmission(checked_options(options).limits, None, new_limiter=new_limiter)
        workers = [hire(build, shared.address()) for _ in range(4)]
        await asyncio.gather(*(ask_all(worker, [f"{n} {m}" for m in range(9)]) for n, worker in enumerate(workers)))

    [limiter] = limiters
    amounts = [1.0] * 36 if option == "requests_per_minute" else limiter.tokens
    assert shared.summary().answered == len(limiter.tokens) == 36
    # The allowance of the first second is there at once, and the others came one after another.
    assert limiter.seconds == pytest.approx((sum(amounts) - a_second) / a_second, abs=0.01)
    assert limiter.seconds > 2


async def test_a_killed_worker_releases_its_reservations(
    hire: Hire, build: Build, openrouter: Emulator, out: Path
) -> None:
    openrouter.script(faults.silence())
    shared = Shared(out, max_cost=1, max_concurrency=1)
    first, second = (hire(build, shared.address()) for _ in range(2))
    dying = asyncio.create_task(first.ask("a"))
    while not openrouter.requests:  # noqa: ASYNC110 - the server runs in a thread
        await asyncio.sleep(0)
    waiting = [asyncio.create_task(first.ask(row)) for row in "bc"]
    inheriting = asyncio.create_task(second.ask("a"))
    await asyncio.sleep(0.01)

    # For the other side it looks as if the process was killed: the connection ends.
    await first.close()
    answer = await inheriting
    failures = [str(failure) for failure in await asyncio.gather(*waiting, return_exceptions=True)]
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    shared.close()

    assert answer.ok
    assert failures == ["The connection between a worker and its run was closed."] * 2
    assert (shared.summary().rows, shared.summary().unknown_costs) == (1, 1)
    assert [line["ok"] for line in lines(out)] == [True]


async def test_a_closed_connection_is_an_error(hire: Hire, build: Build) -> None:
    with Shared() as shared:
        link = await hire(build, shared.address())._link()
        await link.close()
        with pytest.raises(KimiConnectionError, match="was closed"):
            await link.enter("call", "https://a", 0, None)


async def test_a_connection_can_be_closed_after_a_row_was_cancelled(hire: Hire, build: Build) -> None:
    with Shared(max_concurrency=1) as shared:
        link = await hire(build, shared.address())._link()
        await link.enter("first", "https://a", 0, None)
        entering = asyncio.create_task(link.enter("second", "https://a", 0, None))
        await asyncio.sleep(0)
        entering.cancel()
        await link.close()
        with pytest.raises(asyncio.CancelledError):
            await entering


async def test_a_cancelled_row_frees_its_place_and_its_key(hire: Hire, build: Build, openrouter: Emulator) -> None:
    openrouter.script(faults.silence())
    with Shared(max_concurrency=1) as shared:
        worker = hire(build, shared.address())
        calls = [asyncio.create_task(worker.ask(row)) for row in "aab"]
        while not openrouter.requests:  # noqa: ASYNC110 - the server runs in a thread
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        answers = await ask_all(worker, ["a", "b"])

    assert all(isinstance(one, BulkResult) and one.ok for one in answers)


async def test_a_late_ticket_is_released(hire: Hire, build: Build, openrouter: Emulator) -> None:
    with Shared(max_concurrency=1) as shared:
        worker = hire(build, shared.address())
        await worker.ask("first")
        link = await worker._link()
        link.leave(12345, "answered", None)
        admission = shared._state.admission
        # Whether the answer or the cancellation is first depends on the other thread.
        while admission.requests == 1:
            entering = asyncio.create_task(link.enter("call", "https://a", 0, None))
            await asyncio.sleep(0)
            time.sleep(0.001)  # noqa: ASYNC251 - this loop must not read the answer
            entering.cancel()
            await asyncio.gather(entering, return_exceptions=True)
        ticket = await link.enter("call", "https://a", 0, None)
        link.leave(ticket, "answered", None)

    assert shared.summary().answered == 1


async def test_an_error_that_every_row_would_have_stops_all_workers(
    hire: Hire, build: Build, openrouter: Emulator
) -> None:
    openrouter.script(faults.unauthorized(), times=None)
    shared = Shared()
    first, second = (hire(build, shared.address()) for _ in range(2))

    for worker in (first, second):
        with pytest.raises(KimiAuthenticationError):
            await worker.ask("a")
    with pytest.raises(BulkStoppedError) as caught:
        shared.close()

    assert isinstance(caught.value.__cause__, KimiAuthenticationError)
    assert len(openrouter.bodies) == 1


async def test_rows_that_may_succeed_are_sent_again_and_the_others_stay(
    hire: Hire, build: Build, openrouter: Emulator, out: Path
) -> None:
    openrouter.script(faults.internal_error(), Reply(text="fine"), faults.provider_refused("bad schema"))
    openrouter.script(faults.internal_error(), times=None)
    with Shared(out, retries=1) as shared:
        worker = hire(build, shared.address())
        outcomes = [await worker.ask(row) for row in "abc"]

    assert [one.error.kind if one.error else "" for one in outcomes] == [
        "",
        "KimiInvalidRequestError",
        "KimiServerError",
    ]
    assert len(openrouter.bodies) == 2 + 1 + 2

    openrouter.clear()
    with Shared(out, retry_failed=True) as shared:
        retried = await ask_all(hire(build, shared.address()), ["a", "b", "c"])
    assert [(one.ok, one.state) for one in retried if isinstance(one, BulkResult)] == [
        (True, "stored"), (True, "new"), (True, "new"),
    ]  # fmt: skip


async def test_errors_can_stop_the_run_also_those_that_cannot_be_pickled(
    hire: Hire, model: ChatKimi, openrouter: Emulator
) -> None:
    class LocalError(Exception):
        """A class that other processes do not have."""

    def fail(_: Any) -> None:
        raise LocalError("odd")

    shared = Shared(on_error="raise")
    with pytest.raises(LocalError):
        await hire(lambda: model | RunnableLambda(fail), shared.address()).ask("a")
    with pytest.raises(BulkStoppedError, match="LocalError: odd"):
        shared.close()


async def test_rows_have_keys_columns_and_errors_of_their_own(
    hire: Hire, model: ChatKimi, openrouter: Emulator
) -> None:
    chain = ChatPromptTemplate.from_template("{text}") | model
    to_tuples = model | RunnableLambda(lambda message: {("a", 1): message.text})
    with Shared(key="id") as shared:
        by_id = await hire(lambda: chain, shared.address()).ask({"id": 7, "text": "a"})
    with Shared() as shared:
        bad = await hire(lambda: chain, shared.address()).ask({"other": "a"})
    with Shared() as shared:
        column = await hire(lambda: model, shared.address(), column="text").ask({"id": 7, "text": "b"})
    with Shared() as shared:
        unstored = await hire(lambda: to_tuples, shared.address()).ask("a")

    assert (by_id.key, column.input) == ("7", "b")
    reasons = [one.error.reason.partition(":")[0] for one in (bad, unstored) if one.error]
    assert reasons == ["The row cannot be rendered", "The value cannot be stored"]


async def test_workers_with_other_requests_are_refused(
    hire: Hire, model: ChatKimi, openrouter: Emulator, out: Path
) -> None:
    other = model.model_copy(update={"temperature": 0.5})
    with Shared(out) as shared:
        await hire(lambda: model, shared.address()).ask("a")
        with pytest.raises(KimiUsageError, match=r"do not make the same requests.*temperature"):
            await hire(lambda: other, shared.address()).ask("b")
    with Shared(out) as shared, pytest.raises(KimiUsageError, match="results of another run"):
        await hire(lambda: other, shared.address()).ask("b")

    assert len(openrouter.bodies) == 1


async def test_a_worker_connects_again_after_a_failure(hire: Hire, build: Build, openrouter: Emulator) -> None:
    with Shared() as shared:
        worker = hire(build, shared.address())
        await worker.ask("a")
        await (await worker._link()).close()
        assert (await worker.ask("b")).ok
        link = await worker._link()
    with pytest.raises(KimiConnectionError):
        await link.request("begin", key="k")
    for _ in range(2):
        with pytest.raises(KimiConnectionError, match="cannot connect to its run at 127"):
            await worker.ask("c")


async def test_a_wrong_secret_is_refused(hire: Hire, build: Build, openrouter: Emulator) -> None:
    with Shared() as shared:
        address = shared.address()
        stranger = hire(build, Address(address.host, address.port, "guess"))
        with pytest.raises(KimiConnectionError):
            await stranger.ask("a")

    assert shared.summary().rows == 0


def test_one_worker_serves_several_event_loops(build: Build, openrouter: Emulator) -> None:
    with Shared() as shared:
        worker = Worker(build, shared.address())
        for row in "ab":
            assert asyncio.run(worker.ask(row)).ok


async def test_a_null_in_a_prompt_of_a_worker_is_empty_text(
    hire: Hire, build: Build, openrouter: Emulator, out: Path
) -> None:
    prompt = ChatPromptTemplate.from_messages([("human", "[{title}] [{text}]")])
    with Shared(out) as shared:
        worker = hire(lambda: prompt | build(), shared.address())
        some, none = await ask_all(worker, [{"title": "a", "text": None}, {"title": None, "text": None}])

    assert isinstance(some, BulkResult)
    assert isinstance(none, BulkResult)
    assert (some.ok, none.ok) == (True, False)
    assert [body["messages"][0]["content"] for body in openrouter.bodies] == ["[a] []"]
