from typing import Any

import pytest

from langchain_kimi.testing.batches import BatchEnding, Batches, Files, expiry, rows_of
from langchain_kimi.testing.rejections import RejectedRequestError

ROWS: list[Any] = [{"custom_id": f"r{number}", "body": {"n": number}} for number in range(3)]


def answer(body: Any) -> tuple[int, Any]:
    if body["n"] == 1:
        return 500, {"error": {"message": "down", "code": 500, "metadata": {"error_type": "server"}}}
    return 200, {"n": body["n"], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.5}}


def test_a_batch_goes_through_its_states() -> None:
    batches = Batches()
    job = batches.add("m", rows_of(ROWS), ["in_progress", "finalizing"])
    states = [job.status]

    for _ in range(4):
        job.advance(answer)
        states.append(job.status)

    assert states == ["validating", "in_progress", "finalizing", "completed", "completed"]
    assert job.counts == {"total": 3, "completed": 2, "failed": 1}
    assert (job.cost, job.usage["total_tokens"], expiry(job) - job.created) == (1.0, 6, 86_400)
    assert "cost" not in job.results[0]["response"]["body"]["usage"]
    assert job.results[1]["error"] == {
        "message": "down", "type": "api_error", "param": None, "error_type": "server", "code": 500
    }  # fmt: skip
    assert job.id.startswith("emulated")


def test_endings_come_in_their_order() -> None:
    batches = Batches()
    endings = [
        BatchEnding(status="failed"),
        BatchEnding(answered=1, missing=(0,), reverses=True),
        BatchEnding(rejected=(0,)),
    ]
    batches.script(endings)
    first, second, third, fourth = (batches.add("m", rows_of(ROWS), []) for _ in range(4))
    for job in (first, second, third, fourth):
        job.advance(answer)

    assert (first.status, first.results) == ("failed", [])
    assert [row["custom_id"] for row in second.results] == ["r2", "r1"]
    assert second.results[0]["error"]["type"] == "batch_completed"
    assert third.results[0]["error"]["message"] == "The provider refused this row."
    assert fourth.status == "completed"


def test_only_a_running_batch_is_cancelled() -> None:
    job = Batches().add("m", rows_of(ROWS), ["in_progress"])
    job.cancel()
    assert job.status == "cancelling"
    with pytest.raises(RejectedRequestError, match="cannot be cancelled"):
        job.cancel()
    job.advance(answer)
    assert (job.status, job.counts["completed"]) == ("cancelled", 1)


def test_batches_are_listed_newest_first() -> None:
    batches = Batches()
    jobs = [batches.add("m", rows_of(ROWS), []) for _ in range(3)]

    page, more = batches.page({"limit": "2"})
    rest, end = batches.page({"limit": "2", "after": page[-1].id})

    assert ([*page, *rest], more, end) == (jobs[::-1], True, False)
    jobs[0].advance(answer)
    batches.delete(jobs[0].id)
    with pytest.raises(RejectedRequestError, match="still in progress"):
        batches.delete(jobs[1].id)
    with pytest.raises(RejectedRequestError, match="not found"):
        batches.get(jobs[0].id)
    batches.clear()
    assert batches.page({}) == ([], False)


def test_files_have_ids() -> None:
    files = Files()

    assert files.content(files.add(b"a")) == b"a"
    with pytest.raises(RejectedRequestError, match="not found"):
        files.content("other")


@pytest.mark.parametrize(
    "requests", [None, [], [7], [{"custom_id": 1, "body": {}}], [{"custom_id": "a"}], ROWS[:1] * 2]
)
def test_malformed_requests_are_rejected(requests: Any) -> None:
    with pytest.raises(RejectedRequestError):
        rows_of(requests)
