"""Load test: a thousand streams at once, rounds of them with cancellations, and thousands of models.

The server runs in a separate process. The figures are printed and written to the end of `docs/faults.md`.
"""

import asyncio
import gc
import multiprocessing
import os
import random
import resource
import statistics
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply

REPORT = Path(__file__).parents[1] / "docs" / "faults.md"
SOAK = "<!-- soak -->"
KEY = "no-key-needed"
STREAMS = 1_000
DELTAS, PAUSE = 100, 0.02
MODELS = 5_000
TRACED = 200
ROUNDS = 50
MOST_SECONDS = 480
"""The rounds end after this time on a slow machine."""
CANCELLED = 0.1
SEED = 1
WAYS = ("invoke", "stream", "ainvoke", "astream")
TEXT = "word " * DELTAS


def serve(pipe: Connection) -> None:
    """Run the server: send its URL, wait for the command to stop, and send the number of connections."""
    with Emulator() as openrouter:
        openrouter.behave(pause=PAUSE)
        openrouter.script(Reply(text=TEXT), times=None)
        pipe.send(openrouter.base_url)
        if pipe.recv() == "quickly":
            openrouter.behave(pause=0.0)
            pipe.send("done")
            pipe.recv()
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


def open_files() -> int:
    """Return the number of open files and sockets of this process; 0 on systems without `/proc`."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


async def one_stream(model: ChatKimi, first: list[float]) -> bool:
    """Read one stream to its end, and return whether it was complete."""
    began = time.perf_counter()
    text: list[str] = []
    async for chunk in model.astream("Go on."):
        if not text:
            first.append(time.perf_counter() - began)
        text.append(chunk.text)
    return "".join(text).split() == TEXT.split()


async def streams(base_url: str) -> list[str]:
    """Read all streams at once, and return the lines of the report."""
    model = ChatKimi(api_key=KEY, base_url=base_url, timeout=300, max_retries=0)
    first: list[float] = []
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    whole = await asyncio.gather(*(one_stream(model, first) for _ in range(STREAMS)), return_exceptions=True)
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
    task = asyncio.create_task(one_stream(model, []))
    await asyncio.sleep(seconds)
    task.cancel()
    if twice:
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


async def rounds(base_url: str) -> list[str]:
    """Run rounds of streams at once, cancel some of each round, and return the lines of the report."""
    chance = random.Random(SEED)  # noqa: S311 - no secret
    model = ChatKimi(api_key=KEY, base_url=base_url, timeout=300, max_retries=0)
    stopped = int(STREAMS * CANCELLED)
    figures: list[tuple[float, int, int]] = []
    began, failed, not_cancelled = time.perf_counter(), 0, 0
    while len(figures) < ROUNDS and time.perf_counter() - began < MOST_SECONDS:
        moments = [chance.uniform(0, DELTAS * PAUSE) for _ in range(stopped)]
        ends = asyncio.gather(*(cancelled(model, moment, twice=chance.random() < 0.5) for moment in moments))  # noqa: PLR2004 - half of them
        whole = await asyncio.gather(*(one_stream(model, []) for _ in range(STREAMS - stopped)), return_exceptions=True)
        not_cancelled += (await ends).count(False)
        failed += len(whole) - whole.count(True)
        # The loop closes the sockets and drops the tasks in its next steps.
        await asyncio.sleep(0.1)
        gc.collect()
        figures.append((resident() / 2**20, open_files(), len(asyncio.all_tasks())))
        print(f"round {len(figures)}: {figures[-1]}, {failed} failed, {not_cancelled} not cancelled", flush=True)
    await model.aclose()
    memory, files, tasks = zip(*figures, strict=True)
    middle = len(figures) // 2
    what = f"{len(figures)} rounds of {STREAMS:,} streams at once, {CANCELLED:.0%} of them cancelled at random"
    sizes = f"{memory[0]:.0f}, {memory[middle]:.0f}, {memory[-1]:.0f} MiB"
    counts = f"{files[0]}, {files[middle]}, {files[-1]}"
    return [
        f"| {what} | {failed} of the others failed, {not_cancelled} ended before they were cancelled |",
        f"| memory after the first, the middle and the last round | {sizes} |",
        f"| open files after the first, the middle and the last round, with 100 idle connections | {counts} |",
        f"| tasks after each round, at most | {max(tasks)} |",
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
    with server() as (base_url, pipe):
        lines = asyncio.run(streams(base_url))
        lines += asyncio.run(rounds(base_url))
        pipe.send("quickly")
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
