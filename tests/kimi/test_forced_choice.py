from typing import Any

import pytest

from langchain_kimi._kimi.forced_choice import without_forced_choice
from langchain_kimi._kimi.outgoing import changes_of_choice

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in "fg"]
SEARCH = {"type": "openrouter:web_search"}
NAMED = {"type": "function", "function": {"name": "g"}}
THINKING, SWITCH, K3, PLAIN = (f"moonshotai/kimi-{name}" for name in ("k2-thinking", "k2.6", "k3", "k2-0905"))


def sent(choice: Any, **more: Any) -> tuple[Any, list[Any]]:
    """The choice that is sent, and the tools."""
    body: Any = {"messages": [], "tools": [*TOOLS, SEARCH], "tool_choice": choice, **more}
    fitted: Any = without_forced_choice(body)
    assert (fitted is body) == (fitted["tool_choice"] == choice)
    return fitted["tool_choice"], [tool.get("function", tool).get("name", "search") for tool in fitted["tools"]]


@pytest.mark.parametrize(
    "asked",
    [
        {"model": THINKING},
        {"model": SWITCH, "reasoning_effort": "high"},
        {"model": "moonshotai/kimi-k2.7-code"},
        {"model": PLAIN, "models": [THINKING]},
        {"models": [K3, SWITCH]},
        {"model": SWITCH, "reasoning": {"effort": "low"}},
    ],
)
def test_thinking_models_are_left_the_choice(asked: dict[str, Any]) -> None:
    assert sent("required", **asked) == ("auto", ["f", "g", "search"])
    assert sent(NAMED, **asked) == ("auto", ["g"])
    assert sent(SEARCH, **asked) == ("auto", ["f", "g", "search"])


@pytest.mark.parametrize("choice", ["required", NAMED])
def test_thinking_is_switched_off_where_nobody_asked_for_it(choice: Any) -> None:
    body: Any = {"messages": [], "model": SWITCH, "tools": TOOLS, "tool_choice": choice}
    assert without_forced_choice(body) == {**body, "reasoning": {"enabled": False}}
    assert "reasoning" not in body


@pytest.mark.parametrize(
    ("asked", "sent", "expected"),
    [
        ({"tool_choice": "required"}, {"tool_choice": "required"}, (False, False)),
        ({"tool_choice": "required"}, {"tool_choice": "auto"}, (True, True)),
        ({"tool_choice": NAMED}, {"tool_choice": "required"}, (True, False)),
        ({"tool_choice": NAMED}, {"tool_choice": NAMED, "reasoning": {"enabled": False}}, (True, False)),
        ({}, {}, (False, False)),
    ],
)
def test_what_became_of_a_choice(asked: Any, sent: Any, expected: tuple[bool, bool]) -> None:
    assert tuple(changes_of_choice(asked, sent).values()) == expected


def test_k3_takes_required() -> None:
    assert sent("required", model=K3) == ("required", ["f", "g", "search"])
    assert sent(NAMED, model=K3) == ("required", ["g"])


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_what_forces_nothing_stays(choice: Any) -> None:
    assert sent(choice, model=THINKING) == (choice, ["f", "g", "search"])


@pytest.mark.parametrize(
    "asked",
    [
        {"model": PLAIN},
        {"model": SWITCH, "reasoning": {"enabled": False}},
        {"model": SWITCH, "reasoning_effort": "none"},
        {"model": "other/model"},
    ],
)
def test_models_that_do_not_think_are_forced(asked: dict[str, Any]) -> None:
    for choice in ("required", NAMED):
        assert sent(choice, **asked) == (choice, ["f", "g", "search"])
