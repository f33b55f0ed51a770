import json
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator
from tests.testing.chat import arguments, called, events, message, result, text, tool, user

MAGIC = tool("magic_function", input={"type": "integer"})
WEATHER = tool("get_weather", location={"type": "string"})
ADD = tool("add", a={"type": "integer"}, b={"type": "integer"})
MULTIPLY = tool("multiply", a={"type": "integer"}, b={"type": "integer"})
JOKE = {"type": "object", "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}}}


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("prompt", "tools", "choice", "calls"),
    [
        (
            "What is the value of magic_function(3)? Use the tool.",
            [MAGIC],
            "required",
            [("magic_function", {"input": 3})],
        ),
        ("Hello!", [MAGIC, WEATHER], "required", [("magic_function", {"input": 1})]),
        ("Hello!", [WEATHER, MAGIC], function("magic_function"), [("magic_function", {"input": 1})]),
        ("magic_function_no_args()?", [tool("magic_function_no_args")], "required", [("magic_function_no_args", {})]),
        (
            "Create a customer named 'こんにちは株式会社'",
            [tool("unicode_customer", customer_name={"type": "string"})],
            "required",
            [("unicode_customer", {"customer_name": "こんにちは株式会社"})],
        ),
        (
            "What is the weather in San Francisco, CA?",
            [WEATHER],
            None,
            [("get_weather", {"location": "San Francisco, CA"})],
        ),
        (
            "What is the weather in Paris and London?",
            [WEATHER],
            "auto",
            [("get_weather", {"location": "Paris"}), ("get_weather", {"location": "London"})],
        ),
        ("What is the weather like?", [WEATHER], "auto", [("get_weather", {"location": "Oslo"})]),
        (
            "Add and multiply the number 2 and 3",
            [ADD, MULTIPLY, WEATHER],
            "auto",
            [("add", {"a": 2, "b": 3}), ("multiply", {"a": 2, "b": 3})],
        ),
        ("Hello!", [MAGIC, WEATHER], "auto", []),
        ("What is the weather in Paris?", [WEATHER], "none", []),
        ("What is the weather in Paris?", [{"type": "openrouter:datetime"}], "auto", []),
    ],
)
def test_tools_are_called_by_rules(
    client: httpx.Client, prompt: str, tools: list[Any], choice: Any, calls: list[Any]
) -> None:
    more = {} if choice is None else {"tool_choice": choice}
    assert arguments(client, prompt, tools=tools, **more) == calls


def test_a_tool_can_be_called_by_its_description(client: httpx.Client) -> None:
    lookup = tool("lookup", symbol={"type": "string"})
    lookup["function"]["description"] = "The current price of a stock."
    assert arguments(client, "What is the price of stock 'ACME'?", tools=[lookup]) == [("lookup", {"symbol": "ACME"})]


def test_parallel_calls_can_be_disabled(client: httpx.Client) -> None:
    prompt = "What is the weather in Paris and London?"
    assert len(arguments(client, prompt, tools=[WEATHER], parallel_tool_calls=False)) == 1


def test_tool_results_are_repeated(client: httpx.Client) -> None:
    history = [user("What is the weather in Paris?"), called(("get_weather:0", "get_weather", "{}"))]
    answer = message(client, messages=[*history, result("get_weather:0", "Sunny, 21 C")], tools=[WEATHER])
    assert "Sunny, 21 C" in answer["content"]
    assert "tool_calls" not in answer


def test_a_forced_choice_prefers_tools_that_were_not_called(client: httpx.Client) -> None:
    history = [user("Weather?"), called(("w:0", "get_weather", "{}")), result("w:0", "Sunny")]
    more = {"messages": history, "tool_choice": "required"}
    assert arguments(client, "", tools=[WEATHER, MAGIC], **more) == [("magic_function", {"input": 1})]
    assert arguments(client, "", tools=[WEATHER], **more)[0][0] == "get_weather"


def test_a_new_question_can_call_the_tool_again(client: httpx.Client) -> None:
    history = [user("Weather?"), called(("w:0", "get_weather", "{}")), result("w:0"), user("And the weather in Rome?")]
    assert arguments(client, "", messages=history, tools=[WEATHER]) == [("get_weather", {"location": "Rome"})]


@pytest.mark.parametrize("stream", [False, True])
def test_replies_match_the_json_schema(client: httpx.Client, *, stream: bool) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "joke", "schema": JOKE}}
    prompt = "Tell me a joke about cats."
    content = text(events(client, prompt, response_format=form)) if stream else None
    content = content or message(client, prompt, response_format=form)["content"]
    assert set(json.loads(content)) == {"setup", "punchline"}


@pytest.mark.parametrize(
    ("messages", "keys"),
    [
        ([user("Return the result as a JSON with 'setup' and 'punchline' keys.")], {"setup", "punchline"}),
        ([{"role": "system", "content": "JSON with keys name and age"}, user("Ada!")], {"name", "age"}),
        ([user("JSON!")], {"answer"}),
    ],
)
def test_json_objects_have_the_requested_keys(client: httpx.Client, messages: list[Any], keys: set[str]) -> None:
    answer = message(client, messages=messages, response_format={"type": "json_object"})
    assert set(json.loads(answer["content"])) == keys


def test_a_trailing_assistant_message_is_continued(client: httpx.Client) -> None:
    answer = message(client, messages=[user("Weather?"), {"role": "assistant", "content": "It"}], tools=[WEATHER])
    assert "continues" in answer["content"]
    assert "tool_calls" not in answer


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_a_forced_call_is_made_behind_an_assistant_message(client: httpx.Client, choice: Any) -> None:
    messages = [user("Weather in Oslo?"), {"role": "assistant", "content": "It is sunny."}]
    answer = message(client, messages=messages, tools=[WEATHER], tool_choice=choice)
    assert [call["function"]["name"] for call in answer["tool_calls"]] == ["get_weather"]


def test_the_same_question_gets_the_same_answer(client: httpx.Client) -> None:
    assert message(client, "Hi", seed=1) == message(client, "Hi", seed=1)


def test_reasoning_states_the_plan(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.behave(reasoning=True)
    assert "get_weather" in message(client, "Weather?", tools=[WEATHER])["reasoning"]
    assert "directly" in message(client, "Hello")["reasoning"]
