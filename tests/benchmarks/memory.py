"""Measure the memory that an open stream keeps for each delta that it has read."""

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from langchain_core.messages import HumanMessage

from tests.benchmarks.cases import PROMPT
from tests.benchmarks.contenders import BRIDGE, OURS, variants
from tests.benchmarks.tables import Figures, table

INTRODUCTION = """Bytes per text delta that the process keeps while a stream is open, from its first tenth to its last.
langchain-core keeps all chunks of `stream`, for the message that it passes to callbacks at the end, and all events of
`stream_events(version="v3")`. *chunks alone* is the package's own stream, whose chunks the caller drops."""
ROWS: dict[str, Callable[[Any], Iterable[Any]]] = {
    "stream": lambda model: model.stream(PROMPT),
    "chunks alone": lambda model: model._stream([HumanMessage(PROMPT)]),
    "stream_events v3": lambda model: model.stream_events(PROMPT, version="v3"),
}


def report(make: Callable[[str], Any], url: str, deltas: int, figures: Figures) -> Iterator[str]:
    """Measure, and yield the lines of the section."""
    yield from (INTRODUCTION, "")
    yield from table(["", OURS, BRIDGE], _rows(make, url, deltas, figures))


def _rows(make: Callable[[str], Any], url: str, deltas: int, figures: Figures) -> Iterator[list[str]]:
    makers = {OURS: make, BRIDGE: variants()[BRIDGE]}
    for title, begin in ROWS.items():
        fitting = makers if title == "stream_events v3" else {OURS: make}
        values = {
            name: _bytes_per_delta(one(f"{url}/text/{deltas}/each"), begin, deltas) for name, one in fitting.items()
        }
        figures.add_values("memory", f"{title}, bytes per delta", values, OURS)
        yield [title, *(f"{values[name]:.0f}" if name in values else "" for name in makers)]


def _bytes_per_delta(model: Any, begin: Callable[[Any], Iterable[Any]], deltas: int) -> float:
    """Return the growth of the allocated memory, after a first stream that fills the caches."""
    for _ in begin(model):
        """The item is dropped."""
    first, last = deltas // 10, deltas - deltas // 10
    sizes = {}
    tracemalloc.start()
    try:
        for number, _ in enumerate(begin(model)):
            if number in (first, last):
                gc.collect()
                sizes[number], _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (sizes[last] - sizes[first]) / (last - first)
