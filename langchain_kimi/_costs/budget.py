"""Budgets that stop runs before they exceed a limit."""

import asyncio
import logging
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from os import PathLike
from typing import Any, Literal
from uuid import UUID

from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult

from langchain_kimi._costs.charges import (
    NO_COST,
    CallCost,
    cost_of_error,
    cost_of_result,
    is_cache_hit,
    plausible_tokens,
)
from langchain_kimi._costs.ledger import CountedCall
from langchain_kimi._costs.memory_store import store_at
from langchain_kimi._costs.reconciling import GenerationSource
from langchain_kimi._costs.reservations import InProcess, Reservation, charge_for, check_limits, decimal
from langchain_kimi._costs.slots import Slot, Ticket
from langchain_kimi._costs.store import Amount, Charge, Limit, Store
from langchain_kimi._costs.tracking import KimiCostCallback, SharedLedger, discard, new_slot
from langchain_kimi._costs.worst_case import body_of_call, worst_case
from langchain_kimi._tokens.model import checked_prices
from langchain_kimi.errors import KimiBudgetExceededError, KimiError, KimiUsageError

_budgets: "weakref.WeakSet[Budget]" = weakref.WeakSet()
_registry_lock = threading.Lock()
logger = logging.getLogger("langchain_kimi")


class Budget(KimiCostCallback):
    """A limit for the cost of runs: a call that may exceed it is refused before anything is sent.

    Pass it to one or several runs, `config={"callbacks": [Budget(max_cost=0.50)]}`, or to a model,
    `ChatKimi(callbacks=[budget])`. It counts like a `KimiCostCallback`, and `reset` starts it again.

    Before a call, its maximum cost is reserved: that of an upper bound of the tokens of the prompt, and of
    `max_tokens` (or the model's own limit), at the price of the most expensive host. When the reply arrives, its cost
    replaces the reservation. So set `max_tokens`: without it, the limit is the highest that the model allows. A call
    that reports no cost counts with the list prices of its tokens. A call without tokens, such as a cancelled one,
    counts with the reserved amount until its cost is looked up (`reconcile`). Plugins, searches and other server tools
    cost extra. Calls are refused before LangChain looks into its cache.

    The reservation assumes that a prompt has at most 1.2 times the estimated tokens. Some unusual prompts have more:
    the budget adjusts to them, but the first such calls can exceed it by the difference.

    The budget counts the calls of one process, unless `shared` names a file or a server. In a process pool, Spark or
    Ray, each worker otherwise has its own copy, which warns when it is unpickled or first used.

    Every way to call raises the error; a `batch` with `return_exceptions=True` has it in its list. LangChain also logs
    it as a warning. In async runs with several handlers, Python may add the warning "coroutine 'ahandle_event' was
    never awaited", because LangChain does not close the remaining handlers after a refusal.

    Args:
        max_cost: The limit in US dollars, for OpenRouter's charges and those of hosts to your own keys together.
        max_tokens: The limit in tokens, input and output together.
        reserve: The amount to reserve for a call in flight: `"worst_case"`, or US dollars. With 0, calls in flight at
            the same time can exceed the limit by their own cost.
        wait: Whether a call that does not fit waits for calls in flight, if it may fit afterwards; or the maximum wait
            in seconds. Async calls of ChatKimi wait without blocking the event loop; those of other models are refused.
        prices: Prices of models without list prices, in US dollars per million tokens:
            `{"prompt": 0.6, "completion": 2.5}`. They replace the list prices in reservations.
        shared: A file (SQLite, on a disk of this machine) or the URL of a Redis server (`redis://...`, with the extra
            `redis`) with the amounts of all processes that name it. A process that ends during a call leaves its
            reservation there. If it cannot be used, new calls are refused with its error, and the amounts reserved for
            calls in flight stay reserved.
        name: The name of the budget in `shared`.
        reconcile: Whether to look up unknown costs, and to correct the amounts; see `KimiCostCallback`.

    Raises:
        ValueError: Both limits are missing, or a value is not a number or is negative.
        KimiUsageError: `prices` has other keys or values, or the package for `shared` is not installed. Raised in a run
            if the maximum cost of a call is unknown.
        KimiBudgetExceededError: Raised in the run whose call is refused.
    """

    raise_error = True

    def __init__(  # noqa: PLR0913 - keyword-only settings
        self,
        *,
        max_cost: float | None = None,
        max_tokens: int | None = None,
        reserve: Literal["worst_case"] | float = "worst_case",
        wait: bool | float = False,
        prices: Mapping[str, float] | None = None,
        shared: str | PathLike[str] | None = None,
        name: str = "budget",
        reconcile: bool | GenerationSource = False,
    ) -> None:
        check_limits(max_cost, max_tokens, reserve)
        if prices is not None:
            checked_prices(prices)
        super().__init__(reconcile=reconcile)
        self.max_cost = max_cost
        self.max_tokens = max_tokens
        self.reserve = reserve
        self.wait = wait
        self.prices = prices
        self.name = name
        self._store: Store = store_at(shared)
        self._limits: tuple[Limit, ...] = (Limit(name, None if max_cost is None else decimal(max_cost), max_tokens),)
        self._in_process = InProcess(is_shared=self._store.is_shared)
        self._children = 0
        self._process = os.getpid()
        with _registry_lock:
            _budgets.add(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        with _registry_lock:
            _budgets.add(self)
        self._warn_in_another_process()

    def child(
        self, name: str | None = None, *, max_cost: float | None = None, max_tokens: int | None = None
    ) -> "Budget":
        """Return a budget for a part of this one, such as a user, a subagent or a thread.

        A call must fit into the child and into this budget, and is charged to both. Pass only the child to its runs.

        Args:
            name: The name of the child; children of the same name share their amounts. None: a new name.
            max_cost: The limit of the child in US dollars.
            max_tokens: The limit of the child in tokens.

        Raises:
            ValueError: Both limits are missing, or one is not a number or is negative.
        """
        if name is None:
            # Threads may create children at the same time.
            with _registry_lock:
                self._children += 1
                name = str(self._children)
        child = Budget(
            max_cost=max_cost,
            max_tokens=max_tokens,
            reserve=self.reserve,
            wait=self.wait,
            prices=self.prices,
            name=f"{self.name}/{name}",
        )
        child._store = self._store
        child._limits += self._limits
        child._lookups = self._lookups
        child._in_process = InProcess(is_shared=self._store.is_shared, parent=self._in_process)
        return child

    @property
    def spent(self) -> float:
        """The US dollars that count against `max_cost`, without the amounts reserved for calls in flight."""
        return float(self._store.balance(self.name).spent.cost)

    @property
    def spent_tokens(self) -> int:
        """The tokens that count against `max_tokens`."""
        return self._store.balance(self.name).spent.tokens

    @property
    def reserved(self) -> float:
        """The US dollars that are reserved for calls in flight."""
        return float(self._store.balance(self.name).reserved.cost)

    def add(self, cost: float = 0.0, tokens: int = 0) -> None:
        """Count an amount that was spent elsewhere, for instance in an earlier process.

        Args:
            cost: US dollars.
            tokens: Input and output tokens together.
        """
        self._store.correct([self.name], Amount(decimal(cost), tokens))

    def reset(self) -> None:
        """Set all sums and the amount spent to zero. Calls in flight are counted when they end."""
        super().reset()
        self._in_process.resets[self.name] += 1
        self._store.reset(self.name)
        self._in_process.notify()

    def on_chat_model_start(
        self, *arguments: Any, run_id: UUID, metadata: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        """Reserve the maximum cost of a call.

        Raises:
            KimiBudgetExceededError: The call does not fit, and waiting does not help.
            KimiUsageError: The maximum cost of the call is unknown.
        """
        self._warn_in_another_process()
        # A budget in the callbacks of both the model and the run is notified of each call twice.
        if run_id.int in self._in_process.calls:
            return
        slot = new_slot(run_id, kwargs)
        try:
            reservation = self._reservation(arguments[1][0], kwargs.get("invocation_params") or {}, slot)
        except KimiUsageError:
            _discard(run_id)
            raise
        self._begin(run_id, (metadata or {}).get("ls_model_name"), slot)
        if slot is not None:
            slot.discards.add(_discard)
        self._in_process.calls[run_id.int] = reservation
        self._admit(run_id, reservation)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Charge a call that was answered."""
        cost = CallCost(cost=NO_COST) if is_cache_hit(response) else cost_of_result(response)
        self._settle(run_id, cost)
        super().on_llm_end(response, run_id=run_id, **kwargs)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Charge a call that failed, was cancelled, or was abandoned."""
        self._settle(run_id, cost_of_error(error, kwargs.get("response")), error)
        super().on_llm_error(error, run_id=run_id, **kwargs)

    def on_retry(self, retry_state: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Charge a failed attempt that is retried.

        Raises:
            KimiBudgetExceededError: The next attempt does not fit any more.
        """
        super().on_retry(retry_state, run_id=run_id, **kwargs)
        error = retry_state.outcome and retry_state.outcome.exception()
        reservation = self._in_process.calls.get(run_id.int)
        if reservation is None or error is None:
            return
        reservation.attempts += 1
        shortage = self._store.attempt(
            str(run_id), reservation.attempts, self._limits, charge_for(cost_of_error(error), reservation)
        )
        if shortage is not None:
            raise self._in_process.refusal(shortage) from error

    def _reservation(
        self, messages: Sequence[BaseMessage], parameters: Mapping[str, Any], slot: Slot | None
    ) -> Reservation:
        if self.reserve != "worst_case":
            return Reservation(Amount(decimal(self.reserve)), slot=slot)
        is_priced = any(limit.max_cost is not None for limit in self._limits)
        body = body_of_call(messages, parameters)
        case = worst_case(body, self.prices, margin=self._in_process.margin, is_priced=is_priced)
        return Reservation(Amount(case.cost, case.tokens), case.prompt_tokens, slot)

    def _admit(self, run_id: UUID, reservation: Reservation) -> None:
        """Reserve the amount of a call, or let it wait: in its thread, or by a ticket in its slot."""
        attempt = partial(self._fits, run_id, reservation)
        # A call does not overtake calls that are waiting.
        if (self._in_process.line.is_empty or not self.wait) and attempt():
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._wait(run_id, attempt)
            return
        if reservation.slot is None:
            raise self._give_up(run_id)
        reservation.slot.tickets.append(
            Ticket(partial(self._wait_async, run_id, attempt), partial(self._give_up, run_id))
        )

    def _fits(self, run_id: UUID, reservation: Reservation) -> bool:
        """Reserve the amount if it fits, and return whether it does.

        Raises:
            KimiBudgetExceededError: The amount does not fit, and waiting does not help.
        """
        try:
            shortage = self._store.reserve(str(run_id), self._limits, reservation.amount)
        except BaseException:
            # The store cannot be used, so the call is not made.
            _discard(run_id)
            raise
        if shortage is None:
            reservation.is_reserved = True
            return True
        reservation.shortage = shortage
        if self.wait and shortage.is_temporary:
            return False
        _discard(run_id)
        raise self._in_process.refusal(shortage)

    def _wait(self, run_id: UUID, attempt: partial[bool]) -> None:
        try:
            fits = self._in_process.line.wait(attempt, self._max_wait)
        except BaseException:
            _discard(run_id)
            raise
        if not fits:
            raise self._give_up(run_id)

    async def _wait_async(self, run_id: UUID, attempt: partial[bool]) -> None:
        try:
            fits = await self._in_process.line.wait_async(attempt, self._max_wait)
        except BaseException:
            _discard(run_id)
            raise
        if not fits:
            raise self._give_up(run_id)

    @property
    def _max_wait(self) -> float | None:
        return None if self.wait is True else float(self.wait)

    def _give_up(self, run_id: UUID) -> KimiBudgetExceededError:
        """Remove a call that cannot wait any longer, and return the error to raise."""
        shortage = self._in_process.calls[run_id.int].shortage
        _discard(run_id)
        return self._in_process.refusal(shortage)

    def _settle(self, run_id: UUID, cost: CallCost, error: BaseException | None = None) -> None:
        """Replace the reservation of a call by the cost of the call and of its retried attempts."""
        reservation = self._in_process.calls.pop(run_id.int, None)
        if reservation is None:
            return
        slot = reservation.slot
        if slot is not None:
            slot.is_taken = True
        attempts = error.attempts if isinstance(error, KimiError) else ()
        attempts = attempts or (tuple(slot.errors) if slot else ())
        charge, total = charge_for(cost, reservation), Amount()
        for attempt in attempts[reservation.attempts :]:
            total += charge_for(cost_of_error(attempt), reservation).within(reservation.amount)
        total += charge.within(reservation.amount)
        settled = self._charge(run_id, Charge(total.cost, total.tokens))
        generation_id = cost.generation_id or (slot.generation_id if slot else None)
        if not cost.is_known and generation_id and self._lookups.reconciler is not None:
            self._in_process.add_unknown(generation_id, charge.within(reservation.amount), settled)
        self._in_process.note_prices(cost)
        self._in_process.learn(reservation, plausible_tokens(cost.usage and cost.usage.get("input_tokens")))
        self._in_process.notify()

    def _charge(self, run_id: UUID, charge: Charge) -> list[str]:
        """Replace the reservation of a call in the store, and return the accounts that had it.

        An exception would discard a reply that is paid for, or replace the error of the call. So if the store cannot be
        used, the amount stays reserved, which is logged.
        """
        try:
            return self._store.settle(str(run_id), self._accounts, charge)
        except Exception as problem:  # noqa: BLE001 - each store raises the errors of its library
            # The text of an exception of another library may contain the URL of the store.
            logger.warning(
                "The budget %s was not charged, because its store failed with %s. The reserved amount stays reserved.",
                self.name,
                type(problem).__name__,
            )
            return []

    @property
    def _accounts(self) -> list[str]:
        return [limit.account for limit in self._limits]

    def _receiver(self, shared: SharedLedger, counted: CountedCall) -> Callable[[CallCost], None]:
        receiver = super()._receiver(shared, counted)
        charge = self._in_process.unknown.pop(counted.cost.generation_id or "", None)
        return receiver if charge is None else partial(self._in_process.correct, self._store, charge, receiver)

    def _release(self, run_id: UUID) -> None:
        """Cancel the reservation of a call that is not made."""
        if (reservation := self._in_process.calls.pop(run_id.int, None)) is not None:
            if reservation.slot is not None:
                reservation.slot.is_taken = True
            if reservation.is_reserved:
                self._charge(run_id, Charge(NO_COST, 0))
            self._in_process.notify()

    def _warn_in_another_process(self) -> None:
        if self._process == os.getpid() or self._store.is_shared:
            return
        self._process = os.getpid()
        warnings.warn(
            "This Budget is a copy from another process. It counts the calls of this process only, so each process can "
            "spend the whole budget, and the original is not charged. Pass shared= with the path of a file.",
            UserWarning,
            stacklevel=3,
        )


def _discard(run_id: UUID) -> None:
    """Remove a call that is not made from all ledgers and budgets."""
    discard(run_id)
    with _registry_lock:
        budgets = list(_budgets)
    for budget in budgets:
        budget._release(run_id)  # noqa: SLF001 - of the same class
