"""Many paced streams at once, in a process of its own: `python -m tests.benchmarks.crowd <contender> <url> <streams>`.

It prints one JSON object, see `Crowd.told`.
"""

import asyncio
import gc
import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.contenders import MOST, OURS, RARE, RARELY, crowded, floors, products
from tests.benchmarks.measuring import child

STATUS = Path("/proc/self/status")
LONGEST = 300.0
"""Seconds that a crowd may take."""
MEBI = 1024
"""KiB in a MiB."""


def memory(kind: str) -> float:
    """This process's memory in KiB: `VmRSS`, or `VmHWM`, the most so far; without the kernel's word the latter."""
    if STATUS.exists():
        return next(float(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(kind))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Crowd:
    """Streams of one model, and what is seen of them."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._firsts: list[float] = []
        self._open = 0
        self._most_open = 0

    async def figures(self, streams: int) -> dict[str, float]:
        """Run so many streams at once after one that does not count.

        Gives the seconds of CPU and by the clock, the median of the first tokens in seconds, the growth of memory in
        MiB, the most streams that were open at once (their first token had come and not their last), and how many
        failed or were not done after `LONGEST` seconds. What a contender's pool lets wait is not open, and holds no
        memory.
        """
        await self._one(0.0)
        self._firsts.clear()
        before = memory("VmRSS")
        cpu, began = time.process_time(), time.perf_counter()
        tasks = [asyncio.create_task(self._one(began)) for _ in range(streams)]
        done, late = await asyncio.wait(tasks, timeout=LONGEST)
        never = [LONGEST] * (streams - len(self._firsts))
        figures = {
            "cpu": time.process_time() - cpu,
            "wall": time.perf_counter() - began,
            "first": statistics.median([*self._firsts, *never]),
            "memory": (memory("VmHWM") - before) / MEBI,
            "open": self._most_open,
            "failed": len(late) + sum(task.exception() is not None for task in done),
        }
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if client := getattr(self._model, "http_async_client", None):
            await client.aclose()
        return figures

    async def _one(self, began: float) -> None:
        is_open = False
        try:
            async for _ in self._model.astream("Say something."):
                if not is_open:
                    is_open = True
                    self._firsts.append(time.perf_counter() - began)
                    self._open += 1
                    self._most_open = max(self._most_open, self._open)
        finally:
            self._open -= is_open


def measured(name: str, url: str, streams: int) -> dict[str, float]:
    """Measure one contender in a process of its own."""
    with child("-m", "tests.benchmarks.crowd", name, url, str(streams)) as process:
        figures, _ = process.communicate()
    parsed: dict[str, float] = json.loads(figures.splitlines()[-1])
    return parsed


def main(name: str, url: str, streams: str) -> None:
    """Run one contender and print what it took."""
    makers = {**floors(), **products(), **crowded()}
    model = makers[name](url, **({"max_connections": MOST} if name in {OURS, RARELY} else {}))
    if name == RARELY:
        gc.set_threshold(*RARE)
    print(json.dumps(asyncio.run(Crowd(model).figures(int(streams)))))  # noqa: T201 - how the result is told


if __name__ == "__main__":
    main(*sys.argv[1:])
