"""Measure the cost of the repairs on healthy streams: the same replies with repairs on and off, in one run.

python -m tests.benchmarks.repairs [--deltas 2000] [--rounds 31]

A sample is a pair of runs, one with repairs and one without, and the figure is the median of the samples' ratios, so
that other load on the machine affects both sides alike. Each reply is read from its bytes to LangChain's chunks: once
from memory, one event at a time, and once over loopback by `ChatKimi.stream`.
"""

import argparse
import collections
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._kimi.repairs import chosen_repairs
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi._reply.streamed import StreamedMessage
from tests.benchmarks.contenders import OURS, TOOL, products
from tests.benchmarks.measuring import Job, Samples, drain, interleaved, median, server, spread
from tests.benchmarks.server import DELTAS, FACTS
from tests.benchmarks.tables import Figures, table

MICRO = 1e6
ON, OFF = "all", "none"
PROMPT = "Say something."
HEAD = ["healthy reply", "repairs off, µs per delta", "repairs on, µs per delta", "on ÷ off", "±"]


@dataclass(frozen=True)
class Reply:
    """A healthy reply: the kind of its deltas, and whether a tool was offered."""

    kind: str
    has_tools: bool = True

    @property
    def title(self) -> str:
        """The title in the table."""
        return f"{self.kind} deltas{', a tool bound' if self.has_tools else ''}"


REPLIES = (Reply("text", has_tools=False), Reply("text"), Reply("reasoning"), Reply("tool"))


def events(kind: str, count: int) -> list[bytes]:
    """Return the events of a reply, each as the bytes of one read."""
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": DELTAS[kind](number, count), "finish_reason": None} for number in range(count)
    ]
    choices.append({"index": 0, "delta": {"content": "."}, "finish_reason": "tool_calls" if kind == "tool" else "stop"})
    return [f"data: {json.dumps({**FACTS, 'choices': [choice]})}\n\n".encode() for choice in choices]


def reading(reply: Reply, count: int, repairs: str) -> Job:
    """Return a job that reads a reply from memory."""
    sent = events(reply.kind, count)
    tools = {"tools": [TOOL]} if reply.has_tools else {}
    body = cast("WireBody", {"model": FACTS["model"], "messages": [{"role": "user", "content": PROMPT}], **tools})
    repair_options = RepairOptions(chosen_repairs(repairs))

    def read() -> None:
        message = StreamedMessage(
            ResponseHead(200, {}, 0.0), body, idle=None, with_usage=True, repair_options=repair_options
        )
        for event in sent:
            collections.deque(message.feed(event, 0.0), maxlen=0)
        collections.deque(message.close(), maxlen=0)

    return read


def streaming(url: str, reply: Reply, count: int, repairs: str) -> Job:
    """Return a job that streams a reply over loopback."""
    model = products()[OURS](f"{url}/{reply.kind}/{count}/each", repairs=repairs)
    return partial(drain, model.bind_tools([TOOL]) if reply.has_tools else model, PROMPT)


def rows(url: str, count: int, rounds: int, figures: Figures) -> Iterator[list[str]]:
    """Measure, and yield the rows of the table."""
    ways: dict[str, Callable[..., Job]] = {"from memory": reading, "over loopback": partial(streaming, url)}
    for way, make in ways.items():
        for reply in REPLIES:
            jobs = {repairs: make(reply, count, repairs) for repairs in (OFF, ON)}
            title, samples = f"{reply.title}, {way}", interleaved(jobs, rounds)
            figures.add("repairs", f"{title}, µs per delta", samples, MICRO / count, ON)
            yield [title, *_cells(samples, count)]


def _cells(samples: dict[str, Samples], count: int) -> list[str]:
    off, on = samples[OFF].cpu, samples[ON].cpu
    ratios = [repaired / plain for repaired, plain in zip(on, off, strict=True)]
    each = [f"{median(times) * MICRO / count:.2f}" for times in (off, on)]
    return [*each, f"**{median(ratios):.3f}**", f"{spread(ratios):.1%}"]


def report(count: int, rounds: int, figures: Figures) -> Iterator[str]:
    """Measure, and yield the lines of the table."""
    with server() as url:
        yield from table(HEAD, rows(url, count, rounds, figures))


def main(arguments: list[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure the cost of the repairs on healthy streams.")
    parser.add_argument("--deltas", type=int, default=2000, help="the number of deltas of each reply")
    parser.add_argument("--rounds", type=int, default=31, help="the number of pairs of runs")
    chosen = parser.parse_args(arguments)
    for line in report(chosen.deltas, chosen.rounds, Figures()):
        print(line, flush=True)  # noqa: T201 - this is a command


if __name__ == "__main__":
    main()
