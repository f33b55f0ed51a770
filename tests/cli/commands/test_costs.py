from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.costs.test_report import LOG


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "calls.jsonl"
    file.write_text("\n".join(LOG), encoding="utf-8")
    return file


def test_the_sums_are_a_table(cli: Cli, log: Path) -> None:
    lines = cli("costs", str(log)).splitlines()
    assert lines[0].split() == ["calls", "failed", "unknown", "retries", "input", "cached", "output", "USD"]
    assert lines[-1].split()[-1] == "0.850000"
    assert cli.err == ""


def test_the_sums_are_json(cli: Cli, log: Path) -> None:
    days = cli.json("costs", str(log), "--by", "day")
    assert [day["name"] for day in days] == ["2026-11-26", "2026-11-27", "total"]


def test_the_sums_are_a_page(cli: Cli, log: Path) -> None:
    assert cli("costs", str(log), "--html").startswith("<!doctype html>")


def test_damaged_lines_are_reported(cli: Cli, log: Path) -> None:
    log.write_text("{", encoding="utf-8")
    cli("costs", str(log))
    assert "1 of 1 lines" in cli.err


def test_a_log_that_is_missing_is_a_wrong_argument(cli: Cli, tmp_path: Path) -> None:
    cli("costs", str(tmp_path / "missing.jsonl"), code=2)
    assert "No such file" in cli.err
