"""How a measurement is made: contenders in turn, again and again, each time the CPU and the wall clock."""

import asyncio
import contextlib
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Job = Callable[[], Any]


@dataclass
class Samples:
    """Seconds of CPU and by the clock, one of each for a run."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def add(self, job: Job) -> None:
        """Run a job and note what it took."""
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        job()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)


def interleaved(jobs: Mapping[str, Job], rounds: int) -> dict[str, Samples]:
    """Run all jobs in turn, as often as said, after one run of each that does not count."""
    for job in jobs.values():
        job()
    samples = {name: Samples() for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            samples[name].add(job)
    return samples


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> float:
    """Half the distance between the quarter marks, in parts of the median."""
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / statistics.median(values)


@contextlib.contextmanager
def child(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run this Python with such arguments beside this process, and end it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run the server in a process of its own; gives its URL."""
    with child("-m", "tests.benchmarks.server") as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"


def drain(model: Any, prompt: Any) -> None:
    """Take a whole stream."""
    for _ in model.stream(prompt):
        """Nothing is done with it."""


async def adrain(model: Any, prompt: Any) -> None:
    """Take a whole stream, async."""
    async for _ in model.astream(prompt):
        """Nothing is done with it."""


def without_collector(job: Job) -> Job:
    """Make a job of the same with Python's garbage collector off."""

    def uncollected() -> Any:
        gc.disable()
        try:
            return job()
        finally:
            gc.enable()

    return uncollected


def on(runner: asyncio.Runner, work: Callable[[], Any], repeat: int = 1) -> Job:
    """Make a job of a coroutine; all of them run on one loop, as the clients' connections belong to it.

    Nothing is returned: of a result that a runner gives back, `signal` writes the repr into an error that it drops, and
    that took as long as the call.
    """

    async def job() -> None:
        for _ in range(repeat):
            await work()

    return lambda: runner.run(job())


def often(work: Callable[[], Any], repeat: int = 1) -> Job:
    """Make a job of a call."""

    def job() -> None:
        for _ in range(repeat):
            work()

    return job
