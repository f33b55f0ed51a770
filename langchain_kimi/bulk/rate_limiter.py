"""One limit for all calls of a run to a server: how many run at once, and how many begin each second.

The number of calls at once follows the rule of TCP (additive increase, multiplicative decrease; RFC 5681): it grows by
one for each full round of answers, and is halved by a refusal. A refusal also sets the rate of starts to a little less
than the rate of answers so far, because a server with short answers and a limit per second is not protected by a limit
of calls at once. The rate grows again while the server refuses nothing.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

FIRST_LIMIT = 16.0
"""Calls at once at the start of a run."""
SMALLEST_RATE = 0.2
"""Starts a second that are always allowed."""
WINDOW = 5.0
"""Seconds over which the rate of answers is measured."""
EVIDENCE = 30
"""Attempts after a cut that show whether it helped."""
_CUT_RATE, _PROBE = 0.9, 1.5
_GROWTH, _FAST_GROWTH = 1.2, 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_SHORTEST_WAIT = 0.0001
_MANY = 0.1
"""The share of refusals that a rate which is a little too high does not explain."""
_EQUAL = (0.75, 1.25)
"""The ratios of two shares of refusals that count as equal."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a run that the user sets.

    Attributes:
        max_concurrency: The maximum number of concurrent calls.
        requests_per_minute: The maximum number of requests that begin within a minute; None for no limit.
        tokens_per_minute: The maximum number of estimated prompt tokens that are sent a minute; None for no limit.
    """

    max_concurrency: int = 64
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


class Allowance:
    """An allowance that refills evenly, such as requests a minute.

    Args:
        a_minute: The allowance of a minute; None for no limit.
        now: The current time, in seconds.
    """

    def __init__(self, a_minute: float | None, now: float) -> None:
        self._rate = math.inf if a_minute is None else a_minute / 60
        self._capacity = self._left = math.inf if a_minute is None else max(self._rate, 1.0)
        self._updated = now

    def wait(self, amount: float, now: float) -> float:
        """Return the seconds until the amount is available. An amount above the whole allowance waits for all of it."""
        if self._rate == math.inf:
            return 0.0
        self._left = min(self._left + (now - self._updated) * self._rate, self._capacity)
        self._updated = now
        return max(0.0, (min(amount, self._capacity) - self._left) / self._rate)

    def take(self, amount: float) -> None:
        """Take an amount, which may leave less than nothing."""
        self._left -= amount


@dataclass(slots=True)
class Ticket:
    """An attempt that has begun, at `started` seconds of the clock."""

    started: float
    is_open: bool = True


@dataclass(slots=True)
class _Share:
    """The attempts and the refusals among them since the last cut."""

    attempts: int = 0
    refusals: int = 0
    before: float | None = None
    answered: deque[float] = field(default_factory=deque)

    @property
    def refused(self) -> float:
        return self.refusals / self.attempts if self.attempts else 0.0

    def is_unchanged(self) -> bool:
        """Return whether many attempts are refused, and about as many as before the last change."""
        lowest, highest = (ratio * (self.before or 0.0) for ratio in _EQUAL)
        return self.refused > _MANY and lowest <= self.refused <= highest


class RateLimiter:
    """Limits the attempts of all calls to one server. It belongs to one event loop.

    Args:
        limits: The user's limits.
        monotonic: The clock, in seconds.
        sleep: Waits for a number of seconds or until an event is set, whichever comes first.

    Attributes:
        limit: The number of calls that may run at once now.
        rate: The number of attempts that may begin each second now; infinite before the first refusal.
        in_flight: The number of attempts that have begun and not ended.
        refusals: The number of refused attempts.
    """

    def __init__(
        self,
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[asyncio.Event, float | None], Awaitable[None]] | None = None,
    ) -> None:
        self._limits = limits
        self._now = monotonic
        self._sleep = sleep or _until
        self.limit = min(FIRST_LIMIT, float(limits.max_concurrency))
        self.rate = math.inf
        self.in_flight = 0
        self.refusals = 0
        self._requests = Allowance(limits.requests_per_minute, monotonic())
        self._tokens = Allowance(limits.tokens_per_minute, monotonic())
        self._next_start = self._blocked_until = self._last_pause = -math.inf
        self._pause = _FIRST_PAUSE
        self._growth = _GROWTH
        self._share = _Share()
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def enter(self, tokens: float = 0.0) -> Ticket:
        """Wait until an attempt may begin. Attempts begin in the order in which they came.

        Args:
            tokens: The estimated tokens of the prompt.
        """
        async with self._turn:
            while wait := self._wait(tokens):
                self._changed.clear()
                await self._sleep(self._changed, None if wait == math.inf else wait)
            now = self._now()
            self.in_flight += 1
            self._share.attempts += 1
            self._requests.take(1)
            self._tokens.take(tokens)
            self._next_start = max(self._next_start, now) + (0.0 if self.rate == math.inf else 1 / self.rate)
            return Ticket(now)

    def _wait(self, tokens: float) -> float:
        """Return the seconds until an attempt may begin, and infinity if another one must end first."""
        if self.in_flight >= max(1, int(self.limit)):
            return math.inf
        now = self._now()
        times = (self._blocked_until - now, self._next_start - now)
        wait = max(*times, self._requests.wait(1, now), self._tokens.wait(tokens, now))
        # A timer cannot wait for less, and would wake up without an end.
        return wait if wait > _SHORTEST_WAIT else 0.0

    def answered(self, ticket: Ticket) -> None:
        """Note that an attempt ended and was not refused; its answer may still be an error."""
        if not self._leave(ticket):
            return
        now = self._now()
        self._pause = _FIRST_PAUSE
        self._share.answered.append(now)
        while self._share.answered[0] < now - WINDOW:
            self._share.answered.popleft()
        self.limit = min(self.limit + 1 / self.limit, float(self._limits.max_concurrency))
        if self.rate != math.inf:
            # In a second without refusals the rate grows by the factor `_growth`.
            self.rate *= self._growth ** (1 / max(self.rate, 1.0))

    def refused(self, ticket: Ticket, retry_after: float | None) -> None:
        """Note that the server refused an attempt, because it has too many.

        Args:
            ticket: The attempt.
            retry_after: The seconds that the server named; None if it named none.
        """
        if not self._leave(ticket):
            return
        self.refusals += 1
        self._share.refusals += 1
        now = self._now()
        # The attempts that began before the last pause say nothing about it.
        if ticket.started <= self._last_pause:
            return
        pause = retry_after
        if pause is None:
            pause, self._pause = self._pause, self._pause * 2
        self._last_pause = now
        self._blocked_until = now + min(pause, _LONGEST_PAUSE)
        self._slow_down(now)

    def abandoned(self, ticket: Ticket) -> None:
        """Note that the caller ended an attempt, whose outcome is therefore not known."""
        self._leave(ticket)

    def _leave(self, ticket: Ticket) -> bool:
        was_open, ticket.is_open = ticket.is_open, False
        if was_open:
            self.in_flight -= 1
            self._changed.set()
        return was_open

    def _slow_down(self, now: float) -> None:
        share = self._share
        if share.before is not None and share.attempts < EVIDENCE:
            return
        if share.before is not None and share.is_unchanged():
            # Neither a cut nor a rise changes the share of refusals: the server does not refuse because of the rate.
            self.rate *= _PROBE
            self.limit = min(self.limit * _PROBE, float(self._limits.max_concurrency))
        else:
            self.limit = max(1.0, self.limit / 2)
            measured = self._rate_of_answers(now)
            # A rate that was not measured is a guess, which should not last.
            self._growth = _FAST_GROWTH if measured is None else _GROWTH
            self.rate = max(SMALLEST_RATE, min(self.rate, measured or self.limit) * _CUT_RATE)
        self._share = _Share(before=share.refused, answered=share.answered)

    def _rate_of_answers(self, now: float) -> float | None:
        """Return the answers a second lately, None if they do not cover a second."""
        recent = [when for when in self._share.answered if when >= now - WINDOW]
        return len(recent) / (now - recent[0]) if recent and now - recent[0] >= 1 else None


async def _until(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until an event is set, for at most `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
