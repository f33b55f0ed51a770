"""The state that the workers of a run on a cluster share: the output, the money, the rate limiters and the sums."""

import asyncio
import base64
import pickle
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from langchain_kimi.bulk.admission import OwnAdmission
from langchain_kimi.bulk.frames import Frames, Message
from langchain_kimi.bulk.options import CheckedOptions
from langchain_kimi.bulk.progress import progress_of
from langchain_kimi.bulk.purse import purse_of
from langchain_kimi.bulk.results import BulkResult, result_of
from langchain_kimi.bulk.store import Store
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.bulk.tables import lines_path, table_error, table_path
from langchain_kimi.bulk.target import differences
from langchain_kimi.errors import KimiUsageError


class State:
    """The shared state of a run. It belongs to one event loop.

    Args:
        out: The file of the results; None for a temporary one.
        options: The user's options.

    Attributes:
        admission: The money and the rate limiters.
        summary: The sums so far.
        stop: Why no further rows are asked; None if nothing stopped the run.
        unsaved: The results that could not be written.
    """

    def __init__(self, out: Path | None, options: CheckedOptions) -> None:
        self.options = options
        purse = purse_of(options.max_cost, Decimal(0))
        self.admission = OwnAdmission(options.limits, purse, is_stopped=lambda: self.stop is not None)
        self.summary = BulkSummary()
        self.stop: BaseException | None = None
        self.unsaved: list[BulkResult] = []
        self._table = None if out is None else table_path(out)
        self._lines = None if out is None else lines_path(out)
        self._store: Store | None = None
        self._description: Any = None
        self._claims: dict[str, asyncio.Event] = {}
        self._progress = progress_of(options.progress, self.summary)
        self._started = time.monotonic()

    def open(self, description: Any) -> None:
        """Open the output for a worker, whose requests must be those of the other workers.

        Raises:
            KimiUsageError: They are not, or the output belongs to another run.
        """
        if self._store is None:
            self._store, self._description = Store(self._lines, description), description
            self._count_earlier(self._store.cost)
        elif different := list(differences(self._description, description)):
            raise KimiUsageError(f"The workers do not make the same requests. {'; '.join(different)}.")

    def _count_earlier(self, cost: Decimal) -> None:
        self.summary.earlier_cost = float(cost)
        if self.admission.purse is not None:
            self.admission.purse.spent += cost

    async def begin(self, key: str) -> Message:
        """Return the next step for a row: an empty dict to ask, the line of an earlier or equal row, or an error."""
        while self.stop is None:
            line = self._opened.find(key)
            if line is not None and (line.ok or line.own or not self.options.retry_failed):
                state: Literal["duplicate", "stored"] = "duplicate" if line.own else "stored"
                self._count(BulkResult(key, 0, state=state))
                return {"line": line.content.decode(), "state": state}
            claim = self._claims.get(key)
            if claim is None:
                self._claims[key] = asyncio.Event()
                return {}
            await claim.wait()
        return {"error": packed(self.stop)}

    def release(self, key: str) -> None:
        """Let the next worker that waits for a row begin with it."""
        if claim := self._claims.pop(key, None):
            claim.set()

    async def finish(self, key: str, line: str) -> None:
        """Write the line of a row, and count it.

        Raises:
            OSError: It could not be written.
        """
        content = line.encode()
        result = result_of(content, None, "new", -1, None)
        try:
            await self._opened.append(key, content, ok=result.ok)
        except OSError as error:
            self.stop = self.stop or error
            self.unsaved.append(result)
            raise
        finally:
            self.release(key)
        self._count(result)

    def count_lost_calls(self, number: int) -> None:
        """Count the calls of a worker that ended without their costs."""
        self.summary.unknown_costs += number

    async def close(self) -> None:
        """Write everything, and make the table."""
        if self._store is not None:
            await self._store.flush()
            if self._table is not None and not isinstance(self.stop, OSError):
                error = await table_error(self._store.lines(), self._table)
                self.stop = self.stop or error
            self._store.close()
        self.update()
        self._progress.close()

    @property
    def _opened(self) -> Store:
        if self._store is None:
            raise KimiUsageError("The output is not open.")
        return self._store

    def _count(self, result: BulkResult) -> None:
        self.summary.add(result)
        self.update()

    def update(self) -> None:
        """Bring the sums up to date."""
        self.summary.seconds = time.monotonic() - self._started
        self.summary.requests, self.summary.refusals = self.admission.requests, self.admission.refusals
        self._progress.update()


class Session:
    """One connection of a worker. Its reservations are released when it ends, also if the worker was killed.

    Args:
        state: The shared state.
        frames: The connection.
    """

    def __init__(self, state: State, frames: Frames) -> None:
        self._state = state
        self._frames = frames
        self._tickets: dict[int, Any] = {}
        # Whether an attempt of the call has begun.
        self._calls: dict[str, bool] = {}
        self._keys: set[str] = set()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._finishing: set[asyncio.Task[None]] = set()

    async def serve(self, description: Any) -> None:
        """Answer the messages of the worker until its connection ends.

        Args:
            description: The description of its requests, see `Target.description`.

        Raises:
            KimiConnectionError: The connection has ended.
        """
        try:
            self._state.open(description)
        except KimiUsageError as error:
            self._frames.send({"error": packed(error)})
            return
        options = self._state.options
        estimates = {"cost": options.estimates.cost, "tokens": options.estimates.tokens, "prices": options.prices}
        row_options = {"retries": options.retries, "key": options.key, "on_error": options.on_error}
        self._frames.send({"estimates": estimates, **row_options})
        try:
            while True:
                self._take(await self._frames.receive())
        finally:
            await self._end()

    def _take(self, message: Message) -> None:
        number = message.get("id")
        if number is None:
            getattr(self, f"_on_{message['op']}")(**message["with"])
            return
        task = asyncio.create_task(self._answer(number, message))
        if message["op"] == "finish":
            # A result that has arrived is written, whatever happens to the worker.
            self._finishing.add(task)
            task.add_done_callback(self._finishing.discard)
        else:
            self._tasks[number] = task
            task.add_done_callback(lambda _: self._tasks.pop(number, None))

    async def _answer(self, number: int, message: Message) -> None:
        try:
            answer = await getattr(self, f"_do_{message['op']}")(**message["with"])
        except Exception as error:  # noqa: BLE001 - it is raised in the worker
            answer = {"error": packed(error)}
        self._frames.send({"id": number, **answer})

    async def _do_begin(self, key: str) -> Message:
        answer = await self._state.begin(key)
        if not answer:
            self._keys.add(key)
        return answer

    async def _do_finish(self, key: str, line: str) -> Message:
        self._keys.discard(key)
        await self._state.finish(key, line)
        return {}

    async def _do_enter(self, call: str, url: str, tokens: int, max_cost: str | None) -> Message:
        self._calls.setdefault(call, False)
        ticket = await self._state.admission.enter(
            (self, call), url, tokens, None if max_cost is None else Decimal(max_cost)
        )
        self._calls[call] = True
        number = id(ticket)
        self._tickets[number] = ticket
        return {"ticket": number}

    async def _do_stop(self, error: Message) -> Message:
        self._state.stop = self._state.stop or unpacked(error)
        return {}

    def _on_cancel(self, number: int) -> None:
        if task := self._tasks.get(number):
            task.cancel()

    def _on_leave(self, ticket: int, outcome: Any, retry_after: float | None) -> None:
        if (admitted := self._tickets.pop(ticket, None)) is not None:
            self._state.admission.leave(admitted, outcome, retry_after)

    def _on_settle(self, call: str, cost: str | None) -> None:
        self._calls.pop(call, None)
        self._state.admission.settle((self, call), None if cost is None else Decimal(cost))

    def _on_release(self, key: str) -> None:
        if key in self._keys:
            self._keys.discard(key)
            self._state.release(key)

    async def _end(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._finishing, return_exceptions=True)
        for ticket in self._tickets.values():
            self._state.admission.leave(ticket, "abandoned", None)
        for call, has_begun in self._calls.items():
            # The host may have answered, so the call counts with its maximum cost.
            self._state.admission.settle((self, call), None if has_begun else Decimal(0))
        self._state.count_lost_calls(sum(self._calls.values()))
        for key in self._keys:
            self._state.release(key)


def packed(error: BaseException) -> Message:
    """Return an exception as JSON types."""
    text = f"{type(error).__name__}: {error}"
    try:
        return {"text": text, "pickle": base64.b64encode(pickle.dumps(error)).decode()}
    except (pickle.PicklingError, TypeError, AttributeError):
        return {"text": text}


def unpacked(message: Message) -> BaseException:
    """Return the exception that `packed` described, or a `RuntimeError` with its text if it cannot be made here."""
    try:
        error: BaseException = pickle.loads(  # noqa: S301 - the peer has proven that it has the secret of the run
            base64.b64decode(message["pickle"])
        )
    except Exception:  # noqa: BLE001 - whatever the class of another process raises
        return RuntimeError(message["text"])
    return error
