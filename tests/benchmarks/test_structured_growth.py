import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.measuring import ROOT, server
from tests.benchmarks.structured_growth import MEASURED, METHODS, QUICK, jobs


def test_every_stream_is_read_to_its_end() -> None:
    with server() as url:
        for method in METHODS:
            counts = {column: job() for column, job in jobs(QUICK[0], method, url).items()}
            assert counts["class"] == 1
            assert counts["dict"] > QUICK[0]
            assert counts["partial"] >= counts["dict"]
            assert counts["end to end"] == counts["GC off"] == counts["dict"]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_growth_is_reported_for_every_method(tmp_path: Path) -> None:
    out = tmp_path / "growth.md"
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.structured_growth",
        "--quick",
        "--rounds",
        "1",
        "--out",
        str(out),
    ]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    report = out.read_text(encoding="utf-8")
    assert printed.strip() == report.strip()
    for row in (
        "end to end",
        "GC off",
        "dict",
        "class",
        "partial",
        "langchain-core's stream",
        "langchain-core",
    ):
        assert report.count(f"\n| {row} |") == len(MEASURED)
