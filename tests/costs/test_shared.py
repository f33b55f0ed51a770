"""One budget or sum for several models, copies of models, agents within agents, and other processes."""

import asyncio
import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import Budget, KimiCostCallback, track_costs
from langchain_kimi.errors import KimiBudgetExceededError
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY
from tests.costs.conftest import STORY
from tests.interpreters import Interpreter

ROOT = Path(__file__).parents[2]
FIFTY = 50


def other_model(openrouter: Emulator, **settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, model="moonshotai/kimi-k2.5", **settings)


@pytest.mark.parametrize("way", WAYS)
async def test_two_models_spend_one_budget(openrouter: Emulator, way: Way) -> None:
    budget = Budget(max_tokens=1, reserve=0)
    one = ChatKimi(api_key=KEY, base_url=openrouter.base_url, callbacks=[budget])
    other = other_model(openrouter, callbacks=[budget])
    await ask(one, way, [HumanMessage(STORY)])
    with pytest.raises(KimiBudgetExceededError):
        await ask(other, way, [HumanMessage(STORY)])
    assert len(openrouter.requests) == 1
    assert list(budget.models) == [one.model_name]


def test_a_budget_refuses_the_fallback_with_the_first_model(model: ChatKimi, openrouter: Emulator) -> None:
    chain = model.with_fallbacks([other_model(openrouter)])
    with pytest.raises(KimiBudgetExceededError):
        chain.invoke(STORY, {"callbacks": [Budget(max_cost=0)]})
    assert openrouter.requests == []


def test_both_attempts_of_a_fallback_are_counted(openrouter: Emulator) -> None:
    nowhere = ChatKimi(api_key=KEY, base_url="http://127.0.0.1:9/v1", max_retries=0)
    with track_costs() as costs:
        nowhere.with_fallbacks([other_model(openrouter)]).invoke(STORY)
    assert (costs.total.calls, costs.total.failed, costs.total.unknown) == (2, 1, 0)
    assert {name: one.failed for name, one in costs.models.items()} == {
        "moonshotai/kimi-k2-0905": 1,
        "moonshotai/kimi-k2.5-0127": 0,
    }


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda model: model.model_copy(),
    "deep model_copy": lambda model: model.model_copy(deep=True),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=list(COPIES))
def test_a_copied_model_spends_the_same_budget(openrouter: Emulator, copied: Callable[[Any], Any]) -> None:
    budget = Budget(max_tokens=1, reserve=0)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, callbacks=[budget])
    copied(model).invoke(STORY)
    assert budget.total.calls == 1
    with pytest.raises(KimiBudgetExceededError):
        model.invoke(STORY)


def test_a_pickle_has_the_sums_and_counts_on_by_itself(model: ChatKimi) -> None:
    budget = Budget(max_cost=1, max_tokens=9_000, reserve=0.25)
    model.invoke(STORY, {"callbacks": [budget]})
    again = pickle.loads(pickle.dumps(budget))  # noqa: S301 - written one line above
    assert (again.to_dict(), again.spent, again.in_flight) == (budget.to_dict(), budget.spent, 0)
    assert (again.max_cost, again.max_tokens, again.reserve) == (1, 9_000, 0.25)
    model.invoke(STORY, {"callbacks": [again]})
    assert (budget.total.calls, again.total.calls) == (1, 2)


def test_calls_in_flight_are_not_pickled(model: ChatKimi) -> None:
    costs = KimiCostCallback()
    stream = model.stream(STORY, {"callbacks": [costs]})
    next(stream)
    again = pickle.loads(pickle.dumps(costs))  # noqa: S301 - written one line above
    assert (costs.in_flight, again.in_flight, again.total.calls) == (1, 0, 0)
    list(stream)
    assert (costs.total.calls, again.total.calls) == (1, 0)


def test_a_pickle_is_read_by_another_process(model: ChatKimi, tmp_path: Path, interpreter: Interpreter) -> None:
    costs = KimiCostCallback()
    model.invoke(STORY, {"callbacks": [costs]})
    file = tmp_path / "costs.pickle"
    file.write_bytes(pickle.dumps(costs))
    program = "import pickle, sys; print(pickle.loads(open(sys.argv[1], 'rb').read()).total.total_tokens)"
    assert int(interpreter.printed(program, str(file))) == costs.total.total_tokens > 0


def test_a_budget_warns_in_another_process(tmp_path: Path, interpreter: Interpreter) -> None:
    file = tmp_path / "budget.pickle"
    file.write_bytes(pickle.dumps(Budget(max_cost=1, reserve=0)))
    program = "import pickle, sys; print(pickle.loads(open(sys.argv[1], 'rb').read()).max_cost)"
    done = interpreter.run(program, str(file))
    assert done.stdout == "1\n"
    assert "each process can spend the whole budget" in done.stderr


@pytest.mark.parametrize("way", WAYS)
async def test_a_budget_of_a_parent_process_warns_once(model: ChatKimi, way: Way) -> None:
    budget = Budget(max_cost=1, reserve=0)
    # A forked child has the object of its parent, without a pickle.
    budget._process -= 1
    bound: Any = model.with_config({"callbacks": [budget]})
    with pytest.warns(UserWarning, match="copy from another process"):
        await ask(bound, way, [HumanMessage(STORY)])
    await ask(bound, way, [HumanMessage(STORY)])
    assert budget.total.calls == 2


def test_a_pickle_in_the_same_process_does_not_warn() -> None:
    assert pickle.loads(pickle.dumps(Budget(max_cost=1, reserve=0))).spent == 0  # noqa: S301 - written in the same line


def test_agents_within_agents_spend_one_budget(openrouter: Emulator) -> None:
    budget = Budget(max_tokens=100_000, reserve=0)
    inner = other_model(openrouter, callbacks=[budget])

    @tool
    def ask_another(question: str) -> str:
        """Ask another model."""
        return inner.invoke(question).text

    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, callbacks=[budget])
    create_agent(model, [ask_another]).invoke({"messages": [HumanMessage("Ask another, twice.")]})
    assert budget.models["moonshotai/kimi-k2.5-0127"].calls >= 1
    assert budget.total.calls == len(openrouter.requests) >= 3


async def test_graphs_within_graphs_are_counted_once(model: ChatKimi, openrouter: Emulator) -> None:
    async def answer(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    inner = StateGraph(MessagesState)
    for name in ("one", "two"):
        inner.add_node(name, answer)
        inner.add_edge(START, name)
        inner.add_edge(name, END)
    outer = StateGraph(MessagesState)
    outer.add_node("inner", inner.compile())
    outer.add_node("last", answer)
    outer.add_edge(START, "inner")
    outer.add_edge("inner", "last")
    outer.add_edge("last", END)
    costs = KimiCostCallback()
    config: Any = {"callbacks": [costs]}
    with track_costs() as around:
        async for _ in outer.compile().astream({"messages": [HumanMessage(STORY)]}, config, stream_mode="messages"):
            assert costs.total.failed == 0
    assert costs.total == around.total
    assert costs.total.calls == len(openrouter.requests) == 3


async def test_fifty_agents_at_once_stop_at_one_budget(model: ChatKimi, openrouter: Emulator) -> None:
    price = (await model.ainvoke(STORY)).response_metadata["cost"]
    openrouter.clear()
    budget = Budget(max_cost=price * 10, reserve=price * 2)
    agent = create_agent(model, [])
    inputs: Any = [{"messages": [HumanMessage(STORY)]}] * FIFTY
    config: Any = {"callbacks": [budget]}
    answers = await agent.abatch(inputs, config, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, KimiBudgetExceededError)]
    assert len(refused) + len(openrouter.requests) == FIFTY
    assert 5 <= len(openrouter.requests) <= 10
    assert budget.spent <= price * 10
    await asyncio.sleep(0)
    assert budget.in_flight == 0
