from langchain_kimi.testing import BatchEnding, faults


def test_each_fault_is_an_ending() -> None:
    assert faults.batch_expired(2) == BatchEnding(status="expired", answered=2)
    assert faults.batch_cancelled() == BatchEnding(status="cancelled", answered=0)
    assert faults.batch_failed("no").message == "no"
    assert faults.rows_rejected(1, 2).rejected == (1, 2)
    assert faults.rows_missing(1).missing == (1,)
    assert faults.rows_reversed().reverses
    assert faults.results_unpaid("no").refusal == (402, "no")
    assert faults.results_deleted("no").refusal == (410, "no")
