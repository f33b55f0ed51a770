"""Bulk runs with the workers of Ray Data and Daft; run by `make test-ray`."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi.testing import Emulator, faults
from tests.conftest import KEY

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("ray", "daft")),
    reason="ray or daft is not installed; `make test-ray` installs both",
)
ROOT = Path(__file__).parents[2]
START = """
import os, signal, subprocess, sys, threading, time
import ray
from langchain_kimi import ChatKimi, bulk

def build():
    return ChatKimi(max_tokens=20, max_retries=0)

def start(cpus=2):
    ray.init(num_cpus=cpus, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False

def answers(shared, number, workers=2, **options):
    rows = ray.data.from_items([{"text": f"question {n}"} for n in range(number)], override_num_blocks=2 * workers)
    return rows.map_batches(
        bulk.AskBatches, fn_constructor_args=(build, shared, "text"), batch_format="pyarrow", batch_size=20,
        compute=ray.data.ActorPoolStrategy(size=workers), **options,
    )
"""


def run(program: str, openrouter: Emulator, *arguments: str, is_module: bool = False) -> str:
    """Run a program in a process of its own, because Ray starts servers, and return what it printed."""
    command = [sys.executable, "-m" if is_module else "-c", program, *arguments]
    environment = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_API_BASE": openrouter.base_url, "RAY_AUTH_MODE": "disabled"}
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout


def result_in(shown: str) -> list[str]:
    """Return the words of the result that a program printed; Ray prints lines of its own."""
    [line] = [line for line in shown.splitlines() if line.startswith("RESULT ")]
    return line.split()[1:]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def assert_each_row_once(path: Path, openrouter: Emulator, rows: int, lost: int = 0) -> None:
    """Check that each row has one answer, and that at most `lost` calls were made in vain."""
    assert len({line["key"] for line in lines(path)}) == len(lines(path)) == rows
    assert rows <= len(openrouter.bodies) <= rows + lost


@pytest.mark.timeout(600)
@pytest.mark.parametrize("arguments", [["ray_data"], ["daft_frame"], ["daft_frame", "--ray"]], ids=" ".join)
def test_an_example_runs_and_continues(arguments: list[str], openrouter: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    name, *options = arguments
    shown = run(f"examples.cluster.{name}", openrouter, str(path), *options, is_module=True)
    assert "answered             200" in shown
    assert f"are in {path}" in shown
    assert_each_row_once(path, openrouter, 200)

    shown = run(f"examples.cluster.{name}", openrouter, str(path), *options, is_module=True)
    assert "from an earlier run  200" in shown
    assert len(openrouter.bodies) == 200


KILLED = """
start()
shared = bulk.Shared(sys.argv[1], max_cost=1, max_concurrency=8)
killed = []

def kill():
    while shared.summary().answered < 60:
        time.sleep(0.005)
    processes = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout.splitlines()
    names = (process.split(maxsplit=1) for process in processes)
    workers = [number for number, name in names if name.startswith("ray::") and "AskBatches" in name]
    killed.append(len(workers))
    os.kill(int(workers[0]), signal.SIGKILL)

threading.Thread(target=kill).start()
rows = answers(shared.address(), 200).take_all()
summary = shared.close()
assert all(row["result"]["ok"] for row in rows)
print("RESULT", killed[0], len(rows), summary.answered)
"""


@pytest.mark.timeout(600)
def test_a_killed_worker_loses_nothing(openrouter: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    openrouter.behave(pause=0.02)
    assert result_in(run(START + KILLED, openrouter, str(path))) == ["2", "200", "200"]
    # At most the calls that were under way are lost.
    assert_each_row_once(path, openrouter, 200, lost=8)


BUDGET = """
start(cpus=2)
shared = bulk.Shared(sys.argv[1], max_cost=0.004, max_concurrency=6)
try:
    with shared:
        answers(shared.address(), 400, workers=8, num_cpus=0.2).materialize()
except bulk.BulkStoppedError as error:
    print("RESULT", type(error.__cause__).__name__, error.__cause__.limit, error.summary.cost)
"""


@pytest.mark.timeout(600)
def test_eight_workers_hold_one_budget_and_one_limit(openrouter: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    kind, limit, cost = result_in(run(START + BUDGET, openrouter, str(path)))
    spent = sum(line["cost"] for line in lines(path))
    assert (kind, limit) == ("KimiBudgetExceededError", "0.004")
    assert 0.0035 < spent <= 0.004
    assert float(cost) == pytest.approx(spent)
    assert len(openrouter.bodies) == len(lines(path))


ACTOR = """
start(cpus=3)
host = ray.util.get_node_ip_address()
actor = ray.remote(bulk.Shared).options(num_cpus=0).remote(sys.argv[1], host=host, max_cost=1)
rows = answers(ray.get(actor.address.remote()), 60).take_all()
summary = ray.get(actor.close.remote())
assert all(row["result"]["ok"] for row in rows)
print("RESULT", len(rows), summary.answered, ray.get(actor.summary.remote()).requests)
"""


@pytest.mark.timeout(600)
def test_the_shared_state_can_be_an_actor(openrouter: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert result_in(run(START + ACTOR, openrouter, str(path))) == ["60", "60", "60"]
    assert_each_row_once(path, openrouter, 60)


REFUSED = """
start()
try:
    with bulk.Shared(sys.argv[1]) as shared:
        answers(shared.address(), 60).materialize()
except bulk.BulkStoppedError as error:
    print("RESULT", type(error.__cause__).__name__, error.__cause__.status, error.summary.answered)
"""


@pytest.mark.timeout(600)
def test_an_error_of_a_worker_arrives_whole(openrouter: Emulator, tmp_path: Path) -> None:
    openrouter.script(faults.unauthorized(), times=None)
    shown = run(START + REFUSED, openrouter, str(tmp_path / "a.jsonl"))
    assert result_in(shown) == ["KimiAuthenticationError", "401", "0"]
