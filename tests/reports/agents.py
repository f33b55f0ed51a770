"""Write `docs/agents.md`: agents with and without each middleware, over the emulator."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError

from langchain_kimi import ChatKimi, KimiError
from langchain_kimi.callbacks import Costs, KimiCostCallback
from langchain_kimi.middleware import (
    CostLimit,
    FallbackHosts,
    KeepCacheWarm,
    KimiToolSearch,
    LoopGuard,
    RepairInvalidCalls,
)
from langchain_kimi.testing import Behavior, EmulatedHost, Emulator, Reply, ToolCall
from tests.middleware.many_tools import many_tools

REPORT = Path(__file__).parents[2] / "docs" / "agents.md"
TEXT = Path(__file__).parent / "agents.txt"
CITY = {"city": "Oslo"}
CALL, BROKEN = ToolCall("get_weather", CITY), ToolCall("get_weather", '{"city": "Os')
SUNNY = Reply(text="It is sunny.")
HOSTS = tuple(EmulatedHost(tag=f"host-{letter}", name=f"Host {letter.upper()}") for letter in "abcde")
TURNS = 30
RULES = "You plan trips. " + "Check the weather and the opening times before you propose anything. " * 100
PAGE = "The sights of the city, their opening times, and how to get there by train and by bus. " * 25


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Sunny in {city}."


@tool
def read_guide(city: str) -> str:
    """Read the guide of a city."""
    return f"{city}. {PAGE}"


@dataclass(frozen=True)
class Outcome:
    """The end of one run, with the requests to the emulator and their cost."""

    end: str
    requests: int
    first_prompt: int
    hosts: int
    total: Costs


@dataclass(frozen=True)
class Case:
    """An agent and the replies of its model.

    Attributes:
        what: The situation, for the report.
        script: The replies; the last one is repeated if `repeats` is true. Without any, the hosts answer by rules.
        middleware: The middleware of the second run.
    """

    what: str
    middleware: Callable[[], Any]
    script: tuple[Reply, ...] = ()
    repeats: bool = False
    behavior: Behavior = field(default_factory=Behavior)
    settings: tuple[tuple[str, Any], ...] = ()
    tools: Sequence[BaseTool] = (get_weather,)
    questions: Sequence[str] = ("What is the weather in Oslo?",)
    prompt: str | None = None


CASES = {
    "RepairInvalidCalls": Case(
        "The arguments of a call are not complete.", RepairInvalidCalls, (Reply(tool_calls=[BROKEN]), SUNNY)
    ),
    "FallbackHosts": Case(
        "One host sends empty replies.", FallbackHosts, (Reply(tool_calls=[CALL]), Reply(text=""), SUNNY)
    ),
    "LoopGuard": Case(
        "The model repeats the same call.", LoopGuard, (Reply(tool_calls=[CALL]),), repeats=True
    ),
    "CostLimit": Case(
        "The model repeats a call; the limit is 0.002 USD.",
        lambda: CostLimit(0.002),
        (Reply(tool_calls=[CALL]),),
        repeats=True,
        settings=(("max_tokens", 100),),
    ),
    "KimiToolSearch": Case(
        "The agent has 200 tools.", KimiToolSearch, (Reply(tool_calls=[ToolCall("mail_list", {"item": "a"})]), SUNNY),
        tools=many_tools(),
    ),
}  # fmt: skip


def run(case: Case, *middleware: Any) -> Outcome:
    """Run an agent once, over an emulator of its own."""
    with Emulator(behavior=case.behavior) as openrouter:
        settings: dict[str, Any] = {"api_key": "none", "base_url": openrouter.base_url, "max_retries": 0}
        model = ChatKimi(**{**settings, **dict(case.settings)})
        if case.script:
            openrouter.script(*case.script, times=None if case.repeats else 1)
        agent: Any = create_agent(
            model,
            list(case.tools),
            middleware=middleware,
            checkpointer=InMemorySaver(),
            system_prompt=case.prompt,
        )
        config: Any = {"configurable": {"thread_id": "1"}, "recursion_limit": 50}
        messages: list[Any] = []
        costs = KimiCostCallback()
        config["callbacks"] = [costs]
        try:
            for question in case.questions:
                agent.invoke({"messages": [HumanMessage(question)]}, config)
            end = ""
        except (KimiError, GraphRecursionError) as error:
            end = f"`{type(error).__name__}`"
        messages = agent.get_state(config).values["messages"]
        prompts = [message.usage_metadata["input_tokens"] for message in messages if message.type == "ai"]
        first, hosts = (prompts or [0])[0], len(costs.to_dict()["providers"])
        return Outcome(end or f'"{messages[-1].text}"', len(openrouter.bodies), first, hosts, costs.total)


def of_each() -> list[str]:
    """Return the table of all middleware."""
    lines = [
        "| middleware | situation | without it | requests | USD | with it | requests | USD |",
        "| --- | --- | --- | ---: | ---: | --- | ---: | ---: |",
    ]
    for name, case in CASES.items():
        outcomes = run(case), run(case, case.middleware())
        cells = [f"{one.end} | {one.requests} | {one.total.cost:.5f}" for one in outcomes]
        lines.append(f"| `{name}` | {case.what} | {' | '.join(cells)} |".replace('""', "an empty text"))
    return lines


def of_the_cache() -> list[str]:
    """Return the table of an agent with thirty turns."""
    head = ["| model | `KeepCacheWarm` | requests | hosts | prompt tokens | cached | price, USD |"]
    lines = [*head, "| --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    cities = itertools.cycle(("Oslo", "Bergen", "Tromsø"))
    questions = tuple(f"Turn {number}: read the guide of {next(cities)}." for number in range(TURNS))
    replies = [(Reply(tool_calls=[ToolCall("read_guide", CITY)]), SUNNY) for _ in questions]
    for slug in ("moonshotai/kimi-k2.6", "moonshotai/kimi-k3"):
        case = Case(
            "",
            KeepCacheWarm,
            tuple(itertools.chain.from_iterable(replies)),
            behavior=Behavior(hosts=HOSTS, balanced=True),
            settings=(("model", slug),),
            tools=(read_guide,),
            questions=questions,
            prompt=RULES,
        )
        for label, middleware in (("no", ()), ("yes", (KeepCacheWarm(),))):
            outcome = run(case, *middleware)
            total = outcome.total
            lines.append(
                f"| {slug} | {label} | {outcome.requests} | {outcome.hosts} | {total.input_tokens:,} | "
                f"{total.cached_share:.0%} | {total.cost:.3f} |"
            )
    return lines


SEARCH = ToolCall("search_tools", {"query": "list the messages in my mail"})
FOUND = ToolCall("mail_list", {"item": "inbox"})
USED = ToolCall("mail_get", {"item": "7"})


def of_the_tools() -> list[str]:
    """Return the table of an agent with two hundred tools."""
    lines = [
        "| tools | requests | first prompt | all prompts | cached | price, USD |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    calls = tuple(Reply(tool_calls=[each]) for each in (FOUND, USED))
    searched = (Reply(tool_calls=[SEARCH]), *calls)
    k3 = ("model", "moonshotai/kimi-k3")
    case = Case("", KimiToolSearch, (*calls, SUNNY), tools=many_tools(), settings=(k3,))
    rows: list[tuple[str, Case, Any]] = [
        # The emulator refuses more than 128 tools, as Moonshot AI does, unless it is not strict.
        ("all, if the host took them", replace(case, behavior=Behavior(strict=False)), ()),
        ("`openrouter`", case, (KimiToolSearch(mode="openrouter"),)),
        ("`local`", replace(case, script=(*searched, SUNNY)), (KimiToolSearch(mode="local"),)),
        ("`messages`", _at_moonshot(replace(case, script=(*searched, SUNNY))), (KimiToolSearch(),)),
    ]
    for label, each, middleware in rows:
        outcome = run(each, *middleware)
        lines.append(
            f"| {label} | {outcome.requests} | {outcome.first_prompt:,} | {outcome.total.input_tokens:,} | "
            f"{outcome.total.cached_share:.0%} | {outcome.total.cost:.4f} |"
        )
    return lines


def _at_moonshot(case: Case) -> Case:
    host = {"name": "like Moonshot", "base_url": "http://127.0.0.1/v1", "takes_later_tools": True}
    return replace(case, behavior=Behavior(later_tools=True), settings=(*case.settings, ("host", host)))


def report() -> str:
    """Return the text of the report."""
    parts = {"EACH": of_each(), "CACHE": of_the_cache(), "TOOLS": of_the_tools()}
    text = TEXT.read_text(encoding="utf-8")
    for name, lines in parts.items():
        text = text.replace(f"[{name}]", "\n".join(lines))
    return text


if __name__ == "__main__":
    REPORT.write_text(report(), encoding="utf-8")
