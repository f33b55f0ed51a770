"""Spans that other instrumentations of LangChain open for a run.

They do not make their spans current where a callback could see them: OpenInference 0.1.80 never does, and Traceloop
0.62.4 and Langfuse 5.0.4 do so in another context of an async call. Their handlers know the span of each run.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager


@dataclass(frozen=True, slots=True)
class OtherSpan:
    """An open span of another instrumentation.

    Attributes:
        span: The span.
        cost_attributes: Returns the attributes in which the instrumentation's backend expects a cost in US dollars.
    """

    span: Any
    cost_attributes: Callable[[float], dict[str, Any]]


def span_of_run(run_id: UUID, handlers: Iterable[BaseCallbackHandler] = ()) -> OtherSpan | None:
    """Return the open span of a run; None if no instrumentation has one.

    Args:
        run_id: The run.
        handlers: Handlers of instrumentations. Those that instrumentations add to every callback manager are found
            without it.
    """
    for handler in (*handlers, *BaseCallbackManager([]).handlers):
        for find, cost_attributes in _FINDERS:
            span = find(handler, run_id)
            if span is not None and span.is_recording():
                return OtherSpan(span, cost_attributes)
    return None


def _of_openinference(handler: Any, run_id: UUID) -> Any:
    get_span = getattr(handler, "get_span", None)
    return get_span(run_id) if callable(get_span) else None


def _of_traceloop(handler: Any, run_id: UUID) -> Any:
    return getattr(_entry(handler, "spans", run_id), "span", None)


def _of_langfuse(handler: Any, run_id: UUID) -> Any:
    # Langfuse has no public way to its spans. Without these names the current span gets the attributes.
    return getattr(_entry(handler, "_runs", run_id), "_otel_span", None)


def _entry(handler: Any, name: str, run_id: UUID) -> Any:
    entries = getattr(handler, name, None)
    return entries.get(run_id) if isinstance(entries, dict) else None


_FINDERS: tuple[tuple[Callable[[Any, UUID], Any], Callable[[float], dict[str, Any]]], ...] = (
    # https://arize-ai.github.io/openinference/spec/semantic_conventions.html
    (_of_openinference, lambda dollars: {"llm.cost.total": dollars}),
    # The conventions for generative AI name no attribute for a cost.
    (_of_traceloop, lambda _: {}),
    (_of_langfuse, lambda dollars: {"langfuse.observation.cost_details": json.dumps({"total": dollars})}),
)
