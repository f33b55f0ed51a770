"""Tests that OpenRouter's official SDK reads the emulator's responses without validation errors."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import pytest
from openrouter import OpenRouter
from openrouter.components import ReasoningDetailServerToolCall
from openrouter.errors import (
    BatchErrorResponse,
    BatchPaymentRequiredResponseError,
    OpenRouterError,
    ResponseValidationError,
)

from langchain_kimi.testing import BatchEnding, Emulator, Fault, Reply, ServerToolCall, ToolCall, faults
from tests.plain_http import NO_TLS

MODEL = "moonshotai/kimi-k2.6"
MESSAGES: Any = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


FETCH: Any = [{"type": "openrouter:web_fetch"}]


@pytest.fixture
def sdk(openrouter: Emulator) -> Iterator[OpenRouter]:
    clients: dict[str, Any] = {"client": httpx.Client(verify=NO_TLS), "async_client": httpx.AsyncClient(verify=NO_TLS)}
    with (
        clients["client"],
        OpenRouter(api_key="key", server_url=openrouter.base_url, retry_config=None, **clients) as sdk_client,
    ):
        yield sdk_client


USER: Any = {"bearer": "key"}
ENDPOINTS: dict[str, Callable[[OpenRouter], Any]] = {
    "models": lambda sdk: cast("Any", sdk.models.list()).result.data[0].id,
    "models of the user": lambda sdk: cast("Any", sdk.models.list_for_user(security=USER)).result.data[0].id,
    "count of models": lambda sdk: sdk.models.count().data.count,
    "model": lambda sdk: sdk.models.get(author="moonshotai", slug="kimi-k3").data.id,
    "endpoints": lambda sdk: sdk.endpoints.list(author="moonshotai", slug="kimi-k3").data.endpoints[0].tag,
    "endpoints with zero data retention": lambda sdk: sdk.endpoints.list_zdr_endpoints().data[0].tag,
    "providers": lambda sdk: sdk.providers.list().data[0].slug,
    "key": lambda sdk: sdk.api_keys.get_current_key_metadata().data.label,
    "credits": lambda sdk: sdk.credits.get_credits().data.total_credits,
}


# The SDK marks fields of the key as deprecated.
@pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")
@pytest.mark.parametrize("name", ENDPOINTS)
def test_endpoints_are_valid(sdk: OpenRouter, name: str) -> None:
    assert ENDPOINTS[name](sdk)


REPLIES = {
    "text": Reply(text="Hello."),
    "tool call": Reply(tool_calls=[ToolCall("get_weather", {"city": "Paris"})]),
    "reasoning": Reply(text="Hello.", reasoning="Hm."),
    "refusal": Reply(refusal="I cannot help with that."),
    "citations": Reply(text="Hello.", citations=["https://example.com/"]),
    "server tool": Reply(text="Hello.", server_tools=[ServerToolCall("openrouter:web_fetch", {"url": "x"}, "A page.")]),
    "usage": Reply(text="Hello.", usage={"prompt_tokens": 7}, cost=0.25, provider="Groq"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_replies_are_valid(openrouter: Emulator, sdk: OpenRouter, name: str) -> None:
    openrouter.script(REPLIES[name], times=2)
    reply: Any = sdk.chat.send(model=MODEL, messages=MESSAGES, tools=[WEATHER])
    assert reply.choices[0].message.role == "assistant"
    stream: Any = sdk.chat.send(model=MODEL, messages=MESSAGES, tools=[WEATHER], stream=True)
    assert [chunk for chunk in stream if chunk.usage][-1].usage.total_tokens


def test_the_sdk_reads_the_calls_of_server_tools(openrouter: Emulator, sdk: OpenRouter) -> None:
    openrouter.script(REPLIES["server tool"], times=2)
    reply: Any = sdk.chat.send(model=MODEL, messages=MESSAGES, tools=FETCH)
    stream: Any = sdk.chat.send(model=MODEL, messages=MESSAGES, tools=FETCH, stream=True)
    chunks = list(stream)
    streamed = [
        detail for chunk in chunks for choice in chunk.choices for detail in choice.delta.reasoning_details or ()
    ]
    for details in (reply.choices[0].message.reasoning_details, streamed):
        [call] = [detail for detail in details if isinstance(detail, ReasoningDetailServerToolCall)]
        assert (call.tool_name, call.arguments, call.result) == ("openrouter:web_fetch", '{"url": "x"}', "A page.")
    for usage in (reply.usage, chunks[-1].usage):
        assert usage.server_tool_use_details.tool_calls_executed == 1


def test_generations_are_valid(sdk: OpenRouter) -> None:
    reply: Any = sdk.chat.send(model=MODEL, messages=MESSAGES)
    with pytest.raises(OpenRouterError, match="not found"):
        sdk.generations.get_generation(id=reply.id)
    assert sdk.generations.get_generation(id=reply.id).data.id == reply.id


def test_activity_is_valid(sdk: OpenRouter) -> None:
    sdk.chat.send(model=MODEL, messages=MESSAGES)
    assert sdk.analytics.get_user_activity().data[0].requests >= 1


def test_models_are_filtered_and_paged(sdk: OpenRouter) -> None:
    page: Any = sdk.models.list(offset=1, limit=2, supported_parameters="tools", input_modalities="image", q="kimi-k")
    assert [model.id for model in page.result.data] == ["moonshotai/kimi-k2.6", "moonshotai/kimi-k3"]
    assert page.result.total_count == 3
    assert cast("Any", sdk.models.list(model_authors="nobody")).result.data == []
    assert len(cast("Any", sdk.models.list(max_price=0.5, context=200_000)).result.data) == 1


FAULTS: list[Fault] = [
    faults.unauthorized(), faults.out_of_credits(), faults.key_limit_exceeded(), faults.moderated(),
    faults.no_endpoints(), faults.timed_out(), faults.payload_too_large(), faults.rate_limited(),
    faults.free_rate_limited(), faults.free_daily_cap(), faults.no_capacity(), faults.internal_error(),
    faults.bad_gateway(), faults.unavailable(), faults.edge_timeout(), faults.overloaded(),
    faults.context_overflow(), faults.provider_refused("no"), faults.unknown_model(),
]  # fmt: skip


@pytest.mark.uncovered
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_faults_are_valid(openrouter: Emulator, sdk: OpenRouter, fault: Fault) -> None:
    openrouter.fail_next(fault, times=None)
    with pytest.raises(OpenRouterError) as raised:
        sdk.chat.send(model=MODEL, messages=MESSAGES)
    assert not isinstance(raised.value, ResponseValidationError)


ROWS: Any = [{"custom_id": name, "body": {"messages": MESSAGES, "tools": [WEATHER]}} for name in "abc"]
ENDINGS: list[BatchEnding] = [
    BatchEnding(), faults.rows_rejected(0), faults.rows_missing(1), faults.rows_reversed(), faults.batch_expired(1),
    faults.batch_cancelled(1), faults.batch_failed(),
]  # fmt: skip


def submitted(sdk: OpenRouter) -> Any:
    return sdk.batch.create_batches(endpoint="/v1/chat/completions", model=MODEL, requests=ROWS)


@pytest.mark.uncovered
@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.status)
def test_batches_are_valid(openrouter: Emulator, sdk: OpenRouter, ending: BatchEnding) -> None:
    openrouter.script_batches(ending)
    openrouter.script(REPLIES["tool call"], REPLIES["reasoning"], REPLIES["citations"])
    batch = submitted(sdk)
    states = [batch.status]
    while batch.finalized_at is None:
        batch = sdk.batch.get_batches(id=batch.id)
        states.append(batch.status)
    assert states == ["validating", "in_progress", ending.status]
    assert len(batch.results or ()) == (0 if ending.status == "failed" else 3 - len(ending.missing))
    assert cast("Any", sdk.batch.list()).result.data[0].id == batch.id
    assert sdk.batch.delete(id=batch.id).deletion.openrouter == "deleted"


def test_errors_of_batches_are_valid(openrouter: Emulator, sdk: OpenRouter) -> None:
    openrouter.script_batches(faults.results_unpaid(), faults.results_deleted())
    openrouter.behave(batch_states=())
    for kind in (BatchPaymentRequiredResponseError, BatchErrorResponse):
        batch = submitted(sdk)
        with pytest.raises(kind):
            sdk.batch.get_batches(id=batch.id)
    with pytest.raises(BatchErrorResponse):
        sdk.batch.get_batches(id="unknown")
    with pytest.raises(BatchErrorResponse):
        sdk.batch.create_batches(endpoint="/v1/chat/completions", model=MODEL, requests=[])
