"""Whoever stops reading hangs up at once: the other side must not go on, and must not go on billing."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import Any, cast

import pytest

from langchain_kimi._openrouter.http.transport import aexchange, exchange
from langchain_kimi.testing.http1 import Hang, HttpRequest, Repeat, Response
from tests.openrouter.events import said
from tests.openrouter.http.calling import call, forget_clients, serving, streamed

SOON = 10.0
"""Seconds: how long a hang-up is waited for before the test fails; it is seen after milliseconds."""


class Listener:
    """A server that speaks or is silent, and notes when a client hangs up on it."""

    def __init__(self, answer: Response) -> None:
        self.asked = threading.Event()
        self.hung_up = threading.Event()
        self._answer = answer

    def __call__(self, request: HttpRequest) -> Response:
        self.asked.set()
        answer = self._answer
        return Response(answer.status, answer.headers, answer.steps, answer.before, answer.chunked, self._ended)

    def _ended(self, finished: bool) -> None:  # noqa: FBT001 - the one thing a listener is told
        if not finished:
            self.hung_up.set()


@contextmanager
def listening(answer: Response) -> Iterator[tuple[Listener, str]]:
    listener = Listener(answer)
    with serving(listener) as server:
        yield listener, server.url
    forget_clients()


SPEAKING = {
    "a silent server": streamed(said("Hel"), Hang()),
    "a server that speaks on": streamed(Repeat(said("a"), 0.001)),
}


@pytest.fixture(params=list(SPEAKING.values()), ids=list(SPEAKING))
def heard(request: pytest.FixtureRequest) -> Iterator[tuple[Listener, str]]:
    """A server from which something was heard, and where it is."""
    with listening(request.param) as listening_on:
        yield listening_on


def test_closing_a_stream_hangs_up(heard: tuple[Listener, str]) -> None:
    listener, url = heard
    with closing(cast("Any", exchange(call(url)))) as parts:
        assert next(parts)
        assert not listener.hung_up.is_set()
    assert listener.hung_up.wait(SOON)


def test_dropping_a_stream_hangs_up(heard: tuple[Listener, str]) -> None:
    listener, url = heard
    for _ in exchange(call(url)):
        break
    gc.collect()
    assert listener.hung_up.wait(SOON)


def test_an_error_in_the_consumer_hangs_up(heard: tuple[Listener, str]) -> None:
    listener, url = heard
    with pytest.raises(ZeroDivisionError):
        assert [1 // 0 for _ in exchange(call(url))]
    gc.collect()
    assert listener.hung_up.wait(SOON)


def test_a_stream_that_another_thread_closes(heard: tuple[Listener, str]) -> None:
    listener, url = heard
    parts = cast("Any", exchange(call(url)))
    next(parts)
    other = threading.Thread(target=parts.close)
    other.start()
    other.join()
    assert listener.hung_up.wait(SOON)


def aheard(listener: Listener) -> bool:
    return listener.hung_up.wait(SOON)


async def test_closing_an_async_stream_hangs_up(heard: tuple[Listener, str]) -> None:
    listener, url = heard
    async with aclosing(aexchange(call(url))) as parts:
        assert await anext(parts)
    assert await asyncio.to_thread(aheard, listener)


async def test_dropping_an_async_stream_hangs_up(heard: tuple[Listener, str]) -> None:
    listener, url = heard
    async for _ in aexchange(call(url)):
        break
    assert await asyncio.to_thread(aheard, listener)


def test_a_loop_that_ends_with_an_open_stream(heard: tuple[Listener, str]) -> None:
    listener, url = heard
    kept: list[AsyncIterator[str]] = []

    async def leave() -> None:
        kept.append(aexchange(call(url)))
        await anext(kept[0])

    asyncio.run(leave())
    assert listener.hung_up.wait(SOON)


UNHEARD = SPEAKING | {
    "a server that is silent from the beginning": streamed(Hang()),
    "a server without a head": Response(before=(Hang(),)),
}


async def consume(url: str) -> None:
    async for _ in aexchange(call(url)):
        await asyncio.sleep(0)


@pytest.mark.parametrize("answer", UNHEARD.values(), ids=UNHEARD.keys())
async def test_cancelling_a_task_hangs_up(answer: Response) -> None:
    with listening(answer) as (listener, url):
        task = asyncio.create_task(consume(url))
        assert await asyncio.to_thread(listener.asked.wait, SOON)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(aheard, listener)


@pytest.mark.parametrize("answer", UNHEARD.values(), ids=UNHEARD.keys())
async def test_a_timeout_of_the_caller_hangs_up(answer: Response) -> None:
    with listening(answer) as (listener, url):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(consume(url), 0.1)
        assert await asyncio.to_thread(aheard, listener)


async def test_a_failing_neighbour_in_a_group_of_tasks(heard: tuple[Listener, str]) -> None:
    listener, url = heard

    async def fail() -> None:
        await asyncio.to_thread(listener.asked.wait, SOON)
        raise ZeroDivisionError

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(consume(url))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        await both()
    assert await asyncio.to_thread(aheard, listener)


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
