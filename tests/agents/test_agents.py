"""`create_agent` with a ChatKimi: tools, structured answers, stream modes, and LangChain's middleware."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ContextEditingMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
)
from langchain.agents.middleware.context_editing import ClearToolUsesEdit
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool
from pydantic import BaseModel

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiAuthenticationError, KimiError, KimiServerError
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.conftest import KEY

ASK: Any = {"messages": [HumanMessage("What is the weather in Oslo?")]}


class Report(BaseModel):
    """A weather report."""

    city: str
    degrees: int


def last_message(result: dict[str, Any]) -> AIMessage:
    last = result["messages"][-1]
    assert isinstance(last, AIMessage)
    return last


def test_an_agent_calls_its_tool_and_answers(model: ChatKimi, weather: BaseTool, calls: list[str]) -> None:
    result = create_agent(model, [weather]).invoke(ASK)
    assert calls == ["Oslo"]
    assert "sunny" in last_message(result).text


async def test_an_agent_runs_async(model: ChatKimi, weather: BaseTool, calls: list[str]) -> None:
    result = await create_agent(model, [weather]).ainvoke(ASK)
    assert calls == ["Oslo"]
    assert "sunny" in last_message(result).text


@pytest.mark.parametrize("slug", ["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2-thinking"])
def test_an_agent_sends_reasoning_back(openrouter: Emulator, weather: BaseTool, calls: list[str], slug: str) -> None:
    openrouter.behave(requires_reasoning=True)
    model = ChatKimi(model=slug, api_key=KEY, base_url=openrouter.base_url)
    for _ in create_agent(model, [weather]).stream(ASK, stream_mode="messages"):
        pass
    assert calls == ["Oslo"]
    replayed = openrouter.bodies[-1]["messages"][1]
    assert ("reasoning_details" in replayed) is (slug == "moonshotai/kimi-k2-thinking")


@pytest.mark.parametrize("strategy", [ProviderStrategy(Report), ToolStrategy(Report), Report])
def test_an_agent_answers_with_an_object(model: ChatKimi, strategy: Any) -> None:
    agent = create_agent(model, [], response_format=strategy)
    result = agent.invoke({"messages": [HumanMessage("Report on Oslo, where it is 21 degrees.")]})
    assert isinstance(result["structured_response"], Report)


@pytest.mark.parametrize("strategy", [ProviderStrategy(Report), ToolStrategy(Report), Report])
def test_an_agent_uses_its_tool_and_answers_with_an_object(
    model: ChatKimi, weather: BaseTool, calls: list[str], strategy: Any
) -> None:
    result = create_agent(model, [weather], response_format=strategy).invoke(ASK)
    assert calls == ["Oslo"]
    assert isinstance(result["structured_response"], Report)


def test_a_schema_without_tools_sends_no_tools(model: ChatKimi, openrouter: Emulator) -> None:
    create_agent(model, [], response_format=ProviderStrategy(Report)).invoke(ASK)
    assert "tools" not in openrouter.bodies[0]
    assert openrouter.bodies[0]["response_format"]["type"] == "json_schema"


def test_each_stream_mode_of_an_agent(model: ChatKimi, weather: BaseTool, calls: list[str]) -> None:
    agent = create_agent(model, [weather])
    updates = list(agent.stream(ASK, stream_mode="updates"))
    assert [next(iter(update)) for update in updates] == ["model", "tools", "model"]
    values = list(agent.stream(ASK, stream_mode="values"))
    assert "sunny" in last_message(values[-1]).text
    tokens = [part for part, _ in agent.stream(ASK, stream_mode="messages") if isinstance(part, AIMessageChunk)]
    assert "sunny" in "".join(token.text for token in tokens)
    assert len([token for token in tokens if token.text]) > 3
    modes = {mode for mode, _ in agent.stream(ASK, stream_mode=["updates", "messages", "values", "debug"])}
    assert modes == {"updates", "messages", "values", "debug"}
    assert calls == ["Oslo"] * 4


async def test_an_agent_streams_events(model: ChatKimi, weather: BaseTool, calls: list[str]) -> None:
    agent = create_agent(model, [weather])
    events = [event async for event in agent.astream_events(ASK, version="v2")]
    tokens = [event["data"]["chunk"].text for event in events if event["event"] == "on_chat_model_stream"]
    assert "sunny" in "".join(tokens)
    assert calls == ["Oslo"]


def test_no_tool_runs_with_truncated_arguments(
    model: ChatKimi, openrouter: Emulator, weather: BaseTool, calls: list[str]
) -> None:
    cut = Reply(tool_calls=[ToolCall("get_weather", '{"city": "Os')], finish_reason="length")
    openrouter.script(cut, times=None)
    result = list(create_agent(model, [weather]).stream(ASK, stream_mode="messages"))
    assert result
    assert calls == []


def test_no_tool_runs_after_an_error(
    model: ChatKimi, openrouter: Emulator, weather: BaseTool, calls: list[str]
) -> None:
    openrouter.fail_next(faults.stream_error())
    with pytest.raises(KimiError):
        list(create_agent(model, [weather]).stream(ASK, stream_mode="messages"))
    assert calls == []


def test_retry_middleware_retries_retryable_errors(openrouter: Emulator, weather: BaseTool, calls: list[str]) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    openrouter.fail_next(faults.unavailable())
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0.0, on_failure="error")
    create_agent(model, [weather], middleware=[retry]).invoke(ASK)
    assert calls == ["Oslo"]
    assert len(openrouter.requests) == 3


def test_retry_middleware_does_not_retry_other_errors(openrouter: Emulator, weather: BaseTool) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    openrouter.fail_next(faults.unauthorized(), times=None)
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0.0, on_failure="error")
    with pytest.raises(KimiAuthenticationError):
        create_agent(model, [weather], middleware=[retry]).invoke(ASK)
    assert len(openrouter.requests) == 1


def test_fallback_middleware_calls_the_other_model(openrouter: Emulator, weather: BaseTool, calls: list[str]) -> None:
    first = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    second = ChatKimi(model="moonshotai/kimi-k2.6", api_key=KEY, base_url=openrouter.base_url)
    openrouter.fail_next(faults.unavailable())
    result = create_agent(first, [weather], middleware=[ModelFallbackMiddleware(second)]).invoke(ASK)
    assert calls == ["Oslo"]
    assert openrouter.bodies[1]["model"] == "moonshotai/kimi-k2.6"
    assert "sunny" in last_message(result).text


def test_summarization_middleware_shortens_a_long_conversation(model: ChatKimi, openrouter: Emulator) -> None:
    summarize = SummarizationMiddleware(model=model, trigger=("messages", 6), keep=("messages", 2))
    history = [turn for n in range(5) for turn in (HumanMessage(f"Question {n}?"), AIMessage(f"Answer {n}."))]
    result = create_agent(model, [], middleware=[summarize]).invoke({"messages": [*history, HumanMessage("And now?")]})
    assert len(openrouter.requests) == 2
    assert len(result["messages"]) < len(history)


def test_summarization_middleware_reads_the_profile(model: ChatKimi) -> None:
    summarize = SummarizationMiddleware(model=model, trigger=("fraction", 0.5))
    result = create_agent(model, [], middleware=[summarize]).invoke({"messages": [HumanMessage("Hello.")]})
    assert last_message(result).text


def test_context_editing_clears_old_results(model: ChatKimi, openrouter: Emulator) -> None:
    def turn(n: int) -> list[Any]:
        call = {"name": "get_weather", "args": {"city": "Oslo"}, "id": f"get_weather:{n}"}
        return [AIMessage("", tool_calls=[call]), ToolMessage("Sunny. " * 50, tool_call_id=f"get_weather:{n}")]

    edit = ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=20, keep=1)])
    history = [HumanMessage("Weather?"), *turn(0), *turn(1), *turn(2), HumanMessage("Thanks.")]
    create_agent(model, [], middleware=[edit]).invoke({"messages": history})
    sent = [message["content"] for message in openrouter.bodies[0]["messages"] if message["role"] == "tool"]
    assert len(set(sent)) == 2
    assert sent[0] == sent[1] != sent[2]


def test_an_agent_falls_back_when_the_error_is_typed(openrouter: Emulator) -> None:
    first = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    second = ChatKimi(model="moonshotai/kimi-k3", api_key=KEY, base_url=openrouter.base_url)
    openrouter.fail_next(faults.unavailable())
    answer = first.with_fallbacks([second], exceptions_to_handle=(KimiServerError,)).invoke("Hello.")
    assert answer.response_metadata["model_name"].startswith("moonshotai/kimi-k3")
