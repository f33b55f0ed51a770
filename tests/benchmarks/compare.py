"""Compare the CPU time of the package with that of an earlier commit: `make bench-compare BASE=main`.

python -m tests.benchmarks.compare BASE [--rounds 21] [--only text] [--json FILE]

Two processes, one with the package of `BASE` and one with that of the working tree, run the same call in turn against
one server. A figure is the median of the pairs' ratios, with its quartiles, so that other load on the machine affects
both sides alike. The installed packages are the same on both sides.
"""

import argparse
import asyncio
import contextlib
import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import cases
from tests.benchmarks.contenders import OURS, products
from tests.benchmarks.measuring import ROOT, Samples, median, server
from tests.benchmarks.tables import Figures, table

PACKAGE = "langchain_kimi"
BASE, NOW = "base", "now"
DELTAS = 1000
REPEAT = 3
"""The number of runs whose shortest time is a sample."""


class Side:
    """A process that runs calls of one version of the package, and returns their CPU times."""

    def __init__(self, directory: Path, url: str, deltas: int) -> None:
        paths = os.pathsep.join(map(str, (directory, ROOT)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.compare", "--serve", url, str(deltas)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=directory,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip

    def package(self) -> Path:
        """Return the file of the package; called once, when the process has imported it."""
        return Path(self._line())

    def seconds(self, title: str) -> float:
        """Run a call, and return its CPU time in seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{title}\n")
        self._process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The process of one side ended; its error is above. Does this commit have the same API?")
        return line.strip()


def serve(url: str, deltas: int) -> None:
    """Run the calls whose titles come on standard input, and print their CPU times."""
    make = products()[OURS]
    print(sys.modules[PACKAGE].__file__, flush=True)  # noqa: T201 - the parent process reads it
    by_title = {case.title: case for case in cases.calls(deltas)}
    jobs = {}
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            title = line.strip()
            if title not in jobs:
                jobs[title] = by_title[title].jobs({OURS: make}, url, runner)[OURS]
            samples = Samples()
            for _ in range(REPEAT):
                samples.add(jobs[title])
            print(min(samples.cpu), flush=True)  # noqa: T201 - the parent process reads it


@contextlib.contextmanager
def package_of(commit: str) -> Iterator[Path]:
    """Yield a temporary directory with the package of a commit alone."""
    command = ["git", "archive", commit, PACKAGE]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as directory:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            # Python 3.11 has the argument since 3.11.4, and 3.12 warns without it.
            safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            files.extractall(directory, **safely)  # noqa: S202 - our own files
        yield Path(directory)


def samples_of(sides: dict[str, Side], title: str, rounds: int) -> dict[str, Samples]:
    """Run a call on both sides in turn, after one uncounted run of each."""
    samples = {name: Samples() for name in sides}
    for number in range(rounds + 1):
        # Neither side is always the first.
        for name in sorted(sides, reverse=bool(number % 2)):
            seconds = sides[name].seconds(title)
            if number:
                samples[name].cpu.append(seconds)
    return samples


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the lower and the upper quartile."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def rows(sides: dict[str, Side], chosen: argparse.Namespace, figures: Figures) -> Iterator[list[str]]:
    """Measure, and yield the rows of the table."""
    for case in cases.calls(chosen.deltas):
        if chosen.only not in case.title:
            continue
        samples = samples_of(sides, case.title, chosen.rounds)
        row = figures.add("compare", case.title, samples, case.per_part(1.0), NOW)
        ratios = [now / base for now, base in zip(samples[NOW].cpu, samples[BASE].cpu, strict=True)]
        low, high = quartiles(ratios)
        medians = [f"{row.medians[name]:.3g}" for name in (BASE, NOW)]
        yield [case.title, *medians, f"**{median(ratios):.2f}**", f"{low:.2f} to {high:.2f}"]


def report(chosen: argparse.Namespace, figures: Figures) -> Iterator[str]:
    """Measure, and yield the lines of the report."""
    with package_of(chosen.base) as directory, server() as url, contextlib.ExitStack() as stack:
        sides = {}
        for name, root in ((BASE, directory), (NOW, ROOT)):
            sides[name] = Side(root, url, chosen.deltas)
            stack.callback(sides[name].close)
        # The package of the working tree is not installed in place of the other one.
        for name, root in ((BASE, directory), (NOW, ROOT)):
            if not (package := sides[name].package()).is_relative_to(root):
                raise RuntimeError(f"The package of {name} is not from {root}: {package}")
        yield from table(["", chosen.base, "now", "now ÷ base", "quartiles"], rows(sides, chosen, figures))


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, and write the figures if `--json` is passed."""
    parser = argparse.ArgumentParser(description="Compare the CPU time of the package with an earlier commit.")
    parser.add_argument("base", help="the commit, branch or tag to compare with")
    parser.add_argument("--rounds", type=int, default=21, help="the number of pairs of runs")
    parser.add_argument("--deltas", type=int, default=DELTAS, help="the number of deltas of a stream")
    parser.add_argument("--only", default="", help="measure only the calls whose title contains this")
    parser.add_argument("--json", type=Path, default=None, help="the JSON file to write the figures and ratios to")
    chosen = parser.parse_args(arguments)
    figures = Figures()
    for line in report(chosen, figures):
        print(line, flush=True)  # noqa: T201 - this is a command
    if chosen.json:
        figures.write(chosen.json, base=chosen.base)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        main()
