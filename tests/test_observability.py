"""Costs on LangSmith's runs and in OpenTelemetry, as collectors receive them."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langsmith import Client

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiError, KimiUsageError
from langchain_kimi.observability import LangSmithCosts, OpenTelemetryCosts, costs_of_reply
from langchain_kimi.testing import Emulator, faults
from tests.collectors import Collector, collector
from tests.conftest import KEY
from tests.costs.test_failed_calls import billed_failure

STORY = "Tell me of the sea."


@pytest.fixture
def langsmith() -> Iterator[Collector]:
    with collector() as collected:
        yield collected


def tracer(langsmith: Collector) -> LangSmithCosts:
    client = Client(api_url=langsmith.url, api_key="k", auto_batch_tracing=False)
    return LangSmithCosts(client=client, project_name="tests")


def metadata_of_run(tracer: LangSmithCosts, langsmith: Collector) -> dict[str, Any]:
    """Return the metadata with which the only run ended."""
    tracer.wait_for_futures()
    patched = [body for body in langsmith.json("/runs/") if body.get("end_time")]
    metadata: dict[str, Any] = patched[-1]["extra"]["metadata"]
    return metadata


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_langsmith_run_has_the_cost_of_the_reply(model: ChatKimi, langsmith: Collector, way: str) -> None:
    traced = tracer(langsmith)
    config: Any = {"callbacks": [traced]}
    answer: Any = model.invoke(STORY, config) if way == "invoke" else None
    if answer is None:
        for chunk in model.stream(STORY, config):
            answer = chunk if answer is None else answer + chunk
    metadata = metadata_of_run(traced, langsmith)
    usage = metadata["usage_metadata"]
    reply = answer.response_metadata
    assert usage["total_cost"] == reply["cost"] > 0
    assert usage["input_cost"] + usage["output_cost"] == pytest.approx(usage["total_cost"])
    assert usage["total_tokens"] == answer.usage_metadata["total_tokens"]
    assert {name: value for name, value in metadata.items() if name.startswith("kimi_")} == {
        "kimi_host": "Moonshot AI",
        "kimi_generation_id": reply["id"],
        "kimi_cached_share": metadata["kimi_cached_share"],
        "kimi_attempts": 1,
        "kimi_finish_reason": "stop",
    }
    # The message itself has LangChain's keys only, which other callbacks add up.
    assert "total_cost" not in answer.usage_metadata


def test_a_failed_run_has_its_cost_and_attempts(openrouter: Emulator, langsmith: Collector) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1)
    openrouter.script(billed_failure(streamed=False), times=2)
    traced = tracer(langsmith)
    with pytest.raises(KimiError):
        model.invoke(STORY, {"callbacks": [traced]})
    metadata = metadata_of_run(traced, langsmith)
    assert metadata["usage_metadata"]["total_cost"] == 0.25
    assert (metadata["kimi_host"], metadata["kimi_attempts"]) == ("Host", 2)


def test_an_abandoned_run_has_no_cost(model: ChatKimi, langsmith: Collector) -> None:
    traced = tracer(langsmith)
    stream: Any = model.stream(STORY, {"callbacks": [traced]})
    next(stream)
    stream.close()
    metadata = metadata_of_run(traced, langsmith)
    assert metadata["kimi_attempts"] == 1
    assert "total_cost" not in (metadata.get("usage_metadata") or {})


def test_runs_of_other_kinds_are_left_as_they_are(langsmith: Collector) -> None:
    traced = tracer(langsmith)
    chain: Any = RunnableLambda(str.upper) | FakeListChatModel(responses=["Yes."])
    chain.invoke("x", {"callbacks": [traced]})
    traced.wait_for_futures()
    assert b"kimi_" not in b"".join(langsmith.bodies("/runs"))


@pytest.mark.parametrize(
    ("reply", "costs"),
    [
        ({"cost": 1.5}, {"total_cost": 1.5}),
        (
            {"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.9}},
            {"total_cost": 1.0},
        ),
        (
            {
                "cost": 2.0,
                "cost_details": {"upstream_inference_prompt_cost": 1, "upstream_inference_completions_cost": 3},
            },
            {"input_cost": 0.5, "output_cost": 1.5, "total_cost": 2.0},
        ),
    ],
)
def test_the_cost_is_shared_as_the_host_bills_it(reply: dict[str, Any], costs: dict[str, float]) -> None:
    assert costs_of_reply(reply) == costs


sdk: Any = pytest.importorskip("opentelemetry.sdk.trace", reason="OpenTelemetry's SDK is not installed")
export: Any = pytest.importorskip("opentelemetry.sdk.trace.export")
memory: Any = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
sdk_metrics: Any = pytest.importorskip("opentelemetry.sdk.metrics")
metrics_export: Any = pytest.importorskip("opentelemetry.sdk.metrics.export")


class Telemetry:
    """A tracer and a meter in memory."""

    def __init__(self) -> None:
        self.exporter = memory.InMemorySpanExporter()
        self.tracers = sdk.TracerProvider()
        self.tracers.add_span_processor(export.SimpleSpanProcessor(self.exporter))
        self.reader = metrics_export.InMemoryMetricReader()
        self.meters = sdk_metrics.MeterProvider(metric_readers=[self.reader])

    def costs(self, **settings: Any) -> OpenTelemetryCosts:
        return OpenTelemetryCosts(tracer_provider=self.tracers, meter_provider=self.meters, **settings)

    def points(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        scopes = data.resource_metrics[0].scope_metrics if data else []
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()


def test_the_current_span_has_what_the_conventions_name_and_the_sum_of_costs(
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
    with pytest.raises(KimiUsageError, match=r"\[opentelemetry\]"):
        OpenTelemetryCosts()
