"""One row of a bulk run: its calls pass the run's gate, and their costs are counted."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from langchain_core.outputs import LLMResult

from langchain_kimi._costs.worst_case import prompt_tokens, worst_case
from langchain_kimi.bulk.brake import Brake, Limits, Ticket
from langchain_kimi.bulk.purse import Purse
from langchain_kimi.callbacks import KimiCostCallback
from langchain_kimi.errors import KimiError

_REFUSALS = frozenset({429, 503, 529})
"""Statuses of a host that has too many requests."""


@dataclass(slots=True)
class Row:
    """A row of the input, with its position and its key."""

    index: int
    key: str
    value: Any


class RunGate:
    """The gate of all calls of a run: a brake for each server, and the run's money.

    Args:
        limits: The limits of the calls to a server.
        purse: The run's money; None for no limit.
        prices: The user's prices for the worst case of a call.

    Attributes:
        requests: The number of requests so far.
    """

    def __init__(self, limits: Limits, purse: Purse | None, prices: Mapping[str, float] | None) -> None:
        self._limits = limits
        self._prices = prices
        self._brakes: dict[str, Brake] = {}
        self.purse = purse
        self.requests = 0

    @property
    def refusals(self) -> int:
        """The number of refused requests so far."""
        return sum(brake.refusals for brake in self._brakes.values())

    async def enter(self, url: str, body: bytes, run_id: UUID | None) -> tuple[Brake, Ticket]:
        """Wait until a request fits into the money and the limits.

        Raises:
            KimiBudgetExceededError: It does not fit into the money.
        """
        tokens = 0
        if self.purse is not None:
            case = worst_case(json.loads(body), self._prices)
            tokens = case.prompt_tokens
            await self.purse.reserve(run_id, case.cost)
        elif self._limits.tokens_per_minute is not None:
            tokens = prompt_tokens(json.loads(body))
        if (brake := self._brakes.get(url)) is None:
            brake = self._brakes[url] = Brake(self._limits)
        ticket = await brake.enter(tokens)
        self.requests += 1
        return brake, ticket

    def leave(self, ticket: tuple[Brake, Ticket], problem: BaseException | None) -> None:
        """Note the end of a request."""
        brake, own = ticket
        if isinstance(problem, KimiError) and problem.status in _REFUSALS:
            brake.refused(own, problem.retry_after)
        elif isinstance(problem, asyncio.CancelledError | GeneratorExit):
            brake.abandoned(own)
        else:
            brake.answered(own)


class RowCosts(KimiCostCallback):
    """The costs of one row. When a call ends, its reservation is replaced by its cost.

    Args:
        settle: Takes the id of a call that ended and its cost in US dollars, None if that is not known.
    """

    def __init__(self, settle: Callable[[UUID, Decimal | None], None]) -> None:
        super().__init__()
        self._settle = settle

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Count a call that was answered."""
        before = self.total
        super().on_llm_end(response, run_id=run_id, **kwargs)
        self._settle_call(run_id, before)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Count a call that failed."""
        before = self.total
        super().on_llm_error(error, run_id=run_id, **kwargs)
        self._settle_call(run_id, before)

    def _settle_call(self, run_id: UUID, before: Any) -> None:
        after = self.total
        if after.unknown > before.unknown:
            self._settle(run_id, None)
        else:
            charged = after.charged + after.charged_upstream - before.charged - before.charged_upstream
            self._settle(run_id, charged)
