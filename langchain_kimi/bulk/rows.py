"""One row of a bulk run: its calls pass the run's gate, and their costs are counted."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from langchain_core.outputs import LLMResult

from langchain_kimi._costs.ledger import Ledger
from langchain_kimi._costs.worst_case import prompt_tokens, worst_case
from langchain_kimi.bulk.admission import Admission, outcome_of
from langchain_kimi.bulk.results import BulkResult
from langchain_kimi.callbacks import KimiCostCallback
from langchain_kimi.errors import KimiUsageError


@dataclass(slots=True)
class Row:
    """A row of the input.

    Attributes:
        index: Its position.
        key: Its key.
        value: The row.
        earlier: The result of an earlier round of this run, which has failed.
        filled: The row as its prompt is to show it; None if that is the row itself. See `Target.filled`.
    """

    index: int
    key: str
    value: Any
    earlier: BulkResult | None = None
    filled: Any = None

    @property
    def input(self) -> Any:
        """The input of the runnable."""
        return self.value if self.filled is None else self.filled


def key_text(value: Any) -> str:
    """Return the key of a row as text.

    Args:
        value: The value of the column, or of the user's function.

    Raises:
        KimiUsageError: It is null or empty, so the key would be that of other rows, too.
    """
    if is_null(value) or value == "":
        raise KimiUsageError("The key of the row is null or empty.")
    return str(value)


def is_null(value: Any) -> bool:
    """Return whether a value of a row is missing: None, or NaN as pandas writes it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def own_key(row: Any, key: str | Callable[[Any], Any]) -> str:
    """Return the key of a row by the option `key`: a column, or a function.

    Raises:
        KimiUsageError: It is null or empty. All such rows would get the result of the first one.
        Exception: The row has no such column, or the function raised it.
    """
    return key_text(row[key] if isinstance(key, str) else key(row))


@dataclass(frozen=True, slots=True)
class Estimates:
    """The facts about a request that the admission needs.

    Attributes:
        cost: Whether it needs the maximum cost of the call.
        tokens: Whether it needs the tokens of the prompt.
        prices: The user's prices for the worst case of a call.
    """

    cost: bool = False
    tokens: bool = False
    prices: Mapping[str, float] | None = None

    def of(self, body: bytes) -> tuple[int, Decimal | None]:
        """Return the tokens and the US dollars of a request; 0 and None where they are not needed."""
        if self.cost:
            case = worst_case(json.loads(body), self.prices)
            return case.prompt_tokens, case.cost
        return (prompt_tokens(json.loads(body)) if self.tokens else 0), None


class RunGate:
    """The gate of all calls of a run in this process.

    Args:
        admission: Decides when attempts begin.
        estimates: What it needs to know.
    """

    def __init__(self, admission: Admission, estimates: Estimates) -> None:
        self._admission = admission
        self._estimates = estimates

    async def enter(self, url: str, body: bytes, run_id: UUID | None) -> Any:
        """Wait until a request fits into the money and the limits.

        Raises:
            KimiBudgetExceededError: It does not fit into the money.
        """
        return await self._admission.enter(run_id, url, *self._estimates.of(body))

    def leave(self, ticket: Any, error: BaseException | None) -> None:
        """Note the end of a request."""
        self._admission.leave(ticket, *outcome_of(error))

    def settle(self, run_id: UUID, cost: Decimal | None) -> None:
        """Note the end of a call and its cost in US dollars; None if the cost is not known."""
        self._admission.settle(run_id, cost)


class RowCosts(KimiCostCallback):
    """The costs of one row. When a call ends, its reservation is replaced by its cost.

    Args:
        settle: Takes the id of a call that ended and its cost in US dollars, None if that is not known.
    """

    def __init__(self, settle: Callable[[UUID, Decimal | None], None]) -> None:
        super().__init__()
        self._settle = settle
        with self._own.locked() as ledger:
            self.sums: Ledger = ledger
        self._unknown = 0
        self._charged = Decimal(0)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Count a call that was answered."""
        super().on_llm_end(response, run_id=run_id, **kwargs)
        self._settle_call(run_id)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Count a call that failed."""
        super().on_llm_error(error, run_id=run_id, **kwargs)
        self._settle_call(run_id)

    def _settle_call(self, run_id: UUID) -> None:
        total = self.sums.total
        charged, unknown = total.charged + total.charged_upstream, total.unknown
        self._settle(run_id, None if unknown > self._unknown else charged - self._charged)
        self._charged, self._unknown = charged, unknown
