"""The measured sections, kept as JSON, and the page that is made from them: `python -m tests.benchmarks.page`.

A run replaces the sections that it measures and keeps the others, so a run of some sections, or one that is stopped,
loses nothing. Each section says which run it is from.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import ROOT
from tests.benchmarks.tables import Row, table

PAGE = ROOT / "docs" / "benchmarks.md"
FIGURES = PAGE.with_suffix(".json")
TRIED = Path(__file__).with_name("tried.md")
INTRODUCTION = """# Benchmarks

Written by `make bench` (`python -m tests.benchmarks.run`). All contenders take turns, over loopback, with the server in
a separate process. Figures of calls are medians of several runs, ± half the interquartile range; those of growth and of
other packages are medians of at most 3. Many streams at once are a single run per contender, in a separate process, so
they show orders of magnitude only. The ratios are more portable between machines than the absolute figures.

*raw* is httpx and the bytes alone, *split* also splits them into events and parses them, and *core baseline* is the
smallest chat model that langchain-core allows: one `AIMessageChunk` per delta, created by its constructor, without
checks or repairs. The columns with ÷ are ChatKimi's CPU time divided by that of the baseline and of the peers. The
*goals* are the upper limits of these ratios, in the same order; they were set on another machine.
"""
HEAD = ["run", "sizes", "seconds", "versions", "sections"]


@dataclass(frozen=True)
class Run:
    """A run of the benchmark.

    Attributes:
        begun: When it began, which is its name.
        sizes: The name of its sizes.
        versions: The versions of Python and of the packages.
    """

    begun: str
    sizes: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Section:
    """A measured section.

    Attributes:
        title: The title on the page.
        run: The run that measured it.
        seconds: The duration of the measurement, by the clock; 0 if it was not recorded.
        lines: The lines of the page.
        rows: The figures.
    """

    title: str
    run: Run
    seconds: float
    lines: list[str]
    rows: list[Row]

    def text(self) -> str:
        """Return the section of the page."""
        took = f", {self.seconds:.0f} seconds" if self.seconds else ""
        text = "\n".join(self.lines).strip("\n")
        return f"## {self.title}\n\nRun of {self.run.begun}{took}.\n\n{text}\n"


@dataclass
class Page:
    """The sections by name; a section that is measured again takes the place of the earlier one."""

    sections: dict[str, Section] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None) -> "Page":
        """Return the page of a JSON file; an empty one if there is no such file."""
        if path is None or not path.exists():
            return cls()
        content = json.loads(path.read_text(encoding="utf-8"))
        runs = {each["begun"]: Run(**each) for each in content["runs"]}
        return cls({name: _section(each, runs) for name, each in content["sections"].items()})

    def put(self, name: str, section: Section, order: list[str]) -> None:
        """Add a section, and sort all of them by their names' order."""
        self.sections[name] = section
        self.sections = {each: self.sections[each] for each in order if each in self.sections}

    def runs(self) -> list[Run]:
        """Return the runs that the sections are from, the last one first."""
        by_name = {section.run.begun: section.run for section in self.sections.values()}
        return [by_name[begun] for begun in sorted(by_name, reverse=True)]

    def markdown(self) -> str:
        """Return the page."""
        tried = f"## What was tried\n\n{TRIED.read_text(encoding='utf-8')}"
        return "\n".join([INTRODUCTION, *table(HEAD, map(self._cells, self.runs())), *self._texts(), tried])

    def _texts(self) -> list[str]:
        return [section.text() for section in self.sections.values()]

    def _cells(self, run: Run) -> list[str]:
        own = [section for section in self.sections.values() if section.run == run]
        versions = ", ".join(f"{name} {number}" for name, number in run.versions.items())
        titles = "all" if len(own) == len(self.sections) else ", ".join(section.title for section in own)
        seconds = sum(section.seconds for section in own)
        return [run.begun, run.sizes, f"{seconds:.0f}" if seconds else "", versions, titles]

    def write(self, page: Path | None, figures: Path | None) -> None:
        """Write the page and the JSON file. A process that is stopped in between leaves whole files."""
        if page:
            _replace(page, self.markdown())
        if figures:
            sections = {name: {**asdict(each), "run": each.run.begun} for name, each in self.sections.items()}
            content = {"runs": [asdict(run) for run in self.runs()], "sections": sections}
            _replace(figures, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _section(content: dict[str, Any], runs: dict[str, Run]) -> Section:
    return Section(**{**content, "run": runs[content["run"]], "rows": [Row(**row) for row in content["rows"]]})


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


if __name__ == "__main__":
    Page.read(FIGURES).write(PAGE, None)
