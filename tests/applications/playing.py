"""Runs the applications of the examples in this process, and checks what all of them print."""

import sys
from collections.abc import Callable

import pytest

from examples.agents.scripts import MARK
from langchain_kimi.testing import Emulator
from tests.conftest import KEY


def play(
    main: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str
) -> str:
    """Run an application without a key, and return what it printed. Every text of its model is marked as emulated."""
    monkeypatch.setattr(sys, "argv", ["application", *arguments])
    main()
    shown = capfd.readouterr().out
    first, *lines = shown.splitlines()
    assert first.startswith("Calling the emulator")
    assert all(MARK in line for line in lines if " says: " in line)
    assert not [line for line in lines if "Moonshot AI" in line]
    return shown


def use_key(monkeypatch: pytest.MonkeyPatch, openrouter: Emulator, *arguments: str) -> None:
    """Let an application call this emulator with a key, as it calls OpenRouter."""
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OPENROUTER_API_BASE", openrouter.base_url)
    monkeypatch.setattr(sys, "argv", ["application", *arguments])
