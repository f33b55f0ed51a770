"""Sums of costs by model, by provider and in total, and the calls that have not ended yet."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from html import escape
from itertools import takewhile
from typing import Any
from uuid import UUID

from langchain_core.outputs import LLMResult

from langchain_kimi._costs.charges import (
    NO_COST,
    CallCost,
    cost_of_error,
    cost_of_result,
    is_cache_hit,
    plausible_tokens,
)
from langchain_kimi._costs.slots import Slot
from langchain_kimi.errors import KimiError

LONGEST_CALL = 24 * 3600.0
"""Seconds after which a call whose end was not reported counts as failed. No call to a host takes this long."""
UNKNOWN = "unknown"
"""The name under which calls without a reported model or provider are counted."""


@dataclass(slots=True, repr=False)
class Costs:
    """The cost of a number of calls.

    Attributes:
        calls: Calls that ended, successfully or not, without hits of LangChain's cache.
        failed: Calls among them that ended with an error, were cancelled, or were abandoned by the caller.
        unknown: Calls and attempts of unknown cost, which the sums do not include. A call with the caller's own key
            is one of them if its upstream cost was not reported.
        retries: Failed attempts that were retried. LangChain does not report those of streams of other packages.
        cache_hits: Answers from LangChain's cache. They cost nothing, and their tokens are not counted.
        input_tokens: Tokens of the prompts.
        cached_tokens: Tokens of the prompts that a host read from its cache.
        output_tokens: Tokens of the answers, reasoning included.
        reasoning_tokens: Tokens of reasoning.
        total_tokens: Input and output tokens.
    """

    calls: int = 0
    failed: int = 0
    unknown: int = 0
    retries: int = 0
    cache_hits: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    total_tokens: int = 0
    charged: Decimal = field(default=NO_COST, repr=False)
    charged_upstream: Decimal = field(default=NO_COST, repr=False)

    def __repr__(self) -> str:
        shown = {name: value for name, value in self.to_dict().items() if value or name == "calls"}
        for name in ("cost", "upstream_cost"):
            shown.pop(name, None)
        parts = [
            f"{name}={value:.0%}" if name.endswith("_share") else f"{name}={value}" for name, value in shown.items()
        ]
        parts.append(f"cost=${self.charged:f}")
        if self.charged_upstream:
            parts.append(f"upstream_cost=${self.charged_upstream:f}")
        return f"Costs({', '.join(parts)})"

    @property
    def cost(self) -> float:
        """The US dollars that OpenRouter charged."""
        return float(self.charged)

    @property
    def upstream_cost(self) -> float:
        """The US dollars that hosts charge to the caller's own keys. `cost` does not include them."""
        return float(self.charged_upstream)

    @property
    def cached_share(self) -> float | None:
        """The share of input tokens that hosts read from their caches, from 0 to 1; None without input."""
        return self.cached_tokens / self.input_tokens if self.input_tokens else None

    @property
    def reasoning_share(self) -> float | None:
        """The share of output tokens that are reasoning, from 0 to 1; None without output."""
        return self.reasoning_tokens / self.output_tokens if self.output_tokens else None

    def to_dict(self) -> dict[str, Any]:
        """Return all values by name, as JSON types."""
        names = [name for name in self.__slots__ if not name.startswith("charged")]
        derived = ("cached_share", "reasoning_share", "cost", "upstream_cost")
        return {name: getattr(self, name) for name in (*names, *derived)}

    def add(self, call_cost: CallCost, sign: int = 1) -> None:
        """Add the tokens and the cost of a call, or subtract them if the sign is -1."""
        usage = call_cost.usage
        if usage is not None:
            self.input_tokens += sign * plausible_tokens(usage.get("input_tokens"))
            self.output_tokens += sign * plausible_tokens(usage.get("output_tokens"))
            self.total_tokens += sign * plausible_tokens(usage.get("total_tokens"))
            self.cached_tokens += sign * plausible_tokens((usage.get("input_token_details") or {}).get("cache_read"))
            self.reasoning_tokens += sign * plausible_tokens((usage.get("output_token_details") or {}).get("reasoning"))
        self.unknown += sign * (not call_cost.is_known)
        self.charged += sign * (call_cost.cost or NO_COST)
        self.charged_upstream += sign * call_cost.upstream_cost


@dataclass(frozen=True, slots=True, eq=False)
class CountedCall:
    """A call or an attempt that a ledger has counted, to correct the sums when its cost becomes known.

    Attributes:
        cost: The cost with which it was counted.
        model: The requested model.
        is_failed: Whether it counts as a failed call.
        is_retry: Whether it is an attempt that was retried.
        total: The sum that includes it. After a reset, the ledger has another one.
    """

    cost: CallCost
    model: str | None
    is_failed: bool
    is_retry: bool
    total: Costs = field(repr=False)


@dataclass(slots=True)
class CallInFlight:
    """A call that has begun but not ended.

    Attributes:
        started: The time at which it began, in seconds of the ledger's clock.
        model: The requested model.
        slot: What the call itself reports; None for other packages' models.
        retries: The number of failed attempts that were counted.
    """

    started: float
    model: str | None
    slot: Slot | None = None
    retries: int = 0


class Ledger:
    """The sums of calls, each identified by its run id and counted once, when it ends.

    A call ends when LangChain's callbacks report it (`on_llm_end`, `on_llm_error`). langchain-core does not report that
    a plain `ainvoke` was cancelled, so `ChatKimi._agenerate` does. A cancellation is not reported if the call waits for
    a rate limiter, if core aggregates a stream for it (`streaming=True`), or if the model is from another package. Such
    a call stays in flight until it is older than `LONGEST_CALL`, and then counts as failed and of unknown cost. A
    budget treats both states alike: the amount that it reserved for the call stays reserved.

    Args:
        now: The clock, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.total = Costs()
        self.models: dict[str, Costs] = {}
        self.providers: dict[str, Costs] = {}
        self._in_flight: dict[int, CallInFlight] = {}

    def __contains__(self, run_id: UUID) -> bool:
        return run_id.int in self._in_flight

    @property
    def in_flight(self) -> int:
        """The number of calls that have begun but not ended."""
        return len(self._in_flight)

    def begin(self, run_id: UUID, model: str | None, slot: Slot | None = None) -> None:
        """Record the start of a call."""
        self._in_flight.setdefault(run_id.int, CallInFlight(self._now(), model, slot))

    def end(self, run_id: UUID, result: LLMResult) -> list[CountedCall]:
        """Count a call that was answered. Return the call and its attempts if their cost is unknown."""
        if (call := self._pop(run_id)) is None:
            return []
        if is_cache_hit(result):
            for costs in self._rows(call.model, cost_of_result(result)):
                costs.cache_hits += 1
            return []
        return _of_unknown_cost([*self._retries(call, ()), self._count(call, cost_of_result(result))])

    def fail(self, run_id: UUID, error: BaseException, result: LLMResult | None = None) -> list[CountedCall]:
        """Count a call that failed, with its partial result; see `end` for the returned calls."""
        if (call := self._pop(run_id)) is None:
            return []
        # LangChain does not report the retries of a stream. The error that ends the stream has them.
        retries = self._retries(call, error.attempts if isinstance(error, KimiError) else ())
        return _of_unknown_cost([*retries, self._count(call, cost_of_error(error, result), is_failed=True)])

    def _pop(self, run_id: UUID) -> CallInFlight | None:
        """Remove and return a call that has ended; None if it is not in flight."""
        call = self._in_flight.pop(run_id.int, None)
        if call is not None and call.slot is not None:
            # An answer from a cache has not taken its slot, and the next call must not take it.
            call.slot.is_taken = True
        return call

    def retry(self, run_id: UUID, error: BaseException | None) -> list[CountedCall]:
        """Count a failed attempt that is retried. Return it if its cost is unknown."""
        call = self._in_flight.get(run_id.int)
        if call is None or error is None:
            return []
        call.retries += 1
        return _of_unknown_cost([self._count(call, cost_of_error(error), is_retry=True)])

    def correct(self, counted: CountedCall, actual_cost: CallCost) -> None:
        """Replace the cost of a counted call, unless the sums have been reset since."""
        if counted.total is not self.total:
            return
        cost = replace(
            actual_cost,
            model=actual_cost.model or counted.cost.model,
            provider=actual_cost.provider or counted.cost.provider,
            usage=actual_cost.usage or counted.cost.usage,
        )
        for costs in self._rows(counted.model, counted.cost):
            _count_once(costs, counted, -1)
        for sums in (self.models, self.providers):
            for name in [name for name, costs in sums.items() if costs == Costs()]:
                del sums[name]
        for costs in self._rows(counted.model, cost):
            _count_once(costs, replace(counted, cost=cost))

    def discard(self, run_id: UUID) -> None:
        """Remove a call that began but is not made."""
        self._in_flight.pop(run_id.int, None)

    def expire(self) -> None:
        """Count the calls that began more than `LONGEST_CALL` ago as failed and of unknown cost."""
        limit = self._now() - LONGEST_CALL
        # The oldest calls come first. The copy is needed because the garbage collector may close an abandoned stream at
        # any time, which removes its call.
        expired = takewhile(lambda item: item[1].started <= limit, self._in_flight.copy().items())
        for call in filter(None, (self._in_flight.pop(number, None) for number, _ in expired)):
            self._count(call, CallCost(), is_failed=True)

    def reset(self) -> None:
        """Set all sums to zero. Calls in flight are counted when they end."""
        self.total = Costs()
        self.models, self.providers = {}, {}

    def snapshot(self) -> "Ledger":
        """Return a copy of the sums, sorted by name, without the calls in flight."""
        sums = Ledger(self._now)
        sums.total = copy(self.total)
        sums.models = {name: copy(costs) for name, costs in sorted(self.models.copy().items())}
        sums.providers = {name: copy(costs) for name, costs in sorted(self.providers.copy().items())}
        return sums

    def to_dict(self) -> dict[str, Any]:
        """Return the sums as JSON types."""
        return {
            "total": self.total.to_dict(),
            "models": {name: costs.to_dict() for name, costs in self.models.items()},
            "providers": {name: costs.to_dict() for name, costs in self.providers.items()},
        }

    def _retries(self, call: CallInFlight, attempts: Sequence[KimiError]) -> list[CountedCall]:
        """Count the failed attempts that were not reported individually."""
        attempts = attempts or (call.slot.errors if call.slot else ())
        return [self._count(call, cost_of_error(error), is_retry=True) for error in attempts[call.retries :]]

    def _count(
        self, call: CallInFlight, cost: CallCost, *, is_failed: bool = False, is_retry: bool = False
    ) -> CountedCall:
        # The slot has the generation of the latest attempt, and an earlier one must not be looked up as that.
        if cost.generation_id is None and call.slot is not None and not is_retry:
            cost = replace(cost, generation_id=call.slot.generation_id)
        counted = CountedCall(cost, call.model, is_failed=is_failed, is_retry=is_retry, total=self.total)
        for costs in self._rows(call.model, cost):
            _count_once(costs, counted)
        return counted

    def _rows(self, model: str | None, call_cost: CallCost) -> Iterator[Costs]:
        yield self.total
        yield self.models.setdefault(call_cost.model or model or UNKNOWN, Costs())
        yield self.providers.setdefault(call_cost.provider or UNKNOWN, Costs())


def _of_unknown_cost(counted: Sequence[CountedCall]) -> list[CountedCall]:
    return [one for one in counted if not one.cost.is_known]


def _count_once(costs: Costs, counted: CountedCall, sign: int = 1) -> None:
    costs.calls += sign * (not counted.is_retry)
    costs.failed += sign * counted.is_failed
    costs.retries += sign * counted.is_retry
    costs.add(counted.cost, sign)


COLUMNS = {
    "calls": "calls",
    "failed": "failed",
    "unknown": "unknown",
    "cache_hits": "hits",
    "input_tokens": "input",
    "cached_share": "cached",
    "output_tokens": "output",
    "reasoning_share": "reasoning",
    "cost": "USD",
}
"""The attributes in the table, with the headings of their columns."""


def table(ledger: Ledger) -> str:
    """Return the sums as a text table, with a line per model, a line per provider, and a line for the total."""
    return aligned(_rows(ledger))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of equal length as lines of text. The first column is aligned left, and the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def html_table(ledger: Ledger) -> str:
    """Return the same table as HTML, for notebooks."""
    head, *rows = _rows(ledger)
    lines = [f"<tr><th>{'</th><th>'.join(head)}</th></tr>"]
    lines += [f"<tr><th>{escape(name)}</th><td>{'</td><td>'.join(cells)}</td></tr>" for name, *cells in rows]
    return f"<table>{''.join(lines)}</table>"


def _rows(ledger: Ledger) -> list[list[str]]:
    rows = [["", *COLUMNS.values()]]
    rows += [[name, *_cells(costs)] for name, costs in ledger.models.items()]
    rows += [[f"at {name}", *_cells(costs)] for name, costs in ledger.providers.items()]
    return [*rows, ["total", *_cells(ledger.total)]]


def _cells(costs: Costs) -> Iterator[str]:
    for name in COLUMNS:
        value = getattr(costs, name)
        if name.endswith("_share"):
            yield "-" if value is None else f"{value:.0%}"
        else:
            yield f"{costs.charged + costs.charged_upstream:.6f}" if name == "cost" else f"{value:,}"
