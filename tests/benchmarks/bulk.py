"""Measure bulk runs, and print a table: `python -m tests.benchmarks.bulk [--quick] [--only NAME ...] [--json FILE]`.

Each job runs in a process of its own, one after another. The rates depend on the machine and its load, so the table has
the ratios of one run. With `--daft PYTHON` and `--curator PYTHON`, interpreters that have `daft[openai]` and
`bespokelabs-curator`, their runners are measured too.
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.bulk_jobs import CONCURRENCY
from tests.benchmarks.measuring import ROOT

ROWS_PER_KILL = 400
LINE = 720
"""About the bytes of a line."""
ROUNDS = 4
"""Rounds of the rates, each with a part of the rows: the jobs take turns, so that all have the same load."""
PEERS = Path(__file__).with_name("bulk_peers.py")
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
    """Return the counts of the requests that the server has received."""
    seen: Outcome = httpx.get(url, trust_env=False).json()
    return seen


def command_of(job: str, rows: int, url: str, out: Path) -> list[str]:
    """Return the command of a job."""
    return [sys.executable, "-m", "tests.benchmarks.bulk_jobs", job, str(rows), url, str(out)]


def outcome_of(job: str, rows: int, url: str, directory: Path) -> Outcome:
    """Run a job, and return its measurements."""
    with tempfile.TemporaryDirectory(dir=directory) as own:
        return printed_by(command_of(job, rows, url, Path(own) / "out.jsonl"))


def printed_by(command: list[str]) -> Outcome:
    """Run a command, and return the JSON in the last line that it prints."""
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    outcome: Outcome = json.loads(printed.splitlines()[-1])
    return outcome


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table.

    Attributes:
        what: The measurement.
        shown: The outcome for readers.
        figures: The outcome for programs.
    """

    what: str
    shown: str
    figures: Outcome


def rates(rows: int, directory: Path, peers: Mapping[str, str]) -> Iterator[Line]:
    """Yield the rates of `bulk.run`, `abatch`, plain httpx and the runners of others, in turn."""
    names = ("bulk", "abatch", "httpx", *peers)
    sums: dict[str, Outcome] = {name: {"cpu": 0.0, "seconds": 0.0, "memory": 0.0} for name in names}
    part = max(1, rows // ROUNDS)
    with server() as url:
        for round_ in range(ROUNDS):
            for name in names:
                outcome = rate_of(name, part, url, directory / f"{name}-{round_}", peers)
                for kind in ("cpu", "seconds"):
                    sums[name][kind] += outcome[kind]
                sums[name]["memory"] = max(sums[name]["memory"], outcome["memory"])
    rows = part * ROUNDS
    for name, sum_ in sums.items():
        own = sum_["cpu"] / rows
        figures = {
            "cpu_us_per_row": own * 1e6,
            "cpu_beside_abatch": sum_["cpu"] / sums["abatch"]["cpu"],
            "rate_per_core_beside_httpx": sums["httpx"]["cpu"] / sum_["cpu"],
            "rows_per_second": rows / sum_["seconds"],
            "rate_beside_httpx": sums["httpx"]["seconds"] / sum_["seconds"],
            "memory_mib": sum_["memory"],
        }
        yield Line(
            f"{rows:,} rows, {name}",
            f"{figures['cpu_us_per_row']:,.0f} µs CPU a row, {figures['cpu_beside_abatch']:.2f} of abatch; "
            f"{figures['rate_per_core_beside_httpx']:.2f} times the rows per second and core of httpx; "
            f"{figures['rows_per_second']:,.0f} rows/s, {figures['rate_beside_httpx']:.2f} of httpx; "
            f"{figures['memory_mib']:,.0f} MiB",
            figures,
        )


def rate_of(name: str, rows: int, url: str, out: Path, peers: Mapping[str, str]) -> Outcome:
    """Run a job of the rates, and return its measurements."""
    if name not in peers:
        out.mkdir()
        return outcome_of(name, rows, url, out)
    outcome = printed_by([peers[name], str(PEERS), name, str(rows), url, str(out)])
    if outcome["answered"] != rows:
        raise SystemExit(f"{name} has answered {outcome['answered']} of {rows} rows.")
    return outcome


def memory(rows: int, directory: Path, peers: Mapping[str, str]) -> Iterator[Line]:
    """Yield the peak memory of a hundredth of the rows and of all."""
    del peers
    for number in (rows // 100, rows):
        outcome = outcome_of("memory", number, "http://127.0.0.1:9", directory)
        yield Line(f"peak memory, {number:,} rows", f"{outcome['memory']:,.0f} MiB", outcome)


def refusals(rows: int, directory: Path, peers: Mapping[str, str]) -> Iterator[Line]:
    """Yield the requests at a host that refuses a third."""
    del peers
    with server("third") as url:
        outcome = outcome_of("refused", rows, url, directory)
        outcome |= counts(url)
    outcome["beside_least"] = outcome["requests"] / (rows * 1.5)
    yield Line(
        f"each third request is refused, {rows:,} rows",
        f"{outcome['answered']:,} answered, {outcome['requests']:,} requests, {outcome['beside_least']:.3f} of the "
        "unavoidable minimum",
        outcome,
    )


def budget(rows: int, directory: Path, peers: Mapping[str, str]) -> Iterator[Line]:
    """Yield the cost of a run with `max_cost` and 1,000 calls at once."""
    del peers
    with server("0.05") as url:
        outcome = outcome_of("budget", rows, url, directory)
        outcome["charged"] = counts(url)["cost"]
    outcome["overshoot"] = max(0.0, outcome["charged"] - outcome["limit"])
    yield Line(
        f"max_cost ${outcome['limit']:.4f}, 1,000 at once, {rows:,} rows",
        f"${outcome['charged']:.6f} charged, overshoot ${outcome['overshoot']:.6f}, {outcome['answered']:,} answered",
        outcome,
    )


def kills(rows: int, directory: Path, peers: Mapping[str, str]) -> Iterator[Line]:
    """Yield the requests of a run that is killed at random moments."""
    del peers
    out = directory / "killed.jsonl"
    number = max(2, rows // ROWS_PER_KILL)
    lost: list[int] = []
    with server("0.01") as url:
        command = command_of("bulk", rows, url, out)
        for _ in range(number):
            kill_after(command, out, random.randrange(max(1, rows // number - CONCURRENCY)))  # noqa: S311 - no secret depends on it
            time.sleep(0.1)
            lost.append(counts(url)["requests"] - lines_in(out) - sum(lost))
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        seen = counts(url)
    keys = [json.loads(line)["key"] for line in out.read_bytes().splitlines()]
    figures = {
        "kills": number, "answered": len(set(keys)), "twice": len(keys) - len(set(keys)), "requests": seen["requests"],
        "lost": sum(lost), "unanswered": seen["unanswered"], "most_lost": max(lost),
        "unexplained": seen["requests"] - rows - sum(lost),
    }  # fmt: skip
    yield Line(
        f"{number} SIGKILLs in {rows:,} rows",
        f"{figures['answered']:,} answered, {figures['twice']} twice, {figures['requests']:,} requests = {rows:,} + "
        f"{figures['lost']:,} under way at a kill + {figures['unexplained']}; of those under way the server had not "
        f"answered {figures['unanswered']:,}, and the others were not on the disk; at most {figures['most_lost']} at a "
        f"kill, with {CONCURRENCY} at once",
        figures,
    )


def kill_after(command: list[str], out: Path, lines: int) -> None:
    """Run a command, and kill it once the output has about so many more lines and a random moment has passed."""
    wanted = size_of(out) + 1 + lines * LINE
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and size_of(out) < wanted:
            time.sleep(0.02)
        time.sleep(random.random() / 50)  # noqa: S311 - no secret depends on it
        process.send_signal(signal.SIGKILL)


def size_of(path: Path) -> int:
    """Return the bytes of a file."""
    return path.stat().st_size if path.exists() else 0


def lines_in(path: Path) -> int:
    """Return the number of lines of a file."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


SECTIONS: dict[str, tuple[Callable[[int, Path, Mapping[str, str]], Iterator[Line]], int]] = {
    "rates": (rates, 100_000),
    "memory": (memory, 1_000_000),
    "refusals": (refusals, 3_000),
    "budget": (budget, 20_000),
    "kills": (kills, 20_000),
}
"""The sections, with their numbers of rows."""
QUICK = 0.02


def report(lines: Iterator[Line], file: Path | None) -> None:
    """Print the table while the lines come, and write them as JSON."""
    sys.stdout.write("| | outcome |\n| --- | --- |\n")
    written = []
    for line in lines:
        sys.stdout.write(f"| {line.what} | {line.shown} |\n")
        sys.stdout.flush()
        written.append(asdict(line))
    if file is not None:
        file.write_text(f"{json.dumps(written, indent=1)}\n", encoding="utf-8")


def measured(names: list[str], scale: float, peers: Mapping[str, str]) -> Iterator[Line]:
    """Yield the lines of sections."""
    for name in names:
        section, rows = SECTIONS[name]
        with tempfile.TemporaryDirectory() as directory:
            yield from section(int(rows * scale), Path(directory), peers)


def main() -> None:
    """Print the lines of the table."""
    parser = argparse.ArgumentParser(description="Measure bulk runs.")
    parser.add_argument("--scale", type=float, default=1.0, help="a factor of all numbers of rows")
    parser.add_argument("--quick", action="store_const", dest="scale", const=QUICK, help="the same as --scale 0.02")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--json", type=Path, help="a file for the lines as JSON")
    for name in ("daft", "curator"):
        parser.add_argument(f"--{name}", metavar="PYTHON", help=f"an interpreter that has {name}")
    options = parser.parse_args()
    peers = {name: path for name in ("daft", "curator") if (path := getattr(options, name))}
    report(measured(options.only, options.scale, peers), options.json)


if __name__ == "__main__":
    main()
