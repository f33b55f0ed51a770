"""Tests of connection reuse: connections that break while idle or in use, and more calls than connections."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_kimi.errors import KimiConnectionError
from langchain_kimi.testing import Emulator, Reply, faults
from tests.chat.asking import WAYS, Way, ask
from tests.faults.ways import QuickKimi, model_of
from tests.faults.ways import ask as ask_once

TEXT = "Here."
ANSWER = Reply(text=TEXT)
SYNC: tuple[Way, ...] = ("invoke", "stream")


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


async def closed_by(openrouter: Emulator) -> None:
    """Wait until the server has closed its connections."""
    async with asyncio.timeout(10.0):
        while openrouter.open_connections:  # noqa: ASYNC110 - what is waited for is in another thread
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("way", WAYS)
async def test_a_connection_closed_while_idle_is_replaced(openrouter: Emulator, way: Way) -> None:
    openrouter.script(faults.closed_after().on(ANSWER), ANSWER)
    async with model_of(openrouter, max_retries=0) as model:
        with model:
            assert (await ask(model, way)).text == TEXT
            await closed_by(openrouter)
            # No request is sent on it, and none is sent twice.
            assert (await ask(model, way)).text == TEXT
    assert len(openrouter.requests) == 2
    assert openrouter.connections_opened == 2


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("way", WAYS)
async def test_a_reused_connection_that_breaks_is_an_error(openrouter: Emulator, way: Way, *, reset: bool) -> None:
    openrouter.script(ANSWER, faults.unanswered(reset=reset), ANSWER)
    async with model_of(openrouter, max_retries=0) as model:
        with model:
            await ask(model, way)
            with pytest.raises(KimiConnectionError, match="broke before a reply came"):
                await ask(model, way)
            # The server may have handled the request, so without retries it is sent once.
            assert len(openrouter.requests) == 2
            assert (await ask(model, way)).text == TEXT


@pytest.mark.parametrize("way", WAYS)
async def test_a_reused_connection_that_breaks_is_retried_on_another(openrouter: Emulator, way: Way) -> None:
    openrouter.script(ANSWER, faults.unanswered(), ANSWER)
    async with model_of(openrouter, max_retries=1) as model:
        with model:
            assert [(await ask(model, way)).text for _ in range(2)] == [TEXT] * 2
    assert len(openrouter.requests) == 3
    assert openrouter.connections_opened == 2


@pytest.mark.waits
@pytest.mark.parametrize("way", WAYS)
async def test_a_truncated_reply_does_not_affect_the_next_call(openrouter: Emulator, way: Way) -> None:
    openrouter.script(faults.wrong_length(50, closed=False).on(ANSWER), ANSWER)
    async with model_of(openrouter, max_retries=0, timeout=0.25) as model:
        with model:
            assert [(await ask(model, way)).text for _ in range(2)] == [TEXT] * 2
    assert len(openrouter.requests) == 2


def answer_of(model: QuickKimi, way: str) -> str:
    outcome = ask_once(model, way)
    return repr(outcome.error) if outcome.error else str(outcome.message and outcome.message.text)


@pytest.mark.parametrize("way", SYNC)
@pytest.mark.parametrize("most", [1, 3])
def test_more_threads_than_connections_are_all_answered(openrouter: Emulator, way: Way, most: int) -> None:
    # Observed: a pool shared by threads closed a connection that another thread was using.
    openrouter.script(ANSWER, times=None)
    with model_of(openrouter, max_retries=0, max_connections=most) as model, ThreadPoolExecutor(8) as threads:
        assert Counter(threads.map(lambda _: answer_of(model, way), range(60))) == {TEXT: 60}
    assert len(openrouter.requests) == 60
    assert openrouter.connections_opened <= most


@pytest.mark.parametrize("way", ["ainvoke", "astream"])
async def test_more_tasks_than_connections_are_all_answered(openrouter: Emulator, way: Way) -> None:
    openrouter.script(ANSWER, times=None)
    async with model_of(openrouter, max_retries=0, max_connections=2) as model:
        answers = await asyncio.gather(*(ask(model, way) for _ in range(100)))
    assert {answer.text for answer in answers} == {TEXT}
    assert len(openrouter.requests) == 100
    assert openrouter.connections_opened <= 2
