"""Tests one model in several loops, threads and processes."""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY
from tests.faults.ways import WAYS, ask, model_of

OTHER = "another-planted-key-that-opens-nothing"
TEXT = "Here."


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.script(Reply(text=TEXT), times=None)
        yield emulator


def answered(model: Any, way: str) -> bool:
    outcome = ask(model, way)
    if outcome.error:
        raise outcome.error
    return outcome.message is not None and outcome.message.text == TEXT


@pytest.mark.parametrize("way", WAYS)
def test_a_model_can_be_used_in_several_loops(openrouter: Emulator, way: str) -> None:
    # `ask` runs each async call in its own loop.
    with model_of(openrouter, max_retries=0) as model:
        assert [answered(model, way) for _ in range(5)] == [True] * 5
    assert len(openrouter.requests) == 5


def test_a_model_in_many_threads_with_and_without_loops(openrouter: Emulator) -> None:
    with model_of(openrouter, max_retries=0) as model, ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda way: answered(model, way), [*WAYS] * 16))
    assert len(openrouter.requests) == 64


def test_calls_of_all_kinds_at_once_on_one_loop(openrouter: Emulator) -> None:
    async def many(model: Any) -> list[str]:
        inner = [model.ainvoke("Hello.") for _ in range(20)]
        outer = [asyncio.to_thread(model.invoke, "Hello.") for _ in range(20)]
        return [message.text for message in await asyncio.gather(*inner, *outer)]

    with model_of(openrouter, max_retries=0) as model:
        assert asyncio.run(many(model)) == [TEXT] * 40


def in_children(work: Callable[[], bool], count: int) -> list[int]:
    """Run a function in several forked processes and return their exit codes, 7 for True."""
    children = []
    for _ in range(count):
        if (child := os.fork()) == 0:  # pragma: no cover - another process
            try:
                os._exit(7 if work() else 1)
            finally:
                os._exit(2)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.parametrize("used", [False, True], ids=["never used", "used before"])
def test_a_model_in_workers_that_were_forked(openrouter: Emulator, used: bool) -> None:  # noqa: FBT001 - a parameter of the test
    model = model_of(openrouter, max_retries=0)
    if used:
        assert all(answered(model, way) for way in WAYS)
    codes = in_children(lambda: all(answered(model, way) for way in [*WAYS] * 3), 3)
    assert codes == [7, 7, 7]
    assert all(answered(model, way) for way in WAYS)
    model.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_with_another_key_sends_only_that_key(openrouter: Emulator, way: str) -> None:
    with model_of(openrouter) as model:
        copy = model.model_copy(update={"api_key": OTHER})
        assert answered(model, way)
        assert answered(copy, way)
        assert answered(model, way)
    assert [request.sent_key(OTHER) for request in openrouter.requests] == [False, True, False]
    assert [request.sent_key(KEY) for request in openrouter.requests] == [True, False, True]


def test_a_users_own_clients_are_used_and_stay_open(openrouter: Emulator) -> None:
    async def both(model: Any, own: httpx.AsyncClient) -> None:
        assert (await model.ainvoke("Hello.")).text == TEXT
        assert [chunk async for chunk in model.astream("Hello.")]
        await model.aclose()
        assert not own.is_closed
        await own.aclose()

    own, own_async = httpx.Client(headers={"x-own": "sync"}), httpx.AsyncClient(headers={"x-own": "async"})
    model = model_of(openrouter, transport="httpx", http_client=own, http_async_client=own_async)
    assert answered(model, "invoke")
    assert answered(model, "stream")
    model.close()
    assert not own.is_closed
    own.close()
    asyncio.run(both(model, own_async))
    assert [request.headers["x-own"] for request in openrouter.requests] == ["sync", "sync", "async", "async"]
