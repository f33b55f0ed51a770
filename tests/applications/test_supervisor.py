"""A supervisor of two workers."""

import json
from contextlib import closing

import pytest

from examples.agents import scripts, supervisor
from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.applications.playing import play, use_key


def test_the_supervisor_asks_both_workers(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    shown = play(supervisor.main, monkeypatch, capfd)
    order = ["supervisor: analyst", '"harbor": "Skagen", "boats": 640', "supervisor: writer", "supervisor: end"]
    places = [shown.index(part) for part in order]
    assert places == sorted(places)
    assert "Price: 6 model calls" in shown


def test_each_worker_sees_only_its_task(monkeypatch: pytest.MonkeyPatch, openrouter: Emulator) -> None:
    use_key(monkeypatch, openrouter, "How many boats?")
    openrouter.script(*scripts.supervisor()[scripts.ALL])
    supervisor.main()
    writer = openrouter.bodies[4]["messages"]
    assert [message["role"] for message in writer] == ["system", "user"]
    assert writer[1]["content"] == "[emulated] Write one sentence about Skagen's 640 boats."
    last = openrouter.bodies[5]["messages"]
    assert [message["role"] for message in last] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert last[1]["content"] == "How many boats?"


def test_a_supervisor_without_end_is_stopped(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(
        scripts.calls(("Step", {"next": "writer", "task": "Write."})), when=lambda body: "lead" in str(body), times=None
    )
    openrouter.script(scripts.says("A text."), times=None)
    with closing(supervisor.database()) as connection:
        state = supervisor.build(model, connection).invoke({"messages": [("human", "Write.")]})
    assert state["rounds"] == supervisor.MOST_ROUNDS
    assert len(openrouter.bodies) == 2 * supervisor.MOST_ROUNDS


def test_the_analyst_only_reads() -> None:
    with closing(supervisor.database()) as connection:
        query = supervisor.querying(connection)
        assert json.loads(query.invoke({"sql": "SELECT SUM(boats) AS boats FROM visits"})) == [{"boats": 1210}]
        for sql in ("DELETE FROM visits", "DROP TABLE visits", "SELECT nothing", "SELECT 1; SELECT 2"):
            assert query.invoke({"sql": sql}).startswith("Error")
        assert json.loads(query.invoke({"sql": "SELECT COUNT(*) AS rows FROM visits"})) == [{"rows": 4}]
