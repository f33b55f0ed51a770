"""Costs and hosts in traces: on LangSmith's runs, and on the spans and metrics of OpenTelemetry.

```python
from langchain_kimi.observability import LangSmithCosts, OpenTelemetryCosts

agent.invoke(question, config={"callbacks": [LangSmithCosts(), OpenTelemetryCosts()]})
```
"""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.tracers.schemas import Run

from langchain_kimi._costs.charges import CallCost, cost_of_error, plausible_tokens
from langchain_kimi._costs.records import CallObserver, CallRecord
from langchain_kimi.errors import KimiError, KimiUsageError

__all__ = ["LangSmithCosts", "OpenTelemetryCosts"]


class LangSmithCosts(LangChainTracer):
    """LangSmith's tracer, with the costs of calls in the fields from which LangSmith sums up costs.

    Pass it in place of LangChain's own tracer, which is then not added, even if `LANGSMITH_TRACING` is set. The usage
    of a run gets `total_cost`, `input_cost` and `output_cost` in US dollars, and its metadata `kimi_host`,
    `kimi_generation_id`, `kimi_cached_share`, `kimi_attempts` and `kimi_finish_reason`.

    Args:
        **kwargs: The arguments of `LangChainTracer`, such as `project_name` and `client`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._attempts: dict[UUID, int] = {}
        self._failures: dict[UUID, CallCost] = {}

    def on_retry(self, *args: Any, run_id: UUID, **kwargs: Any) -> Any:
        """Count a failed attempt."""
        self._attempts[run_id] = self._attempts.get(run_id, 1) + 1
        return super().on_retry(*args, run_id=run_id, **kwargs)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> Any:
        """Note the cost of a call that failed."""
        self._failures[run_id] = cost_of_error(error, kwargs.get("response"))
        if isinstance(error, KimiError) and error.attempts:
            self._attempts[run_id] = len(error.attempts) + 1
        return super().on_llm_error(error, run_id=run_id, **kwargs)

    def _update_run_single(self, run: Run) -> None:  # type: ignore[override]  # LangChain calls it on the tracer
        if run.run_type == "llm":
            attempts = self._attempts.pop(run.id, 1)
            add_costs(run, self._failures.pop(run.id, None), attempts)
        super()._update_run_single(run)


def add_costs(run: Run, failure: CallCost | None, attempts: int) -> None:
    """Add costs to a run of LangSmith.

    Args:
        run: The run, which has ended.
        failure: The cost of the call if it failed.
        attempts: The number of attempts.
    """
    reply = _reply_metadata(run)
    if not reply and failure is None:
        return
    extra = run.extra if run.extra is not None else {}
    run.extra = extra
    metadata = extra.setdefault("metadata", {})
    usage = dict(metadata.get("usage_metadata") or {})
    reported = failure or CallCost()
    metadata.update(
        _present(
            kimi_host=reply.get("provider") or reported.provider,
            kimi_generation_id=reply.get("id") or reported.generation_id,
            kimi_cached_share=cached_share(usage or reported.usage or {}),
            kimi_attempts=attempts,
            kimi_finish_reason=reply.get("finish_reason"),
        )
    )
    costs = costs_of_reply(reply) if reply.get("cost") is not None else {}
    if not costs and reported.cost:
        costs = {"total_cost": float(reported.cost + reported.upstream_cost)}
    if costs:
        metadata["usage_metadata"] = {**(usage or reported.usage or {}), **costs}


def costs_of_reply(reply: Mapping[str, Any]) -> dict[str, float]:
    """Return LangSmith's cost fields for the metadata of a reply. Input and output share the cost as the host bills it.

    Args:
        reply: The `response_metadata` of a message.
    """
    details = reply.get("cost_details") or {}
    total = reply["cost"]
    if reply.get("is_byok"):
        total += details.get("upstream_inference_cost") or 0
    parts = [details.get(f"upstream_inference_{kind}_cost") or 0 for kind in ("prompt", "completions")]
    if sum(parts) <= 0:
        return {"total_cost": total}
    input_cost = total * parts[0] / sum(parts)
    return {"input_cost": input_cost, "output_cost": total - input_cost, "total_cost": total}


def cached_share(usage: Mapping[str, Any]) -> float | None:
    """Return the share of input tokens that the host read from its cache, None without input."""
    tokens = plausible_tokens(usage.get("input_tokens"))
    cached = plausible_tokens((usage.get("input_token_details") or {}).get("cache_read"))
    return cached / tokens if tokens else None


def _reply_metadata(run: Run) -> dict[str, Any]:
    generations = (run.outputs or {}).get("generations") or [[]]
    message = generations[0][0].get("message") if generations[0] else None
    metadata: dict[str, Any] = ((message or {}).get("kwargs") or {}).get("response_metadata") or {}
    return metadata


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


class OpenTelemetryCosts(CallObserver):
    """Costs, hosts and tokens in OpenTelemetry, by the semantic conventions for generative AI.

    With `span="current"`, the span in which a call ends gets the attributes of the call. Tokens are left out there,
    because other instrumentations (OpenInference, Traceloop, Langfuse) report them on spans of their own, and backends
    would add both. Without another instrumentation, `span="own"` makes a span for each call, with tokens. What the
    conventions do not name begins with `kimi.`. A span with several calls has the sum of their costs.

    Metrics: `gen_ai.client.token.usage`, `gen_ai.client.operation.duration`,
    `gen_ai.client.operation.time_to_first_chunk`, and `kimi.cost` in US dollars. Traceloop reports the first
    two as well; beside it, pass `metrics=False`.

    Args:
        span: The span that gets the attributes: `"current"`, `"own"`, or None for no span.
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
                advice="Install langchain-kimi-openrouter[opentelemetry].",
            ) from None
        self._span = span
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
            self._annotate(self._trace.get_current_span(), record)
        if self._instruments:
            self._measure(record)

    def _make_span(self, record: CallRecord) -> None:
        start = round(record.time * 1e9)
        name = f"chat {record.requested_model}"
        span = self._tracer.start_span(name, kind=self._trace.SpanKind.CLIENT, start_time=start)
        span.set_attributes({**attributes_of(record), **_present(**{"kimi.cost": _dollars(record.cost)})})
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
        duration = {**attributes, **_present(**{"error.type": record.error})}
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
        **_present(
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
    return {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openrouter", **_present(**models)}


def _dollars(cost: CallCost) -> float | None:
    return None if cost.cost is None else float(cost.cost + cost.upstream_cost)


def _tokens(cost: CallCost) -> dict[str, int]:
    usage: Any = cost.usage or {}
    details, outputs = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return {
        "gen_ai.usage.input_tokens": plausible_tokens(usage.get("input_tokens")),
        "gen_ai.usage.output_tokens": plausible_tokens(usage.get("output_tokens")),
        "gen_ai.usage.cache_read.input_tokens": plausible_tokens(details.get("cache_read")),
        "gen_ai.usage.reasoning.output_tokens": plausible_tokens(outputs.get("reasoning")),
    }
