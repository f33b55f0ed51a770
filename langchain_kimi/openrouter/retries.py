"""Whether a failed attempt is made again, and after how many seconds: a rule that only answers."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from langchain_kimi.errors import KimiError

FIRST_WAIT = 0.5
"""Seconds: the backoff's first ceiling; it doubles with each attempt. OpenRouter's own clients start here too."""

LONGEST_WAIT = 60.0
"""Seconds: no single wait is longer, whatever the other side asks for."""


@dataclass(frozen=True, slots=True)
class Retries:
    """The rule: `max_retries` attempts more, each after the wait that was asked for, or after full jitter."""

    max_retries: int = 2
    longest_wait: float = LONGEST_WAIT
    chance: Callable[[], float] = random.random

    def wait_after(self, error: KimiError, attempts_made: int, time_left: float | None) -> float | None:
        """Seconds to wait before the next attempt, or None when there is none.

        Args:
            error: Why the last attempt failed.
            attempts_made: How many attempts were made, the last one included.
            time_left: Seconds until the call's total time is over; None when it is not limited.
        """
        if not error.is_retryable or attempts_made > self.max_retries:
            return None
        wait = error.retry_after
        if wait is None:
            wait = self.chance() * FIRST_WAIT * 2.0 ** min(attempts_made - 1, 16)
        wait = min(wait, self.longest_wait)
        return None if time_left is not None and wait >= time_left else wait
