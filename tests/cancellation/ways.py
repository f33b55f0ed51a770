"""The ways to call a model, sync and async, and checks that an interrupted call has left nothing behind."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http import clients
from langchain_kimi._openrouter.http.clients import ClientPools
from langchain_kimi.testing import Emulator
from tests.conftest import KEY

PROMPT = "What is the weather in Oslo?"
QUESTION = {"messages": [("user", PROMPT)]}
THREADS = ("langchain-kimi-watchdog", "langchain-kimi-idle", "langchain-kimi-costs")
"""Threads that end by themselves some time after the last call, or after the last lookup of another test."""


OF_PYTHON = pytest.mark.filterwarnings(
    # Between the creation of a socket and the first line that can close it a signal leaves it to Python, which closes
    # it and warns. What a signal handler raises in a finalizer is ignored by Python.
    "ignore:.*unclosed .*socket:ResourceWarning",
    "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning",
)
"""Warnings that Python itself gives for signal handlers that raise."""


class Report(BaseModel):
    """A weather report."""

    city: str


@tool
def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is sunny in {city}."


def model_for(openrouter: Emulator, **settings: Any) -> ChatKimi:
    return ChatKimi(**{"api_key": KEY, "base_url": openrouter.base_url, "max_retries": 0, **settings})


async def _astream(model: Any) -> None:
    async for _ in model.astream(PROMPT):
        pass


async def _events(model: Any) -> None:
    async for _ in model.astream_events(PROMPT, version="v2"):
        pass


async def _events_v3(model: Any) -> None:
    async with await model.astream_events(PROMPT, version="v3") as events:
        async for _ in events:
            pass


def agent_of(model: Any) -> Any:
    return create_agent(model, [weather])


def chain_of(model: Any) -> Any:
    return ChatPromptTemplate.from_messages([("user", "{text}")]) | model | StrOutputParser()


async def _astream_chain(model: Any) -> None:
    async for _ in chain_of(model).astream({"text": PROMPT}):
        pass


async def _agent(model: Any) -> None:
    await agent_of(model).ainvoke(QUESTION)


async def _agent_stream(model: Any) -> None:
    async for _ in agent_of(model).astream(QUESTION, stream_mode="messages"):
        pass


ASYNC_WAYS: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "ainvoke": lambda model: model.ainvoke(PROMPT),
    "astream": _astream,
    "abatch": lambda model: model.abatch([PROMPT] * 3),
    "structured": lambda model: model.with_structured_output(Report).ainvoke(PROMPT),
    "bound": lambda model: model.bind_tools([weather]).ainvoke(PROMPT),
    "chain": _astream_chain,
    "events": _events,
    "events v3": _events_v3,
    "agent": _agent,
    "agent stream": _agent_stream,
}


def _stream(model: Any) -> None:
    for _ in model.stream(PROMPT):
        pass


def _stream_chain(model: Any) -> None:
    for _ in chain_of(model).stream({"text": PROMPT}):
        pass


SYNC_WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda model: model.invoke(PROMPT),
    "stream": _stream,
    "structured": lambda model: model.with_structured_output(Report).invoke(PROMPT),
    "bound": lambda model: model.bind_tools([weather]).invoke(PROMPT),
    "chain": lambda model: chain_of(model).invoke({"text": PROMPT}),
    "chain stream": _stream_chain,
    "batch": lambda model: model.batch([PROMPT] * 2),
    "agent": lambda model: agent_of(model).invoke(QUESTION),
}


def in_use(pools: ClientPools) -> int:
    """Return the number of clients in use and of calls that wait for one."""
    return sum(len(pool.callers) + len(pool.waiters) for pool in list(pools.by_key.values()))


def connections(pools: ClientPools) -> int:
    """Return the number of idle clients."""
    return sum(len(pool.idle) for pool in list(pools.by_key.values()))


class Reports:
    """The reports of an event loop: exceptions that were never retrieved, and tasks that were destroyed."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        asyncio.get_running_loop().set_exception_handler(self._add)

    def _add(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.texts.append(f"{context['message']} {context.get('exception')!r}")


PATIENCE = 60.0
"""Seconds after which something that takes milliseconds on a quiet machine has failed."""


async def asettles(is_settled: Callable[[], bool]) -> bool:
    """Return whether something becomes true; the async version of `settles`."""
    deadline = time.monotonic() + PATIENCE
    while not is_settled():
        if time.monotonic() > deadline:
            return False
        # A chain drops the generators of its steps; then the loop closes each of them in a task of its own.
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0.001)
    return True


async def assert_clean(model: ChatKimi, openrouter: Emulator) -> None:
    """Check that nothing of an interrupted call is left, and that the next call is answered."""
    pools = clients._registry.of_loop(asyncio.get_running_loop())
    gc.collect()
    await asettles(lambda: len(asyncio.all_tasks()) == 1 and not in_use(pools))
    assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()
    assert in_use(pools) == 0
    assert await asettles(lambda: openrouter.open_connections <= connections(pools))
    assert (await model.ainvoke("Hello.")).text
    assert in_use(pools) == 0


def settles(is_settled: Callable[[], bool]) -> bool:
    """Return whether something becomes true, which takes milliseconds."""
    deadline = time.monotonic() + PATIENCE
    for attempt in count(1):
        if is_settled():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
        if attempt % 100 == 0:
            # What a signal handler interrupted may only now be garbage.
            gc.collect()
    return False


def our_threads() -> list[str]:
    """Return the names of the package's threads."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("langchain-kimi")]


def assert_clean_sync(model: ChatKimi, openrouter: Emulator) -> None:
    """Check that nothing of an interrupted sync call is left, and that the next call is answered."""
    gc.collect()
    pools = clients._registry.sync
    # The threads of a batch end their current calls.
    assert settles(lambda: in_use(pools) == 0)
    assert settles(lambda: openrouter.open_connections <= connections(pools))
    assert model.invoke("Hello.").text
    assert settles(lambda: in_use(pools) == 0)
    # A thread may be ending while the next one has begun.
    assert settles(lambda: len(our_threads()) == len(set(our_threads())))
    assert set(our_threads()) <= set(THREADS)
