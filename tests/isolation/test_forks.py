"""A process that forks amid a stream: neither the parent's stream nor the child is hurt."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing, contextmanager, suppress
from typing import Any

import httpx
import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
]
WORDS = 30
LONGEST = 20
"""Seconds after which a child that hangs is killed. It takes milliseconds."""


class LeftError(Exception):
    """Ends a child."""


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.behave(pause=0.005)
        emulator.script(Reply(text="word " * WORDS), times=None)
        yield emulator


def model_for(openrouter: Emulator, **settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)


def exit_code(child: int) -> int:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        process, status = os.waitpid(child, os.WNOHANG)
        if process:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def exit_after(work: Callable[[], object]) -> None:  # pragma: no cover - another process
    code = 1
    with suppress(BaseException):
        work()
        code = 7
    os._exit(code)


@contextmanager
def exiting_in_children() -> Iterator[None]:
    """End a child process instead of leaving the block."""
    parent = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != parent:  # pragma: no cover - another process
            os._exit(7)


def own_clients(kind: str) -> dict[str, Any]:
    return {} if kind == "shared" else {"http_client": httpx.Client(), "http_async_client": httpx.AsyncClient()}


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_a_child_that_leaves_a_stream_by_an_exception(openrouter: Emulator, kind: str) -> None:
    clients = own_clients(kind)
    model = model_for(openrouter, timeout={"total": 60}, **clients)
    child, text = None, ""

    def read() -> None:
        nonlocal child, text
        stream: Any = model.stream("Go on.")
        with closing(stream) as chunks:
            for number, chunk in enumerate(chunks):
                text += chunk.text
                if number == 2 and (child := os.fork()) == 0:  # pragma: no cover - another process
                    raise LeftError

    with exiting_in_children():
        read()
    assert child is not None
    assert exit_code(child) == 7
    assert len(text.split()) == WORDS
    if "http_client" in clients:
        clients["http_client"].close()


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_a_child_that_leaves_an_async_stream_by_an_exception(openrouter: Emulator, kind: str) -> None:
    async def read() -> tuple[int, str]:
        model = model_for(openrouter, timeout={"total": 60}, **own_clients(kind))
        child, text, number = None, "", 0
        stream: Any = model.astream("Go on.")
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                text += chunk.text
                number += 1
                if number == 3 and (child := os.fork()) == 0:  # pragma: no cover - another process
                    raise LeftError
        assert child is not None
        if model.http_async_client is not None:
            await model.http_async_client.aclose()
        return child, text

    # `asyncio.run` would close the parent's loop in the child, which shares its selector.
    loop = asyncio.new_event_loop()
    with exiting_in_children():
        child, text = loop.run_until_complete(read())
    assert exit_code(child) == 7
    assert len(text.split()) == WORDS
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def test_a_child_calls_while_threads_of_its_parent_did(openrouter: Emulator) -> None:
    openrouter.behave(pause=0.0)
    is_over = threading.Event()

    def call() -> None:
        # Each call and each close locks the registry.
        while not is_over.is_set():
            with model_for(openrouter) as model:
                model.invoke("Hello.")

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    model, codes = model_for(openrouter), []
    try:
        for _ in range(10):
            if (child := os.fork()) == 0:  # pragma: no cover - another process
                exit_after(lambda: model.invoke("Hello."))
            codes.append(exit_code(child))
            if codes[-1] != 7:
                break
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert codes == [7] * 10
    model.close()
