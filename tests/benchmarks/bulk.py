"""Measure bulk runs, and print a table: `python -m tests.benchmarks.bulk [--scale 0.01] [--only NAME ...]`.

Each job runs in a process of its own, one after another. The rates depend on the machine and its load, so the table has
the ratios of one run.
"""

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.bulk_jobs import CONCURRENCY
from tests.benchmarks.measuring import ROOT

KILLS = 50
Outcome = dict[str, Any]


@contextlib.contextmanager
def server(*arguments: str) -> Iterator[str]:
    """Yield the URL of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bulk_server", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/api/v1"
        finally:
            process.kill()


def counts(url: str) -> Outcome:
    """Return what the server has seen."""
    seen: Outcome = httpx.get(url, trust_env=False).json()
    return seen


def command_of(job: str, rows: int, url: str, out: Path) -> list[str]:
    """Return the command of a job."""
    return [sys.executable, "-m", "tests.benchmarks.bulk_jobs", job, str(rows), url, str(out)]


def outcome_of(job: str, rows: int, url: str, directory: Path) -> Outcome:
    """Run a job, and return its measurements."""
    with tempfile.TemporaryDirectory(dir=directory) as own:
        command = command_of(job, rows, url, Path(own) / "out.jsonl")
        printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    outcome: Outcome = json.loads(printed)
    return outcome


def rates(rows: int, directory: Path) -> Iterator[str]:
    """Yield the lines of the rates: `bulk.run`, `abatch` and plain httpx."""
    with server() as url:
        outcomes = {job: outcome_of(job, rows, url, directory) for job in ("bulk", "abatch", "httpx")}
    plain = outcomes["httpx"]["cpu"]
    for job, outcome in outcomes.items():
        yield (
            f"| {rows:,} rows, {job} | {outcome['cpu'] / rows * 1e6:,.0f} µs CPU a row, "
            f"{outcome['cpu'] / outcomes['abatch']['cpu']:.2f} of abatch, {plain / outcome['cpu']:.2f} times the rows "
            f"per second and core of httpx; {rows / outcome['seconds']:,.0f} rows/s; {outcome['memory']:,.0f} MiB |"
        )


def memory(rows: int, directory: Path) -> Iterator[str]:
    """Yield the peak memory of a hundredth of the rows and of all."""
    for number in (rows // 100, rows):
        outcome = outcome_of("memory", number, "http://127.0.0.1:9", directory)
        yield f"| peak memory, {number:,} rows | {outcome['memory']:,.0f} MiB |"


def refusals(rows: int, directory: Path) -> Iterator[str]:
    """Yield the requests at a host that refuses a third."""
    with server("third") as url:
        outcome = outcome_of("refused", rows, url, directory)
        seen = counts(url)
    least = rows * 1.5
    yield (
        f"| each third request is refused, {rows:,} rows | {outcome['answered']:,} answered, {seen['requests']:,} "
        f"requests, {seen['requests'] / least:.3f} of the unavoidable minimum |"
    )


def budget(rows: int, directory: Path) -> Iterator[str]:
    """Yield the cost of a run with `max_cost` and 1,000 calls at once."""
    with server("0.05") as url:
        outcome = outcome_of("budget", rows, url, directory)
        charged = counts(url)["cost"]
    yield (
        f"| max_cost ${outcome['limit']:.4f}, 1,000 at once, {rows:,} rows | ${charged:.6f} charged, "
        f"overshoot ${max(0.0, charged - outcome['limit']):.6f}, {outcome['answered']:,} answered |"
    )


def kills(rows: int, directory: Path) -> Iterator[str]:
    """Yield the requests of a run that is killed at random moments."""
    out = directory / "killed.jsonl"
    with server("0.01") as url:
        command = command_of("bulk", rows, url, out)
        for _ in range(KILLS):
            kill_after(command, out, random.randrange(max(1, rows // KILLS - CONCURRENCY)))  # noqa: S311 - no secret depends on it
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        seen = counts(url)
    keys = [json.loads(line)["key"] for line in out.read_bytes().splitlines()]
    yield (
        f"| {KILLS} SIGKILLs in {rows:,} rows | {len(set(keys)):,} answered, {len(keys) - len(set(keys))} twice, "
        f"{seen['requests'] - rows:,} requests lost (at most {KILLS * CONCURRENCY:,} were under way) |"
    )


def kill_after(command: list[str], out: Path, lines: int) -> None:
    """Run a command, and kill it once the output has so many more lines and a random moment has passed."""
    wanted = lines_in(out) + 1 + lines
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and lines_in(out) < wanted:
            time.sleep(0.02)
        time.sleep(random.random() / 50)  # noqa: S311 - no secret depends on it
        process.send_signal(signal.SIGKILL)


def lines_in(path: Path) -> int:
    """Return the number of lines of a file."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


SECTIONS: dict[str, tuple[Callable[[int, Path], Iterator[str]], int]] = {
    "rates": (rates, 100_000),
    "memory": (memory, 1_000_000),
    "refusals": (refusals, 3_000),
    "budget": (budget, 20_000),
    "kills": (kills, 20_000),
}
"""The sections, with their numbers of rows."""


def main() -> None:
    """Print the lines of the table."""
    parser = argparse.ArgumentParser(description="Measure bulk runs.")
    parser.add_argument("--scale", type=float, default=1.0, help="a factor of all numbers of rows")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    options = parser.parse_args()
    for name in options.only:
        section, rows = SECTIONS[name]
        with tempfile.TemporaryDirectory() as directory:
            for line in section(int(rows * options.scale), Path(directory)):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
