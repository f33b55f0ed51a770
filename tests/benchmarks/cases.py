"""The kinds of calls that are measured."""

import asyncio
import collections
import gc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from tests.benchmarks.contenders import BASELINE, OURS, TOOL
from tests.benchmarks.measuring import (
    Job,
    Samples,
    adrain,
    adrain_events,
    async_job,
    drain,
    drain_events,
    sync_job,
    without_collector,
)

PROMPT = "Say something."
MICRO = 1e6
MILLI = 1e3
TEXT, UNSEEN, PLAIN = (1.0, 0.035, 0.17), (0.6, 0.02, 0.1), (1.0, 0.05, 0.5)
WITHOUT_GC = "ChatKimi, GC off"
SIZES = (100, 1_000, 10_000, 100_000)
LONG = 10_000
"""Longer streams are measured once, without a run before."""
MOST_CALL_DELTAS_OF_BASELINE = 10_000
Makers = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Case:
    """A kind of call.

    Attributes:
        title: The title in the report, with the unit.
        reply: The server's reply: its kind, its number of deltas, and how it is written.
        method: The model's method.
        repeat: The number of calls in a run.
        parts: The number by which the time of a call is divided.
        unit: The number of units in a second.
        has_tools: Whether a tool is bound.
        streaming: Whether `invoke` streams internally.
        messages: The number of messages of 1 KB that are sent; 0 for a short prompt.
        goals: The upper limits of ChatKimi's cost, divided by that of the core baseline, ChatOpenRouter and ChatOpenAI.
    """

    title: str
    reply: tuple[str, int, str]
    method: str
    repeat: int = 1
    parts: int = 1
    unit: float = MICRO
    has_tools: bool = False
    streaming: bool = False
    messages: int = 0
    goals: tuple[float, float, float] | None = None

    @property
    def is_async(self) -> bool:
        """Whether the calls are async."""
        return self.method.startswith("a")

    def jobs(self, makers: Makers, url: str, runner: asyncio.Runner) -> dict[str, Job]:
        """Return a job for each contender that supports this kind of call."""
        needs_model = self.has_tools or self.streaming or self.method.endswith("events")
        path = "/".join(map(str, self.reply))
        return {
            name: self._job(make(f"{url}/{path}", **({"streaming": True} if self.streaming else {})), runner)
            for name, make in makers.items()
            if not (needs_model and name in {"raw", "split"})
        }

    def per_part(self, seconds: float) -> float:
        """Return the time per part, in `unit`, from the seconds of a run."""
        return seconds * self.unit / self.repeat / self.parts

    def _job(self, model: Any, runner: asyncio.Runner) -> Job:
        if self.has_tools:
            model = model.bind_tools([TOOL])
        prompt = conversation(self.messages) if self.messages else PROMPT
        calls: dict[str, Callable[[], Any]] = {
            "stream": lambda: drain(model, prompt),
            "invoke": lambda: model.invoke(prompt),
            "astream": lambda: adrain(model, prompt),
            "ainvoke": lambda: model.ainvoke(prompt),
            "stream_events": lambda: drain_events(model, prompt),
            "astream_events": lambda: adrain_events(model, prompt),
        }
        call = calls[self.method]
        return async_job(runner, call, self.repeat) if self.is_async else sync_job(call, self.repeat)


def conversation(count: int) -> list[Any]:
    """Return a conversation of `count` messages of 1 KB."""
    text = "word " * 200
    return [(AIMessage if number % 2 else HumanMessage)(text) for number in range(count)]


def calls(size: int) -> Iterator[Case]:
    """Yield the kinds of calls; `size` is the number of deltas of a stream."""
    text, tool, thought = ("text", size, "each"), ("tool", size, "each"), ("reasoning", size, "each")
    few = max(1, size // 50)
    yield Case("text delta, stream, µs", text, "stream", parts=size, goals=TEXT)
    yield Case("text delta, astream, µs", text, "astream", parts=size, goals=TEXT)
    yield Case("text delta, 16 KiB writes, stream, µs", ("text", size, "whole"), "stream", parts=size)
    yield Case("text delta, a tool bound, stream, µs", text, "stream", parts=size, has_tools=True)
    yield Case("tool-call delta, stream, µs", tool, "stream", parts=size, has_tools=True, goals=(0.5, 0.04, 0.18))
    yield Case("tool-call delta, astream, µs", tool, "astream", parts=size, has_tools=True, goals=(0.5, 0.04, 0.18))
    yield Case("reasoning delta, stream, µs", thought, "stream", parts=size, goals=(0.9, 0.04, 0.2))
    yield Case("text delta, invoke, streaming=True, µs", text, "invoke", parts=size, streaming=True, goals=UNSEEN)
    yield Case("text delta, ainvoke, streaming=True, µs", text, "ainvoke", parts=size, streaming=True, goals=UNSEEN)
    yield Case("text delta, stream_events v3, µs", text, "stream_events", parts=size)
    yield Case("text delta, astream_events v3, µs", text, "astream_events", parts=size)
    yield Case("plain invoke, µs", ("plain", 20, "each"), "invoke", repeat=few, goals=PLAIN)
    yield Case("plain ainvoke, µs", ("plain", 20, "each"), "ainvoke", repeat=few, goals=PLAIN)
    yield Case(
        "a turn of 1,000 messages of 1 KB, ms", ("plain", 20, "each"), "invoke", unit=MILLI,
        repeat=3, messages=size // 2, goals=(1.3, 0.03, 0.03),
    )  # fmt: skip


def growth(most: int) -> Iterator[Case]:
    """Yield streams and conversations of growing length; `most` is the number of deltas of the longest stream."""
    kinds = [("text", method) for method in ("stream", "astream", "invoke", "ainvoke")]
    for kind, method in [*kinds, ("reasoning", "stream"), ("tool", "stream")]:
        for size in _sizes(SIZES, most):
            yield Case(
                f"{size:,} {kind} deltas, {method}", (kind, size, "each"), method,
                repeat=max(1, min(most, 2000) // size), parts=size, has_tools=kind == "tool",
                streaming="invoke" in method,
            )  # fmt: skip
    for size in _sizes((10, 100, 1_000, 10_000), most):
        repeat = max(1, min(most, 1000) // size)
        yield Case(f"{size:,} messages", ("plain", 20, "each"), "invoke", repeat=repeat, parts=size, messages=size)


def _sizes(sizes: tuple[int, ...], most: int) -> list[int]:
    return sorted({min(size, most) for size in sizes})


def growing(case: Case, makers: Makers, url: str, runner: asyncio.Runner) -> dict[str, Job]:
    """Return the jobs of a growing case: ChatKimi with and without garbage collection, and the baseline if feasible."""
    # The baseline takes minutes to sum a call of so many deltas.
    is_endless = case.has_tools and case.parts > MOST_CALL_DELTAS_OF_BASELINE
    jobs = case.jobs({name: make for name, make in makers.items() if name == OURS or not is_endless}, url, runner)
    return {**jobs, WITHOUT_GC: without_collector(jobs[OURS])}


def first_token(makers: Makers, url: str, rounds: int) -> dict[str, Samples]:
    """Measure the time to the first part of a stream, after one uncounted call per contender."""
    models = {name: make(f"{url}/text/3/each") for name, make in makers.items() if name != "split"}
    samples = {name: Samples() for name in models}
    for model in models.values():
        drain(model, PROMPT)
    for _ in range(rounds):
        # A complete garbage collection takes ten times as long as all first tokens of a round. It empties the caches of
        # the processor, so the call after it is not counted.
        gc.collect()
        drain(models["raw"], PROMPT)
        for name, model in models.items():
            stream = model.stream(PROMPT)
            samples[name].add(partial(next, stream), collects=False)
            # Reading to the end keeps the connection open for the next stream.
            collections.deque(stream, maxlen=0)
    return samples


def baseline_and_ours(makers: Makers) -> Makers:
    """Return only the baseline and ChatKimi, for cases that would take the others too long."""
    return {name: make for name, make in makers.items() if name in {BASELINE, OURS}}
