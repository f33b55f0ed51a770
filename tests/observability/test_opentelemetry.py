"""Costs in OpenTelemetry, as its exporters and a collector receive them."""

import asyncio
import gc
import sys
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiError, KimiUsageError
from langchain_kimi.observability import OpenTelemetryCosts
from langchain_kimi.testing import Emulator, faults
from tests.collectors import collector
from tests.conftest import KEY
from tests.observability.telemetry import Telemetry, export, sdk

STORY = "Tell me of the sea."


def test_the_current_span_has_the_conventional_attributes_and_the_total_cost(
    model: ChatKimi, telemetry: Telemetry
) -> None:
    costs = telemetry.costs(metrics=False)
    with telemetry.tracers.get_tracer("app").start_as_current_span("work"):
        first = model.invoke(STORY, {"callbacks": [costs]})
        last = model.invoke(STORY, {"callbacks": [costs]})
    [span] = telemetry.exporter.get_finished_spans()
    replies = [answer.response_metadata for answer in (first, last)]
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": "moonshotai/kimi-k2-0905",
        "gen_ai.response.model": "moonshotai/kimi-k2-0905",
        "gen_ai.response.id": replies[1]["id"],
        "gen_ai.response.finish_reasons": ("stop",),
        "kimi.host": "Moonshot AI",
        "kimi.cached_share": pytest.approx(span.attributes["kimi.cached_share"]),
        "kimi.attempts": 1,
        "kimi.state": "answered",
        "kimi.cost": pytest.approx(sum(reply["cost"] for reply in replies)),
    }
    assert telemetry.points() == {}


def test_an_own_span_has_tokens_and_its_time(model: ChatKimi, telemetry: Telemetry) -> None:
    [*_] = model.stream(STORY, {"callbacks": [telemetry.costs(span="own")]})
    [span] = telemetry.exporter.get_finished_spans()
    assert span.name == "chat moonshotai/kimi-k2-0905"
    assert span.kind.name == "CLIENT"
    assert span.end_time > span.start_time
    attributes = span.attributes
    assert attributes["gen_ai.usage.input_tokens"] > 0
    assert attributes["gen_ai.usage.output_tokens"] > 0
    assert attributes["gen_ai.usage.cache_read.input_tokens"] >= 0
    assert attributes["gen_ai.usage.reasoning.output_tokens"] == 0
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert attributes["kimi.cost"] > 0


def test_a_failed_call_has_a_span_with_its_error(openrouter: Emulator, telemetry: Telemetry) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    openrouter.fail_next(faults.connection_cut())
    with pytest.raises(KimiError):
        list(model.stream(STORY, {"callbacks": [telemetry.costs(span="own")]}))
    [span] = telemetry.exporter.get_finished_spans()
    assert span.status.status_code.name == "ERROR"
    assert (span.attributes["kimi.state"], "kimi.cost" in span.attributes) == ("failed", False)
    assert span.attributes["error.type"] == span.status.description


def test_an_unknown_cost_is_not_reported(model: ChatKimi, telemetry: Telemetry) -> None:
    with telemetry.tracers.get_tracer("app").start_as_current_span("work"):
        stream: Any = model.stream(STORY, {"callbacks": [telemetry.costs(metrics=False)]})
        next(stream)
        stream.close()
    [span] = telemetry.exporter.get_finished_spans()
    assert (span.attributes["kimi.state"], "kimi.cost" in span.attributes) == ("abandoned", False)


async def test_metrics_are_those_of_the_conventions(model: ChatKimi, telemetry: Telemetry) -> None:
    costs = telemetry.costs(span=None)
    answer = await model.ainvoke(STORY, {"callbacks": [costs]})
    async for _ in model.astream(STORY, {"callbacks": [costs]}):
        pass
    stream: Any = model.stream(STORY, {"callbacks": [costs]})
    next(stream)
    stream.close()
    await asyncio.sleep(0)
    gc.collect()
    points = telemetry.points()
    assert {name: sum(getattr(point, "count", 0) for point in each) for name, each in points.items()} == {
        "gen_ai.client.token.usage": 4,
        "gen_ai.client.operation.duration": 3,
        "gen_ai.client.operation.time_to_first_chunk": 2,
        "kimi.cost": 0,
    }
    kinds = {point.attributes["gen_ai.token.type"]: point.sum for point in points["gen_ai.client.token.usage"]}
    assert answer.usage_metadata is not None
    assert kinds["input"] == 2 * answer.usage_metadata["input_tokens"]
    [cost] = points["kimi.cost"]
    assert cost.value >= answer.response_metadata["cost"]
    errors = [point.attributes.get("error.type") for point in points["gen_ai.client.operation.duration"]]
    assert sorted(map(str, errors)) == ["GeneratorExit", "None"]
    assert telemetry.exporter.get_finished_spans() == ()


def test_without_a_span_and_from_the_cache_nothing_is_reported(openrouter: Emulator, telemetry: Telemetry) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, cache=InMemoryCache())
    costs = telemetry.costs(metrics=False)
    model.invoke(STORY, {"callbacks": [costs]})
    model.invoke(STORY, {"callbacks": [telemetry.costs(span="own")]})
    assert telemetry.exporter.get_finished_spans() == ()


def test_a_collector_receives_spans_over_http(model: ChatKimi) -> None:
    otlp: Any = pytest.importorskip(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter", reason="the OTLP exporter is not installed"
    )
    wire: Any = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    with collector() as collected:
        tracers = sdk.TracerProvider()
        tracers.add_span_processor(export.SimpleSpanProcessor(otlp.OTLPSpanExporter(f"{collected.url}/v1/traces")))
        costs = OpenTelemetryCosts(span="own", metrics=False, tracer_provider=tracers)
        answer = model.invoke(STORY, {"callbacks": [costs]})
        tracers.shutdown()
        [body] = collected.bodies("/v1/traces")
    [span] = wire.ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
    received = {attribute.key: attribute.value for attribute in span.attributes}
    assert received["kimi.cost"].double_value == answer.response_metadata["cost"]
    assert received["gen_ai.response.id"].string_value == answer.response_metadata["id"]
    assert STORY.encode() not in body


def test_without_opentelemetry_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(KimiUsageError, match="the extra `opentelemetry`"):
        OpenTelemetryCosts()
