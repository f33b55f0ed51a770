"""Shut down a connection at a deadline, which ends a blocked sync read.

An HTTP client takes the read timeout of a body once, before the first byte. A limit that becomes known while reading
(the response is complete, it failed, the total timeout is near) cannot shorten the wait for the next bytes. Only a
shutdown of the socket from another thread ends such a wait. One thread per response would cost nearly as much as a
plain call, so a single thread serves all responses. It ends when there has been nothing to watch for a while.
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
"""Seconds. A later deadline, such as the end of a complete stream, does not wake the thread."""
IDLE_SLEEPS = 4
"""The number of sleeps after which a thread that has nothing to watch ends. Starting a thread for each stream took half
a millisecond, and a short stream takes one millisecond in all."""
PRECISION = 0.01
"""Seconds. The thread is not woken for a deadline that is earlier by less than this."""


class Watchdog:
    """The thread that shuts connections down, and the responses that it watches."""

    def __init__(self) -> None:
        # The methods of a Condition are Python functions: a signal handler that raises in them would leave it locked.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._watches: set[Watch] = set()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None
        self._sleeps_left = IDLE_SLEEPS

    def watch(self, watch: "Watch", deadline: float) -> None:
        """Shut the connection down at `deadline`, in monotonic seconds. This replaces an earlier deadline."""
        with self._lock:
            watch.deadline = deadline
            self._watches.add(watch)
            self._sleeps_left = IDLE_SLEEPS
            if self._thread is None:
                # No thread can be started during interpreter shutdown. The client's own timeout still applies.
                with suppress(RuntimeError):
                    thread = threading.Thread(target=self._run, name="langchain-kimi-watchdog", daemon=True)
                    thread.start()
                    self._thread = thread
            elif deadline < self._wakes_at - PRECISION:
                self._changed.notify()

    def release(self, watch: "Watch") -> None:
        """Stop watching a response. The thread notices at its next deadline.

        This takes no lock, because the garbage collector may end a dropped stream in any thread and under any lock.
        """
        watch.deadline = math.inf
        self._watches.discard(watch)

    def _run(self) -> None:
        """Shut down connections at their deadlines, until there has been nothing to watch for a while."""
        with self._lock:
            while self._sleeps_left > 0:
                watches = self._watches.copy()
                now = time.monotonic()
                self._wakes_at = min(now + LONGEST_SLEEP, *(watch.deadline for watch in watches), math.inf)
                if self._wakes_at > now:
                    self._sleeps_left = IDLE_SLEEPS if watches else self._sleeps_left - 1
                    self._changed.wait(self._wakes_at - now)
                    continue
                for watch in watches:
                    if watch.deadline <= now:
                        self._watches.discard(watch)
                        watch.shut_down()
            self._thread = None


_watchdog = Watchdog()


@contextmanager
def within(connection: Any, seconds: float | None) -> Iterator["Watch"]:
    """Shut a connection down if the block takes longer than some seconds, or never when that is None.

    A TLS handshake needs this: OpenSSL reads requests for new handshakes as long as they arrive, without a time limit.
    """
    if seconds is None or not isinstance(connection, socket.socket):
        yield Watch.of(None)
        return
    # Python moves the file descriptor into another socket when TLS begins.
    with socket.socket(fileno=socket.dup(connection.fileno())) as duplicate, Watch.of(duplicate) as watch:
        watch.shut_down_in(seconds)
        yield watch


def _start_over_after_fork() -> None:
    """Replace the watchdog: threads do not survive a fork, and the lock may have been locked."""
    global _watchdog  # noqa: PLW0603 - one watchdog per process, and a fork makes a new process
    _watchdog = Watchdog()


# A system without fork has no such function either.
getattr(os, "register_at_fork", dict)(after_in_child=_start_over_after_fork)


def shut_down(response: Any) -> None:
    """Shut down the connection of an async response of a user's own client.

    Closing such a response takes an await, which a second cancellation can interrupt. Then the connection stayed open,
    and the response was generated and billed to its end.
    """
    stream = response.extensions.get("network_stream")
    if stream is not None and response.http_version != "HTTP/2":
        # Event loops have their own socket classes, and some cannot be shut down.
        with suppress(OSError, AttributeError, TypeError):
            stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


class Watch:
    """The connection of one response, which is shut down when the wait for its next bytes takes too long.

    A response without a socket (of a mock transport) or with a shared one (HTTP/2) is not watched. Only the client's
    own timeout applies to it.
    """

    def __init__(self, response: Any) -> None:
        stream = None if response is None else response.extensions.get("network_stream")
        if stream is None or response.http_version == "HTTP/2":
            stream = None
        connection = None if stream is None else stream.get_extra_info("socket")
        self._socket = connection if isinstance(connection, socket.socket) else None
        self._watchdog = _watchdog
        self.deadline = math.inf
        self.has_shut_down = False

    @classmethod
    def of(cls, connection: socket.socket | None) -> Self:
        """Return the watch of a socket; with None, a watch that does nothing."""
        watch = cls(None)
        watch._socket = connection
        return watch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shut_down_in(None)

    def shut_down_in(self, seconds: float | None) -> None:
        """Shut the connection down in `seconds`, or never when that is None. This replaces an earlier deadline."""
        if seconds is None:
            if self.deadline < math.inf:
                self._watchdog.release(self)
        elif self._socket is not None:
            self._watchdog.watch(self, time.monotonic() + seconds)

    def shut_down(self) -> None:
        """Shut the socket down. A thread that waits for bytes then sees the end of the stream."""
        self.has_shut_down = True
        if self._socket is not None:
            # The method of a TLS socket would also remove the TLS layer that the reading thread uses.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
