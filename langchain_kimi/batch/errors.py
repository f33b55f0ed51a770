"""The errors of batches, beside those that a call can raise."""

from collections.abc import Mapping
from typing import Any, ClassVar

from langchain_core.exceptions import ModelAPIError

from langchain_kimi.errors import KimiStatusError, KimiUsageError


class BatchLimitError(KimiUsageError):
    """A batch is larger than the server accepts. Nothing was sent; see `parts`.

    Attributes:
        limit: The limit, in `unit`.
        actual: The size of the batch, in `unit`.
        unit: `rows` or `bytes`.
    """

    limit: int
    actual: int
    unit: str
    _own_defaults: ClassVar[Mapping[str, Any]] = {"limit": 0, "actual": 0, "unit": "rows"}


class BatchPendingError(KimiUsageError):
    """The batch has not ended, so it has no results yet.

    Attributes:
        batch_id: The batch.
        batch_status: Its status, such as `in_progress`.
    """

    is_retryable = True
    batch_id: str
    batch_status: str
    _own_defaults: ClassVar[Mapping[str, Any]] = {"batch_id": "", "batch_status": ""}


class BatchRowError(KimiStatusError, ModelAPIError):
    """A row of a batch was not answered: the batch expired or was cancelled before, or the server lost the row.

    Attributes:
        batch_id: The batch.
        batch_status: Its status, such as `expired`.
    """

    is_retryable = True
    batch_id: str
    batch_status: str
    _own_defaults: ClassVar[Mapping[str, Any]] = {"batch_id": "", "batch_status": ""}


def too_large(limit: int, actual: int, unit: str) -> BatchLimitError:
    """Return the error for a batch above a limit."""
    error = BatchLimitError(
        f"The batch has {actual:,} {unit}, and the server accepts {limit:,}.",
        advice="Nothing was sent. langchain_kimi.batch.parts splits the inputs into batches.",
    )
    error.limit, error.actual, error.unit = limit, actual, unit
    error.update()
    return error


def pending(batch_id: str, status: str) -> BatchPendingError:
    """Return the error for a batch that has not ended."""
    error = BatchPendingError(f"The batch {batch_id} is {status}.", advice="Call wait() first.")
    error.batch_id, error.batch_status = batch_id, status
    error.update()
    return error


def unanswered(batch_id: str, status: str, reason: str, model: str) -> BatchRowError:
    """Return the error for a row without an answer."""
    error = BatchRowError(reason, advice="The row can be sent again.", model=model)
    error.batch_id, error.batch_status = batch_id, status
    error.update()
    return error
