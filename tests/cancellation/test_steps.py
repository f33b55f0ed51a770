"""Calls that are interrupted at any step leave nothing behind, and the next call is answered."""

import pytest

from langchain_kimi.testing import Emulator
from tests.cancellation.steps import run_cancelled, run_interrupted
from tests.cancellation.ways import ASYNC_WAYS, SYNC_WAYS, assert_clean, assert_clean_sync, model_for

SAMPLES = 4
ALL = pytest.mark.long
HOW_MANY = pytest.mark.parametrize("samples", [SAMPLES, pytest.param(10_000, marks=ALL)], ids=["some", "all"])


def sampled(count: int, samples: int) -> list[int]:
    """Return evenly spread numbers from 1 to `count`."""
    stride = max(1, count // samples)
    return list(range(1, count + 1, stride))


@HOW_MANY
@pytest.mark.parametrize("times", [1, 2, 50], ids=["once", "twice", "in each step"])
@pytest.mark.parametrize("way", ASYNC_WAYS)
async def test_an_async_call_cancelled_at_any_step(way: str, times: int, samples: int) -> None:
    with Emulator() as openrouter:
        model = model_for(openrouter)
        # A new connection has more steps than an idle one.
        steps = await run_cancelled(ASYNC_WAYS[way](model), 0, 0)
        assert steps
        for step in sampled(steps, samples):
            if step % 2:
                await model.aclose()
            await run_cancelled(ASYNC_WAYS[way](model), step, times)
            await assert_clean(model, openrouter)
        await model.aclose()


@HOW_MANY
@pytest.mark.parametrize("way", SYNC_WAYS)
def test_a_sync_call_interrupted_at_any_step(way: str, samples: int) -> None:
    with Emulator() as openrouter, model_for(openrouter) as model:
        SYNC_WAYS[way](model)
        calls = run_interrupted(lambda: SYNC_WAYS[way](model), 0)
        assert calls > 100
        for call in sampled(calls, samples):
            if call % 2:
                model.close()
            run_interrupted(lambda: SYNC_WAYS[way](model), call)
            assert_clean_sync(model)
