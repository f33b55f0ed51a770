"""Waits until something is so, however long a busy machine takes."""

import asyncio
import time
from collections.abc import Callable

LONGEST = 60.0
"""Seconds. Only what never happens takes that long."""


async def until(is_so: Callable[[], object]) -> None:
    """Wait until a condition holds, while the event loop runs other tasks."""
    async with asyncio.timeout(LONGEST):
        while not is_so():  # noqa: ASYNC110 - no event is set by what happens on a server
            await asyncio.sleep(0.001)


def blocking_until(is_so: Callable[[], object]) -> None:
    """Wait until a condition holds, while other threads run."""
    end = time.monotonic() + LONGEST
    while not is_so():
        assert time.monotonic() < end, "it has never become so"
        time.sleep(0.001)
