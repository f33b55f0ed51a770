"""Tests that stopping a call closes its connection at once, so that OpenRouter cancels the generation."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiInvalidRequestError
from langchain_kimi.testing import Emulator, Fault, Reply, faults
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.responses import OutgoingReply
from tests.conftest import KEY
from tests.faults.ways import model_of

LONG = Reply(text="word " * 3_000)
"""At 10 ms per token the reply takes half a minute. A test waits a third of that at most."""


class StoppedError(Exception):
    """The consumer stops."""


class Stops(BaseCallbackHandler):
    """A handler that stops after the third token."""

    raise_error = True

    def __init__(self) -> None:
        self.tokens = 0

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.tokens += 1
        if self.tokens == 3:
            raise StoppedError


class Begins(AsyncCallbackHandler):
    """A handler that reports the first token."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.begun.set()


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.behave(pause=0.01)
        emulator.script(LONG, times=None)
        yield emulator


def check_hung_up(openrouter: Emulator) -> None:
    [request] = openrouter.requests
    assert request.wait(10)
    assert request.hung_up_at is not None
    assert not request.finished


def close(model: Any) -> None:
    stream = model.stream("Go on.")
    next(stream)
    stream.close()


def drop(model: Any) -> None:
    stream = model.stream("Go on.")
    next(stream)
    del stream
    gc.collect()


def leave_the_loop(model: Any) -> None:
    for _ in model.stream("Go on."):
        break
    gc.collect()


def consumer_fails(model: Any) -> None:
    def consume() -> None:
        for _ in model.stream("Go on."):
            raise StoppedError

    with pytest.raises(StoppedError):
        consume()
    gc.collect()


def callback_fails(model: Any) -> None:
    with pytest.raises(StoppedError):
        list(model.stream("Go on.", config={"callbacks": [Stops()]}))


def callback_of_invoke_fails(model: Any) -> None:
    with pytest.raises(StoppedError):
        model.model_copy(update={"streaming": True}).invoke("Go on.", config={"callbacks": [Stops()]})


STOPS: list[Callable[[Any], None]] = [
    close, drop, leave_the_loop, consumer_fails, callback_fails, callback_of_invoke_fails,
]  # fmt: skip


@pytest.mark.parametrize("stop", STOPS)
def test_stopping_a_stream_closes_the_connection(openrouter: Emulator, stop: Callable[[Any], None]) -> None:
    with model_of(openrouter) as model:
        stop(model)
        check_hung_up(openrouter)


async def aclose(model: Any) -> None:
    stream = model.astream("Go on.")
    await anext(stream)
    await stream.aclose()


async def adrop(model: Any) -> None:
    stream = model.astream("Go on.")
    await anext(stream)
    del stream
    gc.collect()
    # The loop closes the dropped generator later.
    await asyncio.sleep(0.05)


async def consume(model: Any, begun: asyncio.Event) -> None:
    async for _ in model.astream("Go on."):
        begun.set()


async def cancel(model: Any) -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(consume(model, begun))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancel_twice(model: Any) -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(consume(model, begun))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def time_out(model: Any) -> None:
    begun = asyncio.Event()

    async def expire(limit: asyncio.Timeout) -> None:
        await begun.wait()
        limit.reschedule(0)

    async def limited() -> None:
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
            group.create_task(expire(limit))
            await consume(model, begun)

    with pytest.raises(TimeoutError):
        await limited()


async def cancel_ainvoke(model: Any) -> None:
    begins = Begins()
    streaming = model.model_copy(update={"streaming": True})
    task = asyncio.create_task(streaming.ainvoke("Go on.", config={"callbacks": [begins]}))
    await begins.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def acallback_fails(model: Any) -> None:
    with pytest.raises(StoppedError):
        async for _ in model.astream("Go on.", config={"callbacks": [Stops()]}):
            pass


async def aevents(model: Any) -> None:
    events = model.astream_events("Go on.", version="v2")
    async for event in events:
        if event["event"] == "on_chat_model_stream":
            break
    await events.aclose()


ASTOPS: list[Callable[[Any], Awaitable[None]]] = [
    aclose, adrop, cancel, cancel_twice, time_out, cancel_ainvoke, acallback_fails, aevents,
]  # fmt: skip


@pytest.mark.parametrize("stop", ASTOPS)
async def test_stopping_an_async_stream_closes_the_connection(
    openrouter: Emulator, stop: Callable[[Any], Awaitable[None]]
) -> None:
    async with model_of(openrouter) as model:
        await stop(model)
        await asyncio.to_thread(check_hung_up, openrouter)


async def test_stopping_a_plain_call_closes_the_connection(openrouter: Emulator) -> None:
    started = threading.Event()

    def play(serving: OutgoingReply) -> Response:
        started.set()
        return faults.silence("middle").play(serving)

    openrouter.clear()
    openrouter.script(Fault("silence", play))
    async with model_of(openrouter) as model:
        task = asyncio.create_task(model.ainvoke("Go on."))
        assert await asyncio.to_thread(started.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(check_hung_up, openrouter)


async def test_the_model_can_be_used_after_a_stop(openrouter: Emulator) -> None:
    async with model_of(openrouter) as model:
        for _ in range(5):
            await aclose(model)
        openrouter.behave(pause=0.0)
        assert (await model.ainvoke("Hello.")).text
        last = openrouter.requests[-1]
        # The client may have the whole reply a moment before the server's thread records its end.
        assert await asyncio.to_thread(last.wait, 10)
    assert last.finished


async def test_a_reply_without_a_connection_fails() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text='data: {"error": {"code": 400, "message": "No."}}\n\ndata: [DONE]\n\n')

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        model = ChatKimi(api_key=KEY, transport="httpx", http_async_client=client)
        with pytest.raises(KimiInvalidRequestError, match=r"No\."):
            [chunk async for chunk in model.astream("Hello.")]
