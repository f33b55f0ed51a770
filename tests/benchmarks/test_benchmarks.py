import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import cases
from tests.benchmarks.measuring import ROOT
from tests.benchmarks.run import SECTIONS


def output_of(*arguments: str) -> str:
    """Run the benchmark as `make bench` does: its clients go with their process."""
    command = [sys.executable, "-m", "tests.benchmarks.run", "--tiny", "--alone", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.long
@pytest.mark.timeout(600)
def test_calls_are_measured_beside_the_baseline() -> None:
    case = next(cases.calls(20))
    printed = output_of("--section", "calls", "--only", case.title)
    assert "## CPU of calls" in printed
    [row] = [line for line in printed.splitlines() if line.startswith(f"| {case.title} |")]
    assert "**" in row


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_benchmark_runs_and_writes_its_report(tmp_path: Path) -> None:
    out = tmp_path / "benchmarks.md"
    figures = tmp_path / "benchmarks.json"
    printed = output_of("--out", str(out), "--json", str(figures))
    report = out.read_text(encoding="utf-8")
    for case in cases.calls(20):
        row = next(line for line in report.splitlines() if line.startswith(f"| {case.title} |"))
        assert "**" in row
    assert all(f"\n## {title}\n\nRun of " in report for title, _ in SECTIONS.values())
    assert "| 2, ChatKimi |" in report
    tables = [line for line in printed.splitlines() if line.startswith("|")]
    assert [line for line in tables if line not in report.splitlines()] == []
    sections = json.loads(figures.read_text(encoding="utf-8"))["sections"]
    assert list(sections) == list(SECTIONS)
    assert [name for name, section in sections.items() if not section["rows"]] == ["steady", "profile"]
    assert all(row["ratios"]["core baseline"] > 0 for row in sections["calls"]["rows"])


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_stopped_run_keeps_the_sections_that_ended(tmp_path: Path) -> None:
    out = tmp_path / "benchmarks.md"
    figures = tmp_path / "benchmarks.json"
    command = [sys.executable, "-m", "tests.benchmarks.run", "--alone", "--out", str(out), "--json", str(figures)]
    sections = ["--section", "profile", "--section", "calls"]
    with subprocess.Popen([*command, *sections], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("profile: ")
        process.terminate()
        assert process.wait() == 1
        assert "stopped by signal 15" in process.stderr.read()
    assert list(json.loads(figures.read_text(encoding="utf-8"))["sections"]) == ["profile"]
    assert "## Where a text stream's time goes" in out.read_text(encoding="utf-8")
