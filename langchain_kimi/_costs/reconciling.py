"""Look up costs that replies did not report, in the background."""

import heapq
import logging
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Protocol

from langchain_kimi._costs.charges import CallCost, cost_of_record
from langchain_kimi.errors import KimiError

DELAYS = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds before each lookup of a call, counted from the call or the lookup before it. Observed: records of calls
appear after about ten seconds."""
logger = logging.getLogger("langchain_kimi")


class GenerationSource(Protocol):
    """Returns the record of a call by its generation id, as a `Catalog` does."""

    def generation(self, generation_id: str, *, wait: float) -> Any:
        """Return the record; raise a `KimiError` if it does not exist within `wait` seconds.

        The lookup is repeated later after this and after any other exception.
        """
        ...


class Reconciler:
    """Looks up the costs of calls by their generation ids, in a daemon thread.

    Args:
        source: The catalog, or a function that returns it at the first lookup.
        delays: Seconds before each lookup of a call.
        now: Returns the seconds of a monotonic clock.
    """

    def __init__(
        self,
        source: GenerationSource | Callable[[], GenerationSource],
        delays: Sequence[float] = DELAYS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._delays = delays
        self._now = now
        # Reentrant, because the garbage collector may close an abandoned stream in the thread that has the lock.
        self._changed = threading.Condition(threading.RLock())
        self._queue: list[tuple[float, int, str, int]] = []
        self._numbers = count()
        self._receivers: dict[str, list[Callable[[CallCost], object]]] = {}
        self._is_reporting = False
        self._thread: threading.Thread | None = None

    @property
    def pending(self) -> int:
        """The number of calls whose cost is being looked up."""
        return len(self._receivers)

    def look_up(self, generation_id: str, receiver: Callable[[CallCost], object]) -> None:
        """Look up a call in the background, and pass its cost to the receiver if it has one."""
        with self._changed:
            if generation_id in self._receivers:
                self._receivers[generation_id].append(receiver)
                return
            self._receivers[generation_id] = [receiver]
            self._push(generation_id, 0)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="langchain-kimi-costs", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def join(self, seconds: float | None = None) -> bool:
        """Wait until all lookups have ended; return False if some are still pending after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._receivers or self._is_reporting), seconds)

    def _push(self, generation_id: str, lookups: int) -> None:
        due = self._now() + self._delays[lookups]
        heapq.heappush(self._queue, (due, next(self._numbers), generation_id, lookups))

    def _run(self) -> None:
        """Look up calls until the queue is empty. It runs in a thread."""
        while (task := self._next()) is not None:
            generation_id, lookups = task
            cost = self._cost_of(generation_id)
            with self._changed:
                if cost is None and lookups + 1 < len(self._delays):
                    self._push(generation_id, lookups + 1)
                    continue
                receivers = self._receivers.pop(generation_id)
                self._is_reporting = True
            # Without the lock, because a receiver locks its ledger, and a thread with that lock may start a lookup.
            _report(generation_id, cost, receivers)
            with self._changed:
                self._is_reporting = False
                self._changed.notify_all()

    def _next(self) -> tuple[str, int] | None:
        """Wait for the next lookup that is due; return None if there are no more."""
        with self._changed:
            while self._queue:
                left = self._queue[0][0] - self._now()
                if left <= 0:
                    _, _, generation_id, lookups = heapq.heappop(self._queue)
                    return generation_id, lookups
                self._changed.wait(left)
            self._thread = None
            return None

    def _cost_of(self, generation_id: str) -> CallCost | None:
        try:
            if callable(self._source):
                self._source = self._source()
            return cost_of_record(self._source.generation(generation_id, wait=0.0))
        except KimiError as error:
            # The key is not part of the text of an error.
            logger.debug("No record of the generation %s: %s", generation_id, error)
        except BaseException as error:  # noqa: BLE001 - a user's source may raise anything, and other calls are waiting
            # The text of an exception of another library may contain the key.
            logger.warning("The lookup of the generation %s failed with %s.", generation_id, type(error).__name__)
        return None


def _report(generation_id: str, cost: CallCost | None, receivers: Sequence[Callable[[CallCost], object]]) -> None:
    """Pass the cost of a call to its receivers, or log that it is unknown."""
    if cost is None:
        logger.warning("The cost of the generation %s is still unknown.", generation_id)
        return
    for receiver in receivers:
        try:
            receiver(cost)
        except Exception:
            logger.exception("The cost of the generation %s was not taken over.", generation_id)
