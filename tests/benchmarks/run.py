"""Measure ChatKimi, its peers and the baselines, and write `docs/benchmarks.md` (`make bench`).

python -m tests.benchmarks.run [--quick] [--section calls] [--only text] [--alone] [--out FILE] [--json FILE]

A full run takes at most twenty minutes, `--quick` at most three. Each section is written as it ends, beside those of
the JSON file's earlier runs, and its duration is printed.
"""

import argparse
import asyncio
import platform
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from langchain_core._api import LangChainBetaWarning

from tests.benchmarks import cases, crowds, layers, memory, repairs, start, steady, structured_growth, units
from tests.benchmarks.contenders import BASELINE, BRIDGE, OURS, baselines, products, variants
from tests.benchmarks.measuring import Samples, interleaved, median, server, spread
from tests.benchmarks.page import Page, Run, Section
from tests.benchmarks.sizes import SIZES, Sizes
from tests.benchmarks.tables import Figures, ratio_text, table

PACKAGES = (
    "langchain-core", "pydantic", "httpx", "httpcore", "orjson", "httpx2", "httptools", "aiohttp",
    "langchain-openrouter", "langchain-openai", "openai",
)  # fmt: skip
GROWTH = """langchain-core keeps all chunks until the end of a stream. With some thousand chunks, Python's garbage
collector scans them repeatedly, whenever their number has grown by a quarter; *GC off* is the same with
`gc.disable()`. `invoke` and `ainvoke` are those of a model with `streaming=True`. The baseline's tool calls are summed
by langchain-core, which copies the arguments for each delta; the longest are therefore not measured.

Every turn converts the whole conversation again. To skip an unchanged message, the package would have to check whether
it was changed, which takes as long as the conversion."""


def _versions() -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


class Bench:
    """One run of the benchmark: the URL of the server, the contenders, the sizes, and the figures so far."""

    def __init__(self, url: str, runner: asyncio.Runner, chosen: argparse.Namespace) -> None:
        self.url = url
        self.runner = runner
        self.sizes: Sizes = SIZES[chosen.sizes]
        self.only: str = chosen.only
        self.figures = Figures()
        makers_by_name = products()
        self.peers = () if chosen.alone else tuple(name for name in makers_by_name if name != OURS)
        self.makers = {**baselines(), OURS: makers_by_name[OURS], **{name: makers_by_name[name] for name in self.peers}}

    def section(self, name: str, run: Run) -> Section:
        """Measure a section, and print its lines as they come."""
        title, lines = SECTIONS[name]
        self.figures = Figures()
        began = time.perf_counter()
        section = Section(title, run, 0.0, [], self.figures.rows)
        _print(f"## {title}\n")
        for line in lines(self):
            _print(line)
            section.lines.append(line)
        return replace(section, seconds=time.perf_counter() - began)

    def calls(self) -> Iterator[str]:
        """Measure each kind of call."""
        ratios = (f"÷ {name}" for name in (BASELINE, *self.peers))
        return table(["", *self.makers, *ratios, "goals", "÷ core baseline by the clock"], self._calls())

    def _calls(self) -> Iterator[list[str]]:
        for case in cases.calls(self.sizes.deltas):
            if self.only not in case.title:
                continue
            jobs = case.jobs(self.makers, self.url, self.runner)
            samples = interleaved(jobs, self.sizes.rounds, fewer=dict.fromkeys(self.peers, self.sizes.peer_rounds))
            row = self.figures.add("calls", case.title, samples, case.per_part(1.0), OURS)
            ratios = [ratio_text(row.ratios[than]) for than in (BASELINE, *self.peers)]
            goals = " / ".join(f"{goal:g}" for goal in case.goals or ())
            wall = ratio_text(median(samples[OURS].wall) / median(samples[BASELINE].wall))
            yield [case.title, *self._cells(case, samples), f"**{ratios[0]}**", *ratios[1:], goals, wall]

    def _cells(self, case: cases.Case, samples: dict[str, Samples]) -> list[str]:
        return [self._figure(case, samples.get(name)) for name in self.makers]

    def _figure(self, case: cases.Case, samples: Samples | None) -> str:
        if samples is None:
            return ""
        return f"{case.per_part(median(samples.cpu)):.3g} ± {spread(samples.cpu):.0%}"

    def variants(self) -> Iterator[str]:
        """Measure the calls on other transports, and the events that langchain-core makes from chunks."""
        others = variants()
        return table(
            ["", BASELINE, OURS, *others, *(f"{name} ÷ {BASELINE}" for name in others)], self._variants(others)
        )

    def _variants(self, others: dict[str, Callable[..., Any]]) -> Iterator[list[str]]:
        for case in cases.calls(self.sizes.deltas):
            # aiohttp is for async calls, and the bridge for events.
            fitting = {
                name: make
                for name, make in others.items()
                if (name == BRIDGE) is case.method.endswith("events") and ("aiohttp" not in name or case.is_async)
            }
            if not case.title.startswith(("text delta, stream", "text delta, astream", "plain")):
                continue
            makers = {**cases.baseline_and_ours(self.makers), **fitting}
            samples = interleaved(case.jobs(makers, self.url, self.runner), self.sizes.rounds)
            row = self.figures.add("variants", case.title, samples, case.per_part(1.0), OURS)
            figures = [self._figure(case, samples.get(name)) for name in (BASELINE, OURS, *others)]
            base = row.medians[BASELINE]
            ratios = [ratio_text(row.medians[name] / base) if name in samples else "" for name in others]
            yield [case.title, *figures, *ratios]

    def layers(self) -> Iterator[str]:
        """Measure the reading of a stream without a socket."""
        return layers.report(self.sizes, self.figures)

    def firsts(self) -> Iterator[str]:
        """Measure the time to the first token."""
        samples = cases.first_token(self.makers, self.url, self.sizes.firsts)
        raw = median(samples["raw"].wall)
        above = {name: (median(one.wall) - raw) * cases.MICRO for name, one in samples.items() if name != "raw"}
        row = self.figures.add_values("first", "first token above raw httpx, µs by the clock", above, OURS)
        figures = [f"{micro:.0f}" for micro in above.values()]
        ratios = [ratio_text({OURS: 1.0, **row.ratios}[name]) for name in above]
        return table(["", *above], [["above raw httpx, µs by the clock", *figures], ["ChatKimi ÷ it", *ratios]])

    def growth(self) -> Iterator[str]:
        """Measure growing streams and conversations."""
        yield from (GROWTH, "")
        head = ["CPU per delta or message, µs", BASELINE, OURS, cases.WITHOUT_GC, "ChatKimi ÷ core baseline"]
        yield from table(head, self._growth())

    def _growth(self) -> Iterator[list[str]]:
        makers = cases.baseline_and_ours(self.makers)
        for case in cases.growth(self.sizes.longest):
            is_long = case.parts > cases.LONG
            jobs = cases.growing(case, makers, self.url, self.runner)
            samples = interleaved(jobs, 1 if is_long else min(self.sizes.rounds, 3), warm_up=not is_long)
            row = self.figures.add("growth", case.title, samples, case.per_part(1.0), OURS)
            figures = [self._figure(case, samples.get(name)) for name in (BASELINE, OURS, cases.WITHOUT_GC)]
            yield [case.title, *figures, ratio_text(row.ratios[BASELINE]) if BASELINE in samples else ""]

    def units(self) -> Iterator[str]:
        """Measure growing numbers of tools, texts and whole replies."""
        return units.report(self.makers[OURS], self.url, self.sizes, self.figures)

    def steady(self) -> Iterator[str]:
        """Measure the memory and the files that stay after many calls, a quarter of them in each way to call."""
        results = steady.calls(self.makers[OURS], self.url, self.runner, self.sizes.steady)
        return table(["calls", "memory, MiB", "open files"], results)

    def profile(self) -> Iterator[str]:
        """Profile a text stream: the ten functions with the most own time."""
        results = steady.profile(self.makers[OURS](f"{self.url}/text/{10 * self.sizes.deltas}/each"))
        return table(["function", "of", "calls", "share of own time, under a profiler, GC off"], results)

    def crowds(self) -> Iterator[str]:
        """Measure many streams at once."""
        return crowds.report(self.url, self.sizes, (BASELINE, *self.peers), self.figures)

    def memory(self) -> Iterator[str]:
        """Measure the memory that an open stream keeps."""
        return memory.report(self.makers[OURS], self.url, self.sizes.deltas, self.figures)

    def repairs(self) -> Iterator[str]:
        """Measure healthy streams with the repairs on and off."""
        return repairs.report(self.sizes.deltas, self.sizes.repairs, self.figures)

    def structured(self) -> Iterator[str]:
        """Measure structured output of growing size."""
        return structured_growth.report(self.sizes.fields, min(self.sizes.rounds, 3), self.figures)

    def start(self) -> Iterator[str]:
        """Measure imports and the construction of models."""
        return start.report(self.url, self.sizes, self.figures)


SECTIONS: dict[str, tuple[str, Callable[[Bench], Iterator[str]]]] = {
    "calls": ("CPU of calls", Bench.calls),
    "variants": ("Transports, and events by langchain-core", Bench.variants),
    "layers": ("From bytes to chunks and events", Bench.layers),
    "first": ("Time to the first token", Bench.firsts),
    "growth": ("Growth", Bench.growth),
    "units": ("Growth of requests and replies", Bench.units),
    "steady": ("Many calls", Bench.steady),
    "crowd": ("Many streams at once", Bench.crowds),
    "memory": ("Memory of an open stream", Bench.memory),
    "start": ("Start", Bench.start),
    "repairs": ("What the repairs cost", Bench.repairs),
    "structured": ("Structured output, streamed", Bench.structured),
    "profile": ("Where a text stream's time goes", Bench.profile),
}
"""The title of each section and the method that measures it."""


def measure(chosen: argparse.Namespace, run: Run) -> None:
    """Measure the chosen sections, and write each as it ends."""
    page = Page.read(chosen.json)
    began = time.perf_counter()
    with server() as url, asyncio.Runner() as runner:
        bench = Bench(url, runner, chosen)
        for name in chosen.section or SECTIONS:
            section = bench.section(name, run)
            page.put(name, section, list(SECTIONS))
            page.write(chosen.out, chosen.json)
            _log(f"{name}: {section.seconds:.0f} s, all so far: {time.perf_counter() - began:.0f} s")


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a command


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is a command


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure ChatKimi, its peers and the baselines.")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", dest="sizes", action="store_const", const="quick", help="at most three minutes")
    sizes.add_argument(
        "--tiny", dest="sizes", action="store_const", const="tiny", help="tiny sizes, to check that everything runs"
    )
    parser.set_defaults(sizes="full")
    parser.add_argument("--section", action="append", choices=SECTIONS, help="measure this section only")
    parser.add_argument("--only", default="", help="measure only the calls whose title contains this")
    parser.add_argument("--alone", action="store_true", help="leave out the peers")
    parser.add_argument("--out", type=Path, default=None, help="the Markdown file to write")
    parser.add_argument("--json", type=Path, default=None, help="the JSON file to write the figures and ratios to")
    return parser.parse_args(arguments)


def _stop(number: int, frame: Any) -> None:
    """End the process by an exception, which ends the server too."""
    raise SystemExit(f"stopped by signal {number}")


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write the page and the figures."""
    chosen = _arguments(arguments)
    # `stream_events(version="v3")` is in beta.
    warnings.simplefilter("ignore", LangChainBetaWarning)
    signal.signal(signal.SIGTERM, _stop)
    measure(chosen, Run(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", chosen.sizes, _versions()))


if __name__ == "__main__":
    main()
