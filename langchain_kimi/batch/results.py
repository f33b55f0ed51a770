"""The state of a batch, and the results of its rows."""

from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.batch.lanes import FINISHED
from langchain_kimi.batch.replies import failure_of


class BatchStatus(BaseModel):
    """The state of a batch.

    Attributes:
        id: The batch.
        status: `validating`, `in_progress`, `finalizing`, `completed`, `failed`, `expired`, `cancelling` or
            `cancelled`; servers may add others.
        total: The number of rows; 0 while they are not counted.
        completed: The number of rows that were answered.
        failed: The number of rows that ended with an error.
        model: The model, as the server names it.
        provider: The provider that runs the batch, if the server names it.
        cost: US dollars that OpenRouter charged for the batch; None before its end and at other servers.
        error: The reason why the batch failed; empty if it did not, or the server does not say.
        created_at: Seconds since 1970.
        expires_at: Seconds since 1970 after which rows are not answered any more; None if unknown.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    status: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    model: str = ""
    provider: str | None = None
    cost: float | None = None
    error: str = ""
    created_at: float | None = None
    expires_at: float | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the status is final and results can be read."""
        return self.status in FINISHED

    @property
    def has_rows(self) -> bool:
        """Whether rows may have results: not in a batch that failed, because no row was begun."""
        return self.has_ended and self.status != "failed"


def status_of(batch: JSONObject) -> BatchStatus:
    """Return the state in the object of a batch. Missing values and those of another type get defaults."""
    counts = batch.get("request_counts")
    counts = counts if isinstance(counts, dict) else {}
    usage = batch.get("usage")
    cost = usage.get("cost") if isinstance(usage, dict) else None
    return BatchStatus(
        id=str(batch.get("id")),
        status=str(batch.get("status")),
        total=_int(counts.get("total")),
        completed=_int(counts.get("completed")),
        failed=_int(counts.get("failed")),
        model=str(batch.get("model") or ""),
        provider=provider if isinstance(provider := batch.get("provider"), str) else None,
        cost=_number(cost),
        error=failure_of(batch),
        created_at=_number(batch.get("created_at")),
        expires_at=_number(batch.get("expires_at")),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _int(value: Any) -> int:
    return int(_number(value) or 0)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of one row of a batch.

    Attributes:
        index: The position of the row in the inputs.
        value: The result of `invoke` for the row: an `AIMessage`, or the value of structured output; None after an
            error.
        error: The error of `invoke` for the row; None if it has a value.
        message: The message of the model, even if it has no value that fits the schema; None if there was no answer.
        custom_id: The row's id in the batch.
        cost: US dollars; None if unknown. `message.response_metadata["batch"]["cost_source"]` names its origin.
    """

    index: int
    value: Any = None
    error: Exception | None = None
    message: AIMessage | None = field(default=None, repr=False)
    custom_id: str = ""
    cost: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the row has a value."""
        return self.error is None
