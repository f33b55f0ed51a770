"""Write tables and charts of an audit log."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

from langchain_kimi._costs.charges import NO_COST
from langchain_kimi._costs.ledger import aligned

KEYS: dict[str, Callable[[dict[str, Any]], str]] = {
    "model": lambda line: str(line.get("model") or "unknown"),
    "host": lambda line: str(line.get("host") or "unknown"),
    "day": lambda line: str(line.get("time") or "unknown")[:10],
    "run": lambda line: str(line.get("parent_run_id") or line.get("run_id") or "unknown"),
}
"""The name of the row in which a call is counted."""
_STATES_OF_FAILURE = frozenset({"failed", "cancelled", "abandoned"})


@dataclass(slots=True)
class Row:
    """A row of a table: the sums of some calls."""

    name: str
    calls: int = 0
    failed: int = 0
    unknown: int = 0
    retries: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = NO_COST

    @property
    def cached_share(self) -> str:
        """The share of input tokens that hosts read from their caches, as a percentage."""
        return f"{self.cached_tokens / self.input_tokens:.0%}" if self.input_tokens else "-"

    def add(self, line: dict[str, Any]) -> None:
        """Add a call."""
        self.calls += 1
        self.failed += line.get("state") in _STATES_OF_FAILURE
        self.unknown += line.get("cost") is None and line.get("state") != "cached"
        self.retries += max(0, (line.get("attempts") or 1) - 1)
        for name in ("input_tokens", "cached_tokens", "output_tokens"):
            setattr(self, name, getattr(self, name) + (line.get(name) or 0))
        self.cost += Decimal(str(line.get("cost") or 0)) + Decimal(str(line.get("upstream_cost") or 0))

    def to_dict(self) -> dict[str, Any]:
        """Return the sums as JSON types."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "cost": float(self.cost)}

    def cells(self) -> list[str]:
        """Return the texts of the row."""
        counts = (self.calls, self.failed, self.unknown, self.retries, self.input_tokens)
        return [self.name, *map(_number, counts), self.cached_share, _number(self.output_tokens), f"{self.cost:.6f}"]


HEAD = ["", "calls", "failed", "unknown", "retries", "input", "cached", "output", "USD"]


def _number(value: int) -> str:
    return f"{value:,}"


def lines_in(text: Iterable[str]) -> tuple[list[dict[str, Any]], int]:
    """Return the calls of an audit log, with the costs that were looked up, and the number of unreadable lines."""
    calls: dict[str, dict[str, Any]] = {}
    damaged = 0
    for number, written in enumerate(text):
        try:
            line = json.loads(written)
        except ValueError:
            damaged += bool(written.strip())
            continue
        if not isinstance(line, dict):
            damaged += 1
            continue
        key = str(line.get("run_id") or number)
        if line.get("state") == "reconciled" and key in calls:
            line["state"] = calls[key].get("state")
        calls[key] = line
    return list(calls.values()), damaged


def rows_of(calls: Iterable[dict[str, Any]], by: str) -> list[Row]:
    """Return the sums of calls, sorted by decreasing cost, or by date if grouped by day; the last row is the total."""
    rows: dict[str, Row] = {}
    total = Row("total")
    for line in calls:
        name = KEYS[by](line)
        rows.setdefault(name, Row(name)).add(line)
        total.add(line)
    if by == "day":
        return [*sorted(rows.values(), key=lambda row: row.name), total]
    return [*sorted(rows.values(), key=lambda row: (-row.cost, row.name)), total]


def as_text(rows: Sequence[Row]) -> str:
    """Return the table as text."""
    return aligned([HEAD, *(row.cells() for row in rows)])


_STYLE = """
:root{color-scheme:light dark;--bar:#3b6fd4;--line:#d9dce3;--dim:#5c6370}
@media(prefers-color-scheme:dark){:root{--bar:#7aa2f7;--line:#3a3f4b;--dim:#a0a8b8}}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
body{background:Canvas;color:CanvasText}
h1{font-size:1.4rem;margin:0}p{color:var(--dim);margin:.2rem 0 1.5rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:11rem}
thead th{color:var(--dim);font-weight:600}tbody th{font-weight:500}
tfoot th,tfoot td{font-weight:700;border-bottom:0}.scroll{overflow-x:auto}
.bar{width:18%;min-width:6rem}.bar i{display:block;height:.8rem;border-radius:.2rem;background:var(--bar)}
"""


def as_html(rows: Sequence[Row], by: str) -> str:
    """Return an HTML page with the table and a bar for each cost.

    The page loads no other files, and uses the reader's color scheme.
    """
    *rows, total = rows
    highest = max((row.cost for row in rows), default=NO_COST) or Decimal(1)
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in HEAD)
    body = "".join(_html_row(row, float(row.cost / highest)) for row in rows)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Costs by {escape(by)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Costs by {escape(by)}</h1><p>{total.cost:.6f} USD in {total.calls:,} calls"
        f"{f', {total.unknown:,} of them of unknown cost' if total.unknown else ''}.</p>"
        f'<div class="scroll"><table><thead><tr>{head}<th class="bar" scope="col"></th></tr></thead>'
        f"<tbody>{body}</tbody><tfoot>{_html_row(total, None)}</tfoot></table></div></body></html>\n"
    )


def _html_row(row: Row, share: float | None) -> str:
    name, *cells = row.cells()
    bar = "" if share is None else f'<i style="width:{100 * share:.1f}%"></i>'
    texts = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(name)}</th>{texts}<td class="bar">{bar}</td></tr>'
