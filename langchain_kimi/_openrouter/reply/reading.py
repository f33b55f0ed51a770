"""What a reader of replies is: fed with bytes as they come, closed when they end."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from langchain_kimi.errors import KimiError, KimiTimeoutError

Part_co = TypeVar("Part_co", covariant=True)
NOTICED = 1.0
"""Seconds of silence from which on the next wait is limited. A client's own time-out begins anew with each read, so it
alone would let a comment double the limit; below a second that does not matter, and most replies need no second look.
"""


class Reader(Protocol[Part_co]):
    """Turns the bytes of one reply into parts of whatever kind the caller reads for."""

    @property
    def has_begun(self) -> bool:
        """Whether something of the answer was already handed out; such a call is never made again."""

    def feed(self, piece: bytes, waited: float) -> Iterable[Part_co]:
        """Take the next bytes and the seconds that were spent waiting for them; gives what they complete."""

    def close(self) -> Iterable[Part_co]:
        """Take the end of the bytes; gives the rest, or raises when the reply is not whole."""

    def explain(self, error: KimiError, /) -> Iterable[Part_co]:
        """Add to an error of this call what came of the answer until then.

        Returns:
            The parts that are still to be handed out if no other attempt is made.
        """


class IdleTimer:
    """How long no content may come. It counts only time spent waiting, so a slow consumer is no silence.

    Keep-alive comments and the blanks before a plain reply are bytes, but not content. Once the reader has enough,
    because the reply is whole or has failed, running out of patience ends the bytes instead of being an error.

    Args:
        limit: Seconds without content; None: no limit.
        is_whole: Tells whether what came is a reply all the same, asked where the bytes stop before their end.

    Attributes:
        has_enough: Whether the reader needs nothing more.
        left: Seconds that the next bytes may take; None where the connection's own limit is close enough.
    """

    def __init__(self, limit: float | None = None, is_whole: Callable[[], bool] = lambda: False) -> None:
        self._is_whole = is_whole
        self.has_enough = False
        self.left: float | None = None
        self._limit = math.inf if limit is None else limit
        self._silence = 0.0

    def passed(self, seconds: float, *, content: bool) -> None:
        """Note that so many seconds were waited, and whether content came at their end.

        Raises:
            KimiTimeoutError: no content came for longer than the limit.
        """
        if content and not self._silence:
            return
        self._silence = 0.0 if content else self._silence + seconds
        if self._silence > self._limit and not self.suffices():
            raise silence_error(self._limit)
        self._look_ahead()

    def suffices(self) -> bool:
        """Say whether what came will do, now that the bytes stopped; if so, nothing more is waited for."""
        if not self.has_enough and self._is_whole():
            self.enough(0.0)
        return self.has_enough

    def enough(self, limit: float) -> None:
        """Note that what came is enough: from now on no more than `limit` seconds are waited for anything else."""
        self.has_enough = True
        self._limit = min(self._limit, limit)
        self._silence = 0.0
        self._look_ahead()

    def _look_ahead(self) -> None:
        is_limited = self._limit < math.inf and (self.has_enough or self._silence >= NOTICED)
        self.left = max(0.0, self._limit - self._silence) if is_limited else None


def silence_error(limit: float | None) -> KimiTimeoutError:
    """Make the error for a reply in which no content came for `limit` seconds."""
    return KimiTimeoutError(
        "No content came in time." if limit is None else f"No content came for {limit:g} seconds.",
        advice="Trying again may help; a slow model needs a larger idle timeout, timeout={'idle': seconds}.",
    )


def total_error(total: float | None) -> KimiTimeoutError:
    """Make the error for a call that took longer than `total` seconds, all its attempts together."""
    return KimiTimeoutError(
        f"The call took longer than its total time of {total or 0.0:g} seconds.",
        is_retryable=False,
        advice="Raise timeout={'total': seconds} or ask for less.",
    )


class ResponseHead:
    """The head of a reply: its status, its headers (names in lower case), and the time it came at.

    The reader sets `patience` for whoever waits for the bytes.
    """

    def __init__(self, status: int, headers: Mapping[str, str], now: float) -> None:
        self.status = status
        self.headers = headers
        self.now = now
        self.patience = IdleTimer()
