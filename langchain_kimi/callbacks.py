"""LangChain callbacks that sum up the costs of runs, and budgets that stop runs.

```python
from langchain_kimi.callbacks import Budget, track_costs

with track_costs() as costs:
    agent.invoke(question, config={"callbacks": [Budget(max_cost=0.50)]})
print(costs)  # a table: tokens, shares and dollars by model, by provider and in total
```

The costs are those that the replies report. Calls of other packages' models are counted too, and are of unknown cost if
their replies do not report one.
"""

import math
import os
import threading
import time
import warnings
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

from langchain_kimi._costs.ledger import Costs, Ledger, html_table, table
from langchain_kimi.errors import KimiBudgetExceededError

__all__ = ["Budget", "Costs", "KimiCostCallback", "track_costs"]


class _SharedLedger:
    """A ledger with a lock, for any number of threads."""

    def __init__(self) -> None:
        self.__setstate__(Ledger(time.monotonic))

    def __getstate__(self) -> Ledger:
        """Return the sums only. Calls in flight are counted in the process that made them."""
        return self.snapshot()

    def __setstate__(self, ledger: Ledger) -> None:
        # Reentrant, because the garbage collector may close an abandoned stream in the thread that has the lock.
        self._lock = threading.RLock()
        self._ledger = ledger
        with _registry_lock:
            _ledgers.add(self)

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    @contextmanager
    def locked(self) -> Iterator[Ledger]:
        """Lock and yield the ledger, with its expired calls counted."""
        with self._lock:
            self._ledger.expire()
            yield self._ledger

    def snapshot(self) -> Ledger:
        """Return a copy of the current sums."""
        with self.locked() as ledger:
            return ledger.snapshot()


# When one handler refuses a call, LangChain does not report its end to the handlers that were notified of its start.
_ledgers: "weakref.WeakSet[_SharedLedger]" = weakref.WeakSet()
_registry_lock = threading.Lock()


def _discard(run_id: UUID) -> None:
    """Remove a call that was refused from all ledgers."""
    with _registry_lock:
        ledgers = list(_ledgers)
    for shared in ledgers:
        with shared.locked() as ledger:
            ledger.discard(run_id)


class KimiCostCallback(BaseCallbackHandler):
    """Sums up the costs of chat model calls: tokens, shares and US dollars by model, by provider and in total.

    Pass it to a run, `config={"callbacks": [costs]}`, or to a model, `ChatKimi(callbacks=[costs])`. One object can be
    used by any number of runs, threads and event loops at once. Each call is counted once, when it ends:

    - An answer from LangChain's cache costs nothing.
    - A failed call costs what its error reports, and nothing if it was refused before the model began.
    - A call that was cancelled, abandoned or cut off while the model answered counts as `unknown`.

    LangChain does not report some events. The following cancelled calls stay `in_flight` for 24 hours, then they count
    as failed and `unknown`: an `ainvoke` that aggregates a stream (`streaming=True`, or a handler that takes tokens) or
    waits for a rate limiter, and every `ainvoke` of another package's model. Failed attempts before a stream that
    succeeded are missing in the sums.

    A copy, such as that of a copied model, counts into the same sums. An unpickled object starts with the sums at the
    time of pickling and counts separately, for example in another process.
    """

    # Otherwise async runs call each handler in a thread of an executor, for every token.
    run_inline = True

    def __init__(self) -> None:
        self._own = _SharedLedger()
        self._ledgers: tuple[_SharedLedger, ...] = (self._own,)

    @property
    def total(self) -> Costs:
        """The sums over all calls so far."""
        return self._own.snapshot().total

    @property
    def models(self) -> dict[str, Costs]:
        """The sums by the model that answered, or by the requested model if a call failed."""
        return self._own.snapshot().models

    @property
    def providers(self) -> dict[str, Costs]:
        """The sums by the host that served the calls."""
        return self._own.snapshot().providers

    @property
    def in_flight(self) -> int:
        """The number of calls that have begun and whose end was not reported."""
        with self._own.locked() as ledger:
            return ledger.in_flight

    def reset(self) -> None:
        """Set all sums to zero. Calls in flight are counted when they end."""
        with self._own.locked() as ledger:
            ledger.reset()

    def to_dict(self) -> dict[str, Any]:
        """Return the sums as JSON types: `total`, and by name `models` and `providers`."""
        return self._own.snapshot().to_dict()

    def __str__(self) -> str:
        return table(self._own.snapshot())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.total!r})"

    def _repr_html_(self) -> str:
        return html_table(self._own.snapshot())

    def on_chat_model_start(self, *_: Any, run_id: UUID, metadata: dict[str, Any] | None = None, **__: Any) -> None:
        """Record the start of a call."""
        self._begin(run_id, (metadata or {}).get("ls_model_name"))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """Count a call that was answered."""
        for shared in self._ledgers:
            with shared.locked() as ledger:
                ledger.end(run_id, response)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Count a call that failed, was cancelled, or was abandoned."""
        for shared in self._ledgers:
            with shared.locked() as ledger:
                ledger.fail(run_id, error, kwargs.get("response"))

    def on_retry(self, retry_state: Any, *, run_id: UUID, **_: Any) -> None:
        """Count a failed attempt that is retried."""
        error = retry_state.outcome and retry_state.outcome.exception()
        for shared in self._ledgers:
            with shared.locked() as ledger:
                ledger.retry(run_id, error)

    def _begin(self, run_id: UUID, model: str | None) -> None:
        for shared in self._ledgers:
            with shared.locked() as ledger:
                ledger.begin(run_id, model)


class _TrackedCosts(KimiCostCallback):
    """The costs of one `track_costs`, which are also counted by the ones around it."""

    def __init__(self, outer: tuple[_SharedLedger, ...]) -> None:
        super().__init__()
        self._ledgers += outer

    @property
    def ledgers(self) -> tuple[_SharedLedger, ...]:
        """Its own ledger and those of the outer ones."""
        return self._ledgers


_tracking: ContextVar[_TrackedCosts | None] = ContextVar("langchain_kimi_track_costs", default=None)
# At import and not in each `with`, because LangChain never forgets a hook.
register_configure_hook(_tracking, inheritable=True)


@contextmanager
def track_costs() -> Iterator[KimiCostCallback]:
    """Count the calls that begin inside the `with` block, including those in LangChain's threads, tasks and agents.

    Inside another `track_costs`, both count. A thread that you start yourself has an empty context; run it in a copy of
    yours, with `contextvars.copy_context().run`.

    Yields:
        The costs, which can be read inside and after the block.
    """
    outer = _tracking.get()
    costs = _TrackedCosts(outer.ledgers if outer else ())
    token = _tracking.set(costs)
    try:
        yield costs
    finally:
        _tracking.reset(token)


class Budget(KimiCostCallback):
    """Stops runs that cost too much: once the budget is spent, the next call is refused before anything is sent.

    Pass it to one run, `config={"callbacks": [Budget(max_cost=0.50)]}`, to several runs that share it, or to a model,
    `ChatKimi(callbacks=[budget])`. It counts like a `KimiCostCallback`, and `reset` starts it again.

    Calls in flight are not stopped when the limit is reached. Several at once can therefore exceed the limit by their
    own cost, unless `estimate` reserves an amount for each of them. A call that does not report its cost counts with
    the list prices of its tokens, or with `estimate` if those are unknown too. Calls are refused before LangChain looks
    into its cache.

    A budget counts the calls of one process. In a process pool, Spark or Ray each worker has its own copy, which warns
    when it is unpickled or first used there, and the copies do not charge the original.

    The error is raised by every way to call; a `batch` with `return_exceptions=True` has it in its list. LangChain also
    logs it as a warning. In async runs with several handlers Python may add the warning "coroutine 'ahandle_event' was
    never awaited", because LangChain does not close the remaining handlers after a refusal.

    Args:
        max_cost: The limit in US dollars, for OpenRouter's charges and the bills of hosts to your own keys together.
        max_tokens: The limit in tokens, input and output together.
        estimate: US dollars that are reserved for each call while it is in flight.

    Raises:
        ValueError: Both limits are missing, or a value is not a number or is negative.
        KimiBudgetExceededError: Raised in the run whose call is refused.
    """

    raise_error = True

    def __init__(self, *, max_cost: float | None = None, max_tokens: int | None = None, estimate: float = 0) -> None:
        if max_cost is None and max_tokens is None:
            raise ValueError("A budget needs max_cost, max_tokens, or both.")
        numbers = {"max_cost": max_cost, "max_tokens": max_tokens, "estimate": estimate}
        for name, number in numbers.items():
            if number is not None and not (isinstance(number, int | float | Decimal) and number >= 0):
                raise ValueError(f"{name} must be a number of at least 0: {number!r}")
        if not math.isfinite(estimate):
            raise ValueError(f"estimate must be finite: {estimate!r}")
        super().__init__()
        self.max_cost = max_cost
        self.max_tokens = max_tokens
        self.estimate = estimate
        self._process = os.getpid()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._warn_in_another_process()

    @property
    def spent(self) -> float:
        """The US dollars that count against `max_cost`, without the amounts reserved for calls in flight."""
        with self._own.locked() as ledger:
            return float(self._spent(ledger))

    def _warn_in_another_process(self) -> None:
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        warnings.warn(
            "This Budget is a copy from another process. It counts the calls of this process only, so each process can "
            "spend the whole budget, and the original is not charged. Divide the limit by the number of processes, or "
            "call the model in one process.",
            UserWarning,
            stacklevel=3,
        )

    def _begin(self, run_id: UUID, model: str | None) -> None:
        self._warn_in_another_process()
        with self._own.locked() as ledger:
            # A budget that both the model and the run have is notified twice of the same call.
            refusal = None if run_id in ledger else self._refusal(ledger)
            if refusal is None:
                ledger.begin(run_id, model)
        if refusal is not None:
            _discard(run_id)
            raise refusal

    def _spent(self, ledger: Ledger) -> Decimal:
        total = ledger.total
        charged = total.charged + total.charged_upstream + total.charged_by_list
        return charged + total.charged_unknown * _decimal(self.estimate)

    def _refusal(self, ledger: Ledger) -> KimiBudgetExceededError | None:
        spent, tokens = self._spent(ledger), ledger.total.total_tokens
        if self.max_tokens is not None and tokens >= self.max_tokens:
            return _refused("tokens", tokens, self.max_tokens, f"{tokens:,} of {self.max_tokens:,} tokens spent")
        if self.max_cost is None:
            return None
        limit, estimate = _decimal(self.max_cost), _decimal(self.estimate)
        reserved = ledger.in_flight * estimate
        if spent < limit and spent + reserved + estimate <= limit:
            return None
        state = f"{spent:f} of {limit:f} USD spent"
        if reserved:
            state += f", {reserved:f} USD reserved for calls in flight"
        if by_list := ledger.total.charged_by_list:
            state += f", {by_list:f} USD of it by list prices ({', '.join(sorted(ledger.total.charged_sources))})"
        return _refused("USD", float(spent), float(limit), state)


def _decimal(dollars: float) -> Decimal:
    """Return the decimal number that a float is written as, so that ten times 0.1 is 1."""
    return Decimal(str(dollars))


def _refused(unit: Literal["USD", "tokens"], spent: float, limit: float, state: str) -> KimiBudgetExceededError:
    return KimiBudgetExceededError(
        f"Budget exceeded: {state}.",
        spent=spent,
        limit=limit,
        unit=unit,
        advice="The call was not sent. Raise the limit of the budget, or call reset() on it.",
    )
