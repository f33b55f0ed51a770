"""Hanging up at a moment: the limit that a sync read lacks once the body has begun.

An HTTP client takes a body's read time-out once, before its first byte, so what is learnt while reading (the reply is
whole, it has failed, the total time is nearly over) cannot shorten the wait for the next bytes. The only thing that
ends such a wait is to shut the connection's socket down, which another thread has to do. A thread for each reply would
cost nearly as much as a plain call; here one serves all of them, and it ends when there is nothing to watch for long.
"""

import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

LONGEST_SLEEP = 0.25
"""Seconds: what is due later, as the end of a stream that is whole, need not wake the thread."""
LINGERS = 4
"""Sleeps for which the thread stays without anything to watch: beginning one for each stream took half a millisecond,
where a short stream takes one in all."""
PRECISION = 0.01
"""Seconds: for less the thread is not woken."""


class Watchdog:
    """The thread that hangs up, and the replies that it watches."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None
        self._sleeps_left = LINGERS

    def watch(self, watch: "Watch", deadline: float) -> None:
        """Hang up at `deadline`, in monotonic seconds; replaces what was said of this reply before."""
        with self._changed:
            watch.deadline = deadline
            self._watches.add(watch)
            self._sleeps_left = LINGERS
            if self._thread is None:
                # Where no thread can be started (the interpreter is shutting down), the client's own time-out is left.
                with suppress(RuntimeError):
                    thread = threading.Thread(target=self._run, name="langchain-kimi-watchdog", daemon=True)
                    thread.start()
                    self._thread = thread
            elif deadline < self._wakes_at - PRECISION:
                self._changed.notify()

    def release(self, watch: "Watch") -> None:
        """Watch this reply no longer. The thread is not woken for it: it sees that when it wakes.

        No lock is taken: a stream that was dropped may be collected, and so end, in any thread and under any lock.
        """
        watch.deadline = math.inf
        self._watches.discard(watch)

    def _run(self) -> None:
        with self._changed:
            while self._sleeps_left > 0:
                watches = self._watches.copy()
                now = time.monotonic()
                self._wakes_at = min(now + LONGEST_SLEEP, *(watch.deadline for watch in watches), math.inf)
                if self._wakes_at > now:
                    self._sleeps_left = LINGERS if watches else self._sleeps_left - 1
                    self._changed.wait(self._wakes_at - now)
                    continue
                for watch in watches:
                    if watch.deadline <= now:
                        self._watches.discard(watch)
                        watch.hang_up()
            self._thread = None


_watchdog = Watchdog()


def _begin_anew_after_fork() -> None:
    """Threads do not survive a fork, and the lock may have been held."""
    global _watchdog  # noqa: PLW0603 - it is the process's, and after a fork it is another process
    _watchdog = Watchdog()


# Where there is no fork there is nothing to register with.
getattr(os, "register_at_fork", dict)(after_in_child=_begin_anew_after_fork)


@contextmanager
def hung_up_on_failure(response: Any) -> Iterator[None]:
    """Hang up at once when reading a reply ends by an exception, whatever becomes of closing it.

    Closing an async client's reply waits, and a task that is cancelled a second time waits no more: the connection then
    stayed open, and the reply was generated and billed to its end.
    """
    try:
        yield
    except BaseException:
        stream = response.extensions.get("network_stream")
        if stream is not None and response.http_version != "HTTP/2":
            # An event loop has sockets of its own kind, and some cannot be shut down.
            with suppress(OSError, AttributeError, TypeError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        raise


class Watch:
    """One reply's connection, hung up when the time given for its next bytes is over.

    A reply without a socket (from a mock), or with one that other replies share (HTTP/2), is not watched: the client's
    own time-out is then the only one.
    """

    def __init__(self, response: Any) -> None:
        stream = response.extensions.get("network_stream")
        known = None if stream is None or response.http_version == "HTTP/2" else stream.get_extra_info("socket")
        self._socket = known if isinstance(known, socket.socket) else None
        self._watchdog = _watchdog
        self.deadline = math.inf
        self.has_hung_up = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up_in(None)

    def hang_up_in(self, seconds: float | None) -> None:
        """Hang up in so many seconds, or not at all; replaces what was said before."""
        if seconds is None:
            if self.deadline < math.inf:
                self._watchdog.release(self)
        elif self._socket is not None:
            self._watchdog.watch(self, time.monotonic() + seconds)

    def hang_up(self) -> None:
        """Shut the connection's socket down: whoever waits for its bytes sees their end at once."""
        self.has_hung_up = True
        if self._socket is not None:
            # Not the method of a TLS socket, which also takes the TLS layer away from under the reading thread.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
