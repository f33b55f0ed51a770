"""Measure many paced streams at once: `python -m tests.benchmarks.crowd <contender> <url> <streams>`.

The command prints one JSON object, see `Crowd.figures`.
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

from tests.benchmarks.contenders import MOST, OURS, RARE, RARE_GC, baselines, crowded, products
from tests.benchmarks.measuring import child

STATUS = Path("/proc/self/status")
LONGEST = 300.0
"""The most seconds of a measurement."""
MEBI = 1024
"""KiB in a MiB."""


def memory(kind: str) -> float:
    """Return the memory of this process in KiB: `VmRSS` or, as a peak, `VmHWM`. Without `/proc`, return the peak."""
    if STATUS.exists():
        return next(float(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(kind))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Crowd:
    """Many streams of one model, and their figures."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._firsts: list[float] = []
        self._open = 0
        self._most_open = 0

    async def figures(self, streams: int) -> dict[str, float]:
        """Run streams at once, after one uncounted stream.

        Args:
            streams: The number of streams.

        Returns:
            The CPU and wall time in seconds, the median time to the first token in seconds, the growth of memory in
            MiB, the most streams that were open at once (with their first token and without their last), and the
            number that failed or had not ended after `LONGEST` seconds. Streams that wait in a pool are not open.
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
    """Measure one contender in a separate process."""
    with child("-m", "tests.benchmarks.crowd", name, url, str(streams)) as process:
        figures, _ = process.communicate()
    parsed: dict[str, float] = json.loads(figures.splitlines()[-1])
    return parsed


def main(name: str, url: str, streams: str) -> None:
    """Run one contender and print its figures."""
    makers = {**baselines(), **products(), **crowded()}
    model = makers[name](url, **({"max_connections": MOST} if name in {OURS, RARE_GC} else {}))
    if name == RARE_GC:
        gc.set_threshold(*RARE)
    print(json.dumps(asyncio.run(Crowd(model).figures(int(streams)))))  # noqa: T201 - the result goes to the parent process


if __name__ == "__main__":
    main(*sys.argv[1:])
