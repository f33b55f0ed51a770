"""The admission of the calls of a run: its money, and a rate limiter for each server."""

import asyncio
from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import Any, Literal, Protocol

from langchain_kimi.bulk.purse import Purse
from langchain_kimi.bulk.rate_limiter import Limits, RateLimiter, Ticket
from langchain_kimi.errors import KimiError, KimiUsageError

Outcome = Literal["answered", "refused", "abandoned"]
"""The end of an attempt: the server took it, had too many, or the caller left."""
_REFUSALS = frozenset({429, 503, 529})
"""Statuses of a host that has too many requests."""


class NotSentError(KimiUsageError):
    """A call was not sent, because its run was stopped while it waited."""


class Admission(Protocol):
    """Decides for all calls of a run when their attempts begin."""

    async def enter(self, call: Hashable, url: str, tokens: int, max_cost: Decimal | None) -> Any:
        """Wait until an attempt fits into the money and the limits, and return a ticket for `leave`.

        Args:
            call: The id of the call.
            url: The URL of the request.
            tokens: The estimated tokens of the prompt.
            max_cost: The maximum cost of the call in US dollars; None if the run has no limit of money.

        Raises:
            KimiBudgetExceededError: It does not fit into the money.
            NotSentError: The run was stopped.
        """

    def leave(self, ticket: Any, outcome: Outcome, retry_after: float | None) -> None:
        """Note the end of an attempt, and the seconds that the server requested to wait."""

    def settle(self, call: Hashable, cost: Decimal | None) -> None:
        """Replace the reservation of a call by its cost in US dollars; None if the cost is not known."""


class OwnAdmission:
    """The admission of the calls of one process. It belongs to one event loop.

    Args:
        limits: The limits of the calls to a server.
        purse: The run's money; None for no limit.
        is_stopped: Returns whether the run was stopped, so that no further attempt begins.
        new_limiter: Makes the rate limiter of a server.

    Attributes:
        requests: The number of attempts so far.
    """

    def __init__(
        self,
        limits: Limits,
        purse: Purse | None,
        *,
        is_stopped: Callable[[], bool] = lambda: False,
        new_limiter: Callable[[Limits], RateLimiter] = RateLimiter,
    ) -> None:
        self._limits = limits
        self._is_stopped = is_stopped
        self._new_limiter = new_limiter
        self._limiters: dict[str, RateLimiter] = {}
        self.purse = purse
        self.requests = 0

    @property
    def refusals(self) -> int:
        """The number of refused attempts so far."""
        return sum(limiter.refusals for limiter in self._limiters.values())

    async def enter(
        self, call: Hashable, url: str, tokens: int, max_cost: Decimal | None
    ) -> tuple[RateLimiter, Ticket]:
        """See `Admission.enter`."""
        if self.purse is not None:
            await self.purse.reserve(call, max_cost or Decimal(0))
        if (limiter := self._limiters.get(url)) is None:
            limiter = self._limiters[url] = self._new_limiter(self._limits)
        ticket = await limiter.enter(tokens)
        if self._is_stopped():
            limiter.abandoned(ticket)
            raise NotSentError("The run was stopped before this call.")
        self.requests += 1
        return limiter, ticket

    def leave(self, ticket: tuple[RateLimiter, Ticket], outcome: Outcome, retry_after: float | None) -> None:
        """See `Admission.leave`."""
        limiter, attempt = ticket
        if outcome == "refused":
            limiter.refused(attempt, retry_after)
        elif outcome == "abandoned":
            limiter.abandoned(attempt)
        else:
            limiter.answered(attempt)

    def settle(self, call: Hashable, cost: Decimal | None) -> None:
        """See `Admission.settle`."""
        if self.purse is not None:
            self.purse.settle(call, cost)


def outcome_of(error: BaseException | None) -> tuple[Outcome, float | None]:
    """Return how an attempt ended, and the seconds that the server requested to wait.

    Args:
        error: The exception that ended the attempt; None for an answer.
    """
    if isinstance(error, KimiError) and error.status in _REFUSALS:
        return "refused", error.retry_after
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "abandoned", None
    return "answered", None
