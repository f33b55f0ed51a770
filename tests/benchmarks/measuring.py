"""Measure the CPU and wall time of jobs that take turns."""

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
    """The CPU and wall time of each run, in seconds."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def add(self, job: Job, *, collects: bool = True) -> None:
        """Run a job and record its times, by default after a complete garbage collection."""
        if collects:
            gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        job()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)


def interleaved(
    jobs: Mapping[str, Job], rounds: int, *, warm_up: bool = True, fewer: Mapping[str, int] | None = None
) -> dict[str, Samples]:
    """Run all jobs in turn, and return their times.

    Args:
        jobs: The jobs by name.
        rounds: The number of runs of each job.
        warm_up: Whether each job runs once before, uncounted.
        fewer: The number of runs of some jobs, if it is smaller.

    Returns:
        The times by the name of the job.
    """
    for job in jobs.values() if warm_up else ():
        job()
    samples = {name: Samples() for name in jobs}
    limits = dict.fromkeys(jobs, rounds) | dict(fewer or {})
    for number in range(rounds):
        for name, job in jobs.items():
            if number < limits[name]:
                samples[name].add(job)
    return samples


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> float:
    """Return half the interquartile range, divided by the median."""
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / statistics.median(values)


@contextlib.contextmanager
def child(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Run this Python with these arguments in a child process, and end it afterwards."""
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
    """Run the server in a separate process, and yield its URL."""
    with child("-m", "tests.benchmarks.server") as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"


def drain(model: Any, prompt: Any) -> None:
    """Read a stream to its end."""
    for _ in model.stream(prompt):
        """The chunk is dropped."""


async def adrain(model: Any, prompt: Any) -> None:
    """Read an async stream to its end."""
    async for _ in model.astream(prompt):
        """The chunk is dropped."""


def drain_events(model: Any, prompt: Any) -> None:
    """Read the events of a stream to their end."""
    for _ in model.stream_events(prompt, version="v3"):
        """The event is dropped."""


async def adrain_events(model: Any, prompt: Any) -> None:
    """Read the events of an async stream to their end."""
    async for _ in await model.astream_events(prompt, version="v3"):
        """The event is dropped."""


def without_collector(job: Job) -> Job:
    """Return a job that runs another one with the garbage collector off."""

    def without_gc() -> Any:
        gc.disable()
        try:
            return job()
        finally:
            gc.enable()

    return without_gc


def async_job(runner: asyncio.Runner, work: Callable[[], Any], repeat: int = 1) -> Job:
    """Return a job that awaits a coroutine function `repeat` times, on the one loop that owns the clients' connections.

    The job returns nothing: `asyncio.Runner` restores the signal handler through `signal`, which formats the repr of
    the result for an error that is dropped. For a large result this took as long as the call.
    """

    async def job() -> None:
        for _ in range(repeat):
            await work()

    return lambda: runner.run(job())


def sync_job(work: Callable[[], Any], repeat: int = 1) -> Job:
    """Return a job that makes a call `repeat` times."""

    def job() -> None:
        for _ in range(repeat):
            work()

    return job
