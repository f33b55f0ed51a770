"""`bulk.run`: the whole run in one call, also in a notebook, and after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from langchain_kimi import ChatKimi, KimiUsageError, bulk
from langchain_kimi.bulk import BulkResult
from langchain_kimi.testing import Emulator


def test_a_run_returns_its_sums(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    seen: list[BulkResult] = []

    summary = bulk.run(model, ["a", "b", "a"], out=tmp_path / "a.jsonl", on_result=seen.append)

    assert (summary.rows, summary.answered, summary.duplicates, summary.requests) == (3, 2, 1, 2)
    assert len(seen) == 3


async def test_a_run_works_where_a_loop_is_running(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    assert bulk.run(model, ["a"], out=tmp_path / "a.jsonl").answered == 1


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


def run_until(path: Path, base_url: str, rows: int, lines: int | None) -> None:
    """Run a process, and kill it once the output has so many lines; None lets it end."""
    arguments = [sys.executable, "-c", RUN, base_url, str(path), str(rows)]
    with subprocess.Popen(arguments, env=dict(os.environ)) as process:
        if lines is None:
            assert process.wait() == 0
            return
        while process.poll() is None:
            if path.exists() and path.read_bytes().count(b"\n") >= lines:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.002)


def check_kills(path: Path, server: Emulator, rows: int, kills: list[int]) -> None:
    for lines in kills:
        run_until(path, server.base_url, rows, lines)
    run_until(path, server.base_url, rows, None)

    keys = [json.loads(line)["key"] for line in path.read_bytes().splitlines()]
    assert len(keys) == len(set(keys)) == rows
    # Each kill loses at most the requests that were under way, and the results that were not yet on the disk.
    assert rows <= len(server.bodies) <= rows + len(kills) * 2 * 8


def test_a_killed_run_continues_and_pays_for_no_row_twice(tmp_path: Path, openrouter: Emulator) -> None:
    check_kills(tmp_path / "a.jsonl", openrouter, 60, [20])


@pytest.mark.long
def test_many_kills_lose_nothing(tmp_path: Path, openrouter: Emulator) -> None:
    check_kills(tmp_path / "a.jsonl", openrouter, 2_000, [n * 37 for n in range(1, 51)])
