"""Measure ChatKimi, its peers and the baselines, and write `docs/benchmarks.md` (`make bench`).

python -m tests.benchmarks.run [--quick] [--section calls] [--only text] [--alone] [--rounds 7] [--out FILE]
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.benchmarks import cases, crowd, repairs, steady, structured_growth
from tests.benchmarks.contenders import BASELINE, MODULES, OURS, RARE, RARE_GC, baselines, crowded, products
from tests.benchmarks.measuring import Samples, interleaved, median, server, spread

PACKAGES = (
    "langchain-core", "pydantic", "httpx", "httpcore", "orjson", "httpx2", "httpx-aiohttp", "aiohttp",
    "langchain-openrouter", "langchain-openai", "openai",
)  # fmt: skip
MANY_AT_ONCE = (OURS, RARE_GC, "ChatKimi on aiohttp", "ChatKimi on httpx2", "ChatOpenAI")
CORE = "langchain_core.language_models.chat_models"
INTRODUCTION = """# Benchmarks

Written by `make bench` (`{command}`). All contenders take turns, over loopback, with the server in a separate process.
Figures of calls are medians of {rounds} runs, ± half the interquartile range; those of growth are medians of at most
3. Many streams at once are a single run per contender, in a separate process, so they show orders of magnitude only.
The ratios are more portable between machines than the absolute figures.

*raw* is httpx and the bytes alone, *split* also splits them into events and parses them, and *core baseline* is the
smallest chat model that langchain-core allows: one `AIMessageChunk` per delta, created by its constructor, without
checks or repairs. The columns with ÷ are ChatKimi's CPU time divided by that of the baseline and of the peers. The
*goals* are the upper limits of these ratios, in the same order; they were set on another machine.

{versions}
"""

SMALL = 0.1
GROWTH = """langchain-core keeps all chunks until the end of a stream. With some thousand chunks, Python's garbage
collector scans them repeatedly, whenever their number has grown by a quarter; *GC off* is the same with
`gc.disable()`. `invoke` and `ainvoke` are those of a model with `streaming=True`. The baseline's tool calls are summed
by langchain-core, which copies the arguments for each delta; the longest are therefore not measured.

Every turn converts the whole conversation again. To skip an unchanged message, the package would have to check whether
it was changed, which takes as long as the conversion."""

CROWD = """A stream counts as failed if it has not ended after {longest:g} seconds. Streams that wait in a pool use no
memory, so compare *memory per open stream*. Most of it is the chunks that langchain-core keeps until the end of a
stream, a million objects for a thousand streams. Python's garbage collector scans them repeatedly; *rare GC* is the
same after `gc.set_threshold{rare}`."""


def _versions() -> str:
    entries = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            entries.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(entries) + "."


def table(head: list[str], rows: Iterator[list[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _ratio(samples: dict[str, Samples], than: str = BASELINE, by: str = "cpu") -> str:
    return _ratio_text(median(getattr(samples[OURS], by)) / median(getattr(samples[than], by)))


def _ratio_text(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= SMALL else f"{ratio:.3f}"


class Bench:
    """One run of the benchmark: the URL of the server, the contenders, and the number of rounds."""

    def __init__(self, url: str, runner: asyncio.Runner, chosen: argparse.Namespace) -> None:
        self.url = url
        self.runner = runner
        self.rounds: int = chosen.rounds
        self.quick: bool = chosen.quick
        self.only: str = chosen.only
        self.sections_chosen: list[str] = chosen.section
        makers_by_name = products()
        self.peers = () if chosen.alone else tuple(name for name in makers_by_name if name != OURS)
        self.makers = {**baselines(), OURS: makers_by_name[OURS], **{name: makers_by_name[name] for name in self.peers}}

    def sections(self) -> Iterator[str]:
        """Yield the lines of the report."""
        sections = {
            "calls": ("CPU of calls", self.calls),
            "first": ("Time to the first token", self.firsts),
            "growth": ("Growth", self.growth),
            "steady": ("Many calls", self.steady),
            "crowd": ("Many streams at once", self.crowds),
            "start": ("Start", self.start),
            "repairs": ("What the repairs cost", self.repairs),
            "structured": ("Structured output, streamed", self.structured),
            "profile": ("Where a text stream's time goes", self.profile),
        }
        for title, lines in map(sections.__getitem__, self.sections_chosen or sections):
            yield from (f"## {title}", "")
            yield from lines()

    def calls(self) -> Iterator[str]:
        """Measure each kind of call."""
        ratios = (f"÷ {name}" for name in (BASELINE, *self.peers))
        return table(["", *self.makers, *ratios, "goals", "÷ core baseline by the clock"], self._calls())

    def _calls(self) -> Iterator[list[str]]:
        for case in cases.calls(20 if self.quick else 2000):
            if self.only not in case.title:
                continue
            samples = cases.run(case, self.makers, self.url, self.runner, self.rounds)
            figures = [self._figure(case, samples.get(name)) for name in self.makers]
            ratios = [_ratio(samples, than) for than in (BASELINE, *self.peers)]
            goals = " / ".join(f"{goal:g}" for goal in case.goals or ())
            yield [case.title, *figures, f"**{ratios[0]}**", *ratios[1:], goals, _ratio(samples, by="wall")]

    def _figure(self, case: cases.Case, samples: Samples | None) -> str:
        if samples is None:
            return ""
        return f"{case.per_part(median(samples.cpu)):.3g} ± {spread(samples.cpu):.0%}"

    def firsts(self) -> Iterator[str]:
        """Measure the time to the first token."""
        samples = cases.first_token(self.makers, self.url, self.rounds if self.quick else 100)
        raw = median(samples["raw"].wall)
        above = {name: median(one.wall) - raw for name, one in samples.items() if name != "raw"}
        figures = [f"{seconds * cases.MICRO:.0f}" for seconds in above.values()]
        ratios = [_ratio_text(above[OURS] / seconds) for seconds in above.values()]
        rows = [["above raw httpx, µs by the clock", *figures], ["ChatKimi ÷ it", *ratios]]
        return table(["", *above], iter(rows))

    def growth(self) -> Iterator[str]:
        """Measure growing streams and conversations."""
        yield from (GROWTH, "")
        head = ["CPU per delta or message, µs", BASELINE, OURS, cases.WITHOUT_GC, "ChatKimi ÷ core baseline"]
        yield from table(head, self._growth())

    def _growth(self) -> Iterator[list[str]]:
        makers = cases.baseline_and_ours(self.makers)
        for case in cases.growth(20 if self.quick else 50_000):
            samples = interleaved(cases.growing(case, makers, self.url, self.runner), min(self.rounds, 3))
            figures = [self._figure(case, samples.get(name)) for name in (BASELINE, OURS, cases.WITHOUT_GC)]
            yield [case.title, *figures, _ratio(samples) if BASELINE in samples else ""]

    def steady(self) -> Iterator[str]:
        """Measure the memory and the files that stay after many calls, a quarter of them in each way to call."""
        results = steady.calls(self.makers[OURS], self.url, self.runner, 40 if self.quick else 100_000)
        return table(["calls", "memory, MiB", "open files"], results)

    def profile(self) -> Iterator[str]:
        """Profile a text stream: the ten functions with the most own time."""
        results = steady.profile(self.makers[OURS](f"{self.url}/text/{20 if self.quick else 20_000}/each"))
        return table(["function", "of", "calls", "share of own time, under a profiler, GC off"], results)

    def crowds(self) -> Iterator[str]:
        """Measure many streams at once, with 100 deltas at intervals of 20 ms; the ideal time is two seconds."""
        head = [
            "streams, contender", "CPU, s", "wall, s", "first token, median, s", "most open at once", "memory, MiB",
            "memory per open stream, KiB", "failed",
        ]  # fmt: skip
        yield from (CROWD.format(longest=crowd.LONGEST, rare=RARE), "")
        yield from table(head, self._crowds())

    def _crowds(self) -> Iterator[list[str]]:
        url = f"{self.url}/text/{3 if self.quick else 100}/paced"
        for streams in (2,) if self.quick else (10, 100, 1000, 3000):
            results: dict[str, dict[str, float]] = {}
            for name in (OURS,) if self.quick else (*self.makers, *crowded()):
                # With three thousand streams, the pools of the others take minutes.
                if name != "split" and (streams <= 1000 or name in MANY_AT_ONCE):
                    results[name] = crowd.measured(name, url, streams)
                    yield self._crowd(f"{streams:,}, {name}", results[name])
            yield from self._crowd_ratios(results)

    def _crowd(self, title: str, results: dict[str, float]) -> list[str]:
        share = results["memory"] * 1024 / max(results["open"], 1.0)
        return [
            title, f"{results['cpu']:.2f}", f"{results['wall']:.2f}", f"{results['first']:.3f}",
            f"{results['open']:.0f}",
            f"{results['memory']:.1f}", f"{share:.0f}", f"{results['failed']:.0f}",
        ]  # fmt: skip

    def _crowd_ratios(self, results: dict[str, dict[str, float]]) -> Iterator[list[str]]:
        for name in (BASELINE, *self.peers):
            if name in results:
                ours, other = (
                    {**one, "share": one["memory"] / max(one["open"], 1.0)} for one in (results[OURS], results[name])
                )
                cpu, wall, first, memory, share = (
                    f"**{_ratio_text(ours[key] / other[key])}**" for key in ("cpu", "wall", "first", "memory", "share")
                )
                yield [f"ChatKimi ÷ {name}", cpu, wall, first, "", memory, share, ""]

    def repairs(self) -> Iterator[str]:
        """Measure healthy streams with the repairs on and off."""
        yield from repairs.report(20 if self.quick else 2000, self.rounds if self.quick else 31)
        yield ""

    def structured(self) -> Iterator[str]:
        """Measure structured output of growing size."""
        yield from structured_growth.report(
            structured_growth.QUICK if self.quick else structured_growth.SIZES, min(self.rounds, 3)
        )

    def start(self) -> Iterator[str]:
        """Measure imports and the construction of models."""
        return table(["", *products()], iter([self._imports(), self._hundredth()]))

    def _imports(self) -> list[str]:
        entries = ["import on top of langchain-core's chat model, ms CPU"]
        with tempfile.TemporaryDirectory() as bytecode:
            core = self._import("sys", CORE, bytecode)
            for name in products():
                took = self._import(CORE, MODULES[name], bytecode)
                entries.append(f"{took * cases.MILLI:.0f} ({took / core:+.0%} of its {core * cases.MILLI:.0f})")
        return entries

    def _import(self, first: str, module: str, bytecode: str) -> float:
        """Return the seconds of CPU time of an import after another one, from bytecode, as for installed packages."""
        script = (
            f"import time, {first}; began = time.process_time(); import {module}; print(time.process_time() - began)"
        )
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        _, *times = (
            float(subprocess.check_output([sys.executable, "-c", script], env=environment, text=True))
            for _ in range(2 if self.quick else 8)
        )
        return median(times)

    def _hundredth(self) -> list[str]:
        entries = ["the hundredth model built, ms CPU"]
        for make in products().values():
            times = []
            for _ in range(2 if self.quick else 100):
                began = time.process_time()
                make(self.url)
                times.append(time.process_time() - began)
            entries.append(f"{median(times[-20:]) * cases.MILLI:.2f}")
        return entries


def report(chosen: argparse.Namespace) -> Iterator[str]:
    """Measure, and yield the lines of the report."""
    command = "python -m tests.benchmarks.run"
    yield INTRODUCTION.format(command=command, rounds=chosen.rounds, versions=_versions())
    with server() as url, asyncio.Runner() as runner:
        yield from Bench(url, runner, chosen).sections()


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description="Measure ChatKimi, its peers and the baselines.")
    parser.add_argument("--rounds", type=int, default=7, help="the number of runs of each contender")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to check that everything runs")
    parser.add_argument(
        "--section",
        action="append",
        help="measure this section only: calls, first, growth, steady, crowd, start, repairs, structured or profile",
    )
    parser.add_argument("--only", default="", help="measure only the calls whose title contains this")
    parser.add_argument("--alone", action="store_true", help="leave out the peers")
    parser.add_argument("--out", type=Path, default=None, help="the file to write")
    chosen = parser.parse_args(arguments)
    lines = []
    for line in report(chosen):
        print(line, flush=True)  # noqa: T201 - this is a command
        lines.append(line)
    if chosen.out:
        chosen.out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
