from pathlib import Path

import pytest

from langchain_kimi._kimi.facts import DIRECTORY_VARIABLE
from tests.cli.conftest import Cli


def test_facts_are_fetched_and_kept(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Not kept" in cli("refresh")
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    assert f"Kept in {tmp_path / 'facts.json'}" in cli("refresh")
    assert "moonshotai/kimi-k3" in cli.json("refresh", "moonshotai/kimi-k2.6")["models"]
