"""Calls that are interrupted at any step leave nothing behind, and the next call is answered."""

import asyncio
import random

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.cancellation.steps import run_cancelled, run_cancelled_in_loop, run_interrupted
from tests.cancellation.ways import (
    ASYNC_WAYS,
    OF_PYTHON,
    SYNC_WAYS,
    Reports,
    assert_clean,
    assert_clean_sync,
    model_for,
)

SAMPLES = 2
"""Steps of each test that is not long; over all ways and kinds of cancellation these are over 60."""
ALL = pytest.mark.long
HOW_MANY = pytest.mark.parametrize("samples", [SAMPLES, pytest.param(None, marks=ALL)], ids=["some", "all"])
TIMES = pytest.mark.parametrize("times", [1, 2, 50], ids=["once", "twice", "in each step"])
pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta:langchain_core._api.LangChainBetaWarning")


def sampled(count: int, samples: int | None, seed: str) -> list[int]:
    """Return some numbers from 1 to `count`, always the same ones for a seed, or all of them."""
    steps = range(1, count + 1)
    return list(steps) if samples is None else random.Random(seed).sample(steps, min(samples, count))  # noqa: S311 - no secret


async def cancel_at_steps(way: str, times: int, samples: int | None) -> None:
    """Cancel calls at each of their steps, with a new connection and with an idle one."""
    reports = Reports()
    with Emulator() as openrouter:
        model = model_for(openrouter)
        # A new connection has more steps than an idle one.
        steps = await run_cancelled(ASYNC_WAYS[way](model), 0, 0)
        assert steps
        for step in sampled(steps, samples, f"{way} {times}"):
            await cancel_once(model, openrouter, way, step, times)
            await model.aclose()
            await cancel_once(model, openrouter, way, step, times)
        await model.aclose()
    assert reports.texts == []


async def cancel_once(model: ChatKimi, openrouter: Emulator, way: str, step: int, times: int) -> None:
    await run_cancelled(ASYNC_WAYS[way](model), step, times)
    await assert_clean(model, openrouter)


@HOW_MANY
@TIMES
@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_an_async_call_cancelled_at_any_step(way: str, times: int, samples: int | None) -> None:
    await cancel_at_steps(way, times, samples)


@HOW_MANY
@TIMES
@pytest.mark.parametrize("way", ["ainvoke", "astream", "abatch"])
def test_a_call_on_a_loop_of_uvloop_cancelled_at_any_step(way: str, times: int, samples: int | None) -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(cancel_at_steps(way, times, samples))


MOST = 100
"""Iterations of the long test. How many there are depends on the time that the server takes."""


@HOW_MANY
@TIMES
@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_an_async_call_cancelled_in_any_iteration_of_the_loop(way: str, times: int, samples: int | None) -> None:
    reports = Reports()
    with Emulator() as openrouter:
        model = model_for(openrouter)
        count = await run_cancelled_in_loop(ASYNC_WAYS[way](model), None, 0)
        assert count > 1
        for iteration in sampled(count, samples or MOST, f"{way} {times}"):
            if iteration % 2:
                await model.aclose()
            await run_cancelled_in_loop(ASYNC_WAYS[way](model), iteration, times)
            await assert_clean(model, openrouter)
        await model.aclose()
    assert reports.texts == []


@HOW_MANY
@OF_PYTHON
@pytest.mark.parametrize("way", [way for way in SYNC_WAYS if way != "batch"])
def test_a_sync_call_interrupted_at_any_step(way: str, samples: int | None) -> None:
    with Emulator() as openrouter, model_for(openrouter) as model:
        SYNC_WAYS[way](model)
        model.close()
        calls = run_interrupted(lambda: SYNC_WAYS[way](model), 0)
        assert calls > 100
        for call in sampled(calls, samples, way):
            if call % 2:
                model.close()
            run_interrupted(lambda: SYNC_WAYS[way](model), call)
            assert_clean_sync(model, openrouter)
