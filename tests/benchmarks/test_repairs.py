import subprocess
import sys

import pytest

from tests.benchmarks.measuring import ROOT
from tests.benchmarks.repairs import HEAD, REPLIES


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_reply_is_measured_in_both_ways() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.repairs", "--deltas", "5", "--rounds", "2"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    head, _, *rows = printed.strip().splitlines()
    assert head == f"| {' | '.join(HEAD)} |"
    titles = [f"{reply.title}, {way}" for way in ("from memory", "over loopback") for reply in REPLIES]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == titles
    assert all("**" in row for row in rows)
