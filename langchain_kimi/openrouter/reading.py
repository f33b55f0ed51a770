"""What a reader of replies is: fed with bytes as they come, closed when they end."""

import math
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from langchain_kimi.errors import KimiError, KimiTimeoutError

Part_co = TypeVar("Part_co", covariant=True)


class Reader(Protocol[Part_co]):
    """Turns the bytes of one successful reply into parts of whatever kind the caller reads for."""

    @property
    def has_begun(self) -> bool:
        """Whether something of the answer was already handed out; such a call is never made again."""

    def feed(self, piece: bytes, waited: float) -> Iterable[Part_co]:
        """Take the next bytes and the seconds that were spent waiting for them; gives what they complete."""

    def close(self) -> Iterable[Part_co]:
        """Take the end of the bytes; gives the rest, or raises when the reply is not whole."""

    def explain(self, error: KimiError) -> None:
        """Add to an error of this call what came of the answer until then."""


class Opened:
    """The head of a successful reply: its status, its headers (names in lower case), and the time it came at."""

    def __init__(self, status: int, headers: Mapping[str, str], now: float) -> None:
        self.status = status
        self.headers = headers
        self.now = now


class Silence:
    """The idle clock: how long no content came. It counts only time spent waiting, so a slow consumer is no silence.

    Keep-alive comments and the blanks before a plain reply are bytes, but not content.
    """

    def __init__(self, limit: float | None) -> None:
        self.limit = math.inf if limit is None else limit
        self.seconds = 0.0

    def passed(self, seconds: float, *, content: bool) -> None:
        """Note that so many seconds were waited, and whether content came at their end.

        Raises:
            KimiTimeoutError: no content came for longer than the limit.
        """
        if content:
            self.seconds = 0.0
            return
        self.seconds += seconds
        if self.seconds > self.limit:
            raise silence_error(self.limit)


def silence_error(limit: float) -> KimiTimeoutError:
    """Make the error for a reply in which no content came for `limit` seconds."""
    return KimiTimeoutError(
        f"No content came for {limit:g} seconds.",
        advice="Trying again may help; a slow model needs a larger idle timeout, timeout={'idle': seconds}.",
    )
