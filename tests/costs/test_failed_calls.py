"""The counts of calls that failed, were retried, abandoned or cancelled."""

import asyncio
import gc
import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import Costs, track_costs
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, RawReply, faults
from tests.chat.asking import Tracer
from tests.conftest import KEY
from tests.costs.conftest import STORY, drain
from tests.waiting import until


@pytest.mark.parametrize(
    ("fault", "unknown", "billed"),
    [
        (faults.unauthorized(), 0, 0),
        (faults.unavailable(), 0, 0),
        (faults.stream_error("first"), 0, 0),
        (faults.stream_error("middle"), 1, 0),
        (faults.stream_ends(), 1, 0),
        (faults.connection_cut(), 1, 0),
        (faults.empty_answer(), 0, 1),
        (faults.error_in_choice(), 0, 1),
    ],
    ids=lambda value: getattr(value, "name", None),
)
async def test_a_failure_counts_with_the_reported_usage(
    model: ChatKimi, openrouter: Emulator, fault: Any, unknown: int, billed: int
) -> None:
    openrouter.fail_next(fault, times=2)
    with track_costs() as costs:
        with pytest.raises(KimiError):
            list(model.stream(STORY))
        with pytest.raises(KimiError):
            await drain(model.astream(STORY))
    total = costs.total
    assert (total.calls, total.failed, total.unknown) == (2, 2, 2 * unknown)
    assert (total.cost > 0, total.total_tokens > 0) == (bool(billed), bool(billed))


def test_a_call_to_an_unreachable_server_costs_nothing() -> None:
    with Emulator() as gone:
        model = ChatKimi(api_key=KEY, base_url=gone.base_url, max_retries=0)
    with track_costs() as costs, pytest.raises(KimiError):
        model.invoke(STORY)
    assert (costs.total.calls, costs.total.failed, costs.total.unknown) == (1, 1, 0)


def test_a_request_that_is_not_sent_costs_nothing(model: ChatKimi, openrouter: Emulator) -> None:
    with track_costs() as costs, pytest.raises(ValueError, match="temperature"):
        model.invoke(STORY, temperature=7)
    assert (costs.total.calls, costs.total.failed, costs.total.unknown) == (1, 1, 0)
    assert openrouter.requests == []


def billed_failure(*, streamed: bool) -> RawReply:
    """An error that may be tried again at once, and that was charged for."""
    error = {"code": 502, "message": "Overloaded.", "availability": {"retryable": True, "retry_after": 0}}
    usage = {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3, "cost": 0.25}
    body = json.dumps({"model": "kimi", "provider": "Host", "error": error, "usage": usage}).encode()
    if streamed:
        return RawReply(headers={"content-type": "text/event-stream"}, body=b"data: %b\n\n" % body)
    return RawReply(headers={"content-type": "application/json"}, body=body)


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_an_attempt_that_failed_is_counted_too(openrouter: Emulator, way: str) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1)
    openrouter.script(billed_failure(streamed=way == "stream"), times=2)
    with track_costs() as costs, pytest.raises(KimiError):
        model.invoke(STORY) if way == "invoke" else list(model.stream(STORY))
    assert len(openrouter.requests) == 2
    assert costs.models == {"kimi": costs.total}
    assert costs.providers == {"Host": costs.total}
    assert (costs.total.calls, costs.total.failed, costs.total.retries, costs.total.unknown) == (1, 1, 1, 0)
    assert (costs.total.cost, costs.total.total_tokens) == (0.5, 6)


async def test_an_attempt_before_an_answer_is_counted_too(openrouter: Emulator) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1)
    openrouter.script(billed_failure(streamed=False))
    with track_costs() as costs:
        answer = await model.ainvoke(STORY)
    assert (costs.total.calls, costs.total.failed, costs.total.retries) == (1, 0, 1)
    assert costs.total.cost == 0.25 + answer.response_metadata["cost"]


def test_an_abandoned_stream_has_an_unknown_cost(model: ChatKimi) -> None:
    with track_costs() as costs:
        stream: Any = model.stream(STORY)
        next(stream)
        assert (costs.in_flight, costs.total.calls) == (1, 0)
        stream.close()
        assert (costs.in_flight, costs.total.calls) == (0, 1)
        for _ in model.stream(STORY):
            break
        gc.collect()
    assert costs.total == Costs(calls=2, failed=2, unknown=2)


async def test_an_abandoned_async_stream_has_an_unknown_cost(model: ChatKimi) -> None:
    with track_costs() as costs:
        stream: Any = model.astream(STORY)
        await anext(stream)
        await stream.aclose()
    assert costs.total == Costs(calls=1, failed=1, unknown=1)


def test_a_stream_that_is_left_after_its_usage_is_counted_with_it(model: ChatKimi) -> None:
    with track_costs() as costs:
        stream: Any = model.stream(STORY)
        next(chunk for chunk in stream if chunk.usage_metadata)
        stream.close()
    assert (costs.total.calls, costs.total.failed, costs.total.unknown) == (1, 1, 0)
    assert costs.total.cost > 0


async def by_cancel(call: Any, openrouter: Emulator) -> None:
    task = asyncio.create_task(call)
    await until(lambda: openrouter.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_timeout(call: Any, openrouter: Emulator) -> None:
    async def end(limit: asyncio.Timeout) -> None:
        await until(lambda: openrouter.requests)
        limit.reschedule(0)

    async def limited() -> None:
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as group:
            group.create_task(end(limit))
            await call

    with pytest.raises(TimeoutError):
        await limited()


@pytest.mark.parametrize("way", ["ainvoke", "astream"])
@pytest.mark.parametrize("give_up", [by_cancel, by_timeout])
async def test_a_cancelled_call_has_an_unknown_cost(
    model: ChatKimi, openrouter: Emulator, way: str, give_up: Any
) -> None:
    openrouter.fail_next(faults.silence("headers"))
    with track_costs() as costs:
        await give_up(model.ainvoke(STORY) if way == "ainvoke" else drain(model.astream(STORY)), openrouter)
    assert costs.in_flight == 0
    assert costs.total == Costs(calls=1, failed=1, unknown=1)


async def test_a_cancelled_call_ends_its_run_in_traces(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.fail_next(faults.silence("headers"))
    tracer = Tracer()
    await by_cancel(model.ainvoke(STORY, {"callbacks": [tracer]}), openrouter)
    [run] = tracer.runs
    assert run.end_time is not None
    assert "CancelledError" in str(run.error)


async def test_a_cancelled_call_of_no_run_is_cancelled(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.fail_next(faults.silence("headers"))
    await by_cancel(model._agenerate([HumanMessage(STORY)]), openrouter)


async def test_a_cancelled_call_that_sums_up_a_stream_stays_in_flight(openrouter: Emulator) -> None:
    """LangChain gives a stream no run to report to, and does not report its cancellation here."""
    openrouter.fail_next(faults.silence("headers"))
    streaming = ChatKimi(api_key=KEY, base_url=openrouter.base_url, streaming=True)
    with track_costs() as costs:
        await by_cancel(streaming.ainvoke(STORY), openrouter)
    assert (costs.in_flight, costs.total.calls) == (1, 0)
