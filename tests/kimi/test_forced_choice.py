from typing import Any

import pytest

from langchain_kimi._kimi.forced_choice import without_forced_choice
from langchain_kimi._kimi.outgoing import changes_of_choice

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in "fg"]
SEARCH = {"type": "openrouter:web_search"}
NAMED = {"type": "function", "function": {"name": "g"}}
THINKING, SWITCH, K3, PLAIN = (f"moonshotai/kimi-{name}" for name in ("k2-thinking", "k2.6", "k3", "k2-0905"))


def sent(choice: Any, **more: Any) -> tuple[Any, list[Any]]:
    """Return the choice and the tools that are sent."""
    body: Any = {"messages": [], "tools": [*TOOLS, SEARCH], "tool_choice": choice, **more}
    fitted: Any = without_forced_choice(body)
    assert (fitted is body) == (fitted["tool_choice"] == choice)
    return fitted["tool_choice"], [tool.get("function", tool).get("name", "search") for tool in fitted["tools"]]


@pytest.mark.parametrize(
    "body",
    [
        {"model": THINKING},
        {"model": SWITCH, "reasoning_effort": "high"},
        {"model": "moonshotai/kimi-k2.7-code"},
        {"model": PLAIN, "models": [THINKING]},
        {"models": [K3, SWITCH]},
        {"model": SWITCH, "reasoning": {"effort": "low"}},
    ],
)
def test_thinking_models_get_auto(body: dict[str, Any]) -> None:
    assert sent("required", **body) == ("auto", ["f", "g", "search"])
    assert sent(NAMED, **body) == ("auto", ["g"])
    assert sent(SEARCH, **body) == ("auto", ["f", "g", "search"])


@pytest.mark.parametrize("choice", ["required", NAMED])
def test_thinking_is_switched_off_if_it_is_unset(choice: Any) -> None:
    body: Any = {"messages": [], "model": SWITCH, "tools": TOOLS, "tool_choice": choice}
    assert without_forced_choice(body) == {**body, "reasoning": {"enabled": False}}
    assert "reasoning" not in body


@pytest.mark.parametrize(
    ("body", "sent", "expected"),
    [
        ({"tool_choice": "required"}, {"tool_choice": "required"}, (False, False)),
        ({"tool_choice": "required"}, {"tool_choice": "auto"}, (True, True)),
        ({"tool_choice": NAMED}, {"tool_choice": "required"}, (True, False)),
        ({"tool_choice": NAMED}, {"tool_choice": NAMED, "reasoning": {"enabled": False}}, (True, False)),
        ({}, {}, (False, False)),
    ],
)
def test_changes_of_the_choice_are_reported(body: Any, sent: Any, expected: tuple[bool, bool]) -> None:
    assert tuple(changes_of_choice(body, sent).values()) == expected


def test_k3_accepts_required() -> None:
    assert sent("required", model=K3) == ("required", ["f", "g", "search"])
    assert sent(NAMED, model=K3) == ("required", ["g"])


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_choices_that_force_nothing_are_not_changed(choice: Any) -> None:
    assert sent(choice, model=THINKING) == (choice, ["f", "g", "search"])


@pytest.mark.parametrize(
    "body",
    [
        {"model": PLAIN},
        {"model": SWITCH, "reasoning": {"enabled": False}},
        {"model": SWITCH, "reasoning_effort": "none"},
        {"model": "other/model"},
    ],
)
def test_models_that_do_not_think_get_the_forced_choice(body: dict[str, Any]) -> None:
    for choice in ("required", NAMED):
        assert sent(choice, **body) == (choice, ["f", "g", "search"])
