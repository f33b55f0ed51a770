"""The model sees the tools that it has searched for, in real agents."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_model_call
from langchain.agents.structured_output import ToolStrategy
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from langchain_kimi import ChatKimi, KimiInvalidRequestError, KimiUsageError
from langchain_kimi.middleware import FallbackHosts, KimiToolSearch, RepairInvalidCalls
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.conftest import KEY
from tests.middleware.many_tools import many_tools
from tests.middleware.ways import BROKEN, OSLO, WAYS, calls, get_weather, kinds, run, thread

SEARCH = ToolCall("search_tools", {"query": "book a flight with an airline"})
FLIGHT = ToolCall("airline_create", {"item": "Oslo"})
DONE = Reply(text="Done.")
SERVER_TOOL = {"type": "openrouter:web_search"}
K3 = "moonshotai/kimi-k3"


def host_of(openrouter: Emulator, *, takes_later_tools: bool) -> dict[str, Any]:
    """Return a server that is not OpenRouter."""
    openrouter.behave(later_tools=takes_later_tools)
    return {"name": "other", "base_url": openrouter.base_url, "takes_later_tools": takes_later_tools}


@pytest.fixture
def local(openrouter: Emulator) -> ChatKimi:
    """Return a model of a server without a tool search."""
    host = host_of(openrouter, takes_later_tools=False)
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, host=host, max_retries=0)


@pytest.fixture
def k3(openrouter: Emulator) -> ChatKimi:
    """Return Kimi K3 at a server that takes later tools."""
    host = host_of(openrouter, takes_later_tools=True)
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, host=host, model=K3, max_retries=0)


def agent_of(model: Any, *middleware: Any, tools: Any = None, saver: Any = None, **options: Any) -> Any:
    tools = [get_weather, *many_tools()] if tools is None else tools
    return create_agent(model, tools, middleware=middleware, checkpointer=saver or InMemorySaver(), **options)


def names(tools: Any) -> list[str]:
    return [tool["function"]["name"] if "function" in tool else tool["type"] for tool in tools]


def offered(openrouter: Emulator) -> list[list[str]]:
    """Return the names of the tools of each request."""
    return [names(body.get("tools", [])) for body in openrouter.bodies]


def tokens(message: Any) -> int:
    assert isinstance(message, AIMessage)
    assert message.usage_metadata
    return message.usage_metadata["input_tokens"]


@pytest.mark.uncovered
async def test_an_agent_without_it_cannot_have_two_hundred_tools(model: ChatKimi, openrouter: Emulator) -> None:
    with pytest.raises(KimiInvalidRequestError, match="between 1 and 128 tools"):
        await run(agent_of(model), "invoke")


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
async def test_found_tools_are_added_to_the_request(local: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(OSLO, SEARCH), calls(FLIGHT), DONE, DONE)
    saver = InMemorySaver()
    messages = await run(agent_of(local, KimiToolSearch(keep=["get_weather"]), saver=saver), way)
    assert kinds(messages) == ["human", "ai", "tool", "tool", "ai", "tool", "ai"]
    results = {message.name: message.text for message in messages if isinstance(message, ToolMessage)}
    assert results["get_weather"] == "Sunny in Oslo."
    assert results["airline_create"].startswith("airline_create('Oslo'")
    assert "- airline_create: Create a new flight" in results["search_tools"]
    first, second, third = offered(openrouter)
    assert first == ["get_weather", "search_tools"]
    assert (len(second), "airline_create" in second, second[:2]) == (7, True, first)
    assert third == second
    # Another process continues the thread from its checkpoint.
    await run(agent_of(local, KimiToolSearch(keep=["get_weather"]), saver=saver), way, "And now?")
    assert offered(openrouter)[-1] == second


@pytest.mark.parametrize("way", WAYS)
async def test_found_tools_are_added_by_a_message(k3: ChatKimi, openrouter: Emulator, way: str) -> None:
    again = ToolCall("search_tools", {"query": "airline flight, and a calendar event"})
    openrouter.script(calls(SEARCH, OSLO), calls(FLIGHT), calls(again), DONE)
    messages = await run(agent_of(k3, KimiToolSearch(keep=["get_weather"])), way)
    assert messages[-1].text == "Done."
    assert offered(openrouter) == [["get_weather", "search_tools"]] * 4
    last = openrouter.bodies[-1]["messages"]
    additions = [names(message["tools"]) for message in last if "tools" in message]
    assert "airline_create" in additions[0]
    assert any(name.startswith("calendar") for name in additions[1])
    assert not set(additions[0]) & set(additions[1])
    # Each request continues the one before it, so its prompt is in the cache.
    for earlier, later in zip(openrouter.bodies, openrouter.bodies[1:], strict=False):
        assert later["messages"][: len(earlier["messages"])] == earlier["messages"]
    roles = [message["role"] for message in last[:6]]
    assert roles == ["user", "assistant", "tool", "tool", "system", "assistant"]


@pytest.mark.parametrize("way", WAYS)
async def test_openrouter_searches_the_tools(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(calls(FLIGHT), DONE)
    middleware = KimiToolSearch(keep=["get_weather"], max_results=7)
    messages = await run(agent_of(model, middleware, tools=[get_weather, SERVER_TOOL, *many_tools()]), way)
    assert kinds(messages) == ["human", "ai", "tool", "ai"]
    for body in openrouter.bodies:
        deferred = [tool.get("function", {}).get("defer_loading") for tool in body["tools"]]
        assert deferred == [None, *[True] * 200, None]
        assert body["deferred_tools"] == {
            "protocol": "v1",
            "profile": "portable",
            "search": {"type": "bm25", "max_results": 7},
            "validation": "runtime",
        }
    assert tokens(messages[1]) < 500


def marked(name: str, *, deferred: bool | None) -> BaseTool:
    extras = None if deferred is None else {"defer_loading": deferred}
    return StructuredTool.from_function(str.upper, name=name, description="Do something.", extras=extras)


async def test_marks_of_tools_decide(local: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(DONE, times=None)
    wire = {"type": "function", "function": {"name": "wire", "defer_loading": True}}
    tools = [marked("a", deferred=True), marked("b", deferred=False), marked("c", deferred=None), wire]
    await run(agent_of(local, KimiToolSearch(), tools=tools), "invoke")
    await run(agent_of(local, KimiToolSearch(max_tools=0), tools=tools), "ainvoke")
    assert offered(openrouter) == [["b", "c", "search_tools"], ["b", "search_tools"]]


async def test_a_dict_of_a_tool_is_deferred_at_openrouter(model: ChatKimi, openrouter: Emulator) -> None:
    wire = {"type": "function", "function": {"name": "wire", "description": "Do something."}}
    await run(agent_of(model, KimiToolSearch(max_tools=0), tools=[marked("b", deferred=False), wire]), "invoke")
    assert openrouter.bodies[0]["tools"][1]["function"]["defer_loading"] is True


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_few_tools_are_all_sent(model: ChatKimi, openrouter: Emulator, way: str) -> None:
    openrouter.script(DONE)
    await run(agent_of(model, KimiToolSearch(), tools=[get_weather]), way)
    assert offered(openrouter) == [["get_weather"]]
    assert "deferred_tools" not in openrouter.bodies[0]


@pytest.mark.parametrize("choice", ["mail_get", {"type": "function", "function": {"name": "mail_get"}}])
async def test_a_tool_that_is_chosen_is_visible(local: ChatKimi, openrouter: Emulator, choice: Any) -> None:
    @wrap_model_call
    def choose(request: Any, handler: Any) -> Any:
        return handler(request.override(tool_choice=choice))

    openrouter.script(DONE)
    await run(agent_of(local, choose, KimiToolSearch(), tools=many_tools()), "invoke")
    assert offered(openrouter) == [["mail_get", "search_tools"]]


async def test_a_search_that_finds_nothing_says_so(local: ChatKimi, openrouter: Emulator) -> None:
    nothing, wrong = ToolCall("search_tools", {"query": "quantum"}), ToolCall("search_tools", {"query": " "})
    openrouter.script(calls(nothing, wrong), DONE)
    messages = await run(agent_of(local, KimiToolSearch()), "invoke")
    first, second = [message for message in messages if isinstance(message, ToolMessage)]
    assert (first.text, first.status) == ("No tool fits. Try other words.", "success")
    assert (second.text, second.status) == ("The argument query must be a text of a few words.", "error")
    assert offered(openrouter)[0] == offered(openrouter)[1]


async def test_a_hidden_tool_can_be_called(local: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(calls(FLIGHT), DONE)
    messages = await run(agent_of(local, KimiToolSearch()), "invoke")
    assert messages[2].text.startswith("airline_create('Oslo'")


class Trip(BaseModel):
    """A trip."""

    city: str


async def test_it_works_beside_the_others(local: ChatKimi, openrouter: Emulator) -> None:
    invalid = ToolCall("search_tools", '{"query": "fli')
    openrouter.script(
        calls(invalid), calls(SEARCH), calls(BROKEN), calls(FLIGHT), calls(ToolCall("Trip", {"city": "Oslo"}))
    )
    stack = RepairInvalidCalls(), FallbackHosts(max_hosts=1), KimiToolSearch()
    agent = agent_of(local, *stack, response_format=ToolStrategy(Trip))
    await run(agent, "ainvoke")
    assert agent.get_state(thread()).values["structured_response"] == Trip(city="Oslo")


async def test_models_of_other_packages_search_here() -> None:
    bound: list[list[str]] = []

    class Other(FakeMessagesListChatModel):
        def bind_tools(self, tools: Any, **options: Any) -> Any:
            bound.append([each["function"]["name"] if isinstance(each, dict) else each.name for each in tools])
            return self

    search = {"name": "search_tools", "args": {"query": "airline flight"}, "id": "1", "type": "tool_call"}
    other = Other(responses=[AIMessage("", tool_calls=[search]), AIMessage("Done.")])
    messages = await run(agent_of(other, KimiToolSearch()), "invoke")
    assert messages[-1].text == "Done."
    assert "airline_create" in bound[-1]
    assert bound[0] == ["search_tools"]


async def test_a_mode_can_be_chosen(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(DONE)
    await run(agent_of(model, KimiToolSearch(mode="local", name="find_tools")), "invoke")
    assert offered(openrouter) == [["find_tools"]]


def test_marks_are_sent_only_with_openrouters_deferred_tools(model: ChatKimi) -> None:
    def sent(**options: Any) -> Any:
        bound: Any = model.bind_tools([marked("a", deferred=True), marked("b", deferred=False)], **options)
        body = model.request_body([HumanMessage("Hello.")], **bound.kwargs)
        return [tool["function"].get("defer_loading") for tool in body["tools"]]

    assert (sent(), sent(deferred_tools={"protocol": "v1"})) == ([None, None], [True, None])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"mode": "remote"}, "mode must be"), ({"max_tools": -1}, "at least 0"), ({"max_results": 0}, "at least 1")],
)
def test_the_arguments_are_checked(arguments: Any, message: str) -> None:
    with pytest.raises(KimiUsageError, match=message):
        KimiToolSearch(**arguments)
