"""A hook around each attempt of an async call, which can delay or refuse the attempt and is notified of its end.

A bulk run sets a gate in the context of each row, so that all of its calls share one limit, whatever runnable makes
them. Calls outside such a context have no gate.
"""

from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID


class Gate(Protocol):
    """Decides when the attempts of a call may begin."""

    async def enter(self, url: str, body: bytes, run_id: UUID | None) -> Any:
        """Wait until an attempt may begin, and return a ticket for `leave`.

        Args:
            url: The URL of the request.
            body: The body of the request, as JSON.
            run_id: LangChain's id of the call's run; None for a call without callbacks.

        Raises:
            KimiError: The attempt must not be made.
        """

    def leave(self, ticket: Any, error: BaseException | None) -> None:
        """Record the end of an attempt, and the exception that ended it. It is called once for each ticket."""


current_gate: ContextVar[Gate | None] = ContextVar("langchain_kimi_gate", default=None)


class Passage:
    """A context manager that enters and leaves the gate of the current context for one attempt."""

    __slots__ = ("_attempt", "_gate", "_ticket")

    def __init__(self, url: str, body: bytes, run_id: UUID | None) -> None:
        self._gate = current_gate.get()
        self._attempt = (url, body, run_id)
        self._ticket: Any = None

    async def __aenter__(self) -> None:
        if self._gate is not None:
            self._ticket = await self._gate.enter(*self._attempt)

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._gate is not None:
            self._gate.leave(self._ticket, error)
