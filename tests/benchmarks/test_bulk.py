"""The benchmarks of bulk runs, with few rows."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import bulk
from tests.benchmarks.bulk_server import PRICE, Counts


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_section_has_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bulk, "ROUNDS", 2)
    scale = {name: 300 / rows for name, (_, rows) in bulk.SECTIONS.items()}

    bulk.report((line for name in scale for line in bulk.measured([name], scale[name], {})), tmp_path / "lines.json")
    lines = json.loads((tmp_path / "lines.json").read_text())

    assert [line["what"].split(",")[0] for line in lines] == [
        "300 rows", "300 rows", "300 rows", "peak memory", "peak memory", "each third request is refused",
        f"max_cost ${300 * PRICE * 0.3:.4f}", "2 SIGKILLs in 300 rows",
    ]  # fmt: skip
    kills, budget, refusals = (line["figures"] for line in reversed(lines[-3:]))
    assert (kills["answered"], kills["twice"], kills["unexplained"]) == (300, 0, 0)
    assert budget["overshoot"] == 0
    assert refusals["answered"] == 300
    assert capsys.readouterr().out.count("\n") == 2 + len(lines)


def test_a_third_of_the_requests_is_refused() -> None:
    counts = Counts()
    answers = [counts.answer(refuses=True) for _ in range(6)]
    assert [b" 429 " in answer for answer in answers] == [False, False, True] * 2
    assert (counts.requests, counts.refused) == (6, 2)
    assert 1 <= counts.busiest <= 6
    assert 0 < counts.cost <= 4 * PRICE
