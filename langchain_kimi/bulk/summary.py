"""The sums of a bulk run, and its table."""

from collections import Counter
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from langchain_kimi.bulk.results import BulkResult


@dataclass(slots=True)
class BulkSummary:
    """A summary of a run so far.

    Attributes:
        rows: Rows with a result: answered, failed, stored by an earlier run, or equal to another row.
        answered: Rows that this run sent and that have a value.
        failed: Rows that this run sent and that have no value.
        stored: Rows that an earlier run finished.
        duplicates: Rows that are equal to another row, and were not sent.
        errors: The number of failed rows by the kind of error.
        requests: Requests that were sent, including those of failed attempts.
        refusals: Requests that the host refused because it had too many.
        input_tokens: The tokens of all prompts.
        output_tokens: The tokens of all answers.
        charged: US dollars charged in this run, exactly; `cost` is the same as a float.
        earlier_cost: US dollars charged for the rows that earlier starts of the run wrote. `max_cost` includes them.
        unknown_costs: Calls and attempts whose cost was not reported.
        costs: US dollars by host.
        seconds: The duration of the run.
        total: The number of rows of the input; None while it is not known.
        stopped: The reason why the run stopped early; empty if it did not.
    """

    rows: int = 0
    answered: int = 0
    failed: int = 0
    stored: int = 0
    duplicates: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    refusals: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    charged: Decimal = Decimal(0)
    earlier_cost: float = 0.0
    unknown_costs: int = 0
    costs: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    total: int | None = None
    stopped: str = ""

    @property
    def cost(self) -> float:
        """US dollars charged in this run."""
        return float(self.charged)

    @property
    def expected_cost(self) -> float | None:
        """US dollars that the whole run costs if the remaining rows cost as much as those so far; None if unknown."""
        paid = self.answered + self.failed
        if self.total is None or not paid:
            return None
        return self.cost * (1 + max(0, self.total - self.rows) / paid)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end at the rate of the rows that this run asked; None if that is not known."""
        asked_rows = self.answered + self.failed
        if self.total is None or not asked_rows:
            return None
        return self.seconds * max(0, self.total - self.rows) / asked_rows

    @property
    def rate(self) -> float | None:
        """Rows that this run asked, a second; None at its start."""
        return (self.answered + self.failed) / self.seconds if self.seconds else None

    def add(self, result: BulkResult) -> None:
        """Count a result."""
        self.rows += 1
        if result.state != "new":
            self.stored += result.state == "stored"
            self.duplicates += result.state == "duplicate"
            return
        if result.error is None:
            self.answered += 1
        else:
            self.failed += 1
            self.errors[result.error.kind] += 1
        self.input_tokens += result.input_tokens
        self.output_tokens += result.output_tokens
        self.unknown_costs += result.unknown_costs
        self.charged += Decimal(str(result.cost))
        if result.cost:
            host = result.provider or "unknown"
            self.costs[host] = self.costs.get(host, 0.0) + result.cost

    def to_dict(self) -> dict[str, Any]:
        """Return the sums as JSON types."""
        sums = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "charged"}
        return {**sums, "errors": dict(self.errors), "cost": self.cost}

    def line(self) -> str:
        """Return the state of the run in one line."""
        of = "" if self.total is None else f" of {self.total:,}"
        parts = [f"{self.rows:,}{of} rows", f"{self.failed:,} failed", f"${self.cost:.4f}"]
        if (expected := self.expected_cost) is not None:
            parts.append(f"about ${expected:.4f} in all")
        if (rate := self.rate) is not None:
            parts.append(f"{rate:,.1f} rows/s")
        if (left := self.seconds_left) is not None:
            parts.append(f"{_duration(left)} left")
        return ", ".join(parts)

    def __str__(self) -> str:
        """Return a table of the sums."""
        rows = [
            ("rows", f"{self.rows:,}"),
            ("  answered", f"{self.answered:,}"),
            ("  failed", f"{self.failed:,}"),
            *((f"    {kind}", f"{number:,}") for kind, number in self.errors.most_common()),
            ("  from an earlier run", f"{self.stored:,}"),
            ("  duplicates", f"{self.duplicates:,}"),
            ("requests", f"{self.requests:,}"),
            ("  refused", f"{self.refusals:,}"),
            ("input tokens", f"{self.input_tokens:,}"),
            ("output tokens", f"{self.output_tokens:,}"),
            ("cost", f"${self.cost:.6f}"),
            *((f"  at {host}", f"${cost:.6f}") for host, cost in sorted(self.costs.items())),
            *((("  in earlier starts", f"${self.earlier_cost:.6f}"),) if self.earlier_cost else ()),
            ("calls of unknown cost", f"{self.unknown_costs:,}"),
            ("rows per second", "-" if self.rate is None else f"{self.rate:,.1f}"),
            ("duration", _duration(self.seconds)),
        ]
        if self.stopped:
            rows.append(("stopped", self.stopped))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name.ljust(width)}  {value}" for name, value in rows)


def _duration(seconds: float) -> str:
    """Return a duration as `12 s`, `3:05 min` or `1:02:03 h`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,}:{minutes:02}:{rest:02} h"
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"
