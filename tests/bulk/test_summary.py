"""The sums of a bulk run."""

import json

from langchain_kimi.bulk.results import BulkError, BulkResult
from langchain_kimi.bulk.summary import BulkSummary


def test_results_are_counted_by_their_state() -> None:
    summary = BulkSummary(total=10)
    summary.add(BulkResult("a", 0, "x", provider="Novita", input_tokens=10, output_tokens=5, cost=0.1))
    summary.add(BulkResult("b", 1, error=BulkError("KimiTimeoutError", "late"), cost=0.2, unknown_costs=1))
    summary.add(BulkResult("d", 4, error=BulkError("KeyError", "city")))
    summary.add(BulkResult("c", 2, "x", state="stored"))
    summary.add(BulkResult("a", 3, "x", state="duplicate"))
    summary.seconds = 2.0

    assert (summary.rows, summary.answered, summary.failed, summary.stored, summary.duplicates) == (5, 1, 2, 1, 1)
    assert summary.costs == {"Novita": 0.1, "unknown": 0.2}
    assert round(summary.cost, 9) == 0.3
    assert summary.expected_cost is not None
    assert round(summary.expected_cost, 9) == 0.8
    assert (summary.rate, summary.seconds_left) == (1.5, 2.0 * 5 / 3)
    assert summary.line() == "5 of 10 rows, 2 failed, $0.3000, about $0.8000 in all, 1.5 rows/s, 3 s left"
    summary.seconds = 200.0
    assert summary.line().endswith("0.0 rows/s, 5:33 min left")
    summary.seconds = 20_000.0
    assert summary.line().endswith("9:15:33 h left")


def test_unknown_values_are_left_out() -> None:
    summary = BulkSummary()

    assert (summary.expected_cost, summary.seconds_left, summary.rate) == (None, None, None)
    assert summary.line() == "0 rows, 0 failed, $0.0000"


def test_the_table_has_a_line_for_each_kind_of_error_and_each_host() -> None:
    summary = BulkSummary(stopped="No credit.")
    summary.add(BulkResult("b", 1, error=BulkError("KimiTimeoutError", "late"), cost=0.25, provider="Novita"))

    lines = [" ".join(line.split()) for line in str(summary).splitlines()]

    assert "KimiTimeoutError 1" in lines
    assert "at Novita $0.250000" in lines
    assert "rows per second -" in lines
    assert "duration 0 s" in lines
    assert not any(line.startswith("in earlier starts") for line in lines)
    assert lines[-1] == "stopped No credit."
    assert "in earlier starts    $1.500000" in str(BulkSummary(earlier_cost=1.5))
    assert "stopped" not in str(BulkSummary(seconds=1.0))


def test_the_sums_are_json() -> None:
    summary = BulkSummary(total=2)
    summary.add(BulkResult("b", 1, error=BulkError("KimiTimeoutError", "late"), cost=0.25, provider="Novita"))

    sums = json.loads(json.dumps(summary.to_dict()))

    assert (sums["failed"], sums["total"], sums["cost"], sums["errors"]) == (1, 2, 0.25, {"KimiTimeoutError": 1})
