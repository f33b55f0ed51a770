"""The retry rule: whether to retry a failed attempt, and after how many seconds. It does no I/O."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from langchain_kimi.errors import KimiEmptyReplyError, KimiError, KimiUsageError

FIRST_WAIT = 0.5
"""The upper bound of the first wait in seconds. It doubles with each attempt, as in OpenRouter's own SDKs."""

LONGEST_WAIT = 60.0
"""The upper bound of a single wait in seconds, even if the server requests a longer one."""

MAX_DOUBLINGS = 16
"""The maximum number of doublings of the first wait: with more than about a thousand, the float would overflow."""

SPREAD = 0.25
"""The maximum change of a wait that the server requests, as a share of the wait."""


class Retries(NamedTuple):
    """Limits for retries, and exponential backoff with full jitter.

    Empty replies are billed, so they have a limit of their own and do not count as other failures.

    Attributes:
        max_retries: Retries after failures other than empty replies.
        max_empty: Retries after empty replies.
        longest_wait: The upper bound of a single wait, in seconds.
        chance: Returns a random number from 0 to 1, for the jitter.
    """

    max_retries: int = 2
    max_empty: int = 0
    longest_wait: float = LONGEST_WAIT
    chance: Callable[[], float] = random.random

    def wait_after(self, error: KimiError, attempts_made: int, time_left: float | None) -> float | None:
        """Return the seconds to wait before the next attempt, or None if the call ends.

        Args:
            error: The error of the last attempt. Its `attempts` are the errors of the earlier ones.
            attempts_made: The number of attempts so far, including the last one.
            time_left: The seconds until the total timeout of the call, or None without one.
        """
        is_empty = isinstance(error, KimiEmptyReplyError)
        empty = sum(isinstance(one, KimiEmptyReplyError) for one in (*error.attempts, error))
        made, limit = (empty, self.max_empty) if is_empty else (attempts_made - empty, self.max_retries)
        if not error.is_retryable or made > limit:
            return None
        if error.retry_after is None:
            wait = min(self.chance() * FIRST_WAIT * 2.0 ** min(made - 1, MAX_DOUBLINGS), self.longest_wait)
        else:
            wait = self._spread(error.retry_after)
        return None if time_left is not None and wait >= time_left else wait

    def _spread(self, retry_after: float) -> float:
        """Return a wait that is slightly longer than the one that the server requested.

        Clients that were refused at the same time would otherwise all retry at the same time. A wait at the limit is
        shortened instead.
        """
        spread = SPREAD * self.chance()
        if retry_after >= self.longest_wait:
            return self.longest_wait * (1 - spread)
        return min(retry_after * (1 + spread), self.longest_wait)


def number_of_attempts(name: str, value: Any) -> int:
    """Check a limit of retries and return it.

    Args:
        name: The name of the setting, for the error.
        value: The user's value.

    Raises:
        KimiUsageError: The value is not an integer of at least 0.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise KimiUsageError(f"{name} must be an integer of at least 0.")
    return value
