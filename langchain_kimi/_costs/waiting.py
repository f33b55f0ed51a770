"""Let calls wait in line until a budget has enough left for them, in threads and in event loops."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Attempt = Callable[[], bool]
"""Reserves the amount of a call, and returns whether it succeeded. It raises an error if it can never succeed."""
POLL = 0.1
"""Seconds between attempts if this process is not notified when calls end, because they may be in other processes."""
_DAY = 24 * 3600.0


class Line:
    """The calls that wait for one budget, first come, first served. Only the first one makes attempts.

    Args:
        is_shared: Whether other processes have calls too, whose end is not notified here.
        now: Returns the seconds of a monotonic clock.
    """

    def __init__(self, *, is_shared: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._poll = POLL if is_shared else None
        self._now = now
        self._waiters: deque[Callable[[], object]] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether no call waits."""
        return not self._waiters

    def notify(self) -> None:
        """Wake the first call, because another one has ended."""
        with suppress(IndexError):
            self._waiters[0]()

    def wait(self, attempt: Attempt, seconds: float | None) -> bool:
        """Block the thread until an attempt succeeds; return False if none does within `seconds` (None: no limit)."""
        woken = threading.Event()
        with self._joined(woken.set) as is_first:
            for left in self._turns(is_first, attempt, seconds):
                if left is None:
                    return True
                woken.wait(left if left >= 0 else None)
                woken.clear()
        return False

    async def wait_async(self, attempt: Attempt, seconds: float | None) -> bool:
        """Wait until an attempt succeeds; return False if none does within `seconds` (None: no limit)."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            # The loop of a waiting call may have been closed without ending its tasks.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)

        with self._joined(wake) as is_first:
            for left in self._turns(is_first, attempt, seconds):
                if left is None:
                    return True
                # Without a limit, the call makes another attempt after a day.
                timer = loop.call_later(left if left >= 0 else _DAY, woken.set)
                try:
                    await woken.wait()
                finally:
                    timer.cancel()
                woken.clear()
        return False

    def _turns(self, is_first: Callable[[], bool], attempt: Attempt, seconds: float | None) -> Iterator[float | None]:
        """Yield the seconds to wait before the next turn, -1 without a limit, and None after a success."""
        deadline = None if seconds is None else self._now() + seconds
        while not (is_first() and attempt()):
            left = None if deadline is None else deadline - self._now()
            if left is not None and left <= 0:
                return
            yield min((value for value in (left, self._poll) if value is not None), default=-1.0)
        yield None

    @contextmanager
    def _joined(self, wake: Callable[[], object]) -> Iterator[Callable[[], bool]]:
        self._waiters.append(wake)
        try:
            yield lambda: self._waiters[0] is wake
        finally:
            self._waiters.remove(wake)
            self.notify()
