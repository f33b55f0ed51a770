"""The requests for structured output that each model gets."""

import asyncio
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, load
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableBinding

from langchain_kimi import ChatKimi, ProviderPreferences, Reasoning
from langchain_kimi.errors import KimiStructuredOutputError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply, ToolCall
from tests.conftest import KEY
from tests.structured.cases import ADA, JSON, Person

DEFAULT, OLD, SWITCH, CODE, K3 = (f"moonshotai/kimi-{name}" for name in ("k2-0905", "k2", "k2.6", "k2.7-code", "k3"))
REQUIRED = {"require_parameters": True}
CALL = {"type": "function", "function": {"name": "Person"}}
SEARCH = {"title": "search", "type": "object", "properties": {"query": {"type": "string"}}}


class Options(BaseCallbackHandler):
    def __init__(self) -> None:
        self.methods: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.methods.append(kwargs["options"]["ls_structured_output_format"]["kwargs"]["method"])


@pytest.fixture(scope="module")
def host() -> Iterator[Emulator]:
    with Emulator() as openrouter:
        openrouter.behave(refuses_forced_tool_choice=True)
        yield openrouter


@pytest.fixture
def openrouter(host: Emulator) -> Emulator:
    host.clear()
    return host


def kimi(openrouter: Emulator, slug: str = DEFAULT, **settings: Any) -> ChatKimi:
    return ChatKimi(model=slug, api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)


def method_of(body: dict[str, Any]) -> str:
    if "tools" in body:
        return "function_calling"
    return {"json_schema": "json_schema", "json_object": "json_mode"}[body["response_format"]["type"]]


@pytest.mark.parametrize(
    ("slug", "settings", "kwargs", "method"),
    [
        (DEFAULT, {}, {}, "function_calling"),
        (OLD, {}, {}, "function_calling"),
        (SWITCH, {}, {}, "json_schema"),
        (SWITCH, {"reasoning": {"enabled": False}}, {}, "function_calling"),
        (SWITCH, {"reasoning_effort": "none"}, {}, "function_calling"),
        (SWITCH, {}, {"reasoning": Reasoning(enabled=False)}, "function_calling"),
        (SWITCH, {"reasoning": {"enabled": False}}, {"reasoning": {"effort": "low"}}, "json_schema"),
        (CODE, {}, {}, "json_schema"),
        (K3, {}, {}, "json_schema"),
        (DEFAULT, {}, {"model": K3}, "json_schema"),
        (K3, {}, {"model": DEFAULT}, "function_calling"),
        (DEFAULT, {"models": [SWITCH]}, {}, "json_schema"),
        (DEFAULT, {"profile": {"tool_choice": False, "structured_output": False}}, {}, "json_mode"),
        ("@preset/people", {}, {}, "function_calling"),
    ],
)
def test_the_default_method_depends_on_the_model(
    openrouter: Emulator, slug: str, settings: Any, kwargs: Any, method: str
) -> None:
    openrouter.script(Reply(text=JSON))
    options = Options()
    runnable = kimi(openrouter, slug, **settings).with_structured_output(Person, **kwargs)
    assert runnable.invoke("Who?", {"callbacks": [options]}) == Person(**ADA)
    assert method_of(openrouter.bodies[0]) == method
    assert options.methods == [method]


@pytest.mark.parametrize("slug", [DEFAULT, OLD, K3])
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_an_explicit_method_is_used(openrouter: Emulator, slug: str, method: Any) -> None:
    openrouter.script(Reply(text=JSON))
    kimi(openrouter, slug).with_structured_output(Person, method=method).invoke("Who?")
    assert method_of(openrouter.bodies[0]) == method
    assert [message["role"] for message in openrouter.bodies[0]["messages"]] == ["user"]


@pytest.mark.parametrize(
    ("settings", "kwargs", "provider"),
    [
        ({}, {}, REQUIRED),
        ({"provider": {"sort": "price"}}, {}, {"sort": "price", **REQUIRED}),
        ({"provider": ProviderPreferences(only=["novita"])}, {}, {"only": ["novita"], **REQUIRED}),
        ({}, {"provider": ProviderPreferences(ignore=["groq"])}, {"ignore": ["groq"], **REQUIRED}),
        ({}, {"openrouter_provider": {"ignore": ["groq"]}}, {"ignore": ["groq"], **REQUIRED}),
        ({"provider": {"sort": "price"}}, {"provider": {"ignore": ["groq"]}}, {"ignore": ["groq"], **REQUIRED}),
        ({"provider": {"sort": "price"}}, {"provider": None}, REQUIRED),
        ({"provider": {"require_parameters": False}}, {}, {"require_parameters": False}),
        ({}, {"provider": {"require_parameters": False}}, {"require_parameters": False}),
        ({}, {"openrouter_provider": {"require_parameters": False}}, {"require_parameters": False}),
        ({"provider": {"require_parameters": False}}, {"provider": {"sort": "price"}}, {"sort": "price"}),
    ],
)
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_hosts_must_support_the_format(
    openrouter: Emulator, method: Any, settings: Any, kwargs: Any, provider: Any
) -> None:
    openrouter.script(Reply(text=JSON), times=2)
    model = kimi(openrouter, **settings)
    model.with_structured_output(Person, method=method, **kwargs).invoke("Who?")
    model.bind(**kwargs).with_structured_output(Person, method=method).invoke("Who?")
    assert [body["provider"] for body in openrouter.bodies] == [provider] * 2


def test_a_forced_call_requires_nothing_of_the_hosts(openrouter: Emulator) -> None:
    kimi(openrouter).with_structured_output(Person).invoke("Who?")
    assert "provider" not in openrouter.bodies[0]
    assert openrouter.bodies[0]["tool_choice"] == CALL


@pytest.mark.parametrize(
    ("settings", "kwargs", "strict"),
    [
        ({}, {}, True),
        ({}, {"strict": False}, False),
        ({}, {"strict": True}, True),
        ({}, {"method": "json_schema"}, None),
        ({"provider": {"only": ["novita"]}}, {}, None),
        ({"provider": {"order": ["novita"]}}, {}, None),
        ({"provider": {"sort": "price"}}, {}, True),
    ],
)
def test_a_schema_is_strict_by_default_unless_hosts_are_chosen(
    openrouter: Emulator, settings: Any, kwargs: Any, strict: object
) -> None:
    openrouter.script(Reply(text=JSON))
    kimi(openrouter, SWITCH, **settings).with_structured_output(Person, **kwargs).invoke("Who?")
    assert openrouter.bodies[0]["response_format"]["json_schema"].get("strict") is strict


def test_a_schema_that_strict_mode_would_change_is_not_strict_by_default(openrouter: Emulator) -> None:
    schema = {"title": "Person", "type": "object", "properties": {"name": {"type": "string"}}}
    openrouter.script(Reply(text="{}"))
    assert kimi(openrouter, SWITCH).with_structured_output(schema).invoke("Who?") == {}
    assert openrouter.bodies[0]["response_format"]["json_schema"] == {
        "name": "Person",
        "schema": {"type": "object", "properties": {"name": {"type": "string"}}},
    }


def test_a_model_that_cannot_be_forced_is_offered_the_call(openrouter: Emulator) -> None:
    model = kimi(openrouter, CODE)
    with pytest.warns(UserWarning, match="reasoning excludes a forced call") as warned:
        runnable = model.with_structured_output(Person, method="function_calling")
    assert [warning.filename for warning in warned] == [__file__]
    openrouter.script(Reply(tool_calls=[ToolCall("Person", ADA)]), Reply(text="Who is who?"))
    assert runnable.invoke("Who?") == Person(**ADA)
    with pytest.raises(KimiStructuredOutputError) as raised:
        runnable.invoke("Who?")
    assert raised.value.cause == "no_call"
    assert {body["tool_choice"] for body in openrouter.bodies} == {"auto"}


@pytest.mark.uncovered
@pytest.mark.parametrize("settings", [{}, {"reasoning": {"effort": "low"}}, {"reasoning": {"enabled": False}}])
@pytest.mark.parametrize("slug", [DEFAULT, SWITCH, "moonshotai/kimi-k2.5", CODE, K3])
@pytest.mark.filterwarnings("ignore:.*reasoning excludes a forced call")
def test_a_call_is_forced_as_with_bind_tools(openrouter: Emulator, slug: str, settings: Any) -> None:
    model = kimi(openrouter, slug, **settings)
    openrouter.script(Reply(tool_calls=[ToolCall("Person", ADA)]), times=5)
    model.bind_tools([Person], tool_choice="Person").invoke("Who?")
    structured = model.with_structured_output(Person, method="function_calling")
    with asyncio.Runner() as runner:
        for value in (
            structured.invoke("Who?"),
            runner.run(structured.ainvoke("Who?")),
            [*structured.stream("Who?")][-1],
            runner.run(last_of(structured)),
        ):
            assert value == Person(**ADA)
    expected = {key: openrouter.bodies[0].get(key) for key in ("tool_choice", "reasoning")}
    for body in openrouter.bodies:
        assert {key: body.get(key) for key in ("tool_choice", "reasoning")} == expected


async def last_of(structured: Any) -> Any:
    return [value async for value in structured.astream("Who?")][-1]


def test_an_explicit_choice_is_sent_without_a_warning(openrouter: Emulator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runnable = kimi(openrouter, K3).with_structured_output(Person, method="function_calling", tool_choice="none")
    openrouter.script(Reply(text=JSON))
    assert runnable.invoke("Who?") == Person(**ADA)
    assert openrouter.bodies[0]["tool_choice"] == "none"


def test_a_schema_that_cannot_be_sent_is_written_into_the_prompt(openrouter: Emulator) -> None:
    denied = {"tool_choice": False, "structured_output": False}
    runnable = kimi(openrouter, profile=denied).with_structured_output(Person)
    openrouter.script(Reply(text=JSON))
    assert runnable.invoke([("system", "Be brief."), ("user", "Who?")], temperature=0) == Person(**ADA)
    [body] = openrouter.bodies
    assert [message["role"] for message in body["messages"]] == ["system", "system", "user"]
    words = body["messages"][1]["content"]
    assert "Person: A person." in words
    assert json.loads(words.partition("JSON schema: ")[2])["required"] == ["name", "age"]
    assert body["temperature"] == 0


def test_bound_parameters_stay_bound(openrouter: Emulator) -> None:
    model = kimi(openrouter, SWITCH)
    bound: Any = model.bind(reasoning={"enabled": False}).bind(temperature=0.5).with_config(tags=["people"])
    bound.with_structured_output(Person).invoke("Who?")
    bound.bind_tools([SEARCH]).invoke("Who?")
    for body in openrouter.bodies:
        assert (body["reasoning"], body["temperature"]) == ({"enabled": False}, 0.5)
    assert openrouter.bodies[0]["tool_choice"] == CALL


def test_tools_bound_earlier_are_replaced(openrouter: Emulator) -> None:
    model: Any = kimi(openrouter).bind_tools([SEARCH], tool_choice="any", temperature=0.5)
    assert isinstance(model.with_structured_output(Person).invoke("Who?"), Person)
    [body] = openrouter.bodies
    assert [tool["function"]["name"] for tool in body["tools"]] == ["Person"]
    assert (body["tool_choice"], body["temperature"]) == (CALL, 0.5)


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_binding_is_dumped_as_langchain_s_own(openrouter: Emulator) -> None:
    bound = kimi(openrouter).bind(temperature=0.5)
    written = dumpd(bound)
    assert written["id"][-1] == "RunnableBinding"
    secrets = {"OPENROUTER_API_KEY": KEY}
    again = load(
        written, secrets_map=secrets, valid_namespaces=["langchain_kimi"], allowed_objects=[ChatKimi, RunnableBinding]
    )
    assert isinstance(again, RunnableBinding)
    assert again.kwargs == {"temperature": 0.5}


def test_wrong_parameters_are_refused_before_any_call(openrouter: Emulator) -> None:
    with pytest.raises(KimiUsageError, match="reasoning"):
        kimi(openrouter).with_structured_output(Person, reasoning={"enable": False})


@pytest.mark.parametrize(
    "parameters",
    [
        {"model": "moonshotai/kimi-k3"},
        {"model_name": "moonshotai/kimi-k3", "n": 3},
        {"models": ["moonshotai/kimi-k3"]},
        {"provider": {"only": ["moonshotai"]}, "n": None},
    ],
    ids=str,
)
def test_counts_and_estimates_are_those_of_the_bound_parameters(parameters: dict[str, Any]) -> None:
    model = ChatKimi(api_key=KEY, model="moonshotai/kimi-k2", max_tokens=100)
    configured = model.model_copy(update={name: value for name, value in parameters.items() if value is not None})
    bound: Any = model.bind(**parameters)
    assert bound.estimate_cost("Hello!") == configured.estimate_cost("Hello!") != model.estimate_cost("Hello!")
    assert bound.count_tokens("Hello!") == configured.count_tokens("Hello!")
    messages: list[BaseMessage] = [HumanMessage("Hello!")]
    assert bound.get_num_tokens_from_messages(messages) == configured.get_num_tokens_from_messages(messages)


@pytest.mark.parametrize(("provider", "sent"), [(None, False), ({"require_parameters": True}, None)])
def test_one_call_is_requested_unless_hosts_must_support_every_parameter(provider: Any, sent: Any) -> None:
    output: Any = ChatKimi(api_key=KEY, provider=provider).with_structured_output(Person, method="function_calling")
    assert output.first.kwargs.get("parallel_tool_calls") is sent
