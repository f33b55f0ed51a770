"""Metadata for LangSmith runs, and reports of retries to callbacks and the log."""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.language_models.base import LangSmithParams

from langchain_kimi._costs.slots import Slot
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._reply.messages import PROVIDER
from langchain_kimi.errors import KimiEmptyReplyError, KimiError

if TYPE_CHECKING:
    from tenacity import RetryCallState

logger = logging.getLogger("langchain_kimi")


class RetryReport:
    """Reports each retry to the log, to the slot of the run, and to the run manager if there is one.

    Attributes:
        empty_answers: The number of retries after an empty reply.
    """

    def __init__(self, run_manager: Any, slot: Slot | None = None) -> None:
        self.empty_answers = 0
        self._run_manager = run_manager
        self._slot = slot

    def begin_reply(self, head: ResponseHead) -> None:
        """Store the generation id of a reply whose headers have arrived."""
        if self._slot is not None:
            self._slot.generation_id = head.generation_id

    @property
    def run_id(self) -> UUID | None:
        """LangChain's id of the call's run; None without a run manager."""
        return None if self._run_manager is None else self._run_manager.run_id

    def __call__(self, error: KimiError, attempt: int, wait: float) -> Awaitable[None] | None:
        """Report that attempt `attempt` (from 1) failed, and that the next one follows after `wait` seconds.

        Returns:
            An awaitable if the run manager is async, otherwise None.
        """
        self.empty_answers += isinstance(error, KimiEmptyReplyError)
        if self._slot is not None:
            self._slot.errors.append(error)
            self._slot.generation_id = None
        logger.info("Attempt %d failed, the next one in %.1f s: %s", attempt, wait, error)
        if self._run_manager is None:
            return None
        pending: Awaitable[None] | None = self._run_manager.on_retry(_state(error, attempt, wait))
        return pending


def _state(error: KimiError, attempt: int, wait: float) -> "RetryCallState":
    from tenacity import RetryCallState, Retrying  # noqa: PLC0415 - imported when needed

    state = RetryCallState(retry_object=Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = attempt
    state.set_exception((type(error), error, error.__traceback__))
    state.upcoming_sleep = wait
    return state


_LIMITS = ("max_tokens", "max_completion_tokens")


def langsmith_params(
    settings: Mapping[str, Any], call: Mapping[str, Any], stop: str | Sequence[str] | None
) -> LangSmithParams:
    """Return the model and the parameters of a call under LangSmith's names.

    Args:
        settings: The model's name and parameters.
        call: The call's own parameters, which replace the model's.
        stop: The call's stop sequences; None takes those of the parameters.
    """
    parameters = {**settings, **call}
    name = call.get("model") or call.get("model_name") or settings["model"]
    params = LangSmithParams(ls_provider=PROVIDER, ls_model_name=name, ls_model_type="chat")
    if (temperature := parameters.get("temperature")) is not None:
        params["ls_temperature"] = temperature
    limits = [layer.get(limit) for layer in (call, parameters) for limit in _LIMITS]
    if max_tokens := next(filter(None, limits), None):
        params["ls_max_tokens"] = max_tokens
    if stops := stop or parameters.get("stop"):
        params["ls_stop"] = [stops] if isinstance(stops, str) else list(stops)
    return params
