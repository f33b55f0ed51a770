"""Measures by how much concurrent calls exceed a budget, and how much of it they use."""

import asyncio
from dataclasses import dataclass
from itertools import product
from typing import Any

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.profiles import prices
from langchain_kimi.callbacks import Budget
from langchain_kimi.errors import KimiBudgetExceededError
from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY

SLUG = "moonshotai/kimi-k2-0905"
PROMPT = "Tell me of the sea, and of the ships that sail on it. " * 12
MAX_TOKENS = 100


@dataclass(frozen=True)
class Measured:
    """The result for one budget: US dollars, numbers of calls, and whether calls waited."""

    budget: float
    concurrency: int
    error: float
    wait: bool
    spent: float
    made: int
    refused: int

    @property
    def overshoot(self) -> float:
        return max(0.0, self.spent - self.budget)

    @property
    def used(self) -> float:
        return self.spent / self.budget


async def measure(  # noqa: PLR0913 - the dimensions of the table
    openrouter: Emulator, budget: float, concurrency: int, error: float, *, calls: int = 1_000, wait: bool = True
) -> Measured:
    """Make calls at the highest price, whose prompts have more tokens than estimated by the share `error`."""
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, model=SLUG, max_tokens=MAX_TOKENS, max_retries=0)
    listed = prices(SLUG)
    assert listed is not None
    prompt = round(model.get_num_tokens_from_messages(model._convert_input(PROMPT).to_messages()) * (1 + error))
    cost = (prompt * listed.highest_prompt + MAX_TOKENS * listed.highest_completion) / 1e6
    usage = {"prompt_tokens": prompt, "completion_tokens": MAX_TOKENS, "total_tokens": prompt + MAX_TOKENS}
    openrouter.clear()
    openrouter.script(Reply(text="Yes.", usage=usage, cost=cost), times=None)
    limited = Budget(max_cost=budget, wait=wait)
    config: Any = {"callbacks": [limited], "max_concurrency": concurrency}
    answers = await model.abatch([PROMPT] * calls, config, return_exceptions=True)
    refused = sum(isinstance(answer, KimiBudgetExceededError) for answer in answers)
    assert refused + len(openrouter.requests) == calls
    spent = len(openrouter.requests) * cost
    assert abs(spent - limited.spent) < 1e-9
    return Measured(budget, concurrency, error, wait, spent, len(openrouter.requests), refused)


HEAD = "  budget  at once  error  waits   made  refused  overshoot   used"


def line(one: Measured) -> str:
    """Return a result as a line of the table."""
    return (
        f"{one.budget:8.2f} {one.concurrency:8} {one.error:6.0%} {one.wait!s:>6} {one.made:6} {one.refused:8} "
        f"{one.overshoot:10.6f} {one.used:6.1%}"
    )


async def main() -> None:
    print(HEAD)  # noqa: T201 - the report of a command
    cases = [(*case, True) for case in product((0.02, 0.10, 0.30), (10, 100, 1_000), (-0.15, 0.0, 0.15))]
    cases += [(0.10, 1_000, 0.0, False), (0.10, 1_000, 0.5, True), (0.10, 1_000, -0.5, True), (0.10, 10, 0.5, True)]
    with Emulator() as openrouter:
        for budget, concurrency, error, wait in cases:
            result = await measure(openrouter, budget, concurrency, error, wait=wait)
            print(line(result), flush=True)  # noqa: T201 - the report of a command


if __name__ == "__main__":
    asyncio.run(main())
