"""A tracer and a meter of OpenTelemetry in memory."""

from typing import Any

import pytest

from langchain_kimi.observability import OpenTelemetryCosts

sdk: Any = pytest.importorskip("opentelemetry.sdk.trace", reason="OpenTelemetry's SDK is not installed")
export: Any = pytest.importorskip("opentelemetry.sdk.trace.export")
memory: Any = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
sdk_metrics: Any = pytest.importorskip("opentelemetry.sdk.metrics")
metrics_export: Any = pytest.importorskip("opentelemetry.sdk.metrics.export")


class Telemetry:
    """A tracer and a meter, and what they were given."""

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
