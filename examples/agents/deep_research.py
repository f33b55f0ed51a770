"""Deep research: an agent plans, sends researchers to the web, writes a report, and has a critic check it.

    pip install ".[middleware]" deepagents
    python -m examples.agents.deep_research ["Your question"]

The researchers search with OpenRouter's own web search, so no other service is needed. With OPENROUTER_API_KEY in the
environment this costs some cents, and one dollar at most. Without the key an emulator plays a script.
"""

import sys
from collections.abc import Iterator
from typing import Any

from deepagents import SubAgent, create_deep_agent
from langchain.agents.middleware import TodoListMiddleware
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.checkpoint.memory import InMemorySaver

from examples.agents import scripts
from examples.agents.kimi import kimi, show, show_price
from langchain_kimi import ChatKimi, WebFetch, WebSearch
from langchain_kimi.callbacks import Budget, track_costs
from langchain_kimi.middleware import KeepCacheWarm, LoopGuard, RepairInvalidCalls

QUESTION = "What limits the lifetime of tidal power stations, and what does it cost to extend it?"
MOST_DOLLARS = 1.00

LEAD = """You write short research reports. Plan first. Split the question into two or three parts, and give each part
to a researcher, all in one step so that they work at the same time. Write the report to /report.md, with the address of
the source behind each statement. Then have the critic check it, and correct what it finds."""
RESEARCHER = """Search the web for the answer to your task, and read the best pages. Answer in at most 150 words, and
write the address of the source behind each statement. Say so if the sources disagree or if you find nothing."""
CRITIC = """Read the report. List statements without a source and contradictions, in at most 100 words."""


def middleware() -> list[Any]:
    """Return the middleware of an agent: repaired calls, an end of loops, and a warm cache."""
    return [RepairInvalidCalls(), LoopGuard(on_loop="nudge"), KeepCacheWarm()]


def build(model: ChatKimi) -> Any:
    """Return the agent with its two kinds of subagents."""
    researcher: SubAgent = {
        "name": "researcher",
        "description": "Searches the web for one part of a question. Give it everything it needs to know.",
        "system_prompt": RESEARCHER,
        "tools": [WebSearch(max_results=5), WebFetch(max_content_tokens=8_000)],
        "middleware": middleware(),
    }
    critic: SubAgent = {
        "name": "critic",
        "description": "Checks the report in a file.",
        "system_prompt": CRITIC,
        "tools": [],
        "middleware": middleware(),
    }
    return create_deep_agent(
        model,
        [],
        system_prompt=LEAD,
        subagents=[researcher, critic],
        middleware=[TodoListMiddleware(), *middleware()],
        checkpointer=InMemorySaver(),
    )


def messages_of(agent: Any, question: str, config: Any) -> Iterator[tuple[str, BaseMessage]]:
    """Run the agent, and yield its messages and those of its subagents, each with the name of the agent."""
    state = {"messages": [("human", question)]}
    for namespace, update in agent.stream(state, config, stream_mode="updates", subgraphs=True):
        name = f"subagent {namespace[0][-4:]}" if namespace else "lead"
        for change in update.values():
            messages = (change or {}).get("messages") or []
            yield from ((name, message) for message in getattr(messages, "value", messages))


def citations_in(message: BaseMessage) -> list[Any]:
    """Return the pages that a message cites. OpenRouter reports them beside the text."""
    blocks: list[Any] = message.content_blocks if isinstance(message, AIMessage) else []
    return [citation for block in blocks for citation in block.get("annotations", [])]


def main() -> None:
    """Research one question, and print the report, its sources and its price."""
    question = sys.argv[1] if len(sys.argv) > 1 else QUESTION
    # The budget applies to the agent and all its subagents: it must admit each model call of the run.
    budget = Budget(max_cost=MOST_DOLLARS)
    config = {"configurable": {"thread_id": "research-1"}, "callbacks": [budget], "recursion_limit": 100}
    with kimi(scripts.deep_research(), max_tokens=8_000) as model, track_costs() as costs:
        agent = build(model)
        sources: dict[str, str] = {}
        print(f"Question: {question}\n")
        for name, message in messages_of(agent, question, config):
            show(message, name)
            sources |= {citation["url"]: citation.get("title") or "" for citation in citations_in(message)}
        report = agent.get_state(config).values.get("files", {}).get("/report.md")
    print(f"\n{report['content'] if report else 'The agent wrote no report.'}")
    print("Cited by the researchers:")
    for url, title in sources.items():
        print(f"  {url}  {title}")
    show_price(costs)


if __name__ == "__main__":
    main()
