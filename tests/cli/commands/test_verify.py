from pathlib import Path

import pytest

from tests.cli.conftest import Cli

CASE = '{"messages": [{"role": "user", "content": "Hello."}]}\n'


@pytest.fixture
def cases(tmp_path: Path) -> str:
    (tmp_path / "cases.jsonl").write_text(CASE)
    return str(tmp_path / "cases.jsonl")


@pytest.mark.waits
def test_the_table_ends_with_preferences_to_paste(cli: Cli, cases: str) -> None:
    lines = cli("verify", "--cases", cases, "--hosts", "steady", "broken", "--runs", "5").splitlines()
    assert lines[1].split()[:3] == ["steady", "good", "5/5"]
    assert lines[2].split()[:2] == ["broken", "bad"]
    assert lines[-1].endswith("provider=ProviderPreferences(order=['steady'], ignore=['broken']))")
    assert "(57%-100%)" in lines[1]


def test_a_check_without_a_good_host_ends_with_3(cli: Cli, cases: str) -> None:
    report = cli.json("verify", "--cases", cases, "--hosts", "broken", code=3)
    assert report["hosts"][0]["verdict"] == "bad"


def test_the_budget_is_mentioned(cli: Cli, cases: str) -> None:
    arguments = ["--cases", cases, "--hosts", "steady", "--runs", "9", "--max-cost", "0.00275", "--concurrency", "1"]
    assert "The budget did not allow every call." in cli("verify", *arguments)
