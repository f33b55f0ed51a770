import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import cases
from tests.benchmarks.measuring import ROOT


def output_of(*arguments: str) -> str:
    """Run the benchmark as `make bench` does: its clients go with their process."""
    command = [sys.executable, "-m", "tests.benchmarks.run", "--tiny", "--alone", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.waits
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
    for title in (
        "From bytes to chunks and events",
        "Time to the first token",
        "Growth",
        "Growth of requests and replies",
        "Many streams at once",
        "Memory of an open stream",
        "Start",
    ):
        assert f"## {title}" in report
    assert "| 2, ChatKimi |" in report
    assert printed.strip() == report.strip()
    rows = json.loads(figures.read_text(encoding="utf-8"))["rows"]
    sections = {"calls", "variants", "layers", "first", "growth", "units", "crowd", "memory", "start"}
    assert {row["section"] for row in rows} == sections
    assert all(row["ratios"]["core baseline"] > 0 for row in rows if row["section"] == "calls")
