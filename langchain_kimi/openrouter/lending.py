"""Who gets which client: one call at a time each, no more of them than were set, and who has to wait comes in order.

An httpx client opens as many connections as it is let, but looks through all of them whenever a request begins or ends,
and gives its idle connection to all requests of the same moment: fifteen of sixteen then begin anew, and under load
each beginning took a second. Of a thousand streams at once the last fifteen were seen to wait nine seconds for their
first token. So each client here has one connection, and a call has a client for itself.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

KEPT_FOR = 30.0
"""Seconds that a connection is kept without a call."""
KEPT_MOST = 100
"""Connections that are kept without a call."""


class Box(Protocol):
    """A queue, of threads or of a loop."""

    def put_nowait(self, item: Any, /) -> None:
        """Put a client in."""

    def get_nowait(self) -> Any:
        """Take the client out."""


@dataclass(slots=True, eq=False)
class Lending:
    """The clients for the same settings: who has none at the moment, and how many are lent. It does no I/O.

    Attributes:
        most: How many there may be.
        make: Makes one.
        free: Those that no call has, with the time they came back; the last is the one to be lent next.
        lent: How many calls have one.
        waiting: What each call that waits looks into for a client, in order.
        is_over: Whether they are to be closed as they come back.
    """

    most: int
    make: Callable[[], Any]
    free: deque[tuple[Any, float]] = field(default_factory=deque)
    lent: int = 0
    waiting: deque["Box"] = field(default_factory=deque)
    is_over: bool = False

    def take(self) -> Any | None:
        """Give a client to a call; None when all are lent."""
        if self.lent >= self.most:
            return None
        client = self._free_one() or self.make()
        self.lent += 1
        return client

    def _free_one(self) -> Any | None:
        while self.free:
            client, _ = self.free.pop()
            if not client.is_closed:
                return client
        return None

    def give_back(self, client: Any, now: float) -> list[Any]:
        """Take a client back from a call at a time in seconds; gives those that are to be closed.

        Who has waited longest gets it at once, so that nobody who comes later can take it.
        """
        if self.waiting:
            self.waiting.popleft().put_nowait(self.make() if client.is_closed else client)
            return []
        self.lent -= 1
        if self.is_over:
            return [client]
        self.free.append((client, now))
        surplus = []
        while len(self.free) > KEPT_MOST or self.free[0][1] < now - KEPT_FOR:
            surplus.append(self.free.popleft()[0])
        return surplus

    def leave(self, box: "Box", now: float) -> list[Any]:
        """Let a call wait no longer, nor keep what it was handed just then; gives the clients that are to be closed."""
        if box in self.waiting:
            self.waiting.remove(box)
            return []
        return self.give_back(box.get_nowait(), now)

    def end(self) -> list[Any]:
        """Lend none any longer but to those that wait already; gives the clients that are to be closed now."""
        self.is_over = True
        ended = [client for client, _ in self.free]
        self.free.clear()
        return ended
