"""The record of a call, in each state in which a call can end."""

import asyncio
import copy
import pickle
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.outputs import Generation, LLMResult

from langchain_kimi import ChatKimi
from langchain_kimi._costs.records import CallObserver, CallRecord
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Reply, faults
from tests.conftest import KEY
from tests.costs.conftest import STORY
from tests.costs.test_failed_calls import billed_failure


class Records(CallObserver):
    """Keeps the records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[CallRecord] = []

    def observe(self, record: CallRecord) -> None:
        self.records.append(record)


@pytest.fixture
def seen() -> Records:
    return Records()


def test_an_answer_has_a_record(model: ChatKimi, seen: Records) -> None:
    answer = model.invoke(STORY, {"callbacks": [seen]})
    [record] = seen.records
    assert (record.state, record.error, record.attempts, record.first_chunk) == ("answered", None, 1, None)
    assert record.finish_reasons == ("stop",)
    assert record.cost.generation_id == answer.response_metadata["id"]
    assert record.requested_model == model.model_name
    assert record.duration > 0


def test_a_stream_has_the_time_of_its_first_chunk(model: ChatKimi, seen: Records) -> None:
    list(model.stream(STORY, {"callbacks": [seen]}))
    [record] = seen.records
    assert record.first_chunk is not None
    assert 0 < record.first_chunk <= record.duration


def test_an_answer_from_the_cache_costs_nothing(openrouter: Emulator, seen: Records) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, cache=InMemoryCache())
    for _ in range(2):
        model.invoke(STORY, {"callbacks": [seen]})
    assert [record.state for record in seen.records] == ["answered", "cached"]
    assert seen.records[1].cost.cost is None
    assert seen.records[1].cost.model == model.model_name


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_retries_are_attempts(openrouter: Emulator, seen: Records, way: str) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1)
    openrouter.script(billed_failure(streamed=way == "stream"), Reply(text="Yes."), times=1)
    getattr(model, way)(STORY, {"callbacks": [seen]}) if way == "invoke" else list(
        model.stream(STORY, {"callbacks": [seen]})
    )
    openrouter.script(billed_failure(streamed=way == "stream"), times=2)
    with pytest.raises(KimiError):
        list(model.stream(STORY, {"callbacks": [seen]})) if way == "stream" else model.invoke(
            STORY, {"callbacks": [seen]}
        )
    assert [(record.state, record.attempts) for record in seen.records] == [("answered", 2), ("failed", 2)]


async def test_a_cancelled_call_has_the_id_of_its_generation(
    model: ChatKimi, openrouter: Emulator, seen: Records
) -> None:
    openrouter.fail_next(faults.silence("middle"))
    task = asyncio.create_task(anext(aiter(slow(model, seen))))
    await asyncio.wait({task}, timeout=0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [record] = seen.records
    assert (record.state, record.error) == ("cancelled", "CancelledError")
    assert (record.cost.generation_id or "").startswith("gen-")


async def slow(model: ChatKimi, seen: Records) -> Any:
    """Yield nothing before the stream ends."""
    async for _ in model.astream(STORY, {"callbacks": [seen]}):
        continue
    yield None


def test_an_abandoned_stream_has_the_id_of_its_generation(model: ChatKimi, seen: Records) -> None:
    stream: Any = model.stream(STORY, {"callbacks": [seen]})
    next(stream)
    stream.close()
    [record] = seen.records
    assert (record.state, record.error) == ("abandoned", "GeneratorExit")
    assert (record.cost.generation_id or "").startswith("gen-")


def test_events_of_unknown_runs_are_ignored(seen: Records) -> None:
    seen.on_retry(None, run_id=uuid4())
    seen.on_llm_new_token("x", run_id=uuid4())
    seen.on_llm_error(KimiError("no"), run_id=uuid4())
    assert seen.records == []


def test_results_of_other_kinds_have_no_finish_reasons(seen: Records) -> None:
    run_id = uuid4()
    seen.on_chat_model_start(run_id=run_id)
    seen.on_llm_end(LLMResult(generations=[[Generation(text="x")]]), run_id=run_id)
    seen.on_chat_model_start(run_id=run_id)
    seen.on_llm_end(LLMResult(generations=[]), run_id=run_id)
    assert [record.finish_reasons for record in seen.records] == [(), ()]


def test_copies_and_pickles_have_no_calls(seen: Records) -> None:
    seen.on_chat_model_start(run_id=uuid4())
    assert copy.deepcopy(seen)._running == pickle.loads(pickle.dumps(CallObserver()))._running == {}  # noqa: S301 - written here


def test_an_observer_has_to_observe(model: ChatKimi) -> None:
    with pytest.raises(NotImplementedError):
        CallObserver().observe(CallRecord(uuid4(), None, 0, 0, None, None, "failed", None, None, 1))  # type: ignore[arg-type]  # not read
