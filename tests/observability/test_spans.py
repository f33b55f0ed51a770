"""Handlers with the shapes of other instrumentations. `test_instrumentations` tests the real ones."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager

from langchain_kimi import ChatKimi
from langchain_kimi.observability.spans import span_of_run
from tests.observability.telemetry import Telemetry

RUN = uuid4()


class OpenInference(BaseCallbackHandler):
    def __init__(self, span: Any) -> None:
        self._span = span

    def get_span(self, run_id: UUID) -> Any:
        return self._span if run_id == RUN else None


class Traceloop(BaseCallbackHandler):
    def __init__(self, span: Any) -> None:
        self.spans = {RUN: SimpleNamespace(span=span)}


class Langfuse(BaseCallbackHandler):
    def __init__(self, span: Any) -> None:
        self._runs = {RUN: SimpleNamespace(_otel_span=span)}


class Renamed(BaseCallbackHandler):
    """A handler of a later version, whose names are others."""

    spans = "none"
    get_span = None


COSTS = {
    OpenInference: {"llm.cost.total": 0.5},
    Traceloop: {},
    Langfuse: {"langfuse.observation.cost_details": '{"total": 0.5}'},
}


@pytest.mark.parametrize("kind", COSTS)
def test_the_span_of_a_run_is_that_of_the_handler(telemetry: Telemetry, kind: Any) -> None:
    span = telemetry.tracers.get_tracer("other").start_span("call")
    handlers = [Renamed(), kind(span)]
    other = span_of_run(RUN, handlers)
    assert other is not None
    assert other.span is span
    assert other.cost_attributes(0.5) == COSTS[kind]
    assert span_of_run(uuid4(), handlers) is None
    span.end()
    assert span_of_run(RUN, handlers) is None


def test_handlers_that_every_manager_has_are_found(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    span = telemetry.tracers.get_tracer("other").start_span("call")
    first = BaseCallbackManager.__init__

    def instrumented(self: BaseCallbackManager, *args: Any, **kwargs: Any) -> None:
        first(self, *args, **kwargs)
        self.add_handler(OpenInference(span), inherit=True)

    monkeypatch.setattr(BaseCallbackManager, "__init__", instrumented)
    other = span_of_run(RUN)
    assert other is not None
    assert other.span is span


def test_a_call_is_annotated_on_the_span_of_its_handler(model: ChatKimi, telemetry: Telemetry) -> None:
    class EverySpan(BaseCallbackHandler):
        """Has a span for every run."""

        span = telemetry.tracers.get_tracer("other").start_span("call")

        def get_span(self, _: UUID) -> Any:
            return self.span

    handler = EverySpan()
    answer = model.invoke("Hello.", {"callbacks": [telemetry.costs(metrics=False, beside=[handler])]})
    handler.span.end()
    [span] = telemetry.exporter.get_finished_spans()
    assert span.attributes["llm.cost.total"] == span.attributes["kimi.cost"] == answer.response_metadata["cost"]


def test_an_unknown_handler_leaves_the_attributes_to_the_current_span(model: ChatKimi, telemetry: Telemetry) -> None:
    costs = telemetry.costs(metrics=False, beside=[Renamed()])
    with telemetry.tracers.get_tracer("app").start_as_current_span("work"):
        answer = model.invoke("Hello.", {"callbacks": [costs]})
    [span] = telemetry.exporter.get_finished_spans()
    assert span.attributes["kimi.cost"] == answer.response_metadata["cost"]
