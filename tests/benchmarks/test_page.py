import json
import re
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.measuring import ROOT
from tests.benchmarks.page import FIGURES, PAGE, Page, Run, Section
from tests.benchmarks.tables import Figures

OLD = Run("2026-11-25 10:00 UTC", "full", {"Python": "3.11.7"})
NEW = Run("2026-11-26 10:00 UTC", "quick", {"Python": "3.12.1"})
ORDER = ["calls", "growth", "start"]


def section(title: str, run: Run, line: str) -> Section:
    figures = Figures()
    figures.add_values(title, line, {"us": 1.0, "them": 2.0}, "us")
    return Section(title, run, 12.4, ["", line, ""], figures.rows)


def measured() -> Page:
    page = Page()
    page.put("start", section("Start", OLD, "two"), ORDER)
    page.put("calls", section("CPU of calls", OLD, "one"), ORDER)
    return page


def test_sections_are_in_order_and_say_which_run_they_are_from() -> None:
    page = measured()
    page.put("growth", section("Growth", NEW, "three"), ORDER)
    text = page.markdown()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## CPU of calls", "## Growth", "## Start", "## What was tried",
    ]  # fmt: skip
    assert "## Growth\n\nRun of 2026-11-26 10:00 UTC, 12 seconds.\n\nthree\n\n## Start" in text
    assert "| 2026-11-25 10:00 UTC | full | 25 | Python 3.11.7 | CPU of calls, Start |\n" in text
    assert text.index("| 2026-11-26 10:00 UTC | quick | 12 |") < text.index("| 2026-11-25 10:00 UTC |")


def test_a_page_of_one_run_does_not_list_its_sections() -> None:
    assert "| 2026-11-25 10:00 UTC | full | 25 | Python 3.11.7 | all |" in measured().markdown()


def test_a_duration_that_was_not_recorded_is_left_out() -> None:
    page = Page({"start": replace(section("Start", OLD, "two"), seconds=0.0)})
    assert "\nRun of 2026-11-25 10:00 UTC.\n" in page.markdown()
    assert "| 2026-11-25 10:00 UTC | full |  | Python 3.11.7 | all |" in page.markdown()


def test_a_section_that_is_measured_again_replaces_the_earlier_one(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    measured().write(None, figures)
    page = Page.read(figures)
    assert page == measured()
    page.put("start", section("Start", NEW, "faster"), ORDER)
    page.write(tmp_path / "page.md", figures)
    assert Page.read(figures).sections["start"].lines == ["", "faster", ""]
    assert "\n\ntwo\n" not in (tmp_path / "page.md").read_text(encoding="utf-8")
    rows = json.loads(figures.read_text(encoding="utf-8"))["sections"]["start"]["rows"]
    assert [row["ratios"] for row in rows] == [{"them": 0.5}]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.json", "page.md"]


def test_without_a_file_the_page_is_empty(tmp_path: Path) -> None:
    assert Page.read(None) == Page.read(tmp_path / "none.json") == Page()


def test_the_documentation_has_the_page_of_the_figures() -> None:
    text = Page.read(FIGURES).markdown()
    assert text == PAGE.read_text(encoding="utf-8"), "run python -m tests.benchmarks.page"


def test_the_functions_of_the_profile_exist() -> None:
    """A row whose function is gone is from an old profile, which `--section profile` measures again in seconds."""
    rows = [re.match(r"\| `(.+)` \| (langchain_kimi/.+\.py) \|", line) for line in profile()]
    functions = [row.groups() for row in rows if row]
    assert functions
    gone = [(name, path) for name, path in functions if f"def {name}(" not in text_of(path)]
    assert gone == [], "run python -m tests.benchmarks.run --section profile --out PAGE --json FIGURES"


def profile() -> list[str]:
    return Page.read(FIGURES).sections["profile"].lines


def text_of(path: str) -> str:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""
