"""Emulated batches: their rows, their states, and how they end.

Nothing here was recorded. The form of the objects is that of the package `openrouter` 1.3.84 and of Moonshot's
documentation; ids begin with `emulated`, so that no result can be taken for one of the real service.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import count
from typing import Any, TypeVar

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.rejections import RejectedRequestError

FINISHED = frozenset({"completed", "failed", "expired", "cancelled"})
_DAY = 86_400
T = TypeVar("T")

AnswerRow = Callable[[JSONObject], tuple[int, JSONObject]]
"""Returns the status and the body of the reply to a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEnding:
    """The outcome of an emulated batch; see `faults.batch_expired` and the functions beside it.

    Attributes:
        status: The last status.
        answered: How many rows, from the first on, are answered; None for all.
        rejected: The positions of rows that the provider refuses.
        missing: The positions of rows that are not in the results.
        reverses: Whether the results come in reverse order.
        message: The reason why the batch failed.
        refusal: A status and a message with which the results are refused, such as 402; None for no refusal.
    """

    status: str = "completed"
    answered: int | None = None
    rejected: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    reverses: bool = False
    message: str = ""
    refusal: tuple[int, str] | None = None


@dataclass(slots=True)
class BatchJob:
    """One emulated batch.

    Attributes:
        id: The id.
        created: Seconds since 1970.
        model: The model in the submission.
        rows: The ids and bodies of the requests.
        states: The statuses that the next requests see, before the last one.
        ending: How it ends.
        facts: Further fields of the object.
        status: The current status.
        results: The rows of the results, once it has ended.
        cost: US dollars of all rows.
        usage: The tokens of all rows.
    """

    id: str
    created: int
    model: str
    rows: list[tuple[str, JSONObject]]
    states: list[str]
    ending: BatchEnding
    facts: JSONObject = field(default_factory=dict)
    status: str = "validating"
    results: list[JSONObject] = field(default_factory=list)
    cost: float = 0.0
    usage: JSONObject = field(default_factory=dict)

    def advance(self, answer: AnswerRow) -> None:
        """Go on to the next status."""
        if self.status in FINISHED:
            return
        if self.states:
            self.status = self.states.pop(0)
            return
        self.status = self.ending.status
        if self.status != "failed":
            self.results = list(self._results(answer))
            if self.ending.reverses:
                self.results.reverse()

    def cancel(self) -> None:
        """Cancel the batch: half of its rows are answered, unless `answered` names a number."""
        if self.status in FINISHED or self.status == "cancelling":
            raise RejectedRequestError(400, f"Batch {self.id} cannot be cancelled: it is {self.status}.")
        answered = len(self.rows) // 2 if self.ending.answered is None else self.ending.answered
        self.ending = replace(self.ending, status="cancelled", answered=answered)
        self.status, self.states = "cancelling", []

    @property
    def counts(self) -> JSONObject:
        """The numbers of rows in total, answered and failed."""
        failed = sum(row["error"] is not None for row in self.results)
        return {"total": len(self.rows), "completed": len(self.results) - failed, "failed": failed}

    def _results(self, answer: AnswerRow) -> Iterator[JSONObject]:
        answered = len(self.rows) if self.ending.answered is None else self.ending.answered
        for position, (custom_id, body) in enumerate(self.rows):
            if position in self.ending.missing:
                continue
            if position >= answered:
                reply = _refused(f"The batch is {self.status}.", f"batch_{self.status}")
            elif position in self.ending.rejected:
                reply = _refused("The provider refused this row.", "invalid_request_error", "invalid_request")
            else:
                reply = self._reply(*answer(body))
            yield {"id": f"emulated_row_{position}", "custom_id": custom_id, **reply}

    def _reply(self, status: int, body: JSONObject) -> JSONObject:
        if status != HTTPStatus.OK or "error" in body:
            error = body.get("error") or {}
            kind = (error.get("metadata") or {}).get("error_type")
            return _refused(str(error.get("message")), "api_error", kind, error.get("code") or status)
        usage = dict(body.get("usage") or {})
        self.cost += float(usage.pop("cost", 0) or 0)
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            self.usage[name] = self.usage.get(name, 0) + usage.get(name, 0)
        usage = {name: value for name, value in usage.items() if name not in {"cost_details", "is_byok"}}
        response = {"status_code": status, "request_id": None, "body": {**body, "usage": usage}}
        return {"response": response, "error": None}


def _refused(message: str, kind: str, error_type: str | None = None, code: int | None = None) -> JSONObject:
    error: JSONObject = {"message": message, "type": kind, "param": None}
    if error_type is not None:
        error["error_type"] = error_type
    if code is not None:
        error["code"] = code
    return {"response": None, "error": error}


def _existing(things: Mapping[str, T], name: str, kind: str) -> T:
    if name not in things:
        raise RejectedRequestError(404, f"{kind} {name} not found")
    return things[name]


class Files:
    """The files of an emulated account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._contents: dict[str, bytes] = {}

    def add(self, content: bytes) -> str:
        """Keep a file, and return its id."""
        with self._lock:
            name = f"emulated_file_{next(self._numbers)}"
            self._contents[name] = content
            return name

    def content(self, file_id: str) -> bytes:
        """Return the content of a file.

        Raises:
            RejectedRequestError: The id is unknown (status 404).
        """
        with self._lock:
            return _existing(self._contents, file_id, "file")


class Batches:
    """All batches of an emulator, for any number of threads.

    Attributes:
        files: The files of Moonshot's batches.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._endings: list[BatchEnding] = []
        self._jobs: dict[str, BatchJob] = {}
        self.files = Files()

    def script(self, endings: Sequence[BatchEnding]) -> None:
        """Add to the endings of the next batches."""
        with self._lock:
            self._endings += endings

    def clear(self) -> None:
        """Forget all batches and endings."""
        with self._lock:
            self._endings.clear()
            self._jobs.clear()

    def add(self, model: str, rows: list[tuple[str, JSONObject]], states: Sequence[str], **facts: Any) -> BatchJob:
        """Add a batch."""
        with self._lock:
            ending = self._endings.pop(0) if self._endings else BatchEnding()
            name = f"emulated_batch_{next(self._numbers)}"
            job = BatchJob(name, int(time.time()), model, rows, list(states), ending, facts)
            self._jobs[name] = job
            return job

    def get(self, batch_id: str) -> BatchJob:
        """Return a batch.

        Raises:
            RejectedRequestError: The id is unknown (status 404).
        """
        with self._lock:
            return _existing(self._jobs, batch_id, "Batch")

    def delete(self, batch_id: str) -> None:
        """Forget a batch that has ended.

        Raises:
            RejectedRequestError: The batch has not ended (status 409), or the id is unknown (status 404).
        """
        if self.get(batch_id).status not in FINISHED:
            raise RejectedRequestError(409, f"Batch {batch_id} is still in progress")
        with self._lock:
            del self._jobs[batch_id]

    def page(self, query: Mapping[str, str]) -> tuple[list[BatchJob], bool]:
        """Return a page of the batches, newest first, and whether there are more."""
        with self._lock:
            jobs = [*reversed(self._jobs.values())]
        names = [job.id for job in jobs]
        start = names.index(query["after"]) + 1 if query.get("after") in names else 0
        end = start + number_in(query, "limit", 20)
        return jobs[start:end], end < len(jobs)


def number_in(query: Mapping[str, str], name: str, default: int) -> int:
    """Return a number of a query.

    Raises:
        RejectedRequestError: It is not a number (status 400).
    """
    text = query.get(name) or str(default)
    if not (text.isascii() and text.isdigit()):
        raise RejectedRequestError(400, f"{name}: expected a number")
    return int(text)


def rows_of(requests: Any) -> list[tuple[str, JSONObject]]:
    """Return the ids and bodies of the requests of a submission.

    Raises:
        RejectedRequestError: The requests do not have the documented form (status 400).
    """
    if not isinstance(requests, list) or not requests:
        raise RejectedRequestError(400, "requests: expected at least one request")
    rows: dict[str, JSONObject] = {}
    for row in requests:
        custom_id, body = (row.get("custom_id"), row.get("body")) if isinstance(row, dict) else (None, None)
        if not isinstance(custom_id, str) or not isinstance(body, dict):
            raise RejectedRequestError(400, "requests: each needs a custom_id and a body")
        if custom_id in rows:
            raise RejectedRequestError(400, f"requests: the custom_id {custom_id} is not unique")
        rows[custom_id] = body
    return list(rows.items())


def expiry(job: BatchJob) -> int:
    """Return the end of a batch's window, in seconds since 1970."""
    return job.created + _DAY
