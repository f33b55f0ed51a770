"""Concurrent calls at the highest price do not exceed a budget, and use nearly all of it."""

from itertools import product

import pytest

from langchain_kimi.testing import Emulator
from tests.costs.overshoot import measure


@pytest.mark.uncovered
@pytest.mark.parametrize("error", [-0.15, 0.0, 0.15])
async def test_no_budget_is_exceeded(openrouter: Emulator, error: float) -> None:
    result = await measure(openrouter, 0.01, 60, error, calls=60)
    assert result.overshoot == 0
    assert result.used > 0.9
    assert result.refused > 0


async def test_without_waiting_no_budget_is_exceeded_either(openrouter: Emulator) -> None:
    result = await measure(openrouter, 0.01, 60, 0.0, calls=60, wait=False)
    assert result.overshoot == 0
    assert result.used > 0.5


async def test_an_underestimated_prompt_is_learned(openrouter: Emulator) -> None:
    result = await measure(openrouter, 0.01, 1, 1.0, calls=60)
    assert result.overshoot == 0
    assert result.used > 0.8


@pytest.mark.long
@pytest.mark.parametrize(
    ("budget", "concurrency", "error"), list(product((0.02, 0.1, 0.3), (10, 100, 1_000), (-0.15, 0, 0.15)))
)
async def test_a_thousand_calls_do_not_exceed_a_budget(
    openrouter: Emulator, budget: float, concurrency: int, error: float
) -> None:
    result = await measure(openrouter, budget, concurrency, error)
    assert result.overshoot == 0
    assert result.used >= 0.9 or result.refused == 0
