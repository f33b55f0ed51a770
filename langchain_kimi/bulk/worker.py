"""`Worker`: asks for rows in a process of a run on a cluster."""

import asyncio
import weakref
from collections.abc import Callable, Hashable
from decimal import Decimal
from itertools import count
from typing import Any, Self

from langchain_core.runnables import Runnable

from langchain_kimi.bulk.admission import Outcome
from langchain_kimi.bulk.asking import ask, is_hopeless, storable, unrenderable
from langchain_kimi.bulk.frames import Address, Frames, Message
from langchain_kimi.bulk.results import BulkResult, result_of
from langchain_kimi.bulk.rows import Estimates, Row, RunGate, own_key
from langchain_kimi.bulk.state import packed, unpacked
from langchain_kimi.bulk.target import digest_of, target_of
from langchain_kimi.errors import KimiConnectionError


class Link:
    """The connection of a worker to the shared state of its run, which is the admission of its calls.

    Args:
        frames: The connection.
        settings: The first message of the driver.
    """

    def __init__(self, frames: Frames, settings: Message) -> None:
        self._frames = frames
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._reading = asyncio.create_task(self._read())
        self.settings = settings
        self.gate = RunGate(self, Estimates(**settings["estimates"]))

    @classmethod
    async def to(cls, address: Address, description: Any) -> Self:
        """Connect.

        Raises:
            KimiConnectionError: There is no connection.
            KimiUsageError: The requests are not those of the run.
        """
        try:
            frames = Frames(*await asyncio.open_connection(address.host, address.port))
        except OSError as error:
            raise KimiConnectionError(f"The worker cannot connect to its run at {address.host}.") from error
        try:
            await frames.prove(address.secret)
            frames.send({"description": description})
            settings = await frames.receive()
        except BaseException:
            frames.end()
            raise
        if "error" in settings:
            await frames.close()
            raise unpacked(settings["error"])
        return cls(frames, settings)

    @property
    def is_open(self) -> bool:
        """Whether the connection is open."""
        return not self._reading.done()

    async def request(self, op: str, **arguments: Any) -> Message:
        """Send a message, and wait for its answer.

        Raises:
            KimiConnectionError: The connection was closed.
            Exception: The other side answered with it.
        """
        if not self.is_open:
            raise KimiConnectionError("The connection between a worker and its run was closed.")
        number = next(self._numbers)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._frames.send({"id": number, "op": op, "with": arguments})
        try:
            message = await answer
        except asyncio.CancelledError:
            self.send("cancel", number=number)
            raise
        if "error" in message:
            raise unpacked(message["error"])
        return message

    def send(self, op: str, **arguments: Any) -> None:
        """Send a message that has no answer."""
        self._frames.send({"op": op, "with": arguments})

    async def enter(self, call: Hashable, url: str, tokens: int, max_cost: Decimal | None) -> int:
        """See `Admission.enter`."""
        costs = None if max_cost is None else str(max_cost)
        answer = await self.request("enter", call=str(call), url=url, tokens=tokens, max_cost=costs)
        return int(answer["ticket"])

    def leave(self, ticket: int, outcome: Outcome, retry_after: float | None) -> None:
        """See `Admission.leave`."""
        self.send("leave", ticket=ticket, outcome=outcome, retry_after=retry_after)

    def settle(self, call: Hashable, cost: Decimal | None) -> None:
        """See `Admission.settle`."""
        self.send("settle", call=str(call), cost=None if cost is None else str(cost))

    async def close(self) -> None:
        """Close the connection."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._frames.close()

    async def _read(self) -> None:
        problem = KimiConnectionError("The connection between a worker and its run was closed.")
        try:
            while True:
                message = await self._frames.receive()
                answer = self._waiting.pop(message.pop("id"))
                if not answer.done():
                    answer.set_result(message)
                else:
                    # The caller has left while the answer was on its way.
                    self.leave(message.get("ticket", 0), "abandoned", None)
        except KimiConnectionError as error:
            problem = error
        finally:
            self._frames.end()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(problem)


class Worker:
    """Sends rows to the model in another process, with the budget, the rate limits and the output of `Shared`.

    One object can be used in any number of event loops.

    Args:
        build: A function that returns the runnable. It is called once, in the process of the worker, so that the key
            comes from the environment there.
        address: `Shared.address()`.
        column: The column of a row that is the input of the runnable; None for the row itself.

    Raises:
        KimiUsageError: The runnable has no `ChatKimi`.
    """

    def __init__(self, build: Callable[[], Runnable[Any, Any]], address: Address, *, column: str | None = None) -> None:
        self._runnable = build()
        self._target = target_of(self._runnable)
        self._address = address
        self._column = column
        self._description = self._target.description()
        self._digest = digest_of(self._description)
        self._links: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Link]] = (
            weakref.WeakKeyDictionary()
        )

    async def ask(self, row: Any) -> BulkResult:
        """Ask for a row, and return its result once it is in the output. Its index is -1.

        Raises:
            KimiConnectionError: The connection to `Shared` was closed.
            KimiError: Every further row would fail with the same error, or the run was stopped by another worker.
            OSError: The result could not be written.
        """
        link = await self._link()
        value = row if self._column is None else row[self._column]
        try:
            filled = self._target.filled(value)
            key = self._key_of(row, value if filled is None else filled, link.settings["key"])
        except Exception as error:  # noqa: BLE001 - a row that cannot be rendered is an error of the row
            await self._fail(link, error)
            failed = unrenderable(value, -1, error)
            return await self._finished(link, Row(-1, failed.key, value), failed)
        return await self._finished(link, Row(-1, key, value, filled=filled))

    async def close(self) -> None:
        """Close the connection of the running event loop."""
        if (task := self._links.pop(asyncio.get_running_loop(), None)) is not None:
            await (await task).close()

    async def _link(self) -> Link:
        loop = asyncio.get_running_loop()
        task = self._links.get(loop)
        if task is None or _is_over(task):
            task = self._links[loop] = asyncio.create_task(Link.to(self._address, self._description))
        return await asyncio.shield(task)

    def _key_of(self, row: Any, value: Any, column: str | None) -> str:
        return self._target.key_of(value, self._digest) if column is None else own_key(row, column)

    async def _finished(self, link: Link, row: Row, result: BulkResult | None = None) -> BulkResult:
        try:
            answer = await link.request("begin", key=row.key)
            if "line" in answer:
                return result_of(answer["line"].encode(), self._target.schema, answer["state"], -1, row.value)
            result = result or await self._answered(link, row)
        except BaseException:
            link.send("release", key=row.key)
            raise
        result, line, problem = storable(result)
        await link.request("finish", key=row.key, line=line.decode())
        if problem is not None:
            await self._fail(link, problem)
        return result

    async def _answered(self, link: Link, row: Row) -> BulkResult:
        for _ in range(link.settings["retries"] + 1):
            result, error = await ask(self._runnable, row, link.gate)
            if error is not None:
                await self._fail(link, error)
            if not getattr(error, "is_retryable", False):
                break
            row.earlier = result
        return result

    async def _fail(self, link: Link, error: Exception) -> None:
        """Stop the run because of a row, if every row would fail like it, or if the options say so."""
        if is_hopeless(error) or link.settings["on_error"] == "raise":
            await link.request("stop", error=packed(error))
            raise error


def _is_over(connecting: "asyncio.Task[Link]") -> bool:
    """Return whether a connection has failed or was closed."""
    if not connecting.done():
        return False
    return connecting.cancelled() or connecting.exception() is not None or not connecting.result().is_open
