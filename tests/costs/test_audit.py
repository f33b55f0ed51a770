"""The log of calls."""

import json
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi._costs.audit import line_of
from langchain_kimi._costs.charges import CallCost
from langchain_kimi._costs.reconciling import Reconciler
from langchain_kimi._costs.records import CallRecord
from langchain_kimi.callbacks import AuditLog
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, faults
from tests.conftest import KEY
from tests.costs.conftest import STORY
from tests.costs.test_tracking import Records


def lines(log: AuditLog) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.path.read_text(encoding="utf-8").splitlines()]


def test_each_call_is_a_line_without_content(model: ChatKimi, tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "calls.jsonl")
    answer = model.invoke(STORY, {"callbacks": [log]})
    model.invoke(STORY, {"callbacks": [pickle.loads(pickle.dumps(log))]})  # noqa: S301 - written in the same line
    first, second = lines(log)
    reply = answer.response_metadata
    assert (first["model"], first["host"], first["generation_id"]) == (model.model_name, "Moonshot AI", reply["id"])
    assert (first["cost"], first["state"], first["attempts"]) == (reply["cost"], "answered", 1)
    assert first["time"] < second["time"]
    assert first["run_id"] != second["run_id"]
    written = log.path.read_text(encoding="utf-8")
    assert STORY not in written
    assert answer.text not in written
    assert log.wait_for_costs()


def test_a_failure_is_a_line_without_its_text(openrouter: Emulator, tmp_path: Path) -> None:
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
    openrouter.fail_next(faults.overloaded())
    log = AuditLog(tmp_path / "calls.jsonl")
    with pytest.raises(KimiError) as caught:
        model.invoke(STORY, {"callbacks": [log]})
    [line] = lines(log)
    assert (line["state"], line["error"], line["cost"]) == ("failed", type(caught.value).__name__, 0.0)
    assert caught.value.reason not in log.path.read_text(encoding="utf-8")


def test_a_looked_up_cost_is_another_line(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "calls.jsonl", reconcile=Records(openrouter))
    log._lookups.reconciler = Reconciler(Records(openrouter), (0.0,))
    stream: Any = model.stream(STORY, {"callbacks": [log]})
    next(stream)
    stream.close()
    assert log.wait_for_costs()
    before, after = lines(log)
    assert (before["state"], before["cost"], after["state"]) == ("abandoned", None, "reconciled")
    assert after["cost"] > 0
    assert after["input_tokens"] > 0
    assert before["run_id"] == after["run_id"]


def test_a_line_has_the_run_around_the_call() -> None:
    parent = uuid4()
    record = CallRecord(uuid4(), parent, 0.0, 1.0, 0.5, "asked", "failed", "KimiError", CallCost(), 2)
    line = line_of(record)
    assert (line["parent_run_id"], line["model"], line["first_chunk"]) == (str(parent), "asked", 0.5)
    assert line["time"] == "1970-01-01T00:00:00.000+00:00"


def test_a_cost_without_the_charge_for_an_own_key_is_unknown() -> None:
    cost = CallCost(cost=Decimal(0), lacks_upstream_cost=True)
    assert line_of(CallRecord(uuid4(), None, 0.0, 1.0, None, "asked", "answered", None, cost, 1))["cost"] is None
