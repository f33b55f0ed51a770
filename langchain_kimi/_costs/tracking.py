"""The callback that adds up costs, and the context manager that installs it."""

import importlib
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult
from langchain_core.tracers.context import register_configure_hook

from langchain_kimi._costs.charges import CallCost
from langchain_kimi._costs.ledger import Costs, CountedCall, Ledger, html_table, table
from langchain_kimi._costs.reconciling import GenerationSource, Reconciler
from langchain_kimi._costs.slots import MODEL_TYPE, Slot, slot_for


class SharedLedger:
    """A ledger with a lock, for any number of threads."""

    def __init__(self) -> None:
        self.__setstate__(Ledger(time.monotonic))

    def __getstate__(self) -> Ledger:
        """Return only the sums. Calls in flight are counted in the process that made them."""
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


# All ledgers, because LangChain does not report the end of a call that one handler refuses to the other handlers.
_ledgers: "weakref.WeakSet[SharedLedger]" = weakref.WeakSet()
_registry_lock = threading.Lock()


def discard(run_id: UUID) -> None:
    """Remove a refused call from all ledgers."""
    with _registry_lock:
        ledgers = list(_ledgers)
    for shared in ledgers:
        with shared.locked() as ledger:
            ledger.discard(run_id)


class Lookups:
    """The lookups of unknown costs of one handler and its copies. Pending lookups are not pickled.

    Args:
        reconcile: See `KimiCostCallback`.
    """

    def __init__(self, reconcile: bool | GenerationSource) -> None:  # noqa: FBT001 - the value of a keyword
        self.reconciler: Reconciler | None = None
        self.__setstate__(reconcile is True)
        if not isinstance(reconcile, bool):
            self.reconciler = Reconciler(reconcile)

    def wait(self, seconds: float | None) -> bool:
        """Block until all lookups have ended; return False if some are still pending after `seconds`."""
        return self.reconciler is None or self.reconciler.join(seconds)

    def __getstate__(self) -> bool:
        return self.reconciler is not None

    def __setstate__(self, reconcile: bool) -> None:  # noqa: FBT001 - the pickled state
        self.reconciler = Reconciler(_catalog) if reconcile else None

    def __deepcopy__(self, _memo: object) -> Self:
        return self


def _catalog() -> GenerationSource:
    """Return a catalog with the API key from the environment."""
    # Imported here, so that programs without lookups do not import it.
    catalog: GenerationSource = importlib.import_module("langchain_kimi.catalog").Catalog()
    return catalog


def new_slot(run_id: UUID, kwargs: Mapping[str, Any]) -> Slot | None:
    """Return the slot of a run; None for a run of another package's model.

    Args:
        run_id: The run.
        kwargs: The further arguments of `on_chat_model_start`.
    """
    parameters = kwargs.get("invocation_params") or {}
    return slot_for(run_id) if parameters.get("_type") == MODEL_TYPE else None


class KimiCostCallback(BaseCallbackHandler):
    """Adds up the costs of chat model calls: tokens, shares and US dollars by model, by provider and in total.

    Pass it to a run, `config={"callbacks": [costs]}`, or to a model, `ChatKimi(callbacks=[costs])`. One object can be
    used by any number of runs, threads and event loops at once. Each call is counted once, when it ends:

    - An answer from LangChain's cache costs nothing.
    - A failed call costs what its error reports, and nothing if it was refused before the model began.
    - A call that was cancelled, abandoned or cut off while the model answered counts as `unknown`.

    LangChain does not report some events. The following cancelled calls stay `in_flight` for 24 hours, then they count
    as failed and `unknown`: an `ainvoke` that aggregates a stream (`streaming=True`, or a handler that takes tokens) or
    waits for a rate limiter, and every `ainvoke` of another package's model.

    With `reconcile`, the costs of calls that count as `unknown` are looked up at `/generation` in the background, some
    seconds later and several times, if the call had reached a host. The sums are then corrected, and a call whose cost
    is still not known is logged as a warning. `wait_for_costs` waits for the lookups.

    A copy, such as that of a copied model, adds to the same sums. An unpickled object, for example in another process,
    starts with the sums at the time of pickling and counts separately.

    Args:
        reconcile: Whether to look up unknown costs: False, a catalog, or True for a catalog with the API key from the
            environment.
    """

    # Otherwise async runs would call the handler in a thread of an executor for every token.
    run_inline = True

    def __init__(self, *, reconcile: bool | GenerationSource = False) -> None:
        self._own = SharedLedger()
        self._ledgers: tuple[SharedLedger, ...] = (self._own,)
        self._lookups = Lookups(reconcile)

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

    def wait_for_costs(self, seconds: float | None = None) -> bool:
        """Block until all lookups of unknown costs have ended.

        Args:
            seconds: The maximum number of seconds to wait; None: no limit.

        Returns:
            False if lookups are still pending.
        """
        return self._lookups.wait(seconds)

    def on_chat_model_start(self, *_: Any, run_id: UUID, metadata: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """Record the start of a call."""
        self._begin(run_id, (metadata or {}).get("ls_model_name"), new_slot(run_id, kwargs))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """Count a call that was answered."""
        for shared in self._ledgers:
            with shared.locked() as ledger:
                self._look_up(shared, ledger.end(run_id, response))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Count a call that failed, was cancelled, or was abandoned."""
        for shared in self._ledgers:
            with shared.locked() as ledger:
                self._look_up(shared, ledger.fail(run_id, error, kwargs.get("response")))

    def on_retry(self, retry_state: Any, *, run_id: UUID, **_: Any) -> None:
        """Count a failed attempt that is retried."""
        error = retry_state.outcome and retry_state.outcome.exception()
        for shared in self._ledgers:
            with shared.locked() as ledger:
                self._look_up(shared, ledger.retry(run_id, error))

    def _begin(self, run_id: UUID, model: str | None, slot: Slot | None) -> None:
        if slot is not None:
            slot.discards.add(discard)
        for shared in self._ledgers:
            with shared.locked() as ledger:
                ledger.begin(run_id, model, slot)

    def _look_up(self, shared: SharedLedger, calls: Sequence[CountedCall]) -> None:
        if (reconciler := self._lookups.reconciler) is None:
            return
        for counted in calls:
            if counted.cost.generation_id:
                reconciler.look_up(counted.cost.generation_id, self._receiver(shared, counted))

    def _receiver(self, shared: SharedLedger, counted: CountedCall) -> Callable[[CallCost], None]:
        """Return the function that receives the cost of a call from its lookup."""
        return partial(_correct, shared, counted)


def _correct(shared: SharedLedger, counted: CountedCall, actual_cost: CallCost) -> None:
    with shared.locked() as ledger:
        ledger.correct(counted, actual_cost)


class _TrackedCosts(KimiCostCallback):
    """The costs of one `track_costs`, which are also counted by the enclosing ones."""

    def __init__(self, outer: tuple[SharedLedger, ...], *, reconcile: bool | GenerationSource) -> None:
        super().__init__(reconcile=reconcile)
        self._ledgers += outer

    @property
    def ledgers(self) -> tuple[SharedLedger, ...]:
        """Its own ledger and those of the outer ones."""
        return self._ledgers


_tracking: ContextVar[_TrackedCosts | None] = ContextVar("langchain_kimi_track_costs", default=None)
# Registered once at import and not in each `with` block, because LangChain never removes a hook.
register_configure_hook(_tracking, inheritable=True)


@contextmanager
def track_costs(*, reconcile: bool | GenerationSource = False) -> Iterator[KimiCostCallback]:
    """Count the calls that begin inside the `with` block, including those in LangChain's threads, tasks and agents.

    Inside another `track_costs`, both count. A thread that you start yourself has an empty context; run it in a copy of
    yours, with `contextvars.copy_context().run`.

    Args:
        reconcile: Whether to look up unknown costs; see `KimiCostCallback`.

    Yields:
        The costs, which can be read inside and after the block.
    """
    outer = _tracking.get()
    costs = _TrackedCosts(outer.ledgers if outer else (), reconcile=reconcile)
    token = _tracking.set(costs)
    try:
        yield costs
    finally:
        _tracking.reset(token)
