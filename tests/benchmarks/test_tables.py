import json
from pathlib import Path

import pytest

from tests.benchmarks.measuring import Samples
from tests.benchmarks.tables import Figures, ratio_text, table


def test_rows_become_lines() -> None:
    assert list(table(["", "a"], [["one", "1"]])) == ["|  | a |", "| --- | --- |", "| one | 1 |", ""]


@pytest.mark.parametrize(("ratio", "text"), [(0.84, "0.84"), (1.5, "1.50"), (0.035, "0.035")])
def test_small_ratios_have_more_digits(ratio: float, text: str) -> None:
    assert ratio_text(ratio) == text


def test_figures_are_medians_in_the_unit_and_ratios(tmp_path: Path) -> None:
    figures = Figures()
    samples = {"us": Samples(cpu=[1.0, 2.0, 9.0]), "them": Samples(cpu=[4.0, 4.0, 4.0])}
    row = figures.add("calls", "plain, ms", samples, 1000, "us")
    assert row.medians == {"us": 2000.0, "them": 4000.0}
    assert row.ratios == {"them": 0.5}
    assert row.spreads["them"] == 0
    figures.add_values("start", "import", {"us": 3.0, "none": 0.0}, "us")
    figures.write(tmp_path / "figures.json", base="main")
    written = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert written["base"] == "main"
    assert [(one["title"], one["ratios"]) for one in written["rows"]] == [("plain, ms", {"them": 0.5}), ("import", {})]
