"""What runs cost, and a budget that stops them: callbacks for LangChain, for every way to call a model.

```python
from langchain_kimi.callbacks import Budget, track_costs

with track_costs() as costs:
    agent.invoke(question, config={"callbacks": [Budget(max_cost=0.50)]})
print(costs)  # a table: tokens, shares and dollars by model, by provider and in total
```

The costs are those that the replies state. Calls of other packages' models are counted too, and are of unknown cost
where their replies state none.
"""

import math
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, Literal, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult
from langchain_core.tracers.context import register_configure_hook

from langchain_kimi._costs.ledger import Costs, Ledger, table
from langchain_kimi.errors import KimiBudgetExceededError

__all__ = ["Budget", "Costs", "KimiCostCallback", "track_costs"]


class _Meter:
    """A ledger that many threads write into."""

    def __init__(self) -> None:
        self.__setstate__(Ledger(time.monotonic))

    def __getstate__(self) -> Ledger:
        """Give the sums: what is under way comes to its end here."""
        return self.snapshot()

    def __setstate__(self, ledger: Ledger) -> None:
        # A stream that nobody holds any more ends when Python collects it, which may be while its thread is in here.
        self._lock = threading.RLock()
        self._ledger = ledger
        with _registering:
            _meters.add(self)

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Give the ledger, up to date, to one thread alone."""
        with self._lock:
            self._ledger.settle()
            yield self._ledger

    def snapshot(self) -> Ledger:
        """Give the sums as they are now."""
        with self.ledger() as ledger:
            return ledger.snapshot()


# LangChain tells nothing more of a call that one handler refuses to the handlers that have been told of its start.
_meters: "weakref.WeakSet[_Meter]" = weakref.WeakSet()
_registering = threading.Lock()


def _take_back(run_id: UUID) -> None:
    with _registering:
        meters = list(_meters)
    for meter in meters:
        with meter.ledger() as ledger:
            ledger.take_back(run_id)


class KimiCostCallback(BaseCallbackHandler):
    """Adds up what the calls of chat models cost: tokens, shares and dollars, by model, by provider and in total.

    Give it to a run, `config={"callbacks": [costs]}`, or to a model, `ChatKimi(callbacks=[costs])`; one may serve any
    number of runs, threads and loops at once. Each call is counted once, when it ends. An answer from LangChain's cache
    costs nothing. A call that failed is counted with what it says that it cost; one that was refused before the model
    began cost nothing; of one that was cancelled, left or cut off after that, nobody says, and it counts as `unknown`.
    Two kinds of cancelled calls are not reported by LangChain: an `ainvoke` that sums up a stream (`streaming=True`, or
    a handler that takes tokens) or still waits for a rate limiter, and any `ainvoke` of another package's model. They
    stay `in_flight` for 24 hours and count as failed and `unknown` then. Failed attempts before a stream that was
    answered are not reported either, and what they cost is missing in the sums.

    A copy, such as that of a copied model, counts into the same sums. What comes out of a pickle has the sums of that
    moment and counts on by itself, in another process for example.
    """

    # An executor's thread for every token of every stream would cost more than all that is done here.
    run_inline = True

    def __init__(self) -> None:
        self._meter = _Meter()
        self._meters: tuple[_Meter, ...] = (self._meter,)

    @property
    def total(self) -> Costs:
        """The sums over all calls so far."""
        return self._meter.snapshot().total

    @property
    def models(self) -> dict[str, Costs]:
        """The sums by the model that answered, or that was asked where none did."""
        return self._meter.snapshot().models

    @property
    def providers(self) -> dict[str, Costs]:
        """The sums by the host that served the calls."""
        return self._meter.snapshot().providers

    @property
    def in_flight(self) -> int:
        """How many calls have begun and are not known to have ended."""
        with self._meter.ledger() as ledger:
            return ledger.in_flight

    def reset(self) -> None:
        """Begin anew at zero; calls in flight are counted when they end."""
        with self._meter.ledger() as ledger:
            ledger.reset()

    def to_dict(self) -> dict[str, Any]:
        """Give the sums, ready for JSON: `total`, and by name `models` and `providers`."""
        return self._meter.snapshot().to_dict()

    def __str__(self) -> str:
        return table(self._meter.snapshot())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.total!r})"

    def on_chat_model_start(self, *_: Any, run_id: UUID, metadata: dict[str, Any] | None = None, **__: Any) -> None:
        """Take note of a call that begins."""
        self._begin(run_id, (metadata or {}).get("ls_model_name"))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """Count a call that was answered."""
        for meter in self._meters:
            with meter.ledger() as ledger:
                ledger.end(run_id, response)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **told: Any) -> None:
        """Count a call that failed, was cancelled, or was left before its end."""
        for meter in self._meters:
            with meter.ledger() as ledger:
                ledger.fail(run_id, error, told.get("response"))

    def on_retry(self, retry_state: Any, *, run_id: UUID, **_: Any) -> None:
        """Count an attempt that failed and is made again."""
        error = retry_state.outcome and retry_state.outcome.exception()
        for meter in self._meters:
            with meter.ledger() as ledger:
                ledger.retry(run_id, error)

    def _begin(self, run_id: UUID, model: str | None) -> None:
        for meter in self._meters:
            with meter.ledger() as ledger:
                ledger.begin(run_id, model)


class _Tracked(KimiCostCallback):
    """One that tells what it counts to those around it, too."""

    def __init__(self, around: tuple[_Meter, ...]) -> None:
        super().__init__()
        self._meters += around

    @property
    def meters(self) -> tuple[_Meter, ...]:
        """Its own and those around it."""
        return self._meters


_tracking: ContextVar[_Tracked | None] = ContextVar("langchain_kimi_track_costs", default=None)
# Once for all, not in each `with`: LangChain keeps every hook for ever.
register_configure_hook(_tracking, inheritable=True)


@contextmanager
def track_costs() -> Iterator[KimiCostCallback]:
    """Count the calls that are begun inside the `with`, wherever LangChain takes them: threads, tasks, chains, agents.

    Inside another `track_costs`, both count. What the `with` gives can be read inside and after it. A thread of your
    own begins with an empty context: run it in a copy of yours (`contextvars.copy_context().run`).
    """
    around = _tracking.get()
    costs = _Tracked(around.meters if around else ())
    token = _tracking.set(costs)
    try:
        yield costs
    finally:
        _tracking.reset(token)


class Budget(KimiCostCallback):
    """Stops runs that cost too much: when the budget is spent, the next call is refused before anything is sent.

    Give it to one run, `config={"callbacks": [Budget(max_cost=0.50)]}`, or share it among many, or give it to a model
    for good, `ChatKimi(callbacks=[budget])`. Calls that are under way when the limit is passed come to their end: with
    many at once, the limit is overshot by what those cost, unless `estimate` holds a sum back for each of them. It
    counts as a `KimiCostCallback` does, and `reset` opens it again.

    Calls are refused before LangChain looks into its cache. A call whose cost nobody states counts with the list prices
    of its tokens; where those are not known either, with the `estimate`. The error reaches the caller from every way to
    call; in a `batch` with `return_exceptions=True` it stands in the list.
    LangChain also logs it as a warning. Where an async run has other handlers too, Python may add the warning
    "coroutine 'ahandle_event' was never awaited": LangChain does not close the handlers that come after the refusal.

    Args:
        max_cost: US dollars: what OpenRouter charges and what hosts bill to your own keys.
        max_tokens: Tokens, input and output together.
        estimate: US dollars that a call may cost; they are held back from its start to its end.

    Raises:
        ValueError: there is no limit, or a number is negative or none at all.
        KimiBudgetExceededError: raised in the run whose call is refused.
    """

    raise_error = True

    def __init__(self, *, max_cost: float | None = None, max_tokens: int | None = None, estimate: float = 0) -> None:
        if max_cost is None and max_tokens is None:
            raise ValueError("A budget needs max_cost, max_tokens, or both.")
        given = {"max_cost": max_cost, "max_tokens": max_tokens, "estimate": estimate}
        for name, number in given.items():
            if number is not None and not (isinstance(number, int | float | Decimal) and number >= 0):
                raise ValueError(f"{name} must be a number that is not negative: {number!r}")
        if not math.isfinite(estimate):
            raise ValueError(f"estimate must be finite: {estimate!r}")
        super().__init__()
        self.max_cost = max_cost
        self.max_tokens = max_tokens
        self.estimate = estimate

    @property
    def spent(self) -> float:
        """US dollars that count against `max_cost`, without what is held back for the calls in flight."""
        with self._meter.ledger() as ledger:
            return float(self._spent(ledger))

    def _begin(self, run_id: UUID, model: str | None) -> None:
        with self._meter.ledger() as ledger:
            # A budget of the model and of the run is told of the call twice.
            refusal = None if run_id in ledger else self._refusal(ledger)
            if refusal is None:
                ledger.begin(run_id, model)
        if refusal is not None:
            _take_back(run_id)
            raise refusal

    def _spent(self, ledger: Ledger) -> Decimal:
        total = ledger.total
        known = total.charged + total.charged_upstream + total.charged_by_list
        return known + total.charged_unknown * _decimal(self.estimate)

    def _refusal(self, ledger: Ledger) -> KimiBudgetExceededError | None:
        spent, tokens, under_way = self._spent(ledger), ledger.total.total_tokens, ledger.in_flight
        if self.max_tokens is not None and tokens >= self.max_tokens:
            return _refused("tokens", tokens, self.max_tokens, f"{tokens:,} of {self.max_tokens:,} tokens are spent")
        if self.max_cost is None:
            return None
        limit, estimate = _decimal(self.max_cost), _decimal(self.estimate)
        held = under_way * estimate
        if spent < limit and spent + held + estimate <= limit:
            return None
        told = f"{spent:f} of {limit:f} USD are spent"
        if held:
            told += f", and {held:f} USD are held back for calls in flight"
        return _refused("USD", float(spent), float(limit), told)


def _decimal(dollars: float) -> Decimal:
    """As it is written, so that ten times 0.1 is 1."""
    return Decimal(str(dollars))


def _refused(unit: Literal["USD", "tokens"], spent: float, limit: float, told: str) -> KimiBudgetExceededError:
    return KimiBudgetExceededError(
        f"The budget leaves no room for another call: {told}.",
        spent=spent,
        limit=limit,
        unit=unit,
        advice="Nothing was sent. Raise the budget's limit, or reset() it.",
    )
