"""Measure whether the CPU time of a call grows in proportion to the tools, the text, and the reply."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.benchmarks.cases import MICRO, PROMPT
from tests.benchmarks.contenders import FUNCTION, OURS, TOOL
from tests.benchmarks.measuring import Job, drain, interleaved
from tests.benchmarks.server import MARKED, plain_size
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.tables import Figures, table

INTRODUCTION = """Microseconds of CPU per unit, at most 3 runs of each size. *growth* is the last figure divided by the
one before it: about 1 means linear. The text repeats the beginnings of markup: `<|`, backticks, braces and quotes."""
STEPS = (0.01, 0.1, 1.0)
KB = 1000


def _tools(make: Callable[..., Any], url: str, count: int) -> Job:
    """Return a job that binds tools and calls the model."""
    model = make(f"{url}/plain/20/each")
    tools = [{"type": "function", "function": {**FUNCTION, "name": f"write_{number}"}} for number in range(count)]
    return lambda: model.bind_tools(tools).invoke(PROMPT)


def _text(make: Callable[..., Any], url: str, kilobytes: int) -> Job:
    model = make(f"{url}/marked/{max(1, kilobytes * KB // len(MARKED))}/each").bind_tools([TOOL])
    return partial(drain, model, PROMPT)


def _reply(make: Callable[..., Any], url: str, kilobytes: int) -> Job:
    model = make(f"{url}/plain/{plain_size(kilobytes * KB)}/each")
    return partial(model.invoke, PROMPT)


MEASURED: dict[str, tuple[Callable[[Callable[..., Any], str, int], Job], int]] = {
    "tools, bound and sent, per tool": (_tools, 5_000),
    "text of 5 MB in deltas, per KB": (_text, 5_000),
    "reply of 10 MB, per KB": (_reply, 10_000),
}
"""The job and the largest size of each row."""


def report(make: Callable[..., Any], url: str, sizes: Sizes, figures: Figures) -> Iterator[str]:
    """Measure, and yield the lines of the section."""
    yield from (INTRODUCTION, "")
    yield from table(["", "a hundredth", "a tenth", "all", "growth"], _rows(make, url, sizes, figures))


def _rows(make: Callable[..., Any], url: str, sizes: Sizes, figures: Figures) -> Iterator[list[str]]:
    for title, (job, largest) in MEASURED.items():
        medians = []
        for step in STEPS:
            count = max(1, int(largest * step * sizes.units))
            samples = interleaved({OURS: job(make, url, count)}, min(sizes.rounds, 3))
            row = figures.add("units", f"{title}, {count:,}", samples, MICRO / count, OURS)
            medians.append(row.medians[OURS])
        yield [title, *(f"{each:.3g}" for each in medians), f"{medians[-1] / medians[-2]:.2f}"]
