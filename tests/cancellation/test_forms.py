"""Calls that are ended by timeouts, task groups and cancel scopes, and streams that are closed or dropped."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import anyio
import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, faults
from tests.cancellation.ways import PROMPT, assert_clean, assert_clean_sync, model_for

Call = Callable[[], Coroutine[Any, Any, Any]]
SHORT = 0.05
"""Seconds after which a call is ended that would never end."""


async def timed_out(call: Call) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SHORT):
            await call()


async def waited_for(call: Call) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(call(), SHORT)


async def cancelled(call: Call) -> None:
    task = asyncio.ensure_future(call())
    await asyncio.sleep(SHORT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_twice(call: Call) -> None:
    task = asyncio.ensure_future(call())
    await asyncio.sleep(SHORT)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def scoped(call: Call) -> None:
    with anyio.move_on_after(SHORT) as scope:
        await call()
    assert scope.cancelled_caught


async def grouped(call: Call) -> None:
    async def fail() -> None:
        await asyncio.sleep(SHORT)
        raise ZeroDivisionError

    async def wait() -> None:
        await call()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait())
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        await both()


async def grouped_by_anyio(call: Call) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await asyncio.sleep(SHORT)
        group.cancel_scope.cancel()


FORMS = [timed_out, waited_for, cancelled, cancelled_twice, scoped, grouped, grouped_by_anyio]


async def _stream(model: ChatKimi) -> None:
    async for _ in model.astream(PROMPT):
        pass


async def _batch(model: ChatKimi) -> None:
    await model.abatch([PROMPT] * 3)


STALLED = {"ainvoke": lambda model: model.ainvoke(PROMPT), "astream": _stream, "abatch": _batch}


@pytest.fixture
def openrouter() -> Any:
    with Emulator() as emulator:
        yield emulator


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("way", STALLED)
@pytest.mark.parametrize("fault", [faults.silence(), faults.silence("middle")], ids=["no reply", "a stalled reply"])
async def test_a_stalled_call_that_is_ended(openrouter: Emulator, way: str, form: Any, fault: Any) -> None:
    model = model_for(openrouter)
    openrouter.fail_next(fault, times=3 if way == "abatch" else 1)
    await form(lambda: STALLED[way](model))
    openrouter.clear()
    await assert_clean(model, openrouter)
    await model.aclose()


LONG = Reply(text="word " * 200)


async def closed(chunks: AsyncIterator[Any]) -> None:
    await anext(chunks)
    await chunks.aclose()  # type: ignore[attr-defined]  # it is an async generator


async def dropped(chunks: AsyncIterator[Any]) -> None:
    await anext(chunks)


@pytest.mark.parametrize("end", [closed, dropped], ids=["closed", "dropped"])
async def test_an_async_stream_that_is_not_read_to_its_end(openrouter: Emulator, end: Any) -> None:
    model = model_for(openrouter)
    openrouter.script(LONG)
    await end(model.astream(PROMPT))
    await assert_clean(model, openrouter)
    await model.aclose()


@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "dropped"])
def test_a_sync_stream_that_is_not_read_to_its_end(openrouter: Emulator, *, is_closed: bool) -> None:
    with model_for(openrouter) as model:
        openrouter.script(LONG)
        chunks: Any = model.stream(PROMPT)
        next(chunks)
        if is_closed:
            chunks.close()
        del chunks
        gc.collect()
        assert_clean_sync(model, openrouter)
