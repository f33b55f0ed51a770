"""A refund after an approval: a process is killed while it waits, and another one continues."""

import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from examples.agents import approval, scripts
from langchain_kimi import ChatKimi, KimiBudgetExceededError
from langchain_kimi.testing import Emulator
from tests.applications.playing import play, use_key
from tests.interpreters import Interpreter
from tests.waiting import blocking_until

ROOT = Path(__file__).parents[2]


def refunds(folder: Path) -> list[dict[str, Any]]:
    ledger = folder / "refunds.jsonl"
    return [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, openrouter: Emulator) -> Emulator:
    """Return an OpenRouter that plays the customer's case."""
    use_key(monkeypatch, openrouter)
    openrouter.script(*scripts.approval()[scripts.ALL])
    return openrouter


ASK = """
import runpy, sys

sys.argv = ["approval", "ask", sys.argv[1]]
runpy.run_module("examples.agents.approval", run_name="__main__", alter_sys=True)
"""


@pytest.mark.waits
def test_a_process_is_killed_and_this_one_continues(
    shop: Emulator, interpreter: Interpreter, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with interpreter.running(ASK, str(tmp_path)) as first:
        blocking_until(lambda: approval.END in interpreter.texts()[0])
        first.send(signal.SIGKILL)
        first.wait()
    approval.run("approve", tmp_path)
    shown = interpreter.texts()[0] + capsys.readouterr().out
    assert len(set(re.findall(r"process (\d+):", shown))) == 2
    assert re.findall(r"(\d) model calls", shown) == ["2", "2", "1", "3"]
    assert len(shop.bodies) == 3
    assert refunds(tmp_path) == [{"key": "customer-7 refund:1", "number": "A-17", "dollars": 40.0}]


# The application itself starts and kills the processes here, which costs three imports of langchain.
@pytest.mark.long
def test_the_application_kills_a_process_and_another_one_continues(
    shop: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["approval", "play", str(tmp_path)])
    approval.main()
    shown = capfd.readouterr().out
    assert "The first process was killed: exit status -9." in shown
    assert len(set(re.findall(r"process (\d+):", shown))) == 2
    # Each process prints its own calls and those of the thread.
    assert re.findall(r"(\d) model calls", shown) == ["2", "2", "1", "3"]
    assert len(shop.bodies) == 3
    assert refunds(tmp_path) == [{"key": "customer-7 refund:1", "number": "A-17", "dollars": 40.0}]


@pytest.mark.long
def test_it_plays_without_a_key(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    shown = play(approval.main, monkeypatch, capfd)
    assert "exit status -9" in shown
    assert "Refunds: {" in shown


def test_nothing_is_requested_and_paid_twice(shop: Emulator, tmp_path: Path) -> None:
    approval.run("ask", tmp_path)
    assert len(shop.bodies) == 2
    assert refunds(tmp_path) == []
    approval.run("approve", tmp_path)
    assert len(shop.bodies) == 3
    assert len(refunds(tmp_path)) == 1
    # A second approval has nothing to approve.
    approval.run("approve", tmp_path)
    assert len(shop.bodies) == 3
    assert len(refunds(tmp_path)) == 1


def test_a_question_with_a_pending_approval_is_not_sent_again(
    shop: Emulator, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for _ in range(2):
        approval.run("ask", tmp_path)
        assert approval.WAITING in capsys.readouterr().out
    assert len(shop.bodies) == 2


def test_a_rejected_refund_is_not_paid(shop: Emulator, tmp_path: Path) -> None:
    approval.run("ask", tmp_path)
    approval.run("reject", tmp_path)
    assert refunds(tmp_path) == []
    assert shop.bodies[2]["messages"][-1]["role"] == "tool"
    assert "reject" in shop.bodies[2]["messages"][-1]["content"]


def test_a_crash_between_the_refund_and_its_record_pays_once(
    shop: Emulator, model: ChatKimi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The tool has paid, and the process ends before the step is in the file: the tool runs again in the next one."""
    approval.run("ask", tmp_path)

    class Crash(BaseException):
        pass

    def pays_and_crashes(ledger: Path) -> Any:
        refund = real(ledger)
        function = refund.func

        def crashing(**arguments: Any) -> str:
            function(**arguments)
            raise Crash

        return refund.model_copy(update={"func": crashing})

    real: Any = approval.refunding
    monkeypatch.setattr(approval, "refunding", pays_and_crashes)
    with pytest.raises(Crash):
        approval.run("approve", tmp_path)
    monkeypatch.setattr(approval, "refunding", real)
    assert (len(refunds(tmp_path)), len(shop.bodies)) == (1, 2)
    approval.run("ask", tmp_path)
    assert (len(refunds(tmp_path)), len(shop.bodies)) == (1, 3)
    assert "already refunded" in shop.bodies[2]["messages"][-1]["content"]


def test_the_limit_of_a_thread_lasts_across_processes(model: ChatKimi, openrouter: Emulator, tmp_path: Path) -> None:
    limited = model.model_copy(update={"max_tokens": 100})
    expensive = scripts.says("It cost a lot.", cost=0.06)
    openrouter.script(expensive, expensive)
    question: Any = {"messages": [("human", "Hello.")]}
    for process in range(3):
        with SqliteSaver.from_conn_string(str(tmp_path / "agent.sqlite")) as saver:
            agent = approval.build(limited, tmp_path / "refunds.jsonl", saver)
            if process < 2:
                agent.invoke(question, approval.THREAD)
            else:
                with pytest.raises(KimiBudgetExceededError):
                    agent.invoke(question, approval.THREAD)
    assert len(openrouter.bodies) == 2
