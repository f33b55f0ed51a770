"""The benchmarks of bulk runs, with few rows."""

from pathlib import Path

import pytest

from tests.benchmarks import bulk
from tests.benchmarks.bulk_server import PRICE, Counts


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_section_has_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "KILLS", 2)
    lines = [line for section, _ in bulk.SECTIONS.values() for line in section(300, tmp_path)]

    assert [line.split("|")[1].strip().split(",")[0] for line in lines] == [
        "300 rows", "300 rows", "300 rows", "peak memory", "peak memory", "each third request is refused",
        f"max_cost ${300 * PRICE * 0.3:.4f}", "2 SIGKILLs in 300 rows",
    ]  # fmt: skip
    assert "300 answered, 0 twice" in lines[-1]
    assert "overshoot $0.000000" in lines[-2]
    assert "300 answered" in lines[-3]


def test_a_third_of_the_requests_is_refused() -> None:
    counts = Counts()
    answers = [counts.answer(refuses=True) for _ in range(6)]
    assert [b" 429 " in answer for answer in answers] == [False, False, True] * 2
    assert (counts.requests, counts.refused) == (6, 2)
    assert 0 < counts.cost <= 4 * PRICE
