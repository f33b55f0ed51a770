"""A limit of money that concurrent calls cannot exceed: each reserves its maximum cost, before it is sent."""

import asyncio
from collections.abc import Hashable
from decimal import Decimal

from langchain_kimi.errors import KimiBudgetExceededError

ZERO = Decimal(0)


class Purse:
    """The money of a run. It belongs to one event loop.

    A call whose worst case does not fit waits while others are in progress, because they usually cost less than they
    have reserved. It is refused once nothing else is in progress.

    Args:
        limit: US dollars.
        spent: US dollars that were spent before.

    Attributes:
        spent: US dollars of the calls that ended. A call whose cost is not reported counts with its worst case.
        reserved: The maximum cost in US dollars of the calls in progress.
    """

    def __init__(self, limit: Decimal, spent: Decimal = ZERO) -> None:
        self.limit = limit
        self.spent, self.reserved = spent, ZERO
        self._calls: dict[Hashable, Decimal] = {}
        self._settled = asyncio.Event()

    async def reserve(self, call: Hashable, max_cost: Decimal) -> None:
        """Reserve the maximum cost of a call. Another attempt of the same call reserves nothing more.

        Raises:
            KimiBudgetExceededError: It does not fit, and no other call is in progress.
        """
        if call in self._calls:
            return
        while self.spent + self.reserved + max_cost > self.limit:
            if not self._calls:
                raise KimiBudgetExceededError(
                    f"Budget exceeded: {self.spent:f} of {self.limit:f} USD spent, "
                    f"and the call may cost {max_cost:f} USD.",
                    spent=float(self.spent),
                    limit=float(self.limit),
                    unit="USD",
                    advice="The call was not sent. Raise max_cost, or lower max_tokens.",
                )
            self._settled.clear()
            await self._settled.wait()
        self._calls[call] = max_cost
        self.reserved += max_cost

    def hold(self, call: Hashable, max_cost: Decimal) -> None:
        """Reserve the maximum cost of a call of an earlier start, which was counted as spent until now."""
        self.spent -= max_cost
        self.reserved += max_cost
        self._calls[call] = max_cost

    def settle(self, call: Hashable, cost: Decimal | None) -> None:
        """Replace the reservation of a call by its cost; None if the cost is not known."""
        max_cost = self._calls.pop(call, None)
        if max_cost is not None:
            self.reserved -= max_cost
        self.spent += (max_cost or ZERO) if cost is None else cost
        self._settled.set()


def purse_of(limit: Decimal | None, spent: Decimal) -> Purse | None:
    """Return the money of a run; None without a limit.

    Args:
        limit: US dollars; None for no limit.
        spent: US dollars that earlier starts of the run have spent.
    """
    return None if limit is None else Purse(limit, spent)
