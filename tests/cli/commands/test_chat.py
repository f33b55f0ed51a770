import io
import sys

import pytest

from langchain_kimi.testing import Reply
from tests.cli.conftest import Cli


def type_lines(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_each_turn_shows_its_cost(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    type_lines(monkeypatch, "Hello.", "/tools", "And again.", "/quit", "never sent")
    cli.emulator.script(Reply(text="One.", cost=0.25), Reply(text="Two.", usage={"cost": None}))
    output = cli("chat")
    assert "> One.\n[Steady, 0.250000 USD]" in output
    assert "Two.\n[Steady, cost unknown]" in output
    assert "no tools" in output
    assert [len(body["messages"]) for body in cli.emulator.bodies] == [1, 3]


def test_the_end_of_input_ends_the_chat(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    type_lines(monkeypatch, "Hello.")
    [turn] = cli.json("chat")
    assert turn["prompt"] == "Hello."
    assert turn["cost"] > 0
