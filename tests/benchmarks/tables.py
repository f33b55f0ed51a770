"""The tables of the report, and the same figures for a JSON file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import Samples, median, spread

SMALL = 0.1


def table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def ratio_text(ratio: float) -> str:
    """Return a ratio with two digits that mean something."""
    return f"{ratio:.2f}" if ratio >= SMALL else f"{ratio:.3f}"


@dataclass(frozen=True)
class Row:
    """The figures of one row.

    Attributes:
        section: The title of the section.
        title: The title of the row, with the unit.
        medians: The median of each contender, in the unit of the row.
        spreads: Half the interquartile range, divided by the median, of each contender.
        ratios: The median of ChatKimi divided by those of the others.
    """

    section: str
    title: str
    medians: dict[str, float]
    spreads: dict[str, float]
    ratios: dict[str, float]


@dataclass
class Figures:
    """The figures of a run, in the order of their measurement."""

    rows: list[Row] = field(default_factory=list)

    def add(self, section: str, title: str, samples: Mapping[str, Samples], unit: float, ours: str) -> Row:
        """Add the CPU times of a row.

        Args:
            section: The title of the section.
            title: The title of the row.
            samples: The times of each contender in seconds.
            unit: The factor from seconds to the unit of the row.
            ours: The contender that is divided by the others.
        """
        medians = {name: median(one.cpu) * unit for name, one in samples.items()}
        spreads = {name: spread(one.cpu) for name, one in samples.items()}
        return self.add_values(section, title, medians, ours, spreads)

    def add_values(
        self, section: str, title: str, values: dict[str, float], ours: str, spreads: dict[str, float] | None = None
    ) -> Row:
        """Add values that were measured once, or whose spread is already computed."""
        ratios = {name: values[ours] / value for name, value in values.items() if name != ours and value}
        row = Row(section, title, values, spreads or {}, ratios)
        self.rows.append(row)
        return row

    def write(self, path: Path, **facts: Any) -> None:
        """Write the figures as JSON, after facts about the run such as the versions."""
        content = {**facts, "rows": [asdict(row) for row in self.rows]}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
