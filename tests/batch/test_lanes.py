"""The operations of both batch APIs, and what they do with odd replies."""

from typing import Any

import pytest

from langchain_kimi import KimiNotFoundError, KimiServerError, KimiUsageError
from langchain_kimi._openrouter.host import COMPATIBLE, MOONSHOT, OPENROUTER
from langchain_kimi.batch.bodies import Submission
from langchain_kimi.batch.lanes import Files, Inline, finished, lane_of, multipart, status
from langchain_kimi.batch.requests import Operation, Send
from langchain_kimi.catalog.operations import Wait
from langchain_kimi.testing.http1 import HttpRequest
from langchain_kimi.testing.moonshot_batches import form_of

BATCH = Submission("k", "m", b"{}", 2, "24h")


def run(operation: Operation[Any], *replies: Any) -> tuple[Any, list[Send | Wait]]:
    """Return the result of an operation that gets these replies, and its steps."""
    steps: list[Send | Wait] = []
    waiting = list(replies)
    reply: Any = None
    try:
        while True:
            step = operation.throw(reply) if isinstance(reply, Exception) else operation.send(reply)
            steps.append(step)
            reply = None if isinstance(step, Wait) else waiting.pop(0)
    except StopIteration as end:
        return end.value, steps


def paths(steps: list[Send | Wait]) -> list[str]:
    return [f"{step.method} {step.path}" if isinstance(step, Send) else f"{step.seconds:g} s" for step in steps]


def test_each_server_has_its_form() -> None:
    assert isinstance(lane_of(OPENROUTER), Inline)
    assert isinstance(lane_of(MOONSHOT), Files)
    with pytest.raises(KimiUsageError, match="no batch API"):
        lane_of(COMPATIBLE)


def test_ids_of_the_server_cannot_change_the_path() -> None:
    _, steps = run(status("../key?x=1"), {})

    assert paths(steps) == ["GET /batches/..%2Fkey%3Fx%3D1"]


def test_a_submission_is_not_repeated() -> None:
    _, steps = run(Inline().submit(BATCH), {"id": "b"})
    _, files = run(Files().submit(BATCH), {"id": "f"}, {"id": "b"})

    sent = [step for step in (*steps, *files) if isinstance(step, Send)]
    assert [one.is_repeatable for one in sent] == [False, True, False]
    assert sent[2].body == (
        b'{"input_file_id": "f", "endpoint": "/v1/chat/completions", "completion_window": "24h", '
        b'"metadata": {"key": "k"}}'
    )


def test_the_wait_ends_with_the_last_status() -> None:
    times = iter([0, 3, 9])
    batch, steps = run(finished("b", 2, 5, lambda: next(times)), *[{"status": "new state"}] * 3)

    assert batch == {"status": "new state"}
    assert paths(steps) == ["GET /batches/b", "1 s", "GET /batches/b", "2 s", "GET /batches/b"]


def test_the_wait_outlives_failures_that_pass() -> None:
    down, done = KimiServerError("down"), {"status": "completed"}
    batch, steps = run(finished("b", 1, None, lambda: 0.0), *[down] * 19, {"status": "new"}, *[down] * 19, done)

    assert batch == done
    assert paths(steps).count("1 s") == 39
    with pytest.raises(KimiServerError):
        run(finished("b", 1, None, lambda: 0.0), *[down] * 20)
    with pytest.raises(KimiNotFoundError):
        run(finished("b", 1, None, lambda: 0.0), KimiNotFoundError("no"))
    with pytest.raises(KimiServerError):
        run(finished("b", 1, 0.0, lambda: 0.0), down)


def test_results_come_from_the_batch_or_from_pages() -> None:
    inline = Inline()
    assert run(inline.rows({"results": [{"a": 1}]}))[0] == [{"a": 1}]
    assert run(inline.rows({"id": "b"}), KimiNotFoundError("none"))[0] == []
    pages = [{"data": [1], "next_cursor": "c"}, {"results": [2]}]
    rows, steps = run(inline.rows({"id": "b"}), *pages)
    assert rows == [1, 2]
    assert [step.query for step in steps if isinstance(step, Send)] == [{}, {"cursor": "c"}]


def test_damaged_lines_of_a_file_are_left_out() -> None:
    content = b'{"custom_id": "k-0"}\n{"custom_id": \n[]\n\n{"custom_id": "k-1"}'
    rows, steps = run(Files().rows({"output_file_id": "o", "error_file_id": None}), content)

    assert [row["custom_id"] for row in rows] == ["k-0", "k-1"]
    assert paths(steps) == ["GET /files/o/content"]


def test_a_batch_is_found_by_its_metadata() -> None:
    listed = {"data": [{"id": "a", "created_at": 1000}, {"id": "b", "created_at": 1000, "metadata": {"key": "k"}}]}

    batch, _ = run(Files().find(BATCH, 1000, (), 30), listed)

    assert batch["id"] == "b"
    assert run(Files().find(BATCH, 1000, (), 30), {"data": []})[0] is None


def test_the_list_is_read_until_it_is_older_than_the_submission() -> None:
    new = [{"id": f"n{number}", "created_at": 1000} for number in range(2)]
    old = {"id": "old", "created_at": 10, "metadata": {"key": "k"}}

    batch, steps = run(
        Files().find(BATCH, 1000, (), 30), {"data": new, "has_more": True}, {"data": [old], "has_more": True}
    )

    assert batch is None
    assert [step.query.get("after") for step in steps if isinstance(step, Send)] == [None, "n1"]


def listed(name: str, state: str, **more: Any) -> dict[str, Any]:
    counts = {"total": 2}
    return {"id": name, "status": state, "created_at": 1000, "model": "m", "request_counts": counts, **more}


def test_a_batch_is_found_by_the_ids_of_its_rows() -> None:
    others = [
        listed("known", "completed"),
        listed("other model", "completed", model="x"),
        listed("other size", "completed", request_counts={"total": 9}),
        listed("failed", "failed"),
        listed("open", "in_progress"),
    ]
    ours = {**listed("open", "completed"), "results": [{"custom_id": "k-1"}]}

    batch, steps = run(
        Inline().find(BATCH, 1000, ("known",), 30),
        {"data": others},
        {**listed("failed", "failed"), "results": None},
        KimiNotFoundError("no results"),
        {"data": [listed("open", "completed")]},
        ours,
    )

    assert batch == ours
    assert paths(steps) == [
        "GET /batches", "GET /batches/failed", "GET /batches/failed/results", "1 s",
        "GET /batches", "GET /batches/open",
    ]  # fmt: skip


def test_results_of_other_rows_are_not_ours() -> None:
    theirs = {**listed("b", "completed"), "results": [{"custom_id": "other-0"}]}

    assert run(Inline().find(BATCH, 1000, (), 30), {"data": [theirs]}, theirs)[0] is None


def test_a_form_is_read_as_it_was_written() -> None:
    content = b'{"a": "\xc3\xa9"}\n{"b": "--x"}\n'

    body = multipart("k.jsonl", content)

    kind = "multipart/form-data; boundary=langchain-kimi-batch-5f0e7c1d9b"
    request = HttpRequest("POST", "/v1/files", {"content-type": kind}, body)
    assert form_of(request.headers["content-type"], request.body) == {"purpose": b"batch", "file": content}
