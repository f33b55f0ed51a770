"""The sums of what calls cost, by model, by provider and in total, and the calls that are still under way."""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import takewhile
from typing import Any
from uuid import UUID

from langchain_core.outputs import LLMResult

from langchain_kimi._costs.charges import NOTHING, CallCost, cost_by_list, cost_of_error, cost_of_result, is_cache_hit
from langchain_kimi.errors import KimiError

LONGEST_CALL = 24 * 3600.0
"""Seconds after which a call whose end was not reported counts as failed. No host answers for this long."""
UNKNOWN = "unknown"
"""The row of calls of which nobody said who served them."""


@dataclass(slots=True)
class Costs:
    """What a number of calls cost.

    Attributes:
        calls: Calls that were made and have ended, well or not; hits of LangChain's cache are none.
        failed: How many of them ended with an error, were cancelled, or were left before their end.
        unknown: Calls and attempts of which it is not known what they cost; the sums lack them.
        retries: Attempts that failed and were made again, as far as they were reported: all of a plain call, and those
            of a stream that failed in the end.
        cache_hits: Answers from LangChain's cache. They cost nothing, and their tokens are not counted.
        input_tokens: Tokens of the prompts.
        cached_tokens: Those of them that a host had cached.
        output_tokens: Tokens of the answers, thinking included.
        reasoning_tokens: Those of them that were thought.
        total_tokens: Input and output.
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
    charged: Decimal = field(default=NOTHING, repr=False)
    charged_upstream: Decimal = field(default=NOTHING, repr=False)
    charged_by_list: Decimal = field(default=NOTHING, repr=False, compare=False)
    charged_unknown: int = field(default=0, repr=False, compare=False)

    @property
    def cost(self) -> float:
        """What OpenRouter charged, in US dollars."""
        return float(self.charged)

    @property
    def upstream_cost(self) -> float:
        """What hosts bill to the caller's own keys, in US dollars; beside `cost`, not a part of it."""
        return float(self.charged_upstream)

    @property
    def cached_share(self) -> float | None:
        """The share of the input that a host had cached, from 0 to 1; None without input."""
        return self.cached_tokens / self.input_tokens if self.input_tokens else None

    @property
    def reasoning_share(self) -> float | None:
        """The share of the output that was thought, from 0 to 1; None without output."""
        return self.reasoning_tokens / self.output_tokens if self.output_tokens else None

    def to_dict(self) -> dict[str, Any]:
        """Give all of it by name, ready for JSON."""
        names = [name for name in self.__slots__ if not name.startswith("charged")]
        derived = ("cached_share", "reasoning_share", "cost", "upstream_cost")
        return {name: getattr(self, name) for name in (*names, *derived)}

    def add(self, call_cost: CallCost) -> None:
        """Add the tokens and the cost of a bill."""
        usage = call_cost.usage
        if usage is not None:
            self.input_tokens += usage.get("input_tokens") or 0
            self.output_tokens += usage.get("output_tokens") or 0
            self.total_tokens += usage.get("total_tokens") or 0
            self.cached_tokens += (usage.get("input_token_details") or {}).get("cache_read") or 0
            self.reasoning_tokens += (usage.get("output_token_details") or {}).get("reasoning") or 0
        if call_cost.cost is None:
            self.unknown += 1
            by_list = cost_by_list(call_cost)
            # Beside the sums, for those who guard a limit: what nobody stated is no fact.
            self.charged_by_list += by_list or NOTHING
            self.charged_unknown += by_list is None
        self.charged += call_cost.cost or NOTHING
        self.charged_upstream += call_cost.upstream_cost


@dataclass(slots=True)
class UnderWay:
    """A call that was begun.

    Attributes:
        since: When it began, in seconds of the ledger's clock.
        model: The model that was asked.
        retries: How many attempts were counted already.
    """

    since: float
    model: str | None
    retries: int = 0


class Ledger:
    """Adds up calls as they begin and end, each known by the id of its run; each is counted once.

    A call ends when LangChain's callbacks report it (`on_llm_end`, `on_llm_error`). langchain-core does not report the
    cancellation of a call that is awaited and not streamed. `ChatKimi._agenerate` reports it itself. Nobody does where
    the call waits for a rate limiter, where core sums up a stream for it (`streaming=True`), and for models of other
    packages. Such a call stays in flight until it is older than `LONGEST_CALL`; then it counts as failed, of unknown
    cost. A budget treats both alike: its `estimate` is held back for a call in flight, and is counted for a call of
    unknown cost.

    Args:
        now: The clock, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.total = Costs()
        self.models: dict[str, Costs] = {}
        self.providers: dict[str, Costs] = {}
        self._under_way: dict[int, UnderWay] = {}

    def __contains__(self, run_id: UUID) -> bool:
        return run_id.int in self._under_way

    @property
    def in_flight(self) -> int:
        """How many calls have begun and not ended."""
        return len(self._under_way)

    def begin(self, run_id: UUID, model: str | None) -> None:
        """Take it that a call begins."""
        self._under_way.setdefault(run_id.int, UnderWay(self._now(), model))

    def end(self, run_id: UUID, result: LLMResult) -> None:
        """Take it that a call was answered."""
        if (call := self._under_way.pop(run_id.int, None)) is None:
            return
        call_cost = cost_of_result(result)
        hit = is_cache_hit(result)
        for costs in self._rows(call, call_cost):
            if hit:
                costs.cache_hits += 1
            else:
                costs.calls += 1
                costs.add(call_cost)

    def fail(self, run_id: UUID, error: BaseException, result: LLMResult | None = None) -> None:
        """Take it that a call failed, with what came of its answer."""
        if (call := self._under_way.pop(run_id.int, None)) is None:
            return
        # LangChain reports no retries of a stream; the error that ends it names them.
        attempts = error.attempts if isinstance(error, KimiError) else ()
        for attempt in attempts[call.retries :]:
            self._add_retry(call, attempt)
        self._add_failure(call, cost_of_error(error, result))

    def retry(self, run_id: UUID, error: BaseException | None) -> None:
        """Take it that an attempt failed and is made again."""
        call = self._under_way.get(run_id.int)
        if call is not None and error is not None:
            call.retries += 1
            self._add_retry(call, error)

    def take_back(self, run_id: UUID) -> None:
        """Take it that a call which began is not made at all."""
        self._under_way.pop(run_id.int, None)

    def settle(self) -> None:
        """Count the calls that began too long ago to be under way still; what they cost is not known."""
        limit = self._now() - LONGEST_CALL
        # The oldest come first. A stream that nobody holds may end, and so write in here, whenever Python collects it.
        expired = takewhile(lambda item: item[1].since <= limit, self._under_way.copy().items())
        for call in filter(None, (self._under_way.pop(number, None) for number, _ in expired)):
            self._add_failure(call, CallCost())

    def reset(self) -> None:
        """Begin anew at zero; calls that are under way are counted when they end."""
        self.total = Costs()
        self.models, self.providers = {}, {}

    def snapshot(self) -> "Ledger":
        """Give a copy of the sums that does not change any more, without the calls under way."""
        taken = Ledger(self._now)
        taken.total = copy(self.total)
        taken.models = {name: copy(costs) for name, costs in sorted(self.models.copy().items())}
        taken.providers = {name: copy(costs) for name, costs in sorted(self.providers.copy().items())}
        return taken

    def to_dict(self) -> dict[str, Any]:
        """Give the sums, ready for JSON."""
        return {
            "total": self.total.to_dict(),
            "models": {name: costs.to_dict() for name, costs in self.models.items()},
            "providers": {name: costs.to_dict() for name, costs in self.providers.items()},
        }

    def _add_retry(self, call: UnderWay, error: BaseException) -> None:
        call_cost = cost_of_error(error)
        for costs in self._rows(call, call_cost):
            costs.retries += 1
            costs.add(call_cost)

    def _add_failure(self, call: UnderWay, call_cost: CallCost) -> None:
        for costs in self._rows(call, call_cost):
            costs.calls += 1
            costs.failed += 1
            costs.add(call_cost)

    def _rows(self, call: UnderWay, call_cost: CallCost) -> Iterator[Costs]:
        yield self.total
        yield self.models.setdefault(call_cost.model or call.model or UNKNOWN, Costs())
        yield self.providers.setdefault(call_cost.provider or UNKNOWN, Costs())


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
"""Attribute to the heading of its column."""


def table(ledger: Ledger) -> str:
    """Give the sums as text: a line for each model, for each provider, and for all."""
    rows = [["", *COLUMNS.values()]]
    rows += [[name, *_cells(costs)] for name, costs in ledger.models.items()]
    rows += [[f"at {name}", *_cells(costs)] for name, costs in ledger.providers.items()]
    rows.append(["total", *_cells(ledger.total)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def _cells(costs: Costs) -> Iterator[str]:
    for name in COLUMNS:
        value = getattr(costs, name)
        if name.endswith("_share"):
            yield "-" if value is None else f"{value:.0%}"
        else:
            yield f"{costs.charged + costs.charged_upstream:.6f}" if name == "cost" else f"{value:,}"
