"""Calls that are ended by timeouts, task groups and cancel scopes, and streams that are closed or dropped."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply, faults
from tests.cancellation.ways import (
    ASYNC_WAYS,
    PROMPT,
    QUESTION,
    Report,
    Reports,
    agent_of,
    assert_clean,
    assert_clean_sync,
    chain_of,
    model_for,
    weather,
)

Call = Callable[[], Coroutine[Any, Any, Any]]
pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta:langchain_core._api.LangChainBetaWarning")
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


QUICK = ("ainvoke", "astream", "abatch", "chain")
WAYS = [way if way in QUICK else pytest.param(way, marks=pytest.mark.long) for way in ASYNC_WAYS]


@pytest.fixture
def openrouter() -> Any:
    with Emulator() as emulator:
        yield emulator


@pytest.mark.waits
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", [faults.silence(), faults.silence("middle")], ids=["no reply", "a stalled reply"])
async def test_a_stalled_call_that_is_ended(openrouter: Emulator, way: str, form: Any, fault: Any) -> None:
    reports = Reports()
    # A graph that is cancelled again while it ends leaves its task running (seen in langgraph 1.2.22). That task ends
    # with the call's own time limit.
    model = model_for(openrouter, timeout=0.3 if way == "agent stream" else None)
    openrouter.fail_next(fault, times=3)
    await form(lambda: ASYNC_WAYS[way](model))
    openrouter.clear()
    await assert_clean(model, openrouter)
    await model.aclose()
    assert reports.texts == []


async def closed(chunks: Any) -> None:
    await anext(chunks)
    await chunks.aclose()


async def dropped(chunks: Any) -> None:
    await anext(chunks)


async def left(chunks: Any) -> None:
    async for _ in chunks:
        break


async def _events(model: ChatKimi) -> Any:
    events: Any = model.astream_events(PROMPT, version="v2")
    try:
        async for event in events:
            # The first event comes before the request.
            if event["event"] == "on_chat_model_stream":
                yield event
    finally:
        await events.aclose()


async def _events_v3(model: ChatKimi) -> Any:
    events: Any = await model.astream_events(PROMPT, version="v3")
    try:
        async for event in events:
            yield event
    finally:
        await events.aclose()


SCHEMA: dict[str, Any] = Report.model_json_schema()
ASYNC_STREAMS: dict[str, Callable[[ChatKimi], Any]] = {
    "astream": lambda model: model.astream(PROMPT),
    "bound": lambda model: model.bind_tools([weather]).astream(PROMPT),
    "chain": lambda model: chain_of(model).astream({"text": PROMPT}),
    "structured": lambda model: model.with_structured_output(SCHEMA, method="json_schema").astream(PROMPT),
    "events": _events,
    "events v3": _events_v3,
    "agent": lambda model: agent_of(model).astream(QUESTION, stream_mode="messages"),
}
CITY = Reply(text='{"city": "' + "Oslo " * 200 + '"}')
"""A long text that is also an answer of structured output."""
STALLED = faults.silence("middle").on(CITY)


@pytest.mark.apart
@pytest.mark.parametrize("end", [closed, dropped, left])
@pytest.mark.parametrize("way", ASYNC_STREAMS)
async def test_an_async_stream_that_is_not_read_to_its_end(openrouter: Emulator, way: str, end: Any) -> None:
    reports = Reports()
    model = model_for(openrouter)
    # The reply stops in its middle, so that the server cannot be at its end before the stream is left.
    openrouter.script(STALLED)
    await end(ASYNC_STREAMS[way](model))
    await assert_clean(model, openrouter)
    assert openrouter.requests[0].hung_up_at is not None
    await model.aclose()
    assert reports.texts == []


SYNC_STREAMS: dict[str, Callable[[ChatKimi], Any]] = {
    "stream": lambda model: model.stream(PROMPT),
    "bound": lambda model: model.bind_tools([weather]).stream(PROMPT),
    "chain": lambda model: chain_of(model).stream({"text": PROMPT}),
    "structured": lambda model: model.with_structured_output(SCHEMA, method="json_schema").stream(PROMPT),
    "agent": lambda model: agent_of(model).stream(QUESTION, stream_mode="messages"),
}


def close_in_a_thread(chunks: Any) -> None:
    other = threading.Thread(target=chunks.close)
    other.start()
    other.join()


def drop(_: Any) -> None:
    """Do nothing: the caller drops the stream."""


ENDS: list[Callable[[Any], None]] = [lambda chunks: chunks.close(), close_in_a_thread, drop]


@pytest.mark.parametrize("end", ENDS, ids=["closed", "closed in another thread", "dropped"])
@pytest.mark.parametrize("way", SYNC_STREAMS)
def test_a_sync_stream_that_is_not_read_to_its_end(openrouter: Emulator, way: str, end: Callable[[Any], None]) -> None:
    with model_for(openrouter) as model:
        # LangChain reads the input of a sync chain to its end when the chain is closed (seen in langchain-core 1.7.2).
        is_read = way not in {"stream", "bound"}
        openrouter.script(CITY if is_read else STALLED)
        chunks = SYNC_STREAMS[way](model)
        next(chunks)
        end(chunks)
        del chunks
        assert_clean_sync(model, openrouter)
        assert (openrouter.requests[0].hung_up_at is None) == is_read
