"""Costs, hosts and tokens in OpenTelemetry."""

from collections.abc import Sequence
from typing import Any, Literal

from langchain_core.callbacks import BaseCallbackHandler

from langchain_kimi._costs.charges import CallCost, plausible_tokens
from langchain_kimi._costs.records import CallObserver, CallRecord
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.observability.spans import span_of_run
from langchain_kimi.observability.values import cached_share, present


class OpenTelemetryCosts(CallObserver):
    """Costs, hosts and tokens in OpenTelemetry, by the semantic conventions for generative AI.

    With `span="current"`, the span that OpenInference or Traceloop opened for a call gets the attributes of the call,
    or else the span in which the call ends. Tokens are left out there, because those instrumentations report them, and
    backends would add both. Without another instrumentation, `span="own"` makes a span for each call, with tokens.
    Attributes that are not part of the conventions begin with `kimi.`. A span with several calls has the sum of their
    costs.

    Metrics: `gen_ai.client.token.usage`, `gen_ai.client.operation.duration`,
    `gen_ai.client.operation.time_to_first_chunk`, and `kimi.cost` in US dollars. Traceloop reports the first
    two as well; beside it, pass `metrics=False`.

    Args:
        span: The span that gets the attributes: `"current"`, `"own"`, or None for no span.
        beside: Handlers of other instrumentations whose spans get the attributes, such as Langfuse's `CallbackHandler`.
            Pass this object before them in `callbacks`, because they end their spans. OpenInference's and Traceloop's
            are not needed here.
        metrics: Whether to report metrics.
        tracer_provider: The provider of tracers; by default the global one.
        meter_provider: The provider of meters; by default the global one.

    Raises:
        KimiUsageError: OpenTelemetry is not installed.
    """

    def __init__(
        self,
        *,
        span: Literal["current", "own"] | None = "current",
        beside: Sequence[BaseCallbackHandler] = (),
        metrics: bool = True,
        tracer_provider: Any = None,
        meter_provider: Any = None,
    ) -> None:
        super().__init__()
        try:
            from opentelemetry import metrics as meters  # noqa: PLC0415 - an optional dependency
            from opentelemetry import trace  # noqa: PLC0415 - an optional dependency
        except ImportError:
            raise KimiUsageError(
                "OpenTelemetryCosts needs the package opentelemetry-api.",
                advice="Run `pip install opentelemetry-api`, or install the extra `opentelemetry`.",
            ) from None
        self._span = span
        self._beside = beside
        self._trace: Any = trace
        self._tracer = trace.get_tracer("langchain_kimi", tracer_provider=tracer_provider)
        meter = meters.get_meter("langchain_kimi", meter_provider=meter_provider) if metrics else None
        self._instruments = _instruments(meter) if meter else {}

    def observe(self, record: CallRecord) -> None:
        """Report a call to the span and the metrics."""
        if record.state == "cached":
            return
        if self._span == "own":
            self._make_span(record)
        elif self._span == "current":
            other = span_of_run(record.run_id, self._beside)
            self._annotate(other.span if other else self._trace.get_current_span(), record)
            if other and (dollars := _dollars(record.cost)) is not None:
                other.span.set_attributes(other.cost_attributes(dollars))
        if self._instruments:
            self._measure(record)

    def _make_span(self, record: CallRecord) -> None:
        start = round(record.time * 1e9)
        name = f"chat {record.requested_model}"
        span = self._tracer.start_span(name, kind=self._trace.SpanKind.CLIENT, start_time=start)
        span.set_attributes({**attributes_of(record), **present(**{"kimi.cost": _dollars(record.cost)})})
        span.set_attributes(_tokens(record.cost))
        if record.error:
            span.set_status(self._trace.StatusCode.ERROR, record.error)
        span.end(end_time=start + round(record.duration * 1e9))

    def _annotate(self, span: Any, record: CallRecord) -> None:
        if not span.is_recording():
            return
        span.set_attributes(attributes_of(record))
        dollars = _dollars(record.cost)
        if dollars is not None:
            earlier = (getattr(span, "attributes", None) or {}).get("kimi.cost", 0.0)
            span.set_attribute("kimi.cost", earlier + dollars)

    def _measure(self, record: CallRecord) -> None:
        attributes = _dimensions(record)
        duration = {**attributes, **present(**{"error.type": record.error})}
        self._instruments["duration"].record(record.duration, duration)
        if record.first_chunk is not None:
            self._instruments["first_chunk"].record(record.first_chunk, attributes)
        for kind in ("input", "output") if record.cost.usage else ():
            tokens = _tokens(record.cost)[f"gen_ai.usage.{kind}_tokens"]
            self._instruments["tokens"].record(tokens, {**attributes, "gen_ai.token.type": kind})
        if dollars := _dollars(record.cost):
            self._instruments["cost"].add(dollars, attributes)


def _instruments(meter: Any) -> dict[str, Any]:
    return {
        "tokens": meter.create_histogram("gen_ai.client.token.usage", "{token}", "Tokens of a call"),
        "duration": meter.create_histogram("gen_ai.client.operation.duration", "s", "Duration of a call"),
        "first_chunk": meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk", "s", "Time until the first chunk of a stream"
        ),
        "cost": meter.create_counter("kimi.cost", "USD", "Cost of calls"),
    }


def attributes_of(record: CallRecord) -> dict[str, Any]:
    """Return the attributes of a call, without its tokens and its cost."""
    return {
        **_dimensions(record),
        **present(
            **{
                "gen_ai.response.id": record.cost.generation_id,
                "gen_ai.response.finish_reasons": list(record.finish_reasons) or None,
                "gen_ai.response.time_to_first_chunk": record.first_chunk,
                "error.type": record.error,
                "kimi.host": record.cost.provider,
                "kimi.cached_share": cached_share(record.cost.usage or {}),
                "kimi.attempts": record.attempts,
                "kimi.state": record.state,
            }
        ),
    }


def _dimensions(record: CallRecord) -> dict[str, Any]:
    """Return the attributes of metrics, which have few values."""
    models = {"gen_ai.request.model": record.requested_model, "gen_ai.response.model": record.cost.model}
    return {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openrouter", **present(**models)}


def _dollars(cost: CallCost) -> float | None:
    return float(cost.cost + cost.upstream_cost) if cost.cost is not None and cost.is_known else None


def _tokens(cost: CallCost) -> dict[str, int]:
    usage: Any = cost.usage or {}
    details, outputs = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return {
        "gen_ai.usage.input_tokens": plausible_tokens(usage.get("input_tokens")),
        "gen_ai.usage.output_tokens": plausible_tokens(usage.get("output_tokens")),
        "gen_ai.usage.cache_read.input_tokens": plausible_tokens(details.get("cache_read")),
        "gen_ai.usage.reasoning.output_tokens": plausible_tokens(outputs.get("reasoning")),
    }
