import json
from typing import Any

import pytest

from langchain_kimi.cli.main import main
from langchain_kimi.testing import SAMPLE_HOSTS, Emulator
from tests.conftest import KEY


class Cli:
    """Runs commands against the emulator."""

    def __init__(self, emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
        self.emulator = emulator
        self._capsys = capsys
        self.err = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run a command, check its exit code, and return what it printed."""
        assert main([*arguments, "--base-url", self.emulator.base_url]) == code
        output = self._capsys.readouterr()
        self.err = output.err
        return output.out

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with `--json`, and return the value that it printed."""
        return json.loads(self(*arguments, "--json", code=code))


@pytest.fixture
def cli(openrouter: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    openrouter.behave(hosts=SAMPLE_HOSTS, prompt_cache=False)
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    return Cli(openrouter, capsys)
