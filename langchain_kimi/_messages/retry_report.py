"""Reports of retries, for the log and for LangChain's callbacks, which know the form of tenacity.

LangChain passes a run manager to `_generate` and `_agenerate`, and none to `_stream` and `_astream`. Callbacks and
tracers therefore see the retries of plain calls; those of streams are in the log only.
"""

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from langchain_kimi.errors import KimiEmptyReplyError, KimiError

if TYPE_CHECKING:
    from tenacity import RetryCallState

logger = logging.getLogger("langchain_kimi")


class RetryReport:
    """Tells a run manager, and the log, of each retry; `None` as the manager leaves only the log.

    Attributes:
        empty_answers: How many of the retries were due to an empty answer.
    """

    def __init__(self, run_manager: Any) -> None:
        self.empty_answers = 0
        self._run_manager = run_manager

    def __call__(self, error: KimiError, attempt: int, wait: float) -> Awaitable[None] | None:
        """Report that attempt `attempt` (from 1) failed and that the next one is made after `wait` seconds."""
        self.empty_answers += isinstance(error, KimiEmptyReplyError)
        logger.info("Attempt %d failed, the next one in %.1f s: %s", attempt, wait, error)
        if self._run_manager is None:
            return None
        told: Awaitable[None] | None = self._run_manager.on_retry(_state(error, attempt, wait))
        return told


def _state(error: KimiError, attempt: int, wait: float) -> "RetryCallState":
    from tenacity import RetryCallState, Retrying  # noqa: PLC0415 - a program without retries needs none of it

    state = RetryCallState(retry_object=Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = attempt
    state.set_exception((type(error), error, error.__traceback__))
    state.upcoming_sleep = wait
    return state
