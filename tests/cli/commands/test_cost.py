from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def test_costs_have_a_source_and_a_date(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("Hello, world.")
    [cost] = cli.json("cost", str(file), "--max-tokens", "1000000", "--model", "moonshotai/kimi-k3.1-pro")
    assert cost["max_cost"] == pytest.approx(20, abs=0.01)
    assert cost["source"].startswith("genai-prices")
    assert f"{cost['source']}, {cost['date']}" in cli("cost", str(file))
    assert cli.emulator.requests == []
