"""A real LiteLLM proxy in front of the emulator answers a model; run by `make test-litellm`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_kimi import (
    Budget,
    ChatKimi,
    KimiBudgetExceededError,
    KimiContextOverflowError,
    KimiError,
    KimiIncompleteStreamError,
    KimiNotFoundError,
    KimiRateLimitError,
    KimiServerError,
    KimiStatusError,
    track_costs,
)
from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.chat.asking import WAYS, Way, ask
from tests.servers.ports import free_port

if find_spec("litellm") is None:
    pytest.skip("litellm is not installed here; `make test-litellm` installs it", allow_module_level=True)

MODEL = "moonshotai/kimi-k2-0905"
MASTER_KEY = "sk-planted-key-that-opens-nothing"
START_LIMIT = 300
"""The seconds after which a proxy that has not started fails the tests."""


@tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"Sun in {city}"


class Trip(BaseModel):
    """A trip."""

    city: str
    days: int


@pytest.fixture(scope="module")
def upstream() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def base_url(upstream: Emulator, llama_cpp: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("litellm")
    hosts = {MODEL: upstream.base_url, "tiny": llama_cpp}
    settings = {
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {"model": f"openai/{name}", "api_base": url, "api_key": "unused", "max_retries": 0},
            }
            for name, url in hosts.items()
        ],
        "litellm_settings": {"num_retries": 0},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": MASTER_KEY},
    }
    config = directory / "config.yaml"
    # Every JSON text is also YAML.
    config.write_text(json.dumps(settings), encoding="utf-8")
    port = free_port()
    options = {"--config": config, "--host": "127.0.0.1", "--port": port}
    command = [Path(sys.executable).with_name("litellm"), *(word for option in options.items() for word in option)]
    # Its table of prices is on GitHub; this variable makes it use the one in the package.
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "DO_NOT_TRACK": "1"}
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)), stdout=output, stderr=subprocess.STDOUT, cwd=directory, env=environment
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"LiteLLM did not start:\n{log.read_text(encoding='utf-8')[-4000:]}")


@pytest.fixture
def openrouter(upstream: Emulator) -> Emulator:
    upstream.clear()
    return upstream


@pytest.fixture
def model(openrouter: Emulator, base_url: str) -> ChatKimi:
    return ChatKimi(model=MODEL, base_url=base_url, api_key=MASTER_KEY, max_retries=0, retry_empty=0)


@pytest.mark.parametrize("way", WAYS)
async def test_a_text_comes_with_its_usage_and_cost(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(Reply(text="Hello there."))
    with track_costs() as costs:
        message = await ask(model, way)
    assert message.content == "Hello there."
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["model_name"] == MODEL
    usage = message.usage_metadata
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0
    assert costs.total.calls == 1
    assert costs.total.total_tokens == usage["total_tokens"]
    [body] = openrouter.bodies
    assert body.get("stream_options") == ({"include_usage": True} if way.endswith("stream") else None)


@pytest.mark.parametrize("way", WAYS)
async def test_reasoning_comes_through(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(Reply(text="Yes.", reasoning="Let me think."))
    message = await ask(model, way)
    assert [block["type"] for block in message.content_blocks] == ["reasoning", "text"]
    assert message.content_blocks[0]["reasoning"] == "Let me think."


@pytest.mark.parametrize("way", WAYS)
async def test_a_tool_call_and_its_result_make_the_round_trip(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    openrouter.script(Reply(tool_calls=[ToolCall("get_weather", {"city": "Lisbon"})]), Reply(text="Sun in Lisbon."))
    bound = model.bind_tools([get_weather])
    message = await ask(bound, way, "The weather in Lisbon?")
    [call] = message.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Lisbon"})
    assert message.response_metadata["finish_reason"] == "tool_calls"
    result = get_weather.invoke(call)
    final = await ask(bound, way, [("human", "The weather in Lisbon?"), message, result])
    assert final.content == "Sun in Lisbon."
    sent = openrouter.bodies[1]["messages"]
    assert [entry["role"] for entry in sent] == ["user", "assistant", "tool"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"]


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
@pytest.mark.parametrize("way", WAYS)
async def test_structured_output(openrouter: Emulator, model: ChatKimi, way: Way, method: Any) -> None:
    trip = {"city": "Lisbon", "days": 4}
    calls = method == "function_calling"
    openrouter.script(Reply(tool_calls=[ToolCall("Trip", trip)]) if calls else Reply(text=json.dumps(trip)))
    chain = model.with_structured_output(Trip, method=method)
    values = [chunk async for chunk in chain.astream("Plan a trip.")] if way == "astream" else []
    values = values or (list(chain.stream("Plan a trip.")) if way == "stream" else [])
    values = values or [await chain.ainvoke("Plan a trip.") if way == "ainvoke" else chain.invoke("Plan a trip.")]
    assert values[-1] == Trip(city="Lisbon", days=4)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("fault", "error_type"),
    [
        (faults.rate_limited, KimiRateLimitError),
        (faults.overloaded, KimiServerError),
        (faults.context_overflow, KimiContextOverflowError),
    ],
    ids=["rate limit", "overload", "context overflow"],
)
async def test_an_upstream_error_is_typed(
    openrouter: Emulator, model: ChatKimi, way: Way, fault: Callable[[], Any], error_type: type[KimiError]
) -> None:
    openrouter.fail_next(fault())
    with pytest.raises(error_type) as caught:
        await ask(model, way)
    assert MASTER_KEY not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("fault", [faults.stream_error, faults.connection_cut], ids=["error event", "cut connection"])
async def test_a_stream_that_fails_upstream_is_an_error(
    openrouter: Emulator, model: ChatKimi, way: Way, fault: Callable[[], Any]
) -> None:
    openrouter.fail_next(fault())
    with pytest.raises((KimiServerError, KimiIncompleteStreamError)) as caught:
        await ask(model, way)
    assert caught.value.partial is not None
    assert caught.value.partial.content


# Observed with LiteLLM 1.108: a proxy without a database answers 400 to keys other than its own.
@pytest.mark.parametrize("way", WAYS)
async def test_an_unknown_key_is_an_error_without_the_key(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    key = "sk-another-planted-key"
    with pytest.raises(KimiStatusError, match="No connected db") as caught:
        await ask(ChatKimi(model=MODEL, base_url=model.base_url, api_key=key, max_retries=0), way)
    assert not caught.value.is_retryable
    assert key not in f"{caught.value!r}{caught.value}"
    assert openrouter.bodies == []


@pytest.mark.parametrize("way", WAYS)
async def test_llama_cpp_behind_the_proxy_answers_with_usage(model: ChatKimi, way: Way) -> None:
    message = await ask(model.model_copy(update={"model_name": "tiny", "max_tokens": 8}), way)
    assert message.response_metadata["finish_reason"] in {"stop", "length"}
    assert 0 < message.usage_metadata["output_tokens"] <= 8


@pytest.mark.parametrize("way", WAYS)
async def test_an_unknown_model_is_not_found(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    with pytest.raises(KimiNotFoundError, match="Invalid model name passed in model=moonshotai/kimi-k9"):
        await ask(model.model_copy(update={"model_name": "moonshotai/kimi-k9"}), way)
    assert openrouter.bodies == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_budget_counts_the_calls(openrouter: Emulator, model: ChatKimi, way: Way) -> None:
    # The budget reserves the prompt and `max_tokens` before a call, so it is enough for one call only.
    budget = Budget(max_tokens=100)
    limited = model.model_copy(update={"max_tokens": 60})
    await ask(limited, way, "hi", {"callbacks": [budget]})
    assert budget.total.total_tokens > 10
    with pytest.raises(KimiBudgetExceededError):
        await ask(limited, way, "hi", {"callbacks": [budget]})
    assert len(openrouter.bodies) == 1
