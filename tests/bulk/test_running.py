"""`bulk.run`: the whole run in one call, also in a notebook, and after a kill."""

import asyncio
import itertools
import json
import signal
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langchain_core.prompts import ChatPromptTemplate

from langchain_kimi import ChatKimi, KimiUsageError, bulk
from langchain_kimi.bulk import BulkResult, BulkSummary
from langchain_kimi.bulk.running import finished
from langchain_kimi.testing import Emulator
from tests.interpreters import Interpreter
from tests.waiting import blocking_until


def test_a_run_returns_its_sums(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    seen: list[BulkResult] = []

    summary = bulk.run(model, ["a", "b", "a"], out=tmp_path / "a.jsonl", on_result=seen.append)

    assert (summary.rows, summary.answered, summary.duplicates, summary.requests) == (3, 2, 1, 2)
    assert len(seen) == 3


async def test_a_run_works_where_a_loop_is_running(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    assert bulk.run(model, ["a"], out=tmp_path / "a.jsonl").answered == 1


async def test_the_thread_of_a_running_loop_waits_in_short_steps() -> None:
    summary = BulkSummary(rows=3)

    async def work() -> BulkSummary:
        await asyncio.sleep(0.02)
        return summary

    assert finished(work(), longest_wait=0.001) is summary


def test_the_loop_of_a_run_wakes_up_without_events() -> None:
    summary = BulkSummary(rows=3)

    async def work() -> BulkSummary:
        loop = asyncio.get_running_loop()
        loop.set_debug(False)
        done: asyncio.Future[BulkSummary] = loop.create_future()
        # From another thread, this does not wake the loop, just as a signal that arrives directly before the wait.
        threading.Timer(0.02, done.set_result, (summary,)).start()
        return await done

    assert finished(work(), longest_wait=0.001) is summary


def test_an_interrupt_in_a_notebook_ends_the_run(model: ChatKimi, tmp_path: Path) -> None:
    this_thread = threading.main_thread().ident
    assert this_thread is not None

    def interrupt(result: BulkResult) -> None:
        if result.index == 0:
            signal.pthread_kill(this_thread, signal.SIGINT)

    async def cell() -> None:
        rows = (f"question {number}" for number in itertools.count())
        bulk.run(model, rows, out=tmp_path / "a.jsonl", max_concurrency=1, on_result=interrupt)

    # `asyncio.run` would take the interrupt as the cancellation of its task; the loop of a notebook does not.
    loop = asyncio.new_event_loop()
    with closing(loop), pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(cell())

    assert 0 < (tmp_path / "a.jsonl").read_bytes().count(b"\n") < 1_000


def test_results_that_would_be_lost_are_refused(model: ChatKimi, openrouter: Emulator) -> None:
    with pytest.raises(KimiUsageError, match="would be lost"):
        bulk.run(model, ["a"])

    assert openrouter.requests == []


RUN = """
import sys
from langchain_kimi import ChatKimi, bulk
model = ChatKimi(api_key="k", base_url=sys.argv[1], max_tokens=20)
rows = (f"question {number}" for number in range(int(sys.argv[3])))
bulk.run(model, rows, out=sys.argv[2], max_concurrency=8)
"""


def has_lines(path: Path, number: int) -> bool:
    return path.exists() and path.read_bytes().count(b"\n") >= number


def check_kills(interpreter: Interpreter, path: Path, server: Emulator, rows: int, kills: list[int]) -> None:
    """Run processes, each killed once the output has so many lines, and one that ends."""
    arguments = server.base_url, str(path), str(rows)
    for lines in kills:
        with interpreter.running(RUN, *arguments) as process:
            blocking_until(partial(has_lines, path, lines))
            process.send(signal.SIGKILL)
            process.wait()
    assert interpreter.run(RUN, *arguments).returncode == 0

    keys = [json.loads(line)["key"] for line in path.read_bytes().splitlines()]
    assert len(keys) == len(set(keys)) == rows
    # Each kill loses at most the requests that were under way, and the results that were not yet on the disk.
    assert rows <= len(server.bodies) <= rows + len(kills) * 2 * 8


@pytest.mark.waits
def test_a_killed_run_continues_and_pays_for_no_row_twice(
    interpreter: Interpreter, tmp_path: Path, openrouter: Emulator
) -> None:
    check_kills(interpreter, tmp_path / "a.jsonl", openrouter, 60, [20])


@pytest.mark.long
def test_many_kills_lose_nothing(interpreter: Interpreter, tmp_path: Path, openrouter: Emulator) -> None:
    check_kills(interpreter, tmp_path / "a.jsonl", openrouter, 2_000, [n * 37 for n in range(1, 51)])


@pytest.mark.parametrize("lane", ["calls", "batch"])
async def test_a_null_in_a_prompt_is_empty_text_and_a_row_with_only_nulls_an_error_row(
    lane: Any, model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    openrouter.behave(batch_states=())
    prompt = ChatPromptTemplate.from_messages([("human", "[{title}] [{text}]")])
    values: list[dict[str, Any]] = [{"title": "a", "text": None}, {"title": None, "text": None}]
    limited = model.model_copy(update={"max_tokens": 20})

    results = [one async for one in bulk.arun(prompt | limited, values, out=tmp_path / "a.jsonl", lane=lane)]

    assert sorted((one.index, one.ok, one.input) for one in results) == [(0, True, values[0]), (1, False, values[1])]
    assert "[a] []" in str(openrouter.requests[0].body)
    assert all("[None]" not in str(one.body) for one in openrouter.requests)


async def test_rows_without_a_key_are_error_rows(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    rows = [{"id": None, "text": "a"}, {"id": None, "text": "b"}, {"id": 1, "text": "c"}]
    prompt = ChatPromptTemplate.from_messages([("human", "{text}")])

    results = [one async for one in bulk.arun(prompt | model, rows, out=tmp_path / "a.jsonl", key="id")]

    assert sorted((one.index, one.ok) for one in results) == [(0, False), (1, False), (2, True)]
