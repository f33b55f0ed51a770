"""Connect the handlers of a run with its call, which waits for budgets and reports its generation and its retries.

LangChain passes no run id to streams, and reports neither their retries nor the generation of a stream that is left
early. But it runs inline handlers in the context of the call, directly before the call. So a handler puts a slot for
the run into that context, and the next call of ChatKimi in the context takes it.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple
from uuid import UUID

from langchain_kimi.errors import KimiError

MODEL_TYPE = "openrouter-kimi"
"""The `_type` of ChatKimi in invocation parameters. Calls of other models take no slots."""


class Ticket(NamedTuple):
    """A budget that a call has to wait for.

    Attributes:
        admit: Waits without blocking the event loop. It raises an error if the call is refused.
        refuse: Returns the error for a sync call, which cannot wait because it would block its event loop.
    """

    admit: Callable[[], Awaitable[None]]
    refuse: Callable[[], Exception]


class Slot:
    """The data of one run.

    Attributes:
        run_id: The run.
        generation_id: OpenRouter's id of the latest attempt; None before its headers arrive.
        errors: The errors of the attempts that were retried, oldest first.
        tickets: The budgets to wait for.
        discards: The functions that remove the run from ledgers and budgets if its call is not made.
        is_taken: Whether a call has taken the slot, or the run has ended.
    """

    __slots__ = ("discards", "errors", "generation_id", "is_taken", "run_id", "tickets")

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self.generation_id: str | None = None
        self.errors: list[KimiError] = []
        self.tickets: list[Ticket] = []
        self.discards: set[Callable[[UUID], None]] = set()
        self.is_taken = False


_slots: ContextVar[tuple[Slot, ...]] = ContextVar("langchain_kimi_slots", default=())


def slot_for(run_id: UUID) -> Slot:
    """Return the slot of a run that begins in this context; all handlers of the run share it."""
    free = [slot for slot in _slots.get() if not slot.is_taken]
    for slot in free:
        if slot.run_id == run_id:
            return slot
    slot = Slot(run_id)
    _slots.set((*free, slot))
    return slot


def take_slot() -> Slot | None:
    """Take and return the slot of the call that begins; None if no handler created one.

    Raises:
        KimiBudgetExceededError: The call would have to wait for a budget, and so block its event loop.
    """
    slot = _next_slot()
    if slot is not None and slot.tickets:
        raise slot.tickets[0].refuse()
    return slot


async def admitted_slot() -> Slot | None:
    """Take and return the slot of the call that begins, and wait for its budgets; None without a slot.

    Raises:
        KimiBudgetExceededError: A budget refuses the call.
    """
    slot = _next_slot()
    if slot is not None:
        for ticket in slot.tickets:
            await ticket.admit()
    return slot


@contextmanager
def discarding_calls_not_made() -> Iterator[None]:
    """Discard the runs whose calls have not begun when an exception ends the block.

    langchain-core reports their start and no end: those of the later prompts of a `generate` whose first call fails,
    and those of an `agenerate` that is cancelled before its calls begin (seen in 1.7.2).
    """
    try:
        yield
    except BaseException:
        while (slot := _next_slot()) is not None:
            for discard in slot.discards:
                discard(slot.run_id)
        raise


def _next_slot() -> Slot | None:
    # There may be several, because all prompts of a `generate` begin before the first of them is sent.
    for slot in _slots.get():
        if not slot.is_taken:
            slot.is_taken = True
            return slot
    return None
