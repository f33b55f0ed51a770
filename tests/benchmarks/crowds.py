"""The table of many streams at once, with a delta every 20 ms; with 100 deltas, the ideal time is two seconds."""

from collections.abc import Iterator, Sequence

from tests.benchmarks import crowd
from tests.benchmarks.contenders import BASELINE, OURS, RARE, baselines, crowded, products
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.tables import Figures, ratio_text, table

ALWAYS = (BASELINE, OURS, "ChatKimi on httptools", "ChatKimi on aiohttp")
"""The contenders of a few streams, and of a quick run."""
FEW = 10
MOST = {"ChatOpenRouter": 100, OURS: 3000, "ChatKimi on httptools": 3000}
"""The most streams of a contender. Above it, its time only grows in proportion, or its pool takes minutes."""
MOST_OF_OTHERS = 1000
HEAD = [
    "streams, contender", "CPU, s", "wall, s", "first token, median, s", "most open at once", "memory, MiB",
    "memory per open stream, KiB", "failed",
]  # fmt: skip
INTRODUCTION = f"""A stream counts as failed if it has not ended after {crowd.LONGEST:g} seconds. Streams that wait in a
pool use no memory, so compare *memory per open stream*. Most of it is the chunks that langchain-core keeps until the
end of a stream, a million objects for a thousand streams. Python's garbage collector scans them repeatedly; *rare GC*
is the same after `gc.set_threshold{RARE}`. ChatOpenRouter has at most 100 connections: above 100
streams, its time grows in proportion, and is not measured."""


def report(url: str, sizes: Sizes, others: Sequence[str], figures: Figures) -> Iterator[str]:
    """Measure, and yield the lines of the section."""
    yield from (INTRODUCTION, "")
    yield from table(HEAD, _rows(f"{url}/text/{sizes.crowd_deltas}/paced", sizes, others, figures))


def _rows(url: str, sizes: Sizes, others: Sequence[str], figures: Figures) -> Iterator[list[str]]:
    for streams in sizes.crowds:
        results: dict[str, dict[str, float]] = {}
        for name in _contenders(streams, sizes, others):
            results[name] = crowd.measured(name, url, streams)
            yield _row(f"{streams:,}, {name}", results[name])
        cpu = {name: result["cpu"] for name, result in results.items()}
        figures.add_values("crowd", f"{streams:,} streams at once, CPU, s", cpu, OURS)
        yield from _ratios(results, others)


def _contenders(streams: int, sizes: Sizes, others: Sequence[str]) -> list[str]:
    """Return the contenders of a number of streams; *split* would only repeat *raw*."""
    absent = {"split", *products()} - {OURS, *others}
    every = [name for name in (*baselines(), *products(), *crowded()) if name not in absent]
    if streams <= FEW or not sizes.crowded_peers:
        return [name for name in every if name in ALWAYS]
    return [name for name in every if streams <= MOST.get(name, MOST_OF_OTHERS)]


def _row(title: str, results: dict[str, float]) -> list[str]:
    return [
        title, f"{results['cpu']:.2f}", f"{results['wall']:.2f}", f"{results['first']:.3f}", f"{results['open']:.0f}",
        f"{results['memory']:.1f}", f"{_share(results) * 1024:.0f}", f"{results['failed']:.0f}",
    ]  # fmt: skip


def _share(results: dict[str, float]) -> float:
    """Return the memory of an open stream in MiB."""
    return results["memory"] / max(results["open"], 1.0)


def _ratios(results: dict[str, dict[str, float]], others: Sequence[str]) -> Iterator[list[str]]:
    for ours in (OURS, "ChatKimi on httptools", "ChatKimi on aiohttp"):
        for name in others if ours in results else ():
            if name in results:
                one, other = ({**results[key], "share": _share(results[key])} for key in (ours, name))
                cpu, wall, first, memory, share = (
                    f"**{ratio_text(one[key] / other[key])}**" if other[key] else ""
                    for key in ("cpu", "wall", "first", "memory", "share")
                )
                yield [f"{ours} ÷ {name}", cpu, wall, first, "", memory, share, ""]
