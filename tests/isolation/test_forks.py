"""A process that forks amid a stream: neither the parent's stream nor the child is hurt."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx
import pytest

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http import clients
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
    own = own_clients(kind)
    model = model_for(openrouter, timeout={"total": 60}, **own)
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
    if own:
        own["http_client"].close()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
WORD = b'data: {"id": "gen-1", "choices": [{"index": 0, "delta": {"content": "word "}}]}\n\n'
END = b'data: {"id": "gen-1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


@contextmanager
def pausing_server() -> Iterator[tuple[str, threading.Event]]:
    """Yield the URL of a server that pauses after the first words of a stream until the event is set."""
    goes_on = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(2**16)
                connection.sendall(HEAD + WORD * 3)
                goes_on.wait()
                connection.sendall(WORD * 3 + END)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1", goes_on
        goes_on.set()
        thread.join()


@pytest.mark.parametrize("kind", ["shared", "own"])
def test_a_child_that_leaves_an_async_stream_by_an_exception(kind: str) -> None:
    codes: list[int] = []

    def wait_for(child: int, goes_on: threading.Event) -> None:
        codes.append(exit_code(child))
        goes_on.set()

    async def read(url: str, goes_on: threading.Event) -> str:
        model = ChatKimi(api_key=KEY, base_url=url, max_retries=0, timeout={"total": 60}, **own_clients(kind))
        text = ""
        async for chunk in model.astream("Go on."):
            text += chunk.text
            if text == "word " * 3:
                if (child := os.fork()) == 0:  # pragma: no cover - another process
                    raise LeftError
                # While the child's loop runs, which shares its selector, no bytes come that it could take.
                threading.Thread(target=wait_for, args=(child, goes_on)).start()
        if model.http_async_client is not None:
            await model.http_async_client.aclose()
        return text

    with pausing_server() as (url, goes_on), exiting_in_children():
        # The end of the loop in the child closes the streams that are open there.
        assert asyncio.run(read(url, goes_on)) == "word " * 6
    assert codes == [7]


def test_a_child_ends_a_stream_while_a_thread_of_its_parent_holds_the_lock(openrouter: Emulator) -> None:
    model = model_for(openrouter)
    stream: Any = model.stream("Go on.")
    next(stream)
    is_locked, is_over = threading.Event(), threading.Event()

    def keep_locked() -> None:
        with clients._registry.lock:
            is_locked.set()
            is_over.wait()

    thread = threading.Thread(target=keep_locked)
    thread.start()
    is_locked.wait()
    if (child := os.fork()) == 0:  # pragma: no cover - another process
        exit_after(lambda: (stream.close(), model.invoke("Hello.")))
    is_over.set()
    thread.join()
    assert exit_code(child) == 7
    assert len("".join(chunk.text for chunk in stream).split()) == WORDS - 1
    model.close()


def test_a_child_calls_while_threads_of_its_parent_did(openrouter: Emulator) -> None:
    openrouter.behave(pause=0.0)
    is_over = threading.Event()
    # Python 3.11 computes the cached properties of a new model under a lock that a child may inherit.
    model = model_for(openrouter)
    model.invoke("Hello.")

    def call() -> None:
        # Each call and each close locks the registry.
        while not is_over.is_set():
            model.invoke("Hello.")
            model.close()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    codes = []
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
