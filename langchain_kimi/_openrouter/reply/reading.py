"""The interface of reply readers, their idle timer, and the head of a response."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from langchain_kimi._openrouter.wire import GENERATION_ID
from langchain_kimi.errors import KimiError, KimiTimeoutError

Part_co = TypeVar("Part_co", covariant=True)
LIMITED_AFTER = 1.0
"""Seconds without content after which the next read gets a time limit of its own. An HTTP client's read timeout begins
again with each read, so a comment could double it. Below one second that does not matter, and most replies never wait.
"""


class Reader(Protocol[Part_co]):
    """Converts the bytes of one reply into parts of the type that the caller chose."""

    @property
    def has_begun(self) -> bool:
        """Whether a part of the answer was returned already; then the call is not retried."""

    def feed(self, piece: bytes, waited: float) -> Iterable[Part_co]:
        """Take the next bytes, and the seconds spent waiting for them; return the parts that they complete."""

    def close(self) -> Iterable[Part_co]:
        """Take the end of the bytes; return the rest, or raise if the reply is not complete."""

    def explain(self, error: KimiError, /) -> Iterable[Part_co]:
        """Add to an error of this call the part of the answer that arrived before it.

        Returns:
            The parts to return to the caller if there is no further attempt.
        """


class IdleTimer:
    """Limit the time without content. It counts only time spent waiting, so a slow consumer does not use it up.

    Keep-alive comments and the blanks before a plain reply are bytes, but not content. Once the reader is satisfied,
    because the reply is complete or has failed, the end of the limit ends the bytes and is not an error.

    Args:
        limit: Seconds without content, or None for no limit.
        is_complete: Returns whether the bytes so far are a complete reply; called when no more bytes arrive.

    Attributes:
        has_enough: Whether the reader needs no more bytes.
        left: Seconds that the next read may take, or None if the client's own timeout is close enough.
    """

    def __init__(self, limit: float | None = None, is_complete: Callable[[], bool] = lambda: False) -> None:
        self._is_complete = is_complete
        self.has_enough = False
        self.left: float | None = None
        self._limit = math.inf if limit is None else limit
        self._idle = 0.0

    def passed(self, seconds: float, *, content: bool) -> None:
        """Count a wait.

        Args:
            seconds: The length of the wait.
            content: Whether content arrived at its end.

        Raises:
            KimiTimeoutError: No content came for longer than the limit.
        """
        if content and not self._idle:
            return
        self._idle = 0.0 if content else self._idle + seconds
        if self._idle > self._limit and not self.is_satisfied():
            raise idle_error(self._limit)
        self._update_left()

    def is_satisfied(self) -> bool:
        """Return whether the bytes so far are enough, now that no more arrive."""
        if not self.has_enough and self._is_complete():
            self.finish_within(0.0)
        return self.has_enough

    def finish_within(self, limit: float) -> None:
        """Record that the bytes so far are enough: from now on, wait at most `limit` seconds for more."""
        self.has_enough = True
        self._limit = min(self._limit, limit)
        self._idle = 0.0
        self._update_left()

    def _update_left(self) -> None:
        is_limited = self._limit < math.inf and (self.has_enough or self._idle >= LIMITED_AFTER)
        self.left = max(0.0, self._limit - self._idle) if is_limited else None


def idle_error(limit: float | None) -> KimiTimeoutError:
    """Return the error for a reply in which no content arrived for `limit` seconds."""
    return KimiTimeoutError(
        "No content came in time." if limit is None else f"No content came for {limit:g} seconds.",
        advice="Trying again may help; a slow model needs a larger idle timeout, timeout={'idle': seconds}.",
    )


def total_error(total: float | None) -> KimiTimeoutError:
    """Return the error for a call whose attempts took longer than `total` seconds together."""
    return KimiTimeoutError(
        f"The call took longer than its total time of {total or 0.0:g} seconds.",
        is_retryable=False,
        advice="Raise timeout={'total': seconds}, or request less.",
    )


class ResponseHead:
    """The status, the headers and the idle timer of a response.

    Attributes:
        status: The HTTP status.
        headers: The headers, names in lower case.
        now: When the head arrived, in seconds since the epoch.
        idle_timer: The limit for the waits between the bytes of the body. The reader replaces it.
    """

    def __init__(self, status: int, headers: Mapping[str, str], now: float) -> None:
        self.status = status
        self.headers = headers
        self.now = now
        self.idle_timer = IdleTimer()

    @property
    def generation_id(self) -> str | None:
        """OpenRouter's id of the generation, by which the call can be looked up; None if the header is missing."""
        return self.headers.get(GENERATION_ID)
