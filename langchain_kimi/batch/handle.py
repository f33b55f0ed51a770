"""The handle of a submitted batch: plain JSON, and the methods that ask for its state and its results."""

from decimal import Decimal
from hashlib import blake2b
from typing import Any, Self, TypeVar, cast

from langchain_core.callbacks import CallbackManager
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from langchain_kimi._costs.batches import record, trackers_in
from langchain_kimi._costs.tracking import KimiCostCallback
from langchain_kimi._keys import aresolve, resolve
from langchain_kimi._openrouter.host import Host
from langchain_kimi._openrouter.http.calls import CLOCK, Clock
from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._settings import chosen_host
from langchain_kimi.batch.bodies import custom_id, row_request
from langchain_kimi.batch.errors import pending
from langchain_kimi.batch.lanes import finished, lane_of, status
from langchain_kimi.batch.prices import with_costs
from langchain_kimi.batch.program import Program, program_of
from langchain_kimi.batch.replies import ReplyReader
from langchain_kimi.batch.requests import Operation, arun, run
from langchain_kimi.batch.results import BatchResult, BatchStatus, status_of
from langchain_kimi.errors import KimiError, KimiUsageError

T = TypeVar("T")
Outcome = ChatResult | KimiError
EVERY = 30.0
"""Seconds between two questions for the state of a batch. Most batches take minutes."""


class BatchHandle(BaseModel):
    """A submitted batch.

    Its JSON (`handle.model_dump_json()`) has no secrets and no inputs. Another process reads it and continues:

    ```python
    handle = BatchHandle.model_validate_json(text).using(model)
    handle.wait()
    for result in handle.results():
        print(result.index, result.value or result.error)
    ```

    Attributes:
        id: The server's id of the batch.
        host: The kind of server, such as `openrouter`.
        base_url: The base URL of the server. Requests go to that of the model, which must be the same.
        model: The model, as it was requested.
        priced_as: The slug whose list prices the batch has.
        key: The beginning of the rows' ids.
        rows: The number of rows.
        digest: A digest of the settings and the schema.
        call_ids: The ids of the tool calls in the rows' conversations, by the row's position.
        created_at: Seconds since 1970, by the server; None if it did not say.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    host: str
    base_url: str
    model: str
    priced_as: str
    key: str
    rows: int = Field(ge=1)
    digest: str = ""
    call_ids: dict[int, list[str]] = Field(default_factory=dict)
    created_at: float | None = None
    _program: Program | None = PrivateAttr(default=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BatchHandle) and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        return hash((self.id, self.key))

    def __getstate__(self) -> dict[Any, Any]:
        # The model may have a key.
        return {**super().__getstate__(), "__pydantic_private__": {"_program": None}}

    def using(self, runnable: Any, config: RunnableConfig | None = None) -> Self:
        """Return the handle with the model that reads it: the one that submitted the batch, or an equal one.

        Args:
            runnable: The model, or the chain or structured output that was submitted. A warning says if its settings or
                its schema differ; the replies are then read with these.
            config: The configuration of the steps after the model, and the callbacks that count the costs.

        Raises:
            KimiUsageError: The model's server is another one.
        """
        program = program_of(runnable, config)
        url = program.model.openrouter_api_base or ""
        if url.rstrip("/") != self.base_url.rstrip("/"):
            raise KimiUsageError(f"The batch is at {self.base_url}, and the model uses {url}.")
        if self.digest and digest_of(program) != self.digest:
            warn_user("The batch was submitted with other settings; its replies are read with those of this model.")
        return self.with_program(program)

    def with_program(self, program: Program) -> Self:
        """Return a copy that uses the parts of a runnable."""
        copy = self.model_copy()
        copy._program = program  # noqa: SLF001 - of the same class
        return copy

    def status(self) -> BatchStatus:
        """Return the current state.

        Raises:
            KimiError: The request failed.
            KimiUsageError: The handle was loaded and has no model; see `using`.
        """
        return status_of(self._run(status(self.id)))

    async def astatus(self) -> BatchStatus:
        """Return the current state; see `status`."""
        return status_of(await self._arun(status(self.id)))

    def cancel(self) -> BatchStatus:
        """Cancel the batch at Moonshot. Rows that were answered before keep their results.

        Raises:
            KimiUsageError: The server is OpenRouter, which cannot cancel a batch.
            KimiInvalidRequestError: The batch has ended already.
        """
        return status_of(self._run(lane_of(self._host).cancel(self.id)))

    async def acancel(self) -> BatchStatus:
        """Cancel the batch; see `cancel`."""
        return status_of(await self._arun(lane_of(self._host).cancel(self.id)))

    def wait(self, seconds: float | None = None, *, every: float = EVERY, clock: Clock = CLOCK) -> BatchStatus:
        """Wait until the batch has ended, and return its state.

        Args:
            seconds: The maximum wait in seconds; None waits until the end, which may take 24 hours and more.
            every: The maximum interval between two requests in seconds. The first waits are shorter, from one second
                on.
            clock: The source of time and sleep.

        Raises:
            BatchPendingError: It has not ended after so many seconds.
            KimiError: A request failed, and so did its retries.
        """
        return self._ended(self._run(self._finished(seconds, every, clock), clock))

    async def wait_async(
        self, seconds: float | None = None, *, every: float = EVERY, clock: Clock = CLOCK
    ) -> BatchStatus:
        """Wait until the batch has ended, without blocking the event loop; see `wait`."""
        return self._ended(await self._arun(self._finished(seconds, every, clock), clock))

    def results(self) -> list[BatchResult]:
        """Return the result of every row, in the order of the inputs.

        A row has what `invoke` returns or raises for its reply: the same messages, repairs, typed errors, values of
        structured output and costs. Costs are counted once by the trackers and budgets of the submission.

        Raises:
            BatchPendingError: The batch has not ended.
            KimiPaymentRequiredError: OpenRouter has the results, and the account has too little credit for them (402).
            KimiError: A request failed.
        """
        outcomes = self._read(*self._run(self._fetched()), resolve(self._model.openrouter_api_key, self._host))
        return [self._result(n, outcome, *_value(self._used, outcome)) for n, outcome in enumerate(outcomes)]

    async def aresults(self) -> list[BatchResult]:
        """Return the result of every row; see `results`."""
        key = await aresolve(self._model.openrouter_api_key, self._host)
        outcomes = self._read(*await self._arun(self._fetched()), key)
        return [self._result(n, outcome, *await _avalue(self._used, outcome)) for n, outcome in enumerate(outcomes)]

    @property
    def _used(self) -> Program:
        if self._program is None:
            raise KimiUsageError("The handle was loaded and has no model.", advice="Call handle.using(model) first.")
        return self._program

    @property
    def _model(self) -> Any:
        return self._used.model

    @property
    def _host(self) -> Host:
        return chosen_host(self._model)

    def _run(self, operation: Operation[T], clock: Clock = CLOCK) -> T:
        return run(operation, self._used, clock)

    async def _arun(self, operation: Operation[T], clock: Clock = CLOCK) -> T:
        return await arun(operation, self._used, clock)

    def _finished(self, seconds: float | None, every: float, clock: Clock) -> Operation[JSONObject]:
        deadline = None if seconds is None else clock.monotonic() + seconds
        return finished(self.id, every, deadline, clock.monotonic)

    def _ended(self, batch: JSONObject) -> BatchStatus:
        state = status_of(batch)
        if not state.has_ended:
            raise pending(self.id, state.status)
        return state

    def _fetched(self) -> Operation[tuple[JSONObject, list[JSONObject]]]:
        """Return the object of the batch and its result rows."""
        batch = yield from status(self.id)
        if not self._ended(batch).has_rows:
            return batch, []
        rows = yield from lane_of(self._host).rows(batch)
        return batch, [row for row in rows if isinstance(row, dict)]

    def _read(self, batch: JSONObject, rows: list[JSONObject], key: str) -> list[Outcome]:
        """Return the result or the error of each row, and count the costs."""
        if self._host.is_openrouter:
            rows = with_costs(batch, rows, self.priced_as)
        by_id: dict[Any, JSONObject] = {}
        for row in rows:
            by_id.setdefault(row.get("custom_id"), row)
        reader = ReplyReader.of(self._used, batch, key)
        outcomes: list[Outcome] = []
        for index in range(self.rows):
            try:
                row_of_index = by_id.get(custom_id(self.key, index))
                outcomes.append(reader.read(row_of_index, frozenset(self.call_ids.get(index, ()))))
            except KimiError as error:
                outcomes.append(error)
        cost, usage = status_of(batch).cost, batch.get("usage")
        # The cost of a batch does not include the charges for the caller's own key, which the rows contain.
        is_byok = isinstance(usage, dict) and usage.get("is_byok")
        reported = None if cost is None or is_byok else Decimal(str(cost))
        record(trackers_of(self._used), reservation_key(self.key), self.model, outcomes, reported)
        return outcomes

    def _result(self, index: int, outcome: Outcome, value: Any, error: Exception | None) -> BatchResult:
        message = message_of(outcome) if isinstance(outcome, ChatResult) else outcome.partial
        usage = outcome.usage or {} if isinstance(outcome, KimiError) else message_of(outcome).response_metadata
        return BatchResult(index, value, error, message, custom_id(self.key, index), usage.get("cost"))


def message_of(result: ChatResult) -> AIMessage:
    """Return the message of a result."""
    return cast("AIMessage", result.generations[0].message)


def _value(program: Program, outcome: Outcome) -> tuple[Any, Exception | None]:
    """Return the value of a row after the last steps, or the error that ended it."""
    if isinstance(outcome, KimiError):
        return None, outcome
    try:
        return program.finish(message_of(outcome)), None
    except Exception as error:  # noqa: BLE001 - the error of one row must not hide the other rows
        return None, error


async def _avalue(program: Program, outcome: Outcome) -> tuple[Any, Exception | None]:
    if isinstance(outcome, KimiError):
        return None, outcome
    try:
        return await program.afinish(message_of(outcome)), None
    except Exception as error:  # noqa: BLE001 - as in the sync version
        return None, error


def digest_of(program: Program) -> str:
    """Return a digest of all settings that decide a request and its reading, without the row."""
    request = row_request(program, program.messages_of(""), 0)
    return blake2b(request.body["model"].encode() + request.content, digest_size=16).hexdigest()


def trackers_of(program: Program) -> list[KimiCostCallback]:
    """Return the cost trackers and budgets of a program: those of its configuration, its model and the context."""
    callbacks = program.config.get("callbacks")
    return trackers_in(CallbackManager.configure(callbacks, program.model.callbacks).handlers)


def reservation_key(key: str) -> str:
    """Return the name of a batch in budgets."""
    return f"batch-{key}"
