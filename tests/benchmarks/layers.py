"""Measure the reading of a stream from bytes in memory, without sockets and without the loops of langchain-core."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.reply.stream import StreamReader
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi._reply.events import EventMessage, core_bridge
from langchain_kimi._reply.streamed import StreamedMessage
from tests.benchmarks import server
from tests.benchmarks.cases import MICRO
from tests.benchmarks.measuring import interleaved
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.tables import Figures, ratio_text, table

INTRODUCTION = """Microseconds of CPU per delta, from bytes in memory, one server-sent event at a time. Sockets, httpx
and the loops of langchain-core are left out. All columns include the parsing of the events. The v3 events are those of
`stream_events(version="v3")`; core's bridge makes them from the chunks."""
BODY: WireBody = {"model": "moonshotai/kimi-k2-0905", "messages": [], "stream": True}
WIRE, CHUNKS, EVENTS, BRIDGE = "parsed", "chunks", "v3 events", "v3 events by core's bridge"
KINDS = ("text", "reasoning", "tool")


def report(sizes: Sizes, figures: Figures) -> Iterator[str]:
    """Measure, and yield the lines of the section."""
    yield from (INTRODUCTION, "")
    yield from table(["", *READERS, f"{EVENTS} ÷ {BRIDGE}"], (_row(kind, sizes, figures) for kind in KINDS))


def _row(kind: str, sizes: Sizes, figures: Figures) -> list[str]:
    pieces = list(server.events(kind, sizes.deltas))
    samples = interleaved({name: partial(_drain, read, pieces) for name, read in READERS.items()}, sizes.rounds)
    row = figures.add("layers", f"{kind} delta from bytes, µs", samples, MICRO / sizes.deltas, EVENTS)
    values = [f"{row.medians[name]:.3g} ± {row.spreads[name]:.0%}" for name in READERS]
    return [f"{kind} delta", *values, ratio_text(row.ratios[BRIDGE])]


def _drain(read: Callable[[list[bytes]], Iterator[Any]], pieces: list[bytes]) -> None:
    for _ in read(pieces):
        """The item is dropped."""


def _fed(reader: Any, pieces: list[bytes]) -> Iterator[Any]:
    for piece in pieces:
        yield from reader.feed(piece, 0.0)
    yield from reader.close()


def _head() -> ResponseHead:
    return ResponseHead(200, {}, 0.0)


def _parsed(pieces: list[bytes]) -> Iterator[Any]:
    return _fed(StreamReader(_head(), None), pieces)


def _chunks(pieces: list[bytes]) -> Iterator[Any]:
    return _fed(StreamedMessage(_head(), BODY, idle=None, with_usage=True), pieces)


def native_events(pieces: list[bytes]) -> Iterator[Any]:
    """Yield the events that the package makes from the bytes of a stream."""
    return _fed(EventMessage(_head(), BODY, message_id="run", idle=None, with_usage=True), pieces)


def bridged_events(pieces: list[bytes]) -> Iterator[Any]:
    """Yield the events that langchain-core makes from the package's chunks."""
    return core_bridge()(_chunks(pieces), message_id="run")


READERS: dict[str, Callable[[list[bytes]], Iterator[Any]]] = {
    WIRE: _parsed, CHUNKS: _chunks, EVENTS: native_events, BRIDGE: bridged_events,
}  # fmt: skip
"""The columns, and the function of each."""
