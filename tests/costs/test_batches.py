from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_kimi import KimiBudgetExceededError, KimiUsageError
from langchain_kimi._costs.batches import charge_of, record, release, reserve, settle, trackers_in
from langchain_kimi._costs.store import Charge
from langchain_kimi.callbacks import Budget, KimiCostCallback
from langchain_kimi.errors import KimiError, KimiRateLimitError, KimiStructuredOutputError

BODY: dict[str, Any] = {
    "model": "moonshotai/kimi-k3:batch", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]
}  # fmt: skip


def answered(cost: float | None = None, model: str = "moonshotai/kimi-k3:batch") -> ChatResult:
    metadata = {"model_name": model, **({} if cost is None else {"cost": cost})}
    usage: Any = {"input_tokens": 5, "output_tokens": 5, "total_tokens": 10}
    message = AIMessage("a", response_metadata=metadata, usage_metadata=usage)
    return ChatResult(generations=[ChatGeneration(message=message)], llm_output={"id": "x"})


def test_trackers_are_added_to_handlers_once() -> None:
    budget, costs = Budget(max_cost=1), KimiCostCallback()

    assert trackers_in([budget, BaseCallbackHandler(), costs, budget]) == [budget, costs]


def test_the_worst_case_of_all_rows_is_reserved() -> None:
    one, two, tokens = Budget(max_cost=1), Budget(max_cost=1), Budget(max_tokens=10_000)

    reserve([one, KimiCostCallback()], "k", [BODY])
    reserve([two, tokens], "k", [BODY, BODY])

    assert 0 < one.reserved * 2 == pytest.approx(two.reserved)
    assert tokens.reserved == 0
    release([one, two, KimiCostCallback()], "k")
    assert (one.reserved, two.reserved, one.spent) == (0, 0, 0)


def test_a_batch_costs_less_than_its_calls() -> None:
    batch, live = Budget(max_cost=1), Budget(max_cost=1)

    reserve([batch], "k", [BODY])
    reserve([live], "k", [{**BODY, "model": "moonshotai/kimi-k3"}])

    assert batch.reserved < live.reserved


def test_a_fixed_amount_is_reserved_for_each_row() -> None:
    budget = Budget(max_cost=1, reserve=0.1)

    reserve([budget], "k", [{}, {}, {}])

    assert budget.reserved == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("bodies", "kind"), [([BODY] * 9, KimiBudgetExceededError), ([{**BODY, "model": "a/b"}], KimiUsageError)]
)
def test_a_refused_reservation_is_made_in_none_of_the_budgets(bodies: Sequence[Any], kind: type[Exception]) -> None:
    rich, poor = Budget(max_cost=100, reserve=1), Budget(max_cost=0.001)

    with pytest.raises(kind):
        reserve([rich, poor], "k", bodies)

    assert (rich.reserved, poor.reserved) == (0, 0)


def test_a_shared_budget_is_settled_by_another_process(tmp_path: Path) -> None:
    here, there = (Budget(max_cost=1, shared=tmp_path / "budget") for _ in range(2))
    reserve([here], "k", [BODY])

    settle([there], "k", Charge(Decimal("0.25"), 10))
    settle([here], "k", Charge(Decimal("0.25"), 10))

    assert (there.spent, there.reserved, here.spent) == (0.25, 0, 0.25)


def test_the_rows_are_counted_once_by_each_tracker() -> None:
    costs, budget = KimiCostCallback(), Budget(max_cost=1)
    outcomes: list[ChatResult | KimiError] = [answered(0.25), KimiRateLimitError("no", status=429)]

    record([costs], "k", "m", outcomes, None)
    record([costs, budget], "k", "m", outcomes, Decimal("0.5"))
    record([costs], "other", "m", [answered(0.25)], None)

    assert (costs.total.calls, costs.total.failed, costs.total.cost) == (3, 1, 0.5)
    assert (budget.total.calls, budget.spent) == (2, 0.5)


def test_the_charge_is_the_reported_cost_or_that_of_the_rows() -> None:
    assert charge_of([answered(0.25)], Decimal(1)) == Charge(Decimal(1), 10)
    assert charge_of([answered(0.25), answered(0.5)]) == Charge(Decimal("0.75"), 20)
    listed = charge_of([answered()])
    assert listed.cost
    assert listed.tokens == 10
    unknown = KimiStructuredOutputError("no", usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2})
    assert charge_of([unknown, answered(0.5)]) == Charge(None, 12)
    assert charge_of([]) == Charge(Decimal(0), 0)
