"""Whether a failed attempt is made again, and after how many seconds: a rule that only answers."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_kimi.errors import KimiEmptyReplyError, KimiError, KimiUsageError

FIRST_WAIT = 0.5
"""Seconds: the backoff's first ceiling; it doubles with each attempt. OpenRouter's own clients start here too."""

LONGEST_WAIT = 60.0
"""Seconds: no single wait is longer, whatever the other side asks for."""

SPREAD = 0.25
"""The largest share of a wait named by the server by which it is changed."""


@dataclass(frozen=True, slots=True)
class Retries:
    """The rule: so many attempts more, each after the wait that was asked for, or after full jitter.

    Empty answers count apart from everything else that fails: each of them was billed, and `max_empty` of them are
    asked again.
    """

    max_retries: int = 2
    max_empty: int = 0
    longest_wait: float = LONGEST_WAIT
    chance: Callable[[], float] = random.random

    def wait_after(self, error: KimiError, attempts_made: int, time_left: float | None) -> float | None:
        """Seconds to wait before the next attempt, or None when there is none.

        Args:
            error: Why the last attempt failed; its `attempts` tell which of those before it were empty answers.
            attempts_made: How many attempts were made, the last one included.
            time_left: Seconds until the call's total time is over; None when it is not limited.
        """
        is_empty = isinstance(error, KimiEmptyReplyError)
        empty = sum(isinstance(one, KimiEmptyReplyError) for one in (*error.attempts, error))
        made, limit = (empty, self.max_empty) if is_empty else (attempts_made - empty, self.max_retries)
        if not error.is_retryable or made > limit:
            return None
        if error.retry_after is None:
            wait = min(self.chance() * FIRST_WAIT * 2.0 ** min(made - 1, 16), self.longest_wait)
        else:
            wait = self._spread(error.retry_after)
        return None if time_left is not None and wait >= time_left else wait

    def _spread(self, retry_after: float) -> float:
        """Return a wait a little longer than the one that the server named.

        Clients that were refused together have the same time to wait, and would all come back in the same moment. Waits
        at the limit are spread below it.
        """
        spread = SPREAD * self.chance()
        if retry_after >= self.longest_wait:
            return self.longest_wait * (1 - spread)
        return min(retry_after * (1 + spread), self.longest_wait)


def number_of_attempts(name: str, value: Any) -> int:
    """Check a limit that a call was given under this name.

    Raises:
        KimiUsageError: it is no number of attempts.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise KimiUsageError(f"{name} must be an integer of at least 0.")
    return value
