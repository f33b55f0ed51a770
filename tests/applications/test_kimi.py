"""The model of the applications, and how they print its replies."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from examples.agents import scripts
from examples.agents.kimi import connection, kimi, shortened, show
from langchain_kimi.testing import Emulator
from tests.applications.playing import use_key
from tests.conftest import KEY


def test_a_key_is_for_openrouter(
    monkeypatch: pytest.MonkeyPatch, openrouter: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    use_key(monkeypatch, openrouter)
    openrouter.script(scripts.says("Hello."))
    with kimi(scripts.rag(), max_tokens=50) as model:
        show(model.invoke("Hello."), "lead")
    assert openrouter.bodies[0]["max_tokens"] == 50
    shown = capsys.readouterr().out
    assert shown.startswith("Calling OpenRouter")
    assert "lead: Moonshot AI says: [emulated] Hello." in shown
    assert KEY not in shown
    with connection({}) as arguments:
        assert arguments == {}


def test_replies_of_a_script_wait_for_their_requests(capsys: pytest.CaptureFixture[str]) -> None:
    with kimi({"tide": [scripts.says("High.")], scripts.ALL: [scripts.says("Hello.")]}) as model:
        assert [model.invoke(text).text for text in ("Hi.", "The tide?")] == ["[emulated] Hello.", "[emulated] High."]
        message = model.invoke("Hi.")
    assert message.response_metadata["provider"] == "Emulator"
    assert capsys.readouterr().out.startswith("Calling the emulator")


def test_calls_and_results_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show(AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1, "b": "x"}, "id": "1"}]))
    show(ToolMessage("line\n line", name="add", tool_call_id="1"), "worker")
    show(HumanMessage("Not printed."))
    assert capsys.readouterr().out == "Kimi calls add(a=1, b='x')\nworker: add returns line line\n"
    assert shortened("a" * 200) == "a" * 160 + "…"
