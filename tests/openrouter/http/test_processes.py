"""Clients after a fork and at the exit of the process."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

import httpx
import pytest

from langchain_kimi._openrouter.http import clients
from langchain_kimi._openrouter.http.clients import close, sync_client_for
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.transport import aexchange, exchange
from langchain_kimi.testing.http1 import Hang, Pause
from tests.interpreters import STRICT, Interpreter
from tests.openrouter.events import WHOLE
from tests.openrouter.http.calling import call, serving, streamed

HERE = Connection("http://127.0.0.1:9")
GOOD = streamed(*WHOLE)


async def read(url: str) -> str:
    return "".join([part async for part in aexchange(call(url))])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_child_process_uses_its_own_connections() -> None:
    with serving(GOOD) as server:
        assert "".join(exchange(call(server.url))) == "Hello"
        if (child := os.fork()) == 0:  # pragma: no cover - another process
            fine = "".join(exchange(call(server.url))) == asyncio.run(read(server.url)) == "Hello"
            os._exit(7 if fine else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert "".join(exchange(call(server.url))) == "Hello"
        # The child did not use the parent's connection.
        assert server.loopback.connections_opened == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.parametrize("kind", ["shared", "own"])
def test_a_stream_that_is_closed_in_a_child_continues_in_the_parent(kind: str) -> None:
    async def read_in_both(url: str) -> str:
        async with httpx.AsyncClient() as own:
            connection = {} if kind == "shared" else {"http_async_client": own}
            parts: Any = aexchange(call(url, connection=connection))
            text: str = await anext(parts)
            assert closed_in_a_child(parts) == 7
            text += "".join([part async for part in parts])
            await clients.aclose(Connection())
            return text

    with serving(streamed(WHOLE[0], Pause(0.2), *WHOLE[1:])) as server:
        assert asyncio.run(read_in_both(server.url)) == "Hello"


def closed_in_a_child(parts: Any) -> int:
    """Close an async generator in a forked process, and return its exit code."""
    if (child := os.fork()) == 0:  # pragma: no cover - another process
        with suppress(StopIteration):
            parts.aclose().send(None)
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_stream_that_is_closed_in_another_process_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave(url: str) -> None:
        async with httpx.AsyncClient() as own:
            parts = aexchange(call(url, connection={"http_async_client": own}))
            text = await anext(parts)
            with monkeypatch.context() as patched:
                patched.setattr(os, "getpid", os.getppid)
                await parts.aclose()
            transport: Any = own._transport
            assert transport._pool.connections
            assert text == "Hel"

    with serving(streamed(WHOLE[0], Hang())) as server:
        asyncio.run(leave(server.url))


def shared_client() -> Any:
    with sync_client_for(HERE) as client:
        return client


def test_after_a_fork_the_parents_clients_are_neither_used_nor_closed() -> None:
    before, client = clients._registry, shared_client()
    clients._start_over_after_fork()
    try:
        assert shared_client() is not client
        assert not client.is_closed
        close(HERE)
    finally:
        clients._registry = before
        clients._parents.remove(before)


SCRIPT = """
import asyncio, sys
from tests.openrouter.http.calling import call
from langchain_kimi._openrouter.http.transport import aexchange, exchange

async def read(url):
    return [part async for part in aexchange(call(url))]

url = sys.argv[1]
print("".join(exchange(call(url))), "".join(asyncio.run(read(url))), "".join(asyncio.run(read(url))))
"""


@pytest.mark.waits
def test_a_process_exits_silently(interpreter: Interpreter) -> None:
    with serving(GOOD) as server:
        ended = interpreter.run(SCRIPT, server.url, strict=True)
        assert (ended.stdout, ended.stderr, ended.returncode) == ("Hello Hello Hello\n", "", 0)
        assert asyncio.run(server.settled()) == 0


def test_open_clients_are_closed_at_exit() -> None:
    client = shared_client()
    clients._close_all()
    assert client.is_closed


OPEN_STREAM = """
import sys
from tests.openrouter.http.calling import call
from langchain_kimi._openrouter.http.transport import exchange

parts = exchange(call(sys.argv[1]))
print(next(parts))
"""


# `tests/isolation/test_exit.py` does the same with a model.
@pytest.mark.long
def test_a_process_with_an_open_stream_exits_silently() -> None:
    with serving(streamed(WHOLE[0], Hang())) as server:
        ended = subprocess.run(
            [sys.executable, "-X", "dev", *STRICT, "-c", OPEN_STREAM, server.url],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ended.stdout, ended.stderr, ended.returncode) == ("Hel\n", "", 0)
