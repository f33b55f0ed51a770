"""`create_agent` with every Kimi: structured output strategies, stream modes and middleware."""

from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ContextEditingMiddleware,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    PIIMiddleware,
    TodoListMiddleware,
    ToolCallLimitMiddleware,
    ToolRetryMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import BaseTool
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiReplyError
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.conftest import KEY

# Without structured output, the default, always reasoning, with images, the newest.
KIMIS = ("kimi-k2", "kimi-k2-0905", "kimi-k2-thinking", "kimi-k2.6", "kimi-k3")
ASK: Any = {"messages": [HumanMessage("What is the weather in Oslo?")]}


class Report(BaseModel):
    """A weather report."""

    city: str
    degrees: int


class Excuse(BaseModel):
    """Why there is no report."""

    why: str


class ReportDict(TypedDict):
    """A weather report."""

    city: str
    degrees: int


STRATEGIES: dict[str, Any] = {
    "provider": ProviderStrategy(Report),
    "provider, strict": ProviderStrategy(Report, strict=True),
    "tool": ToolStrategy(Report),
    "tool, one of two": ToolStrategy(Report | Excuse),
    "bare class": Report,
    "bare TypedDict": ReportDict,
    "bare JSON schema": {**Report.model_json_schema(), "title": "Report"},
}


def kimi(openrouter: Emulator, name: str, **settings: Any) -> ChatKimi:
    return ChatKimi(model=f"moonshotai/{name}", api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", KIMIS)
async def test_every_kimi_returns_an_object_with_every_strategy(
    openrouter: Emulator, weather: BaseTool, calls: list[str], name: str, strategy: str
) -> None:
    agent, agent_in_v1 = (
        create_agent(kimi(openrouter, name, output_version=version), [weather], response_format=STRATEGIES[strategy])
        for version in ("v0", "v1")
    )
    if name == "kimi-k2-thinking" and strategy.startswith("tool"):
        # It always reasons, so no call can be forced, and the emulator calls only the tools that it needs.
        with pytest.raises(KimiReplyError, match="without the forced tool call"):
            agent.invoke(ASK)
        return
    for result in (agent.invoke(ASK), await agent_in_v1.ainvoke(ASK)):
        answer = result["structured_response"]
        assert isinstance(answer, dict if "bare T" in strategy or "JSON" in strategy else Report | Excuse)
    assert calls == ["Oslo", "Oslo"]


def test_an_invalid_object_is_requested_again(openrouter: Emulator) -> None:
    openrouter.script(
        Reply(tool_calls=[ToolCall("Report", {"city": "Oslo", "degrees": "warm"})]),
        Reply(tool_calls=[ToolCall("Report", {"city": "Oslo", "degrees": 21})]),
    )
    agent = create_agent(kimi(openrouter, "kimi-k2-0905"), [], response_format=ToolStrategy(Report))
    assert agent.invoke(ASK)["structured_response"] == Report(city="Oslo", degrees=21)
    assert [message["role"] for message in openrouter.bodies[-1]["messages"]] == ["user", "assistant", "tool"]


MODES: tuple[Any, ...] = ("values", "updates", "messages", "custom", "debug", "tasks", ["messages", "updates"])


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("mode", MODES, ids=str)
async def test_every_stream_mode_is_the_same_sync_and_async(
    openrouter: Emulator, weather: BaseTool, calls: list[str], mode: Any, version: str
) -> None:
    agent = create_agent(kimi(openrouter, "kimi-k2-thinking", output_version=version), [weather])
    parts = list(agent.stream(ASK, stream_mode=mode))
    aparts = [part async for part in agent.astream(ASK, stream_mode=mode)]
    assert len(parts) == len(aparts)
    assert (parts == []) is (mode == "custom")
    assert calls == ["Oslo", "Oslo"]


@pytest.mark.parametrize("version", ["v0", "v1"])
def test_the_tokens_of_an_agent_add_up_to_its_messages(
    openrouter: Emulator, weather: BaseTool, calls: list[str], version: str
) -> None:
    agent = create_agent(kimi(openrouter, "kimi-k2-thinking", output_version=version), [weather])
    sums: dict[str | None, AIMessageChunk] = {}
    streamed: Any = agent.stream(ASK, stream_mode="messages")
    for chunk, _ in streamed:
        if isinstance(chunk, AIMessageChunk):
            sums[chunk.id] = sums[chunk.id] + chunk if chunk.id in sums else chunk
    call_turn, answer_turn = sums.values()
    assert [call["args"] for call in call_turn.tool_calls] == [{"city": "Oslo"}]
    assert "tool_call" in [block["type"] for block in call_turn.content_blocks]
    assert "sunny" in answer_turn.text
    assert all(one.usage_metadata and one.response_metadata["cost"] for one in (call_turn, answer_turn))
    assert calls == ["Oslo"]


# v3 events of graphs are experimental.
@pytest.mark.filterwarnings("ignore:.*is (in beta|experimental)")
def test_the_events_of_an_agent_in_v3(openrouter: Emulator, weather: BaseTool, calls: list[str]) -> None:
    agent: Any = create_agent(kimi(openrouter, "kimi-k2-thinking"), [weather])
    assert list(agent.stream_events(ASK, version="v3"))
    assert calls == ["Oslo"]


@pytest.mark.parametrize("stream", [False, True], ids=["invoke", "stream"])
def test_the_usage_of_an_agent_is_that_of_its_calls(
    openrouter: Emulator, weather: BaseTool, calls: list[str], *, stream: bool
) -> None:
    counter = UsageMetadataCallbackHandler()
    agent = create_agent(kimi(openrouter, "kimi-k2-0905"), [weather])
    if stream:
        *_, result = agent.stream(ASK, {"callbacks": [counter]}, stream_mode="values")
    else:
        result = agent.invoke(ASK, {"callbacks": [counter]})
    answers = [message for message in result["messages"] if isinstance(message, AIMessage)]
    total = sum(answer.usage_metadata["total_tokens"] for answer in answers if answer.usage_metadata)
    assert len(answers) == 2
    assert counter.usage_metadata["moonshotai/kimi-k2-0905"]["total_tokens"] == total > 0


MIDDLEWARE: dict[str, Callable[[ChatKimi], AgentMiddleware[Any, Any, Any]]] = {
    "tool selection by a model": lambda model: LLMToolSelectorMiddleware(model=model, max_tools=1),
    "todo list": lambda _: TodoListMiddleware(),
    "model call limit": lambda _: ModelCallLimitMiddleware(run_limit=5),
    "tool call limit": lambda _: ToolCallLimitMiddleware(run_limit=5),
    "PII detection": lambda _: PIIMiddleware("email"),
    "tool retries": lambda _: ToolRetryMiddleware(),
    "token counts by the model": lambda _: ContextEditingMiddleware(token_count_method="model"),
}


@pytest.mark.parametrize("how", MIDDLEWARE)
async def test_middleware_of_every_kind(openrouter: Emulator, weather: BaseTool, calls: list[str], how: str) -> None:
    model = kimi(openrouter, "kimi-k2-0905")
    agent = create_agent(model, [weather], middleware=[MIDDLEWARE[how](model)])
    for result in (agent.invoke(ASK), await agent.ainvoke(ASK)):
        assert "sunny" in result["messages"][-1].text
    assert calls == ["Oslo", "Oslo"]
