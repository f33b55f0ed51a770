"""The sums: each call once, under the right names, whatever becomes of it."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_kimi._costs.charges import CallCost
from langchain_kimi._costs.ledger import LONGEST_CALL, Costs, Ledger, html_table, table
from langchain_kimi.errors import KimiIncompleteStreamError, KimiServerError, KimiUsageError

WIRE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def answer(cost: float | None = 0.5, model: str = "kimi", provider: str = "Host") -> LLMResult:
    usage = UsageMetadata(
        input_tokens=100,
        output_tokens=50,
        total_tokens=150,
        input_token_details={"cache_read": 75},
        output_token_details={"reasoning": 10},
    )
    metadata = {"model_name": model, "provider": provider, "cost": cost}
    message = AIMessage("Yes.", usage_metadata=usage, response_metadata=metadata)
    return LLMResult(generations=[[ChatGeneration(message=message)]])


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(lambda: 0.0)


@pytest.fixture
def run(ledger: Ledger) -> UUID:
    """The id of a call that has begun."""
    run_id = uuid4()
    ledger.begin(run_id, "asked")
    return run_id


def test_an_answer_counts_for_all_for_its_model_and_for_its_host(ledger: Ledger, run: UUID) -> None:
    assert run in ledger
    assert ledger.in_flight == 1
    ledger.end(run, answer())
    assert ledger.total == ledger.models["kimi"] == ledger.providers["Host"]
    assert ledger.total.to_dict() == {
        "calls": 1,
        "failed": 0,
        "unknown": 0,
        "retries": 0,
        "cache_hits": 0,
        "input_tokens": 100,
        "cached_tokens": 75,
        "output_tokens": 50,
        "reasoning_tokens": 10,
        "total_tokens": 150,
        "cached_share": 0.75,
        "reasoning_share": 0.2,
        "cost": 0.5,
        "upstream_cost": 0.0,
    }
    assert ledger.in_flight == 0


def test_a_call_counts_once(ledger: Ledger, run: UUID) -> None:
    ledger.begin(run, "again")
    ledger.end(run, answer())
    ledger.end(run, answer())
    ledger.fail(run, GeneratorExit())
    ledger.retry(run, KimiServerError("no"))
    ledger.end(uuid4(), answer())
    assert (ledger.total.calls, ledger.total.failed, ledger.total.retries) == (1, 0, 0)


def test_a_hit_of_the_cache_costs_nothing(ledger: Ledger, run: UUID) -> None:
    hit = answer()
    generation: Any = hit.generations[0][0]
    free = {**generation.message.usage_metadata, "total_cost": 0}
    generation.message = generation.message.model_copy(update={"usage_metadata": free})
    ledger.end(run, hit)
    assert ledger.total == ledger.models["kimi"] == ledger.providers["Host"] == Costs(cache_hits=1)


def test_many_small_costs_add_up_exactly(ledger: Ledger) -> None:
    for _ in range(10):
        ledger.begin(run_id := uuid4(), None)
        ledger.end(run_id, answer(0.1))
    assert ledger.total.cost == 1.0


def test_a_failure_counts_for_the_model_that_was_asked(ledger: Ledger, run: UUID) -> None:
    ledger.fail(run, KimiUsageError("no"))
    assert ledger.models == {"asked": Costs(calls=1, failed=1)}
    assert ledger.providers == {"unknown": Costs(calls=1, failed=1)}


def test_a_failure_without_a_model_counts_as_unknown(ledger: Ledger) -> None:
    ledger.begin(run_id := uuid4(), None)
    ledger.fail(run_id, GeneratorExit())
    assert ledger.models == {"unknown": Costs(calls=1, failed=1, unknown=1)}


def test_attempts_before_the_last_one_count_once(ledger: Ledger, run: UUID) -> None:
    first = KimiServerError("no", usage={**WIRE, "cost": 0.25})
    second = KimiIncompleteStreamError("cut")
    ledger.retry(run, first)
    ledger.fail(run, KimiServerError("no", status=503, attempts=(first, second)))
    assert (ledger.total.calls, ledger.total.failed, ledger.total.retries, ledger.total.unknown) == (1, 1, 2, 1)
    assert (ledger.total.cost, ledger.total.total_tokens) == (0.25, 7)


def test_a_retry_without_an_error_is_not_counted(ledger: Ledger, run: UUID) -> None:
    ledger.retry(run, None)
    assert ledger.total.retries == 0


def test_a_call_whose_end_is_not_reported_counts_as_failed_after_a_day() -> None:
    now = [1000.0]
    ledger = Ledger(lambda: now[0])
    ledger.begin(old := uuid4(), "kimi")
    now[0] += 1.0
    ledger.begin(young := uuid4(), "kimi")
    now[0] += LONGEST_CALL - 1.5
    ledger.expire()
    assert (ledger.total, ledger.in_flight) == (Costs(), 2)
    now[0] += 1.0
    ledger.expire()
    assert ledger.total == ledger.models["kimi"] == Costs(calls=1, failed=1, unknown=1)
    assert old not in ledger
    assert young in ledger
    ledger.end(old, answer())
    assert ledger.total.calls == 1


def test_a_call_is_identified_by_its_id_only(ledger: Ledger) -> None:
    ledger.begin(UUID(int=1), "kimi")
    ledger.expire()
    assert (ledger.in_flight, ledger.total.calls) == (1, 0)
    ledger.end(UUID(int=1), answer())
    assert (ledger.in_flight, ledger.total.calls, ledger.total.failed) == (0, 1, 0)


def test_a_discarded_call_is_not_counted(ledger: Ledger, run: UUID) -> None:
    ledger.discard(run)
    ledger.discard(run)
    assert (ledger.in_flight, ledger.total) == (0, Costs())


def test_calls_in_flight_count_after_a_reset(ledger: Ledger, run: UUID) -> None:
    ledger.begin(other := uuid4(), None)
    ledger.end(other, answer())
    ledger.reset()
    assert (ledger.total, ledger.models, ledger.providers) == (Costs(), {}, {})
    ledger.end(run, answer())
    assert ledger.total.calls == 1


def test_a_snapshot_does_not_change(ledger: Ledger, run: UUID) -> None:
    taken = ledger.snapshot()
    ledger.end(run, answer())
    assert (taken.total, taken.models, taken.providers) == (Costs(), {}, {})
    assert ledger.snapshot().total.calls == 1


def test_the_sums_are_ready_for_json(ledger: Ledger, run: UUID) -> None:
    ledger.end(run, answer())
    sums = json.loads(json.dumps(ledger.to_dict()))
    assert sums["total"]["cost"] == sums["models"]["kimi"]["cost"] == sums["providers"]["Host"]["cost"] == 0.5


def test_the_table_shows_the_sums(ledger: Ledger, run: UUID) -> None:
    ledger.end(run, answer(0.000125))
    assert table(ledger).splitlines() == [
        "         calls  failed  unknown  hits  input  cached  output  reasoning       USD",
        "kimi         1       0        0     0    100     75%      50        20%  0.000125",
        "at Host      1       0        0     0    100     75%      50        20%  0.000125",
        "total        1       0        0     0    100     75%      50        20%  0.000125",
    ]


def test_shares_of_no_tokens_are_none_and_shown_as_a_dash() -> None:
    assert (Costs().cached_share, Costs().reasoning_share) == (None, None)
    assert table(Ledger(lambda: 0.0)).splitlines()[-1].split() == ["total", *"0000", "0", "-", "0", "-", "0.000000"]


def test_the_repr_shows_dollars(ledger: Ledger, run: UUID) -> None:
    assert repr(Costs()) == "Costs(calls=0, cost=$0)"
    ledger.end(run, answer(0.0000125))
    assert repr(ledger.total) == (
        "Costs(calls=1, input_tokens=100, cached_tokens=75, output_tokens=50, reasoning_tokens=10, total_tokens=150, "
        "cached_share=75%, reasoning_share=20%, cost=$0.0000125)"
    )
    ledger.total.charged_upstream += 1
    assert repr(ledger.total).endswith("upstream_cost=$1)")


def test_the_html_table_escapes_names(ledger: Ledger, run: UUID) -> None:
    ledger.end(run, answer(0.5, model="<b>kimi</b>"))
    html = html_table(ledger)
    assert "<th>&lt;b&gt;kimi&lt;/b&gt;</th><td>1</td>" in html
    assert html.count("<tr>") == 4
    assert "<td>0.500000</td>" in html


def test_a_cost_that_becomes_known_after_a_reset_is_not_counted(ledger: Ledger, run: UUID) -> None:
    [counted] = ledger.end(run, answer(None))
    ledger.reset()
    ledger.correct(counted, CallCost(cost=Decimal(1)))
    assert (ledger.total, ledger.models, ledger.providers) == (Costs(), {}, {})
