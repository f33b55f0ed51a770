"""Measure how the time of a function grows with the size of its input."""

import time
from collections.abc import Callable

ROUNDS = 5
SHORTEST = 0.0005
"""Seconds: the growth of shorter times is noise."""


def growth_of(function: Callable[[int], object], size: int) -> float:
    """Return the ratio of the times for twice the size and for the size: about 2 if the time is linear, 4 if quadratic.

    Each time is the shortest of several runs of this thread's processor time, so a busy machine does not change it.
    """
    return _shortest(function, 2 * size) / max(_shortest(function, size), SHORTEST)


def _shortest(function: Callable[[int], object], size: int) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        function(size)
        times.append(time.thread_time() - start)
    return min(times)
