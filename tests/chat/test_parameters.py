"""The parameters that are sent: those of the model, of a binding, and of the call; the last value counts."""

from typing import Any

import pytest
from langchain_core.runnables import ConfigurableField

from langchain_kimi._openrouter.parameters.merging import PARAMETERS
from langchain_kimi._openrouter.parameters.options import ProviderPreferences, Reasoning
from langchain_kimi._openrouter.parameters.plugins import WebPlugin
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiServerError, KimiTimeoutError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply, faults
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
VALUES: dict[str, Any] = {
    "models": ["moonshotai/kimi-k2.5"],
    "route": "fallback",
    "provider": {"order": ["moonshotai"], "max_price": {"prompt": "0.7"}},
    "plugins": [{"id": "web", "max_results": 3}],
    "preset": "mine",
    "tools": [TOOL],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "max_tool_calls": 3,
    "stop_server_tools_when": [{"type": "step_count_is", "step_count": 3}],
    "deferred_tools": {"protocol": "v1", "profile": "portable", "search": {"type": "bm25"}},
    "response_format": SCHEMA,
    "structured_outputs": True,
    "temperature": 0,
    "top_p": 0.5,
    "top_k": 0,
    "min_p": 0,
    "top_a": 0.25,
    "frequency_penalty": -2,
    "presence_penalty": 0,
    "repetition_penalty": 1.5,
    "logit_bias": {"1": -100},
    "logprobs": False,
    "top_logprobs": 0,
    "seed": 0,
    "stop": ["a", "b"],
    "max_tokens": 16,
    "max_completion_tokens": 16,
    "n": 2,
    "reasoning": {"effort": "low"},
    "reasoning_effort": "high",
    "verbosity": "low",
    "modalities": ["text"],
    "image_config": {"aspect_ratio": "16:9"},
    "audio": {"voice": "alloy"},
    "prediction": {"type": "content", "content": "ok"},
    "cache_control": {"type": "ephemeral"},
    "prompt_cache_key": "key",
    "prompt_cache_options": {"mode": "explicit"},
    "service_tier": "flex",
    "session_id": "session",
    "user": "user",
    "metadata": {"run": "1"},
    "trace": {"trace_id": "1"},
    "debug": {"echo_upstream_body": True},
}
BESIDE: dict[str, dict[str, Any]] = {"top_logprobs": {"logprobs": True}}
"""The parameters that a parameter depends on."""
NAMES = {"metadata": "request_metadata"}
"""The names of parameters whose wire name LangChain uses for something else."""


def body(**parameters: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}]
    return {"model": "moonshotai/kimi-k2-0905", "messages": messages, **parameters}


def sent_body(openrouter: Emulator, runnable: Any, **kwargs: Any) -> Any:
    """The body of one call."""
    openrouter.behave(strict=False)
    openrouter.script(Reply(text="ok"))
    runnable.invoke("hi", **kwargs)
    return openrouter.bodies[-1]


def test_every_parameter_is_tested() -> None:
    # `stream_options` is for streams only; its tests are those of the hosts.
    assert set(VALUES) | {"stream_options"} == set(PARAMETERS)


def test_unset_parameters_are_not_sent(openrouter: Emulator, model: ChatKimi) -> None:
    assert sent_body(openrouter, model) == body()


@pytest.mark.parametrize("name", VALUES)
def test_a_parameter_of_the_model_is_sent(openrouter: Emulator, model: ChatKimi, name: str) -> None:
    field, beside = NAMES.get(name, name), BESIDE.get(name, {})
    arguments: dict[str, Any] = {"api_key": KEY, "base_url": openrouter.base_url, field: VALUES[name], **beside}
    mine = ChatKimi(**arguments)
    assert sent_body(openrouter, mine) == body(**{name: VALUES[name]}, **beside)
    if not beside:
        # LangChain does not tell `stop=None` from no stop at all.
        nothing: dict[str, Any] = {field: [] if name == "stop" else None}
        assert sent_body(openrouter, mine, **nothing) == body()
        assert sent_body(openrouter, mine.bind(**nothing)) == body()


@pytest.mark.parametrize("name", VALUES)
def test_a_parameter_of_the_call_is_sent(openrouter: Emulator, model: ChatKimi, name: str) -> None:
    beside = BESIDE.get(name, {})
    arguments: dict[str, Any] = {NAMES.get(name, name): VALUES[name], **beside}
    assert sent_body(openrouter, model, **arguments) == body(**{name: VALUES[name]}, **beside)
    assert sent_body(openrouter, model.bind(**arguments)) == body(**{name: VALUES[name]}, **beside)


def test_parameters_have_a_fixed_order(openrouter: Emulator, model: ChatKimi) -> None:
    one = ChatKimi(api_key=KEY, base_url=openrouter.base_url, seed=1, temperature=0, top_p=0.5)
    sent_body(openrouter, one)
    sent_body(openrouter, model, top_p=0.5, seed=1, temperature=0)
    first, second = openrouter.requests
    assert first.raw == second.raw


def test_call_arguments_override_bound_ones_and_those_the_model(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, temperature=0.1, top_p=0.1, seed=1)
    assert sent_body(openrouter, model.bind(temperature=0.2, top_p=0.2), temperature=0.3) == body(
        temperature=0.3, top_p=0.2, seed=1
    )


def test_unknown_parameters_pass(openrouter: Emulator, model: ChatKimi) -> None:
    mine = ChatKimi(api_key=KEY, base_url=openrouter.base_url, model_kwargs={"brand_new": {"a": 1}})
    assert sent_body(openrouter, mine) == body(brand_new={"a": 1})
    assert sent_body(openrouter, mine, brand_new=None) == body()
    assert sent_body(openrouter, model, brand_new=[1]) == body(brand_new=[1])


def test_options_may_be_objects(openrouter: Emulator) -> None:
    model = ChatKimi(
        api_key=KEY,
        base_url=openrouter.base_url,
        provider=ProviderPreferences(order=["moonshotai"]),
        reasoning=Reasoning(effort="low"),
        plugins=[WebPlugin(max_results=3)],
    )
    sent = body(provider={"order": ["moonshotai"]}, plugins=[{"id": "web", "max_results": 3}])
    assert sent_body(openrouter, model) == {**sent, "reasoning": {"effort": "low"}}
    assert sent_body(openrouter, model, reasoning=Reasoning(enabled=False)) == {**sent, "reasoning": {"enabled": False}}


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_overrides_the_settings(openrouter: Emulator, way: Way) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, stop=["a"], max_tokens=5, temperature=1)
    openrouter.script(Reply(text="ok"), times=3)
    await ask(model, way, model="moonshotai/kimi-k2.5", stop=["b"], max_completion_tokens=6, temperature=None)
    stream = {"stream": True, "stream_options": {"include_usage": True}} if way.endswith("stream") else {}
    assert openrouter.bodies[0] == {
        **body(stop=["b"], max_completion_tokens=6, **stream),
        "model": "moonshotai/kimi-k2.5",
    }
    await ask(model.bind(stop=["c"], model_name="moonshotai/kimi-k3"), way)
    assert (openrouter.bodies[1]["stop"], openrouter.bodies[1]["model"]) == (["c"], "moonshotai/kimi-k3")
    await ask(model, way, stop=[])
    assert "stop" not in openrouter.bodies[2]


@pytest.mark.parametrize("way", WAYS)
async def test_a_parameter_outside_its_range_sends_nothing(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    with pytest.raises(KimiUsageError, match="temperature: must be a number from 0 to 2, got 3"):
        await ask(model, way, temperature=3)
    assert openrouter.requests == []


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_several_answers_cannot_be_streamed(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    with pytest.raises(KimiUsageError, match="n must be 1 when streaming"):
        await ask(model, way, n=2)
    assert openrouter.requests == []


@pytest.mark.parametrize("way", WAYS)
async def test_headers_of_a_call_are_sent(openrouter: Emulator, way: Way) -> None:
    headers = {"X-Mine": "model", "x-other": "kept", "X-Title": "Mine"}
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, default_headers=headers, app_title="Ours")
    await ask(model, way, extra_headers={"x-mine": "call"})
    [request] = openrouter.requests
    sent = {name: request.headers[name] for name in ("x-mine", "x-other", "x-title")}
    assert sent == {"x-mine": "call", "x-other": "kept", "x-title": "Mine"}
    assert "x-openrouter-title" not in request.headers
    assert request.sent_key(KEY)
    assert "extra_headers" not in request.body


@pytest.mark.covered
@pytest.mark.parametrize(
    "headers", [{"X-Mine": "line\nbreak"}, {"X Mine": "a"}, {"X-Mine": "é"}, {"X-Mine": 1}, {"": "a"}, ["X-Mine"]]
)
def test_invalid_headers_are_refused(openrouter: Emulator, model: ChatKimi, headers: Any) -> None:
    with pytest.raises(KimiUsageError, match="extra_headers"):
        model.invoke("hi", extra_headers=headers)
    assert openrouter.requests == []


@pytest.mark.parametrize("way", WAYS)
async def test_max_retries_can_be_passed_per_call(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.fail_next(faults.rate_limited(retry_after=0))
    assert (await ask(model, way, max_retries=1)).text
    openrouter.clear()
    openrouter.fail_next(faults.bad_gateway())
    with pytest.raises(KimiServerError):
        await ask(model, way, max_retries=None)
    assert len(openrouter.requests) == 1


@pytest.mark.parametrize("value", [-1, 1.5, "2", True])
def test_invalid_max_retries_are_refused(model: ChatKimi, value: Any) -> None:
    with pytest.raises(KimiUsageError, match="max_retries must be an integer of at least 0"):
        model.invoke("hi", max_retries=value)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["timeout", "request_timeout"])
async def test_the_timeout_can_be_passed_per_call(openrouter: Emulator, model: ChatKimi, name: str, way: Way) -> None:
    openrouter.fail_next(faults.silence())
    with pytest.raises(KimiTimeoutError):
        await ask(model, way, **{name: {"idle": 0.05}})


def test_a_time_in_milliseconds_is_refused(openrouter: Emulator, model: ChatKimi) -> None:
    with pytest.raises(KimiUsageError, match="unit is seconds"):
        model.invoke("hi", timeout=30_000)
    assert openrouter.requests == []


@pytest.mark.parametrize(
    ("default", "per_call", "expected"), [(True, None, True), (False, None, False), (True, False, False)]
)
def test_usage_of_a_stream(openrouter: Emulator, default: Any, per_call: Any, expected: Any) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, stream_usage=default)
    chunks = list(model.stream("hi", stream_usage=per_call))
    assert any(chunk.usage_metadata for chunk in chunks) is expected
    assert chunks[-1].response_metadata["cost"] > 0
    model.invoke("hi", stream_usage=per_call)
    names = {"model", "messages", "stream"} | ({"stream_options"} if expected else set())
    assert [set(sent) for sent in openrouter.bodies] == [names, {"model", "messages"}]


def test_streaming_can_be_the_default(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, streaming=True)
    assert model.invoke("hi").response_metadata["finish_reason"] == "stop"
    assert openrouter.bodies[0]["stream"] is True
    without = ChatKimi(api_key=KEY, base_url=openrouter.base_url, streaming=False)
    assert len(list(without.stream("hi"))) == 1
    assert "stream" not in openrouter.bodies[1]


def test_fields_can_be_configurable(openrouter: Emulator, model: ChatKimi) -> None:
    configurable = model.configurable_fields(temperature=ConfigurableField(id="heat"))
    openrouter.script(Reply(text="ok"))
    configurable.invoke("hi", {"configurable": {"heat": 0.5}})
    assert openrouter.bodies == [body(temperature=0.5)]
