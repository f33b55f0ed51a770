"""Many tenants with keys, proxies and TLS contexts of their own in one process: nothing crosses, and nothing grows."""

import asyncio
import gc
import random
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from tests.isolation.many_tenants import PASSWORD, Tenants, key_of, serving_tenants

AT_ONCE = 8
MOST_GROWTH = 8 * 2**20
"""Bytes. 20,000 calls that each left a kilobyte behind would take twice as much in their second half."""
LONGEST = 60
"""Seconds. An idle connection is closed after 30."""
ALLOWED_FILES = 2 * AT_ONCE
"""Files by which the process may differ between two moments of the same load."""


def model_of(number: int, port: int) -> ChatKimi:
    """Return the model of a tenant. A third of them has a proxy, another third a TLS context."""
    settings: dict[str, Any] = {}
    if number % 3 == 1:
        settings["proxy"] = f"http://tenant-{number}:{PASSWORD}@127.0.0.1:{port}"
    if number % 3 == 2:
        settings["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ChatKimi(
        api_key=key_of(number),
        base_url=f"http://127.0.0.1:{port}/api/v1",
        default_headers={"x-tenant": str(number)},
        max_retries=0,
        **settings,
    )


def call(models: list[ChatKimi], number: int, serial: int) -> str:
    model, prompt = models[number], f"call {serial}"
    if serial % 2:
        return "".join(chunk.text for chunk in model.stream(prompt))
    return model.invoke(prompt).text


async def acall(models: list[ChatKimi], number: int, serial: int) -> str:
    model, prompt = models[number], f"call {serial}"
    if serial % 2:
        return "".join([chunk.text async for chunk in model.astream(prompt)])
    return (await model.ainvoke(prompt)).text


def portions(count: int, tenants: int) -> Iterator[list[tuple[int, int]]]:
    """Yield the calls, as numbers of tenants and of calls, in portions that run at the same time."""
    chance = random.Random(tenants)  # noqa: S311 - no secret
    serials = iter(range(count))
    while portion := [(chance.randrange(tenants), serial) for serial in islice(serials, AT_ONCE)]:
        yield portion


async def acalls(models: list[ChatKimi], portion: list[tuple[int, int]]) -> list[str]:
    return await asyncio.gather(*(acall(models, number, serial) for number, serial in portion))


def expected(portion: list[tuple[int, int]]) -> list[str]:
    return [f"tenant {number}, call {serial}" for number, serial in portion]


def open_files() -> int:
    """Return the number of open files and sockets of this process, 0 if the system does not list them."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


def resident() -> int:
    """Return the bytes of memory of this process, 0 if the system does not say."""
    status = Path("/proc/self/statm")
    return int(status.read_text(encoding="ascii").split()[1]) * 4096 if status.exists() else 0


def make_calls(models: list[ChatKimi], count: int, runner: asyncio.Runner, threads: ThreadPoolExecutor) -> None:
    for turn, portion in enumerate(portions(count, len(models))):
        if turn % 2:
            texts = runner.run(acalls(models, portion))
        else:
            texts = list(threads.map(lambda each: call(models, *each), portion))
        assert texts == expected(portion)


def assert_nothing_crossed(server: Tenants, count: int) -> None:
    assert server.problems == []
    assert server.calls.total() == count
    # Tenants with a proxy or a TLS context of their own share no connection with others.
    own = [users for users in server.shared if any(number % 3 for number in users)]
    assert own
    assert all(len(users) == 1 for users in own)


def test_nothing_crosses_between_tenants() -> None:
    with serving_tenants() as server, asyncio.Runner() as runner, ThreadPoolExecutor(AT_ONCE) as threads:
        models = [model_of(number, server.port) for number in range(20)]
        make_calls(models, 400, runner, threads)
        assert_nothing_crossed(server, 400)
        for model in models:
            model.close()
            runner.run(model.aclose())


@pytest.mark.long
def test_nothing_crosses_and_nothing_grows_in_20_000_calls_of_200_tenants() -> None:
    with serving_tenants() as server, asyncio.Runner() as runner, ThreadPoolExecutor(AT_ONCE) as threads:
        models = [model_of(number, server.port) for number in range(200)]
        make_calls(models, 10_000, runner, threads)
        gc.collect()
        files, memory = open_files(), resident()
        make_calls(models, 10_000, runner, threads)
        gc.collect()
        grown = resident() - memory, open_files() - files
        assert grown[0] < MOST_GROWTH, grown
        assert grown[1] <= ALLOWED_FILES, grown
        assert_nothing_crossed(server, 20_000)
        until = time.monotonic() + LONGEST
        while server.open_connections and time.monotonic() < until:
            # The timers of the loop close its connections.
            runner.run(asyncio.sleep(0.1))
        assert server.open_connections == 0
        print(f"grown by {grown[0]} bytes and {grown[1]} files, {len(server.shared)} connections")  # noqa: T201 - shown by -rP
