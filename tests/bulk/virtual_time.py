"""An event loop whose clock jumps to the next timer, so that tests wait for no real time."""

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop for code without I/O."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = 0.0

    def time(self) -> float:
        return self._seconds

    def _run_once(self) -> None:
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # there is no public list
        while timers and timers[0].cancelled():
            heapq.heappop(timers)._scheduled = False  # type: ignore[attr-defined]  # as asyncio marks removed timers
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]  # asyncio counts them
        if timers and not self._ready:  # type: ignore[attr-defined]  # there is no public list
            self._seconds = max(self._seconds, timers[0].when())
        super()._run_once()  # type: ignore[misc]  # asyncio's own step


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def now() -> float:
    """Return the time of the running loop."""
    return asyncio.get_running_loop().time()
