"""Deep research with subagents; run by `make test-applications`."""

import importlib.util
from functools import partial

import pytest

from langchain_kimi import KimiBudgetExceededError
from langchain_kimi.testing import Emulator
from tests.applications.playing import play, use_key

if importlib.util.find_spec("deepagents") is None:
    pytest.skip("deepagents is not installed; `make test-applications` installs it", allow_module_level=True)

from examples.agents import deep_research, scripts
from examples.agents.kimi import contains


def test_researchers_search_and_a_critic_checks(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = play(deep_research.main, monkeypatch, capfd)
    # Both researchers have their task before one of them answers.
    assert shown.index("Find out about WEAR.") < shown.index("says: [emulated] A made-up finding")
    assert "one about wear. (https://example.com/wear)\n" in shown
    assert "https://example.com/costs  A made-up page about costs" in shown
    assert "Price: 10 model calls" in shown


def test_only_researchers_have_the_web(monkeypatch: pytest.MonkeyPatch, openrouter: Emulator) -> None:
    use_key(monkeypatch, openrouter, "What is a tide?")
    for text, replies in scripts.deep_research().items():
        openrouter.script(*replies, when=partial(contains, text))
    deep_research.main()
    for body in openrouter.bodies:
        kinds = {tool["type"] for tool in body["tools"]}
        names = {tool["function"]["name"] for tool in body["tools"] if tool["type"] == "function"}
        system, user = (str(message["content"]) for message in body["messages"][:2])
        assert ("openrouter:web_search" in kinds) is (deep_research.RESEARCHER[:40] in system)
        assert ("task" in names) is ("What is a tide?" in user)
        assert body["session_id"] == "research-1"


def test_the_budget_includes_the_subagents(monkeypatch: pytest.MonkeyPatch, openrouter: Emulator) -> None:
    use_key(monkeypatch, openrouter)
    [plan, tasks, *_] = scripts.deep_research()[scripts.ALL]
    openrouter.script(plan, tasks)
    one_call = 0.05
    monkeypatch.setattr(deep_research, "MOST_DOLLARS", 2 * one_call)
    openrouter.script(scripts.says("It is expensive.", cost=one_call), times=None)
    with pytest.raises(KimiBudgetExceededError):
        deep_research.main()
    assert 2 <= len(openrouter.bodies) <= 4
