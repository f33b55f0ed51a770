"""Costs on LangSmith's runs, as a collector receives them."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langsmith import Client

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiError
from langchain_kimi.observability import LangSmithCosts
from langchain_kimi.observability.langsmith import costs_of_reply
from langchain_kimi.testing import Emulator
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
        ({"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, {}),
        ({"cost": None}, {}),
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
