"""The memory and files that stay after many calls, and a profile of a stream."""

import asyncio
import cProfile
import gc
import pstats
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.cases import PROMPT
from tests.benchmarks.crowd import memory
from tests.benchmarks.measuring import ROOT, adrain, drain, without_collector

FILES = Path("/proc/self/fd")
ADDRESS = re.compile(r" at 0x\w+")
STEPS = 5
TOP = 10


def calls(make: Callable[[str], Any], url: str, runner: asyncio.Runner, most: int) -> Iterator[list[str]]:
    """Make `most` calls, a quarter in each way, and yield the memory and open files of this process after each step."""
    plain, stream = make(f"{url}/plain/20/each"), make(f"{url}/text/3/each")

    async def async_calls(count: int) -> None:
        for _ in range(count):
            await plain.ainvoke(PROMPT)
            await adrain(stream, PROMPT)

    def step(count: int) -> None:
        for _ in range(count):
            plain.invoke(PROMPT)
            drain(stream, PROMPT)
        runner.run(async_calls(count))
        gc.collect()

    step(max(1, most // 100))
    for number in range(STEPS + 1):
        if number:
            step(most // STEPS // 4)
        yield [f"{number * most // STEPS:,}", f"{memory('VmRSS') / 1024:.1f}", f"{len(list(FILES.iterdir()))}"]


def profile(model: Any) -> Iterator[list[str]]:
    """Profile a stream, and yield the functions with the most own time, each with its share of the total.

    The garbage collector is off, because its time would count for the function that happens to trigger it.
    """
    drain(model, PROMPT)
    # Other load on the machine takes no part of this process's CPU time.
    profiler = cProfile.Profile(time.process_time)
    without_collector(partial(profiler.runcall, drain, model, PROMPT))()
    stats = pstats.Stats(profiler).get_stats_profile()
    for name, one in sorted(stats.func_profiles.items(), key=lambda item: -item[1].tottime)[:TOP]:
        share = f"{one.tottime / stats.total_tt:.0%}"
        yield [f"`{ADDRESS.sub('', name)}`", _place(Path(one.file_name)), one.ncalls, share]


def _place(file: Path) -> str:
    """Return the path of a file of the package, and of others the last two parts; built-in functions have none."""
    if str(file) == "~":
        return ""
    is_ours = file.is_relative_to(ROOT / "langchain_kimi")
    return file.relative_to(ROOT).as_posix() if is_ours else "/".join(file.parts[-2:])
