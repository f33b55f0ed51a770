"""Many paced streams at once, in a process of its own: `python -m tests.benchmarks.crowd <contender> <url> <streams>`.

It prints one JSON object: CPU and wall seconds, the median of the first tokens in seconds, and the growth of memory.
"""

import asyncio
import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.contenders import MOST, OURS, floors, products, transports
from tests.benchmarks.measuring import child

STATUS = Path("/proc/self/status")
MEBI = 1024
"""KiB in a MiB."""


def _peak() -> float:
    """The most memory so far, in KiB. The kernel's status begins anew with a program, `getrusage` with its parent."""
    if STATUS.exists():
        return next(float(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def _one(model: Any, began: float, firsts: list[float]) -> None:
    is_first = True
    async for _ in model.astream("Say something."):
        if is_first:
            firsts.append(time.perf_counter() - began)
            is_first = False


async def _all(model: Any, streams: int) -> dict[str, float]:
    await _one(model, 0.0, [])
    memory = _peak()
    firsts: list[float] = []
    cpu, began = time.process_time(), time.perf_counter()
    async with asyncio.timeout(300):
        results = await asyncio.gather(*(_one(model, began, firsts) for _ in range(streams)), return_exceptions=True)
    failed = sum(isinstance(result, BaseException) for result in results)
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - began,
        "first": statistics.median(firsts),
        "memory": (_peak() - memory) / MEBI,
        "failed": failed,
    }


def measured(name: str, url: str, streams: int) -> dict[str, float]:
    """Measure one contender in a process of its own."""
    with child("-m", "tests.benchmarks.crowd", name, url, str(streams)) as process:
        told, _ = process.communicate()
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found


def main(name: str, url: str, streams: str) -> None:
    """Run one contender and print what it took."""
    makers = {**floors(), **products(), **transports()}
    model = makers[name](url, **({"max_connections": MOST} if name == OURS else {}))
    print(json.dumps(asyncio.run(_all(model, int(streams)))))  # noqa: T201 - how the result is told


if __name__ == "__main__":
    main(*sys.argv[1:])
