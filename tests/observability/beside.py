"""Call a chain in four ways beside another instrumentation, and print the attributes of all spans.

    python -m tests.observability.beside openinference|traceloop|langfuse

Instrumentations change LangChain for the rest of a process, so each has a process of its own.
"""

import asyncio
import json
import sys
from importlib import import_module
from typing import Any

from langchain_core.prompts import ChatPromptTemplate

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.chat.asking import WAYS, chunks_of
from tests.observability.telemetry import Telemetry


def instrument(kind: str, tracers: Any) -> list[Any]:
    """Start an instrumentation. Return the handlers that calls need."""
    if kind == "langfuse":
        nowhere = "http://127.0.0.1:9"
        import_module("langfuse").Langfuse(public_key="p", secret_key="s", host=nowhere, tracer_provider=tracers)
        return [import_module("langfuse.langchain").CallbackHandler(public_key="p")]
    if kind == "traceloop":
        import_module("opentelemetry.instrumentation.langchain").LangchainInstrumentor().instrument(
            tracer_provider=tracers
        )
        return []
    import_module("openinference.instrumentation.langchain").LangChainInstrumentor().instrument(tracer_provider=tracers)
    return []


async def results(kind: str) -> dict[str, Any]:
    """Return the message and the spans of each way."""
    telemetry = Telemetry()
    by_way: dict[str, Any] = {}
    handlers = instrument(kind, telemetry.tracers)
    costs = telemetry.costs(metrics=False, beside=handlers)
    with Emulator() as openrouter:
        model = ChatKimi(api_key="a-key", base_url=openrouter.base_url)
        chain = ChatPromptTemplate.from_messages([("human", "{question}")]) | model
        for way in WAYS:
            telemetry.exporter.clear()
            config = {"callbacks": [costs, *handlers]}
            [first, *rest] = await chunks_of(chain, way, {"question": "Hello."}, config)
            message = sum(rest, first)
            spans = [dict(span.attributes) for span in telemetry.exporter.get_finished_spans()]
            by_way[way] = {"reply": message.response_metadata, "usage": message.usage_metadata, "spans": spans}
    return by_way


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(results(sys.argv[1])), default=str))
    sys.stdout.flush()
