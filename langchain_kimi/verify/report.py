"""Counts, rates with their intervals, and the report of a verification."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from langchain_kimi._openrouter.parameters.options import ProviderPreferences

PASS_MARK = 0.8
"""The share of good answers that a host must be able to reach. Runs of Moonshot's own API agree with each other on
whether to call a tool with an F1 score of 0.83 to 0.84 for K2 0905, and the verifier's mark for hosts is 0.8
(https://github.com/MoonshotAI/K2-Vendor-Verifier, results of 2025-11-15)."""
THINKING_PASS_MARK = 0.73
"""The same for K2 Thinking, whose own score is 0.76. A model that reasons first varies more."""
_Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution, for intervals of 95 %."""
_COUNT_DIFFERENCE = 0.1
"""A host whose prompt tokens differ by this share from the median of the hosts for the same prompts gets a note. The
counts of a deployment with the right chat template are equal, which Moonshot's second verifier checks
(https://github.com/MoonshotAI/Kimi-Vendor-Verifier, `tests/prompt_tokens`)."""
_SLOW = 3.0
"""A host that takes this many times the median of the hosts in time or money gets a note."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of answers.

    Attributes:
        count: The answers with the property.
        total: All answers that could have it.
    """

    count: int
    total: int

    @property
    def share(self) -> float | None:
        """The share, 0 to 1; None without answers."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share by Wilson's method; 0 to 1 without answers."""
        if not self.total:
            return 0.0, 1.0
        share, square = self.count / self.total, _Z**2 / self.total
        middle = share + square / 2
        spread = _Z * math.sqrt(share * (1 - share) / self.total + square / (4 * self.total))
        return max(0.0, (middle - spread) / (1 + square)), min(1.0, (middle + spread) / (1 + square))

    def __str__(self) -> str:
        if not self.total:
            return "-"
        low, high = self.interval
        return f"{self.count}/{self.total} ({low:.0%}-{high:.0%})"


@dataclass(frozen=True, slots=True)
class Stage:
    """The rates of a host, without or with the repairs of this package.

    Attributes:
        good: Answers without any fault.
        called: Calls that were made, of those that were expected.
        uncalled: Answers without a call, of those where none was expected.
        valid: Answers with calls that all fit their schemas, of all answers with calls.
        structured: Answers that fit the requested JSON schema.
        finish: Answers whose finish reason correctly says whether there is a call.
        leaked: Answers with Kimi's markup in their text.
        empty: Answers with neither text nor calls.
        f1: The F1 score of calls against the reference, 0 to 1; None without calls.
    """

    good: Rate
    called: Rate
    uncalled: Rate
    valid: Rate
    structured: Rate
    finish: Rate
    leaked: Rate
    empty: Rate
    f1: float | None


@dataclass(frozen=True, slots=True)
class HostReport:
    """The results of one host.

    Attributes:
        tag: The host's slug.
        answers: The number of requests that were answered.
        errors: The number of failed requests by the name of the error.
        before: The rates without the repairs of this package.
        after: The rates with them.
        first_token: The median seconds to the first chunk; None without answers.
        throughput: The median tokens per second; None without answers.
        cost: US dollars paid.
        cost_per_answer: US dollars for an answer on average; None without answers.
        verdict: `good`, `unclear` or `bad`.
        notes: Remarks.
    """

    tag: str
    answers: int
    errors: Mapping[str, int]
    before: Stage
    after: Stage
    first_token: float | None
    throughput: float | None
    cost: float
    cost_per_answer: float | None
    verdict: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The results of all hosts, the best first.

    Attributes:
        model: The model's slug.
        hosts: The hosts.
        cost: US dollars paid in all, including earlier runs that were resumed.
        is_complete: Whether every case was run; False if `max_cost` did not allow it.
    """

    model: str
    hosts: tuple[HostReport, ...]
    cost: float
    is_complete: bool = True
    calls: int = field(default=0)

    @property
    def preferences(self) -> ProviderPreferences:
        """The provider preferences that follow: good hosts first, bad ones ignored."""
        order = [host.tag for host in self.hosts if host.verdict == "good"]
        ignored = [host.tag for host in self.hosts if host.verdict == "bad"]
        return ProviderPreferences(order=order or None, ignore=ignored or None)

    @property
    def code(self) -> str:
        """The preferences as Python code to paste."""
        values = {"order": self.preferences.order, "ignore": self.preferences.ignore}
        arguments = ", ".join(f"{name}={[*value]!r}" for name, value in values.items() if value)
        return f'ChatKimi(model="{self.model}", provider=ProviderPreferences({arguments}))'

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types, with an interval for each rate."""
        return {**_plain(asdict(self)), "code": self.code}

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of a table."""
        return [_table_row(host) for host in self.hosts]


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"count", "total"}:
        rate = Rate(**value)
        return {**value, "share": rate.share, "interval": [round(bound, 4) for bound in rate.interval]}
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _table_row(host: HostReport) -> dict[str, str]:
    return {
        "host": host.tag,
        "verdict": host.verdict,
        "good before": str(host.before.good),
        "good after repairs": str(host.after.good),
        "calls made": str(host.after.called),
        "schemas": str(host.after.valid),
        "json": str(host.after.structured),
        "leaks": f"{host.before.leaked.count} -> {host.after.leaked.count}",
        "errors": str(sum(host.errors.values())),
        "first token": "-" if host.first_token is None else f"{host.first_token:.2f} s",
        "tokens/s": "-" if host.throughput is None else f"{host.throughput:.0f}",
        "$/1000": "-" if host.cost_per_answer is None else f"{host.cost_per_answer * 1000:.3f}",
        "notes": "; ".join(host.notes),
    }


Row = Mapping[str, Any]
"""A stored result: `tag`, `case`, `call`, and either `error` or the judgements, times, tokens and cost."""


def report_of(
    model: str, rows: Iterable[Row], tags: Sequence[str], reference: str | None, *, is_complete: bool
) -> VerifyReport:
    """Return the report of stored results."""
    results = [*rows]
    # A reference host decides where the case does not say whether a call is due.
    decided = {row["case"]: row["after"]["called"] for row in results if row["tag"] == reference and "after" in row}
    by_host = {tag: [row for row in results if row["tag"] == tag] for tag in tags}
    numbers = {tag: _numbers(rows) for tag, rows in by_host.items()}
    middles = [_middle([one[index] for one in numbers.values()]) for index in range(3)]
    counts = _usual_counts(results)
    mark = THINKING_PASS_MARK if model.endswith("-thinking") else PASS_MARK
    hosts = [_host(tag, rows, decided, numbers[tag], middles, counts, mark) for tag, rows in by_host.items()]
    rank = {"good": 0, "unclear": 1, "bad": 2}
    hosts.sort(key=lambda host: (rank[host.verdict], bool(host.notes), host.cost_per_answer or math.inf))
    cost = sum(row.get("cost") or 0.0 for row in results)
    return VerifyReport(model, tuple(hosts), cost, is_complete, len(results))


def _numbers(rows: Sequence[Row]) -> tuple[float | None, float | None, float | None]:
    """Return the median seconds to the first chunk, the cost of an answer, and the median tokens per second."""
    answers = [row for row in rows if "after" in row]
    costs = [row["cost"] for row in answers if row["cost"] is not None]
    speeds = [row["tokens"][1] / row["seconds"] for row in answers if row["seconds"] > 0]
    return (
        _middle([row["first_token"] for row in answers]),
        sum(costs) / len(costs) if costs else None,
        _middle(speeds),
    )


def _middle(values: Iterable[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return median(numbers) if numbers else None


def _usual_counts(rows: Sequence[Row]) -> dict[str, float]:
    """Return the median number of prompt tokens for each case."""
    counts: dict[str, list[int]] = {}
    for row in rows:
        if "after" in row and row["tokens"][0]:
            counts.setdefault(row["case"], []).append(row["tokens"][0])
    return {case: median(numbers) for case, numbers in counts.items()}


def _host(  # noqa: PLR0913, PLR0917 - a host's results beside those of all hosts
    tag: str,
    rows: Sequence[Row],
    decided: Mapping[str, bool],
    numbers: tuple[float | None, float | None, float | None],
    middles: Sequence[float | None],
    counts: Mapping[str, float],
    mark: float,
) -> HostReport:
    errors = Counter(row["error"] for row in rows if "error" in row)
    stages = [_stage(rows, name, decided) for name in ("before", "after")]
    first, cost, speed = numbers
    notes = [*_notes(numbers, middles), *_count_notes(rows, counts)]
    if stages[0].leaked.count and not stages[1].leaked.count:
        notes.insert(0, "leaks markup, which the repairs turn into calls")
    if errors:
        notes.append(", ".join(f"{count} {name}" for name, count in errors.items()))
    return HostReport(
        tag,
        sum("after" in row for row in rows),
        dict(errors),
        stages[0],
        stages[1],
        first,
        speed,
        sum(row.get("cost") or 0.0 for row in rows),
        cost,
        _verdict(stages[1].good, mark),
        tuple(notes),
    )


def _notes(numbers: Sequence[float | None], middles: Sequence[float | None]) -> Iterator[str]:
    """Yield the remarkable differences of a host's wait, price and speed from the medians of all hosts."""
    (first, cost, speed), (usual_first, usual_cost, usual_speed) = numbers, middles
    if cost is not None and usual_cost and cost > _SLOW * usual_cost:
        yield f"{cost / usual_cost:.0f} times the usual price"
    if first is not None and usual_first and first > _SLOW * usual_first:
        yield f"{first / usual_first:.0f} times the usual wait"
    if speed and usual_speed and speed * _SLOW < usual_speed:
        yield f"{usual_speed / speed:.0f} times slower than usual"


def _count_notes(rows: Sequence[Row], counts: Mapping[str, float]) -> Iterator[str]:
    """Yield the remarkable differences of the token counts that a host reports."""
    answers = [row for row in rows if "after" in row]
    shares = [row["tokens"][0] / counts[row["case"]] for row in answers if row["tokens"][0]]
    share = median(shares) - 1 if shares else 0.0
    if abs(share) > _COUNT_DIFFERENCE:
        yield f"counts {abs(share):.0%} {'more' if share > 0 else 'fewer'} prompt tokens than usual"
    if missing := len(answers) - len(shares):
        yield f"{missing} answers without token counts"


def _verdict(good: Rate, mark: float) -> str:
    """Return `bad` if even the upper end of the interval is below the mark, `good` if the share is not."""
    if not good.total or good.interval[1] < mark:
        return "bad" if good.total else "unclear"
    return "good" if (good.share or 0.0) >= mark else "unclear"


def _stage(rows: Sequence[Row], name: str, decided: Mapping[str, bool]) -> Stage:
    """Return the rates of a stage. A failed request counts as an answer that is not good."""
    answers = [
        (row[name], row["call"] if row["call"] is not None else decided.get(row["case"]))
        for row in rows
        if row.get(name) is not None
    ]

    def rate(matches: Callable[[Row, bool | None], bool], among: Callable[[Row, bool | None], bool]) -> Rate:
        chosen = [matches(answer, call) for answer, call in answers if among(answer, call)]
        return Rate(sum(chosen), len(chosen))

    hits = rate(lambda answer, _: answer["called"], lambda _, call: call is True)
    extra = rate(lambda answer, _: answer["called"], lambda _, call: call is False)
    made = hits.count + extra.count
    good = rate(_is_good, lambda *_: True)
    return Stage(
        good=Rate(good.count, len(rows)),
        called=hits,
        uncalled=Rate(extra.total - extra.count, extra.total),
        valid=rate(lambda answer, _: answer["valid"], lambda answer, _: answer["valid"] is not None),
        structured=rate(lambda answer, _: answer["structured"], lambda answer, _: answer["structured"] is not None),
        finish=rate(lambda answer, _: answer["finish_fits"], lambda *_: True),
        leaked=rate(lambda answer, _: answer["leaked"], lambda *_: True),
        empty=rate(lambda answer, _: answer["empty"], lambda *_: True),
        f1=2 * hits.count / (made + hits.total) if made + hits.total else None,
    )


def _is_good(answer: Row, call: bool | None) -> bool:  # noqa: FBT001 - the answer to "is a call due?"
    faultless = not (answer["leaked"] or answer["empty"] or answer["valid"] is False or answer["structured"] is False)
    return faultless and call in (None, answer["called"])
