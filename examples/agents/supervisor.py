"""A supervisor of two workers: an analyst who queries a database, and a writer, as a graph of LangGraph.

    pip install ".[middleware]"
    python -m examples.agents.supervisor ["Your task"]

With OPENROUTER_API_KEY in the environment this costs about a cent, and twenty cents at most. Without the key an
emulator plays a script.
"""

import json
import sqlite3
import sys
from contextlib import closing
from typing import Any, Literal, TypedDict

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel, Field

from examples.agents import scripts
from examples.agents.kimi import kimi, show, show_price
from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import Budget, track_costs
from langchain_kimi.middleware import KeepCacheWarm, LoopGuard, RepairInvalidCalls

TASK = "Which harbor had the most boats this summer? Write one sentence about it for our newsletter."
VISITS = [("Skagen", "June", 210), ("Skagen", "July", 430), ("Marstal", "June", 180), ("Marstal", "July", 390)]
MOST_ROUNDS = 8
MOST_DOLLARS = 0.20

SUPERVISOR = """You lead two workers. The analyst can query a database with the table visits (harbor, month, boats). The
writer writes short texts, and knows only what you write in the task. Choose who works next and on what, or end."""
ANALYST = "Answer with numbers from the database, which has the table visits (harbor, month, boats). It is SQLite."
WRITER = "Write what the task says, in plain English, and nothing else."


class Step(BaseModel):
    """The next step."""

    next: Literal["analyst", "writer", "end"] = Field(description="Who works next; end when the work is done")
    task: str = Field(description="The task with all facts that the worker needs; empty at the end")


class State(MessagesState):
    """The conversation of the supervisor with its workers."""

    task: str
    rounds: int


class Worker(TypedDict):
    """The settings of a worker."""

    rules: str
    tools: list[BaseTool]


def database() -> sqlite3.Connection:
    """Return a database that can only be read."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE TABLE visits (harbor TEXT, month TEXT, boats INTEGER)")
    connection.executemany("INSERT INTO visits VALUES (?, ?, ?)", VISITS)
    connection.commit()
    connection.execute("PRAGMA query_only = ON")
    return connection


def querying(connection: sqlite3.Connection) -> BaseTool:
    """Return a tool that queries a database."""

    @tool
    def query(sql: str) -> str:
        """Run one SELECT statement, and return at most 50 rows as JSON."""
        try:
            cursor = connection.execute(sql)
        except sqlite3.Error as error:
            return f"Error: {error}"
        names = [column[0] for column in cursor.description or ()]
        return json.dumps([dict(zip(names, row, strict=True)) for row in cursor.fetchmany(50)])

    return query


def build(model: ChatKimi, connection: sqlite3.Connection) -> Any:
    """Return the graph: the supervisor in the middle, and a node for each worker."""
    workers: dict[str, Worker] = {
        "analyst": {"rules": ANALYST, "tools": [querying(connection)]},
        "writer": {"rules": WRITER, "tools": []},
    }
    chooser = model.with_structured_output(Step, repair=1)

    def supervise(state: State) -> Command[str]:
        if state.get("rounds", 0) >= MOST_ROUNDS:
            return Command(goto="__end__")
        step = chooser.invoke([SystemMessage(SUPERVISOR), *state["messages"]])
        print(f"supervisor: {step.next} {step.task}".rstrip())
        messages = [AIMessage(step.model_dump_json(), name="supervisor")]
        update = {"messages": messages, "task": step.task, "rounds": state.get("rounds", 0) + 1}
        return Command(goto="__end__" if step.next == "end" else step.next, update=update)

    graph = StateGraph(State)
    graph.add_node("supervisor", supervise, destinations=(*workers, "__end__"))
    graph.add_edge(START, "supervisor")
    for name, worker in workers.items():
        graph.add_node(name, working(name, worker, model))
        graph.add_edge(name, "supervisor")
    return graph.compile()


def working(name: str, worker: Worker, model: ChatKimi) -> Any:
    """Return the node of a worker. It sees only its task, and the supervisor sees only its answer."""
    middleware: list[Any] = [RepairInvalidCalls(), LoopGuard(), KeepCacheWarm()]
    agent: Any = create_agent(model, worker["tools"], system_prompt=worker["rules"], middleware=middleware, name=name)

    def work(state: State) -> dict[str, list[AnyMessage]]:
        answer = agent.invoke({"messages": [HumanMessage(state["task"])]})
        for message in answer["messages"][1:]:
            show(message, name)
        return {"messages": [HumanMessage(answer["messages"][-1].text, name=name)]}

    return work


def main() -> None:
    """Do one task, and print each step and the price."""
    task = sys.argv[1] if len(sys.argv) > 1 else TASK
    config: Any = {"callbacks": [Budget(max_cost=MOST_DOLLARS)]}
    with (
        kimi(scripts.supervisor(), max_tokens=2_000) as model,
        closing(database()) as connection,
        track_costs() as costs,
    ):
        build(model, connection).invoke({"messages": [HumanMessage(task)]}, config)
    show_price(costs)


if __name__ == "__main__":
    main()
