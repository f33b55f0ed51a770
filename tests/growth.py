"""Check that the time of a function grows in proportion to the size of its input."""

import gc
import sys
import time
from collections.abc import Callable

MOST_GROWTH = 6.8
"""For four times the size. Linear work takes four times as long, quadratic work sixteen times."""
LONG_ENOUGH = 0.002
"""Seconds. Sizes are doubled until a run takes this long or the size is large, because shorter times are noise."""
LARGE_ENOUGH = 2**18
CERTAIN = 13.0
"""Growth that no noise explains after a few runs."""
ROUNDS, FEW_ROUNDS = 15, 3
LARGER = 4
"""Sizes to start from. Where the data outgrows a processor cache, or is allocated as pages of its own, linear work has
one step of more than its share, which larger sizes do not have. Quadratic work exceeds the limit from every size."""
LONGEST = 0.5
"""Seconds. No larger size is tried after a run of this time."""


def assert_linear(
    function: Callable[[int], object], size: int = 1000, clock: Callable[[], float] = time.thread_time
) -> None:
    """Assert that four times the size takes at most `MOST_GROWTH` times as long.

    Each time is the shortest of several runs of this thread's processor time. A busy machine makes single runs longer,
    so the runs are repeated until the growth is small enough. It never is for quadratic work. They are not traced for
    coverage, which makes them several times as long.
    """

    def seconds(of_size: int) -> float:
        start = clock()
        function(of_size)
        return clock() - start

    measured = []
    tracer = sys.gettrace()
    sys.settrace(None)
    gc.disable()
    try:
        while size < LARGE_ENOUGH and seconds(size) < LONG_ENOUGH:
            size *= 2
        for start in (size << step for step in range(LARGER)):
            small, large = seconds(start), seconds(4 * start)
            for number in range(ROUNDS):
                limit = max(small, LONG_ENOUGH)
                if large <= MOST_GROWTH * limit:
                    return
                if number >= FEW_ROUNDS and large > CERTAIN * limit:
                    break
                small, large = min(small, seconds(start)), min(large, seconds(4 * start))
            measured.append(f"{start}: {small:.4f} s, {4 * start}: {large:.4f} s")
            if large > LONGEST:
                break
    finally:
        gc.enable()
        sys.settrace(tracer)
    raise AssertionError(f"The time grows faster than the size. {'; '.join(measured)}")
