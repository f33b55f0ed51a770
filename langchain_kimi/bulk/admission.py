"""The admission of the calls of a run: its money, and a brake for each server."""

import asyncio
from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import Any, Literal, Protocol

from langchain_kimi.bulk.brake import Brake, Limits, Ticket
from langchain_kimi.bulk.purse import Purse
from langchain_kimi.errors import KimiError, KimiUsageError

Outcome = Literal["answered", "refused", "abandoned"]
"""The end of an attempt: the server took it, had too many, or the caller left."""
_REFUSALS = frozenset({429, 503, 529})
"""Statuses of a host that has too many requests."""


class NotSentError(KimiUsageError):
    """A call was not sent, because its run was stopped while it waited."""


class Admission(Protocol):
    """Decides for all calls of a run when their attempts begin."""

    async def enter(self, call: Hashable, url: str, tokens: int, most: Decimal | None) -> Any:
        """Wait until an attempt fits into the money and the limits, and return a ticket for `leave`.

        Args:
            call: The id of the call.
            url: The URL of the request.
            tokens: The estimated tokens of the prompt.
            most: US dollars that the call can cost at most; None if the run has no limit of money.

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
        new_brake: Makes the brake of a server.

    Attributes:
        requests: The number of attempts so far.
    """

    def __init__(
        self,
        limits: Limits,
        purse: Purse | None,
        *,
        is_stopped: Callable[[], bool] = lambda: False,
        new_brake: Callable[[Limits], Brake] = Brake,
    ) -> None:
        self._limits = limits
        self._is_stopped = is_stopped
        self._new_brake = new_brake
        self._brakes: dict[str, Brake] = {}
        self.purse = purse
        self.requests = 0

    @property
    def refusals(self) -> int:
        """The number of refused attempts so far."""
        return sum(brake.refusals for brake in self._brakes.values())

    async def enter(self, call: Hashable, url: str, tokens: int, most: Decimal | None) -> tuple[Brake, Ticket]:
        """See `Admission.enter`."""
        if self.purse is not None:
            await self.purse.reserve(call, most or Decimal(0))
        if (brake := self._brakes.get(url)) is None:
            brake = self._brakes[url] = self._new_brake(self._limits)
        ticket = await brake.enter(tokens)
        if self._is_stopped():
            brake.abandoned(ticket)
            raise NotSentError("The run was stopped before this call.")
        self.requests += 1
        return brake, ticket

    def leave(self, ticket: tuple[Brake, Ticket], outcome: Outcome, retry_after: float | None) -> None:
        """See `Admission.leave`."""
        brake, own = ticket
        if outcome == "refused":
            brake.refused(own, retry_after)
        elif outcome == "abandoned":
            brake.abandoned(own)
        else:
            brake.answered(own)

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
