"""Records of calls for logs and telemetry. They contain no text of prompts and replies."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_kimi._costs.charges import CallCost, cost_of_error, cost_of_result, is_cache_hit
from langchain_kimi._costs.slots import Slot
from langchain_kimi._costs.tracking import new_slot
from langchain_kimi.errors import KimiError

State: TypeAlias = Literal["answered", "cached", "failed", "cancelled", "abandoned"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call that has ended.

    Attributes:
        run_id: The id of the run.
        parent_run_id: The id of the parent run; None without a parent.
        time: The time at which the call began, in seconds since the epoch.
        duration: The duration of the call in seconds.
        first_chunk: The seconds until the first chunk of a stream; None for a call without a stream.
        requested_model: The model of the request.
        state: `answered`, `cached` (an answer from LangChain's cache), `failed`, `cancelled` (its task was cancelled),
            or `abandoned` (its stream was not read to the end).
        error: The name of the class of the error; None without an error.
        cost: The tokens, the cost, the model and the host.
        attempts: The number of attempts.
        finish_reasons: The finish reasons of its answers.
    """

    run_id: UUID
    parent_run_id: UUID | None
    time: float
    duration: float
    first_chunk: float | None
    requested_model: str | None
    state: State
    error: str | None
    cost: CallCost
    attempts: int
    finish_reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class _Running:
    """A call in flight."""

    model: str | None
    parent: UUID | None
    slot: Slot | None
    time: float
    started: float
    first_chunk: float | None = None
    retries: int = 0


class CallObserver(BaseCallbackHandler):
    """A handler that gets a record of each call when it ends.

    A copy observes its own calls, and a pickle has no calls.
    """

    run_inline = True

    def __init__(self) -> None:
        self._running: dict[int, _Running] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_running": {}}

    def observe(self, record: CallRecord) -> None:
        """Receive the record of a call that has ended."""
        raise NotImplementedError

    def on_chat_model_start(
        self,
        *_: Any,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Record the start of a call."""
        model = (metadata or {}).get("ls_model_name")
        slot = new_slot(run_id, kwargs)
        self._running.setdefault(
            run_id.int, _Running(model, parent_run_id, slot, time=time.time(), started=time.monotonic())
        )

    def on_llm_new_token(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """Record the time of the first chunk."""
        running = self._running.get(run_id.int)
        if running is not None and running.first_chunk is None:
            running.first_chunk = time.monotonic() - running.started

    def on_retry(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """Count a failed attempt."""
        if running := self._running.get(run_id.int):
            running.retries += 1

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """Record a call that was answered."""
        hit = is_cache_hit(response)
        cost = CallCost(model=cost_of_result(response).model) if hit else cost_of_result(response)
        self._end(run_id, "cached" if hit else "answered", cost, response)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record a call that failed, was cancelled, or was abandoned."""
        response = kwargs.get("response")
        self._end(run_id, _state(error), cost_of_error(error, response), response, error)

    def _end(
        self,
        run_id: UUID,
        state: State,
        cost: CallCost,
        response: LLMResult | None,
        error: BaseException | None = None,
    ) -> None:
        """Create the record of a call that has ended, and pass it to `observe`."""
        running = self._running.pop(run_id.int, None)
        if running is None:
            return
        slot = running.slot
        if slot is not None:
            slot.is_taken = True
            cost = replace(cost, generation_id=cost.generation_id or slot.generation_id)
        earlier = len(error.attempts) if isinstance(error, KimiError) else 0
        record = CallRecord(
            run_id=run_id,
            parent_run_id=running.parent,
            time=running.time,
            duration=time.monotonic() - running.started,
            first_chunk=running.first_chunk,
            requested_model=running.model,
            state=state,
            error=type(error).__name__ if error else None,
            cost=cost,
            attempts=1 + max(earlier, running.retries, len(slot.errors) if slot else 0),
            finish_reasons=_finish_reasons(response),
        )
        self.observe(record)


def _state(error: BaseException) -> State:
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return "abandoned" if isinstance(error, GeneratorExit) else "failed"


def _finish_reasons(response: LLMResult | None) -> tuple[str, ...]:
    generations = response.generations[0] if response and response.generations else []
    reasons = [
        generation.message.response_metadata.get("finish_reason")
        for generation in generations
        if isinstance(generation, ChatGeneration)
    ]
    return tuple(reason for reason in reasons if isinstance(reason, str))
