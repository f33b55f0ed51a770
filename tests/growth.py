"""Check that the time of a function grows in proportion to the size of its input."""

import gc
import time
from collections.abc import Callable

MOST_GROWTH = 2.6
"""For twice the size. Linear work takes twice the time, quadratic work four times."""
LONG_ENOUGH = 0.002
"""Seconds. Sizes are doubled until a run takes this long or the size is large, because shorter times are noise."""
LARGE_ENOUGH = 2**18
ROUNDS = 30


def assert_linear(function: Callable[[int], object], size: int = 1000) -> None:
    """Assert that the time for n, 2n and 4n grows by at most `MOST_GROWTH` with each doubling.

    Each time is the shortest of several runs of this thread's processor time. A busy machine makes single runs longer,
    so the runs are repeated until the growth is small enough. They never become so for quadratic work.
    """
    gc.disable()
    try:
        while size < LARGE_ENOUGH and _seconds(function, size) < LONG_ENOUGH:
            size *= 2
        shortest = [_seconds(function, size * times) for times in (1, 2, 4)]
        for number in range(ROUNDS):
            if number and all(
                later <= MOST_GROWTH * max(shortest[at], LONG_ENOUGH) for at, later in enumerate(shortest[1:])
            ):
                return
            shortest = [min(best, _seconds(function, size << at)) for at, best in enumerate(shortest)]
    finally:
        gc.enable()
    raise AssertionError(f"Sizes from {size}, doubled twice, take {shortest} seconds.")


def _seconds(function: Callable[[int], object], size: int) -> float:
    start = time.thread_time()
    function(size)
    return time.thread_time() - start
