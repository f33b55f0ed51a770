"""A refund that a person must approve. The program is killed while it waits, and another process continues.

    pip install ".[middleware]" langgraph-checkpoint-sqlite
    python -m examples.agents.approval                    # all of it: ask, kill (SIGKILL), approve in a new process
    python -m examples.agents.approval ask FOLDER         # with OPENROUTER_API_KEY: ask, and wait for Ctrl-C or a kill
    python -m examples.agents.approval approve FOLDER     # or: reject

The state of the agent is in a SQLite file after each step, so no model call is made and paid twice. The tool records
each refund under the id of its call, so that a crash behind the refund does not pay it twice either. With
OPENROUTER_API_KEY in the environment this costs less than a cent. Without the key an emulator plays a script.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from examples.agents import scripts
from examples.agents.kimi import connection, show
from langchain_kimi import ChatKimi
from langchain_kimi.middleware import CostLimit, KeepCacheWarm, LoopGuard, RepairInvalidCalls

QUESTION = "My lamp from order A-17 arrived broken. Please refund it."
RULES = "You help customers of a lamp shop. Look an order up before you refund it. A refund is the price of the order."
ORDERS = {"A-17": {"item": "lamp", "dollars": 40.0}}
WAITING = "Waiting for an approval"
END = "The whole thread:"
THREAD: Any = {"configurable": {"thread_id": "customer-7"}}


@tool
def find_order(number: str) -> str:
    """Return an order as JSON."""
    return json.dumps(ORDERS.get(number) or {"error": "There is no such order."})


def refunding(ledger: Path) -> BaseTool:
    """Return the tool that pays. A line in a file represents a payment at your provider, with its idempotency key."""

    @tool
    def refund(number: str, dollars: float, runtime: ToolRuntime) -> str:
        """Refund an order."""
        # Kimi numbers the calls of a conversation, so the id of a call is unique only within its thread.
        key = f"{runtime.config['configurable']['thread_id']} {runtime.tool_call_id}"
        lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []
        if any(json.loads(line)["key"] == key for line in lines):
            return f"{dollars:.2f} dollars for {number} were already refunded."
        with ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "number": number, "dollars": dollars}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return f"Refunded {dollars:.2f} dollars for {number}."

    return refund


def build(model: ChatKimi, ledger: Path, saver: BaseCheckpointSaver[Any]) -> Any:
    """Return the agent. Its cost limit applies to the thread, also across processes, like the rest of its state."""
    pause = HumanInTheLoopMiddleware({"refund": {"allowed_decisions": ["approve", "reject"]}})
    middleware: list[Any] = [RepairInvalidCalls(), LoopGuard(), KeepCacheWarm(), pause, CostLimit(0.10)]
    return create_agent(
        model, [find_order, refunding(ledger)], system_prompt=RULES, middleware=middleware, checkpointer=saver
    )


def beginning(agent: Any, action: str) -> Any:
    """Return the input of the run: the question, the decision, or None to continue a killed run."""
    state = agent.get_state(THREAD)
    waiting = [request for interrupt in state.interrupts for request in interrupt.value["action_requests"]]
    if waiting and action != "ask":
        return Command(resume={"decisions": [{"type": action}] * len(waiting)})
    return None if state.next or action != "ask" else {"messages": [("human", QUESTION)]}


def run(action: str, folder: Path) -> None:
    """Ask, or continue with a decision, and print the steps and their cost."""
    name = f"process {os.getpid()}"
    with SqliteSaver.from_conn_string(str(folder / "agent.sqlite")) as saver, ChatKimi(max_tokens=2_000) as model:
        agent = build(model, folder / "refunds.jsonl", saver)
        earlier = replies_of(agent)
        # With "sync", each step is in the file before the next one begins.
        for update in agent.stream(beginning(agent, action), THREAD, stream_mode="updates", durability="sync"):
            if interrupts := update.get("__interrupt__"):
                requests = [request["args"] for one in interrupts for request in one.value["action_requests"]]
                print(f"{name}: {WAITING}: {requests}", flush=True)
                continue
            for message in [message for change in update.values() for message in (change or {}).get("messages") or []]:
                # The pause writes the reply that waited once more, with the calls that were approved.
                if message.id not in earlier:
                    show(message, name)
        thread = replies_of(agent)
        mine = {key: cost for key, cost in thread.items() if key not in earlier}
        print(f"{name}: {len(mine)} model calls, ${sum(mine.values()):.6f}.")
        print(f"{name}: {END} {len(thread)} model calls, ${sum(thread.values()):.6f}.", flush=True)


def replies_of(agent: Any) -> dict[str, float]:
    """Return the price in dollars of each reply of the thread so far, by the id of its message."""
    messages = agent.get_state(THREAD).values.get("messages", [])
    replies = [message for message in messages if isinstance(message, AIMessage)]
    return {str(reply.id): reply.response_metadata.get("cost") or 0.0 for reply in replies}


def play(folder: Path) -> None:
    """Ask in a process, kill it while it waits, and approve in another process."""
    module = [sys.executable, "-m", "examples.agents.approval"]
    with connection(scripts.approval()) as arguments:
        names = {"api_key": "OPENROUTER_API_KEY", "base_url": "OPENROUTER_API_BASE"}
        environment = os.environ | {names[key]: value for key, value in arguments.items()}
        with subprocess.Popen(  # noqa: S603 - this program
            [*module, "ask", str(folder)], env=environment, stdout=subprocess.PIPE, text=True
        ) as first:
            for line in first.stdout or ():
                print(line, end="", flush=True)
                if END in line:
                    first.kill()
        print(f"The first process was killed: exit status {first.returncode}.", flush=True)
        subprocess.run([*module, "approve", str(folder)], env=environment, check=True)  # noqa: S603 - the same
    ledger = folder / "refunds.jsonl"
    print(f"Refunds: {ledger.read_text(encoding='utf-8').strip() if ledger.exists() else 'none'}")


def main() -> None:
    """Run one of the actions, or all of them."""
    parser = argparse.ArgumentParser(description="Refund an order after an approval.")
    parser.add_argument("action", nargs="?", choices=["play", "ask", "approve", "reject"], default="play")
    parser.add_argument("folder", nargs="?", type=Path, help="the folder of the state (default: a temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        if options.action == "play":
            play(folder)
        else:
            run(options.action, folder)
            if options.action == "ask":
                threading.Event().wait()


if __name__ == "__main__":
    main()
