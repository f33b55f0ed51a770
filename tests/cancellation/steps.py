"""Interrupt a coroutine or a function at an exact step."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from types import FrameType
from typing import Any


class Cancelled:
    """Awaits a coroutine, and cancels its task when it is suspended for a certain time, counted from 1.

    Args:
        coroutine: The coroutine.
        step: The suspension at which to cancel first; 0: never.
        times: How many suspensions in a row to cancel. A cancel scope of anyio cancels again in each step.

    Attributes:
        steps: The suspensions so far.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], step: int = 0, times: int = 1) -> None:
        self.steps = 0
        self._coroutine = coroutine
        self._cancelled = range(step, step + times) if step else range(0)

    def __await__(self) -> Generator[Any, Any, Any]:
        send: Callable[[], Any] = lambda: self._coroutine.send(None)  # noqa: E731 - a step of the loop below
        while True:
            try:
                future = send()
            except StopIteration as end:
                return end.value
            self.steps += 1
            if self.steps in self._cancelled:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield future
            except BaseException as error:  # noqa: BLE001 - it goes into the coroutine
                send = _throwing(self._coroutine, error)
            else:
                send = lambda: self._coroutine.send(None)  # noqa: E731 - a step of the loop


def _throwing(coroutine: Coroutine[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: coroutine.throw(error)


async def run_cancelled(coroutine: Coroutine[Any, Any, Any], step: int, times: int) -> int:
    """Run a coroutine in a task of its own, cancel it at a step, and return the number of its steps."""
    cancelled = Cancelled(coroutine, step, times)

    async def wait() -> None:
        await cancelled

    with suppress(asyncio.CancelledError):
        await asyncio.create_task(wait())
    return cancelled.steps


async def run_cancelled_in_loop(coroutine: Coroutine[Any, Any, Any], iteration: int | None, times: int) -> int:
    """Run a coroutine in a task of its own, cancel it in an iteration of the loop, and return the iterations it took.

    Other than `run_cancelled` this also stops between the steps of the tasks that the coroutine waits for.

    Args:
        coroutine: The coroutine.
        iteration: The iteration in which to cancel first; None: never.
        times: In how many iterations in a row to cancel.
    """
    task, count = asyncio.ensure_future(coroutine), 0
    while not task.done():
        if iteration is not None and iteration <= count < iteration + times:
            task.cancel()
        await asyncio.sleep(0)
        count += 1
    with suppress(asyncio.CancelledError):
        await task
    return count


WATCHED = ("httpcore", "h11", "_openrouter/http")
"""Modules that are interrupted."""


def run_interrupted(function: Callable[[], Any], call: int) -> int:
    """Run a function, raise KeyboardInterrupt at a call of a watched function, and return the number of these calls.

    Args:
        function: The function to run.
        call: The call, counted from 1; 0: none.
    """
    calls = 0

    def profile(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        if event == "call" and any(part in frame.f_code.co_filename for part in WATCHED):
            calls += 1
            if calls == call:
                raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        with suppress(KeyboardInterrupt):
            function()
    finally:
        sys.setprofile(None)
    return calls
