"""Tests that models which are built, used and dropped leave no sockets and no memory."""

import asyncio
import gc
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi.testing import Emulator, RawReply, Reply
from tests.cancellation.ways import settles
from tests.faults.cases import whole
from tests.faults.ways import WAYS, ask, model_of

PLAIN = RawReply(headers={"content-type": "application/json"}, body=whole("Hi."))
"""A raw reply: the emulator records other replies, so that its memory would grow."""
OPEN = Path("/proc/self/fd")


def used_and_dropped(openrouter: Emulator, count: int) -> None:
    for _ in range(count):
        for way in ("invoke", "stream"):
            assert ask(model_of(openrouter), way).error is None


async def aused_and_dropped(openrouter: Emulator, count: int) -> None:
    for _ in range(count):
        await model_of(openrouter).ainvoke("Hello.")
        async for _ in model_of(openrouter).astream("Hello."):
            pass


def test_a_model_takes_less_than_six_kibibytes() -> None:
    with Emulator() as openrouter:
        model_of(openrouter)
        gc.collect()
        tracemalloc.start()
        models: list[Any] = [model_of(openrouter) for _ in range(500)]
        each = tracemalloc.get_traced_memory()[0] / len(models)
        models.clear()
        gc.collect()
        left = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        # Of these, 3.3 KiB are the dict of the fields, which Python doubles at the 86th field.
        assert each < 6 * 1024
        assert left < 100_000
        assert openrouter.connections_opened == 0


@pytest.mark.skipif(not OPEN.exists(), reason="this system does not list the open files of a process")
def test_calls_leave_no_open_sockets() -> None:
    with Emulator() as openrouter:
        openrouter.script(Reply(text="Hi."), times=None)
        used_and_dropped(openrouter, 1)
        asyncio.run(aused_and_dropped(openrouter, 1))
        gc.collect()
        # The server runs in this process, and closes its side of a connection some time after the client.
        assert settles(lambda: openrouter.open_connections <= 1)
        before = len(list(OPEN.iterdir()))
        used_and_dropped(openrouter, 20)
        for _ in range(4):
            asyncio.run(aused_and_dropped(openrouter, 10))
        gc.collect()
        # The sync client keeps one connection. Each loop has one, which is closed with the loop.
        assert settles(lambda: len(list(OPEN.iterdir())) <= before)
        assert openrouter.connections_opened <= 1 + 1 + 4
        model_of(openrouter).close()


def test_calls_leave_no_memory_behind() -> None:
    with Emulator() as openrouter, model_of(openrouter) as model:
        openrouter.script(PLAIN, times=None)

        def calls(count: int) -> None:
            for _ in range(count):
                for way in WAYS:
                    assert ask(model, way).error is None
            openrouter.clear()
            openrouter.script(PLAIN, times=None)
            # The server's side of a connection takes memory until the server has seen its end.
            assert settles(lambda: openrouter.open_connections <= 1)
            gc.collect()

        calls(5)
        tracemalloc.start()
        calls(5)
        before = tracemalloc.get_traced_memory()[0]
        calls(10)
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert grown < 40 * 500
