"""Measure ChatKimi beside its peers and the floors, and write `docs/benchmarks.md`: `make bench`.

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
from tests.benchmarks.contenders import FLOOR, MODULES, OURS, RARE, RARELY, crowded, floors, products
from tests.benchmarks.measuring import Samples, interleaved, median, server, spread

PACKAGES = (
    "langchain-core", "pydantic", "httpx", "httpcore", "orjson", "httpx2", "httpx-aiohttp", "aiohttp",
    "langchain-openrouter", "langchain-openai", "openai",
)  # fmt: skip
MANY_AT_ONCE = (OURS, RARELY, "ChatKimi on aiohttp", "ChatKimi on httpx2", "ChatOpenAI")
CORE = "langchain_core.language_models.chat_models"
INTRODUCTION = """# What a token, a call and a turn cost

Written by `make bench` (`{command}`). All contenders are measured in turn, on loopback, with the server in a
process of its own; figures of calls are medians of {rounds} runs, ± half the distance of the quarter marks, those of
growth of at most 3. Many streams at once are one run each, in a process of its own: take these as orders of magnitude.
Use the ratios: they hold on other machines better than the absolute figures do.

*raw* is httpx and the bytes alone, *split* the bytes split into events and parsed, *core floor* the least chat model
that langchain-core allows: one `AIMessageChunk` a delta by its constructor, nothing checked, nothing repaired. The
columns with ÷ are ChatKimi's CPU divided by that of the floor and of the peers; the *goals* are what they are to be at
most, in the same order, set on another machine.

{versions}
"""

SMALL = 0.1
GROWTH = """langchain-core keeps all chunks to the end of a stream. From some thousand on Python's garbage collector
looks at them again and again, each time that they are a quarter more: *uncollected* is the same with `gc.disable()`.
`invoke` and `ainvoke` are those of a streaming model, whose chunks nobody sees. The floor's pieces of a call are added
up by langchain-core, which copies the arguments so far with each: it is not measured to the end.

Every turn converts the whole conversation again. A message that was converted before could only be left out by looking
whether somebody has changed it since, which takes as long as converting it."""

CROWD = """A stream is failed if it is not done after {longest:g} seconds. Of what a pool lets wait nothing is open, and
it holds no memory: *memory of an open stream* is what can be compared. Most of it are the chunks that langchain-core
keeps to the stream's end, a million objects for a thousand streams. Python's garbage collector looks at them again and
again; *collecting rarely* is the same after `gc.set_threshold{rare}`."""


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


def _ratio(samples: dict[str, Samples], than: str = FLOOR, by: str = "cpu") -> str:
    return _ratio_text(median(getattr(samples[OURS], by)) / median(getattr(samples[than], by)))


def _ratio_text(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= SMALL else f"{ratio:.3f}"


class Bench:
    """One run of the benchmark: where the server is, what is measured and how thoroughly."""

    def __init__(self, url: str, runner: asyncio.Runner, chosen: argparse.Namespace) -> None:
        self.url = url
        self.runner = runner
        self.rounds: int = chosen.rounds
        self.quick: bool = chosen.quick
        self.only: str = chosen.only
        self.sections_chosen: list[str] = chosen.section
        makers_by_name = products()
        self.peers = () if chosen.alone else tuple(name for name in makers_by_name if name != OURS)
        self.makers = {**floors(), OURS: makers_by_name[OURS], **{name: makers_by_name[name] for name in self.peers}}

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
        ratios = (f"÷ {name}" for name in (FLOOR, *self.peers))
        return table(["", *self.makers, *ratios, "goals", "÷ core floor by the clock"], self._calls())

    def _calls(self) -> Iterator[list[str]]:
        for case in cases.calls(20 if self.quick else 2000):
            if self.only not in case.title:
                continue
            samples = cases.run(case, self.makers, self.url, self.runner, self.rounds)
            figures = [self._figure(case, samples.get(name)) for name in self.makers]
            ratios = [_ratio(samples, than) for than in (FLOOR, *self.peers)]
            goals = " / ".join(f"{goal:g}" for goal in case.goals or ())
            yield [case.title, *figures, f"**{ratios[0]}**", *ratios[1:], goals, _ratio(samples, by="wall")]

    def _figure(self, case: cases.Case, samples: Samples | None) -> str:
        if samples is None:
            return ""
        return f"{case.per_part(median(samples.cpu)):.3g} ± {spread(samples.cpu):.0%}"

    def firsts(self) -> Iterator[str]:
        """Measure the first tokens."""
        samples = cases.first_token(self.makers, self.url, self.rounds if self.quick else 100)
        raw = median(samples["raw"].wall)
        above = {name: median(one.wall) - raw for name, one in samples.items() if name != "raw"}
        figures = [f"{seconds * cases.MICRO:.0f}" for seconds in above.values()]
        ratios = [_ratio_text(above[OURS] / seconds) for seconds in above.values()]
        rows = [["above raw httpx, µs by the clock", *figures], ["ChatKimi's in parts of it", *ratios]]
        return table(["", *above], iter(rows))

    def growth(self) -> Iterator[str]:
        """Measure growing streams and conversations."""
        yield from (GROWTH, "")
        head = ["CPU per delta or message, µs", FLOOR, OURS, cases.UNCOLLECTED, "ChatKimi ÷ core floor"]
        yield from table(head, self._growth())

    def _growth(self) -> Iterator[list[str]]:
        makers = cases.narrowed(self.makers)
        for case in cases.growth(20 if self.quick else 50_000):
            samples = interleaved(cases.growing(case, makers, self.url, self.runner), min(self.rounds, 3))
            figures = [self._figure(case, samples.get(name)) for name in (FLOOR, OURS, cases.UNCOLLECTED)]
            yield [case.title, *figures, _ratio(samples) if FLOOR in samples else ""]

    def steady(self) -> Iterator[str]:
        """Measure what many calls leave behind, a fourth of them in each way."""
        results = steady.calls(self.makers[OURS], self.url, self.runner, 40 if self.quick else 100_000)
        return table(["calls", "memory, MiB", "open files"], results)

    def profile(self) -> Iterator[str]:
        """Profile a text stream: the ten functions with the most time of their own."""
        results = steady.profile(self.makers[OURS](f"{self.url}/text/{20 if self.quick else 20_000}/each"))
        return table(["function", "of", "calls", "its own share, under a profiler, uncollected"], results)

    def crowds(self) -> Iterator[str]:
        """Measure many streams at once: 100 deltas, one every 20 ms, so that two seconds are the ideal."""
        head = [
            "streams, contender", "CPU, s", "wall, s", "first token, median, s", "most open at once", "memory, MiB",
            "memory of an open stream, KiB", "failed",
        ]  # fmt: skip
        yield from (CROWD.format(longest=crowd.LONGEST, rare=RARE), "")
        yield from table(head, self._crowds())

    def _crowds(self) -> Iterator[list[str]]:
        url = f"{self.url}/text/{3 if self.quick else 100}/paced"
        for streams in (2,) if self.quick else (10, 100, 1000, 3000):
            results: dict[str, dict[str, float]] = {}
            for name in (OURS,) if self.quick else (*self.makers, *crowded()):
                # The pools of the others take minutes for three thousand.
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
        for name in (FLOOR, *self.peers):
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
        """Measure growing structured answers."""
        yield from structured_growth.report(
            structured_growth.QUICK if self.quick else structured_growth.SIZES, min(self.rounds, 3)
        )

    def start(self) -> Iterator[str]:
        """Measure imports and the making of models."""
        return table(["", *products()], iter([self._imports(), self._hundredth()]))

    def _imports(self) -> list[str]:
        entries = ["import above langchain-core's chat model, ms CPU"]
        with tempfile.TemporaryDirectory() as bytecode:
            core = self._import("sys", CORE, bytecode)
            for name in products():
                took = self._import(CORE, MODULES[name], bytecode)
                entries.append(f"{took * cases.MILLI:.0f} ({took / core:+.0%} of its {core * cases.MILLI:.0f})")
        return entries

    def _import(self, first: str, module: str, bytecode: str) -> float:
        """Seconds of CPU that an import takes after another one, from bytecode, as of packages that are installed."""
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
    """Measure, and yield the report line by line."""
    command = "python -m tests.benchmarks.run"
    yield INTRODUCTION.format(command=command, rounds=chosen.rounds, versions=_versions())
    with server() as url, asyncio.Runner() as runner:
        yield from Bench(url, runner, chosen).sections()


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description="Measure ChatKimi beside its peers and the floors.")
    parser.add_argument("--rounds", type=int, default=7, help="how often each contender runs")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only to see that it works")
    parser.add_argument(
        "--section",
        action="append",
        help="this one only: calls, first, growth, steady, crowd, start, repairs, structured or profile",
    )
    parser.add_argument("--only", default="", help="of the calls, those whose title holds this")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--out", type=Path, default=None, help="the file to write")
    chosen = parser.parse_args(arguments)
    lines = []
    for line in report(chosen):
        print(line, flush=True)  # noqa: T201 - it is a command
        lines.append(line)
    if chosen.out:
        chosen.out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
