"""A caller that stops reading closes the connection at once, so that the server stops generating and billing."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import Any, cast

import pytest

from langchain_kimi._openrouter.http.transport import aexchange, exchange
from langchain_kimi.testing.http1 import Hang, HttpRequest, Repeat, Response
from tests.openrouter.events import text_event
from tests.openrouter.http.calling import call, forget_clients, serving, streamed

SOON = 10.0
"""Seconds to wait for the server to notice before the test fails. It takes milliseconds."""


class Listener:
    """A server that records when a client closes the connection."""

    def __init__(self, answer: Response) -> None:
        self.requested = threading.Event()
        self.hung_up = threading.Event()
        self._answer = answer

    def __call__(self, request: HttpRequest) -> Response:
        self.requested.set()
        answer = self._answer
        return Response(answer.status, answer.headers, answer.steps, answer.before, answer.chunked, self._ended)

    def _ended(self, finished: bool) -> None:  # noqa: FBT001 - the signature of on_end
        if not finished:
            self.hung_up.set()


@contextmanager
def listening(answer: Response) -> Iterator[tuple[Listener, str]]:
    listener = Listener(answer)
    with serving(listener) as server:
        yield listener, server.url
    forget_clients()


STARTED = {
    "a stream that stalls": streamed(text_event("Hel"), Hang()),
    "an endless stream": streamed(Repeat(text_event("a"), 0.001)),
}


@pytest.fixture(params=list(STARTED.values()), ids=list(STARTED))
def started(request: pytest.FixtureRequest) -> Iterator[tuple[Listener, str]]:
    """A server that has started a stream, and its URL."""
    with listening(request.param) as listening_on:
        yield listening_on


def test_closing_a_stream_hangs_up(started: tuple[Listener, str]) -> None:
    listener, url = started
    with closing(cast("Any", exchange(call(url)))) as parts:
        assert next(parts)
        assert not listener.hung_up.is_set()
    assert listener.hung_up.wait(SOON)


@pytest.mark.uncovered
def test_dropping_a_stream_hangs_up(started: tuple[Listener, str]) -> None:
    listener, url = started
    for _ in exchange(call(url)):
        break
    gc.collect()
    assert listener.hung_up.wait(SOON)


@pytest.mark.uncovered
def test_an_error_in_the_consumer_hangs_up(started: tuple[Listener, str]) -> None:
    listener, url = started
    with pytest.raises(ZeroDivisionError):
        assert [1 // 0 for _ in exchange(call(url))]
    gc.collect()
    assert listener.hung_up.wait(SOON)


def test_closing_a_stream_in_another_thread_hangs_up(started: tuple[Listener, str]) -> None:
    listener, url = started
    parts = cast("Any", exchange(call(url)))
    next(parts)
    other = threading.Thread(target=parts.close)
    other.start()
    other.join()
    assert listener.hung_up.wait(SOON)


def hung_up(listener: Listener) -> bool:
    return listener.hung_up.wait(SOON)


async def test_closing_an_async_stream_hangs_up(started: tuple[Listener, str]) -> None:
    listener, url = started
    async with aclosing(aexchange(call(url))) as parts:
        assert await anext(parts)
    assert await asyncio.to_thread(hung_up, listener)


async def test_dropping_an_async_stream_hangs_up(started: tuple[Listener, str]) -> None:
    listener, url = started
    async for _ in aexchange(call(url)):
        break
    assert await asyncio.to_thread(hung_up, listener)


def test_a_loop_that_ends_with_an_open_stream_hangs_up(started: tuple[Listener, str]) -> None:
    listener, url = started
    streams: list[AsyncIterator[str]] = []

    async def leave() -> None:
        streams.append(aexchange(call(url)))
        await anext(streams[0])

    asyncio.run(leave())
    assert listener.hung_up.wait(SOON)


ANY = STARTED | {
    "no body": streamed(Hang()),
    "no response head": Response(before=(Hang(),)),
}


async def consume(url: str) -> None:
    async for _ in aexchange(call(url)):
        await asyncio.sleep(0)


@pytest.mark.parametrize("answer", ANY.values(), ids=ANY.keys())
async def test_cancelling_a_task_hangs_up(answer: Response) -> None:
    with listening(answer) as (listener, url):
        task = asyncio.create_task(consume(url))
        assert await asyncio.to_thread(listener.requested.wait, SOON)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(hung_up, listener)


@pytest.mark.parametrize("answer", ANY.values(), ids=ANY.keys())
async def test_a_timeout_of_the_caller_hangs_up(answer: Response) -> None:
    with listening(answer) as (listener, url):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(consume(url), 0.1)
        assert await asyncio.to_thread(hung_up, listener)


async def test_a_failing_task_of_the_same_group_hangs_up(started: tuple[Listener, str]) -> None:
    listener, url = started

    async def fail() -> None:
        await asyncio.to_thread(listener.requested.wait, SOON)
        raise ZeroDivisionError

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(consume(url))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        await both()
    assert await asyncio.to_thread(hung_up, listener)


async def test_cancelling_a_retrys_wait_sends_nothing_more() -> None:
    reported = asyncio.Event()

    def report(*_: object) -> None:
        reported.set()

    with serving(Response(429, {"retry-after": "60"}, (b"slow",))) as server:
        task = asyncio.ensure_future(anext(aexchange(call(server.url, retries=5, report=report))))
        await reported.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(server.requests) == 1
