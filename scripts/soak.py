"""Load test: a thousand streams at once, rounds of them with cancellations, and thousands of models.

The server runs in a separate process. The results are printed and written to the end of `docs/faults.md`.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import random
import resource
import statistics
import sys
import threading
import time
import tracemalloc
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http.pool import MAX_IDLE
from langchain_kimi.testing import Emulator, Reply

REPORT = Path(__file__).parents[1] / "docs" / "faults.md"
SOAK = "<!-- soak -->"
KEY = "no-key-needed"
STREAMS = 1_000
DELTAS, PAUSE = 100, 0.02
DELTAS_IN_ROUNDS = 25
MODELS = 5_000
TRACED = 200
ROUNDS = 50
SHOWN = 5
"""Rounds in the report, from the first to the last one at equal distances."""
CANCELLED = 0.1
SEED = 1
PATIENT = {"connect": 300, "idle": 300}
"""All connections are opened at the same moment, which takes longer than a connection usually may on a busy machine."""
WAYS = ("invoke", "stream", "ainvoke", "astream")


def text_of(deltas: int) -> str:
    """Return a text that the server sends in this number of deltas."""
    return "word " * deltas


def serve(pipe: Connection) -> None:
    """Run the server: send its URL, send shorter texts at each pause received, and send the number of connections."""
    with Emulator() as openrouter:
        openrouter.behave(pause=PAUSE)
        openrouter.script(Reply(text=text_of(DELTAS)), times=None)
        pipe.send(openrouter.base_url)
        while isinstance(pause := pipe.recv(), float):
            openrouter.clear()
            openrouter.behave(pause=pause)
            openrouter.script(Reply(text=text_of(DELTAS_IN_ROUNDS)), times=None)
            pipe.send("done")
        pipe.send(openrouter.connections_opened)


@contextmanager
def server() -> Iterator[tuple[str, Connection]]:
    """Run the server in a separate process, and yield its URL and a pipe to it."""
    near, far = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(far,))
    process.start()
    try:
        yield near.recv(), near
    finally:
        process.terminate()
        process.join()


def open_files(prefix: str = "") -> int:
    """Return the number of open files and sockets of this process whose target begins with a prefix.

    It is 0 on systems without `/proc`.
    """
    count, listed = 0, Path("/proc/self/fd")
    for file in listed.iterdir() if listed.exists() else ():
        # The directory that is being listed has a descriptor of its own, which is closed by now.
        with suppress(FileNotFoundError):
            count += str(file.readlink()).startswith(prefix)
    return count


class Round(NamedTuple):
    """The resources of the process after a round, when all its streams have ended."""

    memory: float
    """The resident memory in MiB."""
    files: int
    sockets: int
    tasks: int
    threads: int
    seconds: float

    @classmethod
    def measure(cls, began: float) -> "Round":
        """Return the figures of this moment."""
        return cls(
            round(resident() / 2**20, 1),
            open_files(),
            open_files("socket:"),
            len(asyncio.all_tasks()),
            threading.active_count(),
            round(time.perf_counter() - began, 1),
        )


async def one_stream(model: ChatKimi, first: list[float], deltas: int) -> bool:
    """Read one stream to its end, and return whether it was complete."""
    began = time.perf_counter()
    text: list[str] = []
    async for chunk in model.astream("Go on."):
        if not text:
            first.append(time.perf_counter() - began)
        text.append(chunk.text)
    return "".join(text).split() == text_of(deltas).split()


async def streams(base_url: str) -> list[str]:
    """Read all streams at once, and return the lines of the report."""
    model = ChatKimi(api_key=KEY, base_url=base_url, timeout=PATIENT, max_retries=0)
    first: list[float] = []
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    whole = await asyncio.gather(*(one_stream(model, first, DELTAS) for _ in range(STREAMS)), return_exceptions=True)
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    await model.aclose()
    failed = {type(one).__name__ for one in whole if one is not True}
    what = f"{STREAMS:,} streams at once on one model, {DELTAS} deltas each, one every {PAUSE * 1000:g} ms"
    return [
        f"| {what} | {whole.count(True):,} whole, {STREAMS - whole.count(True)} failed {' '.join(sorted(failed))}|",
        f"| time for all streams ({DELTAS * PAUSE:g} s would be ideal) | {took:.1f} s |",
        f"| CPU of the client for all streams | {after.ru_utime - before.ru_utime:.1f} s |",
        f"| first token, median and last | {statistics.median(first):.2f} s, {max(first):.2f} s |",
        f"| growth of the process at its peak | {(after.ru_maxrss - before.ru_maxrss) / 1024:.0f} MiB |",
    ]


async def cancelled(model: ChatKimi, seconds: float, *, twice: bool) -> bool:
    """Begin a stream, cancel it after some seconds, and return whether it ended as cancelled."""
    task = asyncio.create_task(one_stream(model, [], DELTAS_IN_ROUNDS))
    await asyncio.sleep(seconds)
    task.cancel()
    if twice:
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


async def rounds(base_url: str, count: int) -> list[str]:
    """Run rounds of streams at once, cancel some of each round, and return the lines of the report."""
    chance = random.Random(SEED)  # noqa: S311 - no secret
    model = ChatKimi(api_key=KEY, base_url=base_url, timeout=PATIENT, max_retries=0)
    stopped = int(STREAMS * CANCELLED)
    figures: list[Round] = []
    failed: Counter[str] = Counter()
    not_cancelled = 0
    for _ in range(count):
        began = time.perf_counter()
        moments = [chance.uniform(0, DELTAS_IN_ROUNDS * PAUSE) for _ in range(stopped)]
        ends = asyncio.gather(*(cancelled(model, moment, twice=chance.random() < 0.5) for moment in moments))  # noqa: PLR2004 - half of them
        whole = await asyncio.gather(
            *(one_stream(model, [], DELTAS_IN_ROUNDS) for _ in range(STREAMS - stopped)), return_exceptions=True
        )
        not_cancelled += (await ends).count(False)
        failed.update(repr(one)[:200] for one in whole if one is not True)
        # The loop closes the sockets and drops the tasks in its next steps.
        await asyncio.sleep(0.1)
        gc.collect()
        figures.append(Round.measure(began))
        print(f"round {len(figures)}: {figures[-1]}, failed {dict(failed)}, {not_cancelled} not cancelled", flush=True)
    await model.aclose()
    _, _, _, tasks, threads, seconds = zip(*figures, strict=True)
    shown = sorted({round(part * (count - 1) / (SHOWN - 1)) for part in range(SHOWN)})
    of_rounds = ", ".join(str(number + 1) for number in shown)

    def listed(name: str) -> str:
        return ", ".join(f"{getattr(figures[number], name):.0f}" for number in shown)

    what = (
        f"{count} rounds of {STREAMS:,} streams at once, {DELTAS_IN_ROUNDS} deltas each, {CANCELLED:.0%} of them "
        f"cancelled at random, once or twice"
    )
    return [
        f"| {what} | {failed.total()} of the others failed, {not_cancelled} ended before they were cancelled |",
        f"| memory after the rounds {of_rounds} | {listed('memory')} MiB |",
        f"| open files after them, with the idle connections | {listed('files')} |",
        f"| sockets after them: {MAX_IDLE} idle connections, and those of the loop | {listed('sockets')} |",
        f"| tasks and threads after each round, at most | {max(tasks)}, {max(threads)} |",
        f"| time of a round, median and longest | {statistics.median(seconds):.1f} s, {max(seconds):.1f} s |",
    ]


def use_models(base_url: str, times: int) -> None:
    """Create models, use each once, and drop it: in the four ways in turn, each async call in a new event loop."""
    for number in range(times):
        model, way = ChatKimi(api_key=KEY, base_url=base_url), WAYS[number % len(WAYS)]
        if way == "invoke":
            model.invoke("Hello.")
        elif way == "stream":
            deque(model.stream("Hello."), maxlen=0)
        else:
            asyncio.run(use_async(model, way))


async def use_async(model: ChatKimi, way: str) -> None:
    """Make one async call."""
    if way == "ainvoke":
        await model.ainvoke("Hello.")
    else:
        async for _ in model.astream("Hello."):
            pass


def resident() -> int:
    """Return the resident memory of this process in bytes; 0 on systems without `/proc`."""
    status = Path("/proc/self/statm")
    return int(status.read_text(encoding="ascii").split()[1]) * resource.getpagesize() if status.exists() else 0


def models(base_url: str) -> list[str]:
    """Create, use and drop models, and return the lines of the report."""
    use_models(base_url, TRACED)
    gc.collect()
    files, memory, began = open_files(), resident(), time.perf_counter()
    use_models(base_url, MODELS)
    took = time.perf_counter() - began
    gc.collect()
    grown = (resident() - memory) / 1024
    # The traced run is separate, because tracing takes time.
    tracemalloc.start()
    use_models(base_url, len(WAYS))
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    use_models(base_url, TRACED)
    gc.collect()
    left = (tracemalloc.get_traced_memory()[0] - before) / TRACED
    tracemalloc.stop()
    return [
        f"| {MODELS:,} models, each used once (the four ways in turn) | {took / MODELS * 1000:.1f} ms each |",
        f"| growth of the process over all models | {grown:,.0f} KiB |",
        f"| memory that each model left allocated | {left:.0f} bytes |",
        f"| sockets and files that the models left open | {open_files() - files} |",
    ]


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"the rounds with cancellations (default {ROUNDS})")
    count = parser.parse_args().rounds
    with server() as (base_url, pipe):
        lines = asyncio.run(streams(base_url))
        pipe.send(PAUSE)
        pipe.recv()
        lines += asyncio.run(rounds(base_url, count))
        pipe.send(0.0)
        pipe.recv()
        lines += models(base_url)
        pipe.send("stop")
        lines.append(f"| connections in total | {pipe.recv():,} |")
    where = f"httpx {version('httpx')}, langchain-core {version('langchain-core')}, Python {sys.version.split()[0]}"
    status = (
        f"Measured by `scripts/soak.py` over loopback with {where}, the server in a separate process, on "
        f"{os.cpu_count()} cores. Other load on the machine lengthens the times."
    )
    head = [SOAK, "", "## Under load", "", status, "", "| measurement | result |", "| --- | --- |"]
    print("\n".join(lines))
    report = REPORT.read_text(encoding="utf-8").partition(SOAK)[0]
    REPORT.write_text(report + "\n".join([*head, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
