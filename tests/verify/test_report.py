import json
from typing import Any

import pytest

from langchain_kimi.verify import Rate, VerifyReport
from langchain_kimi.verify.report import report_of
from tests.verify.answers import answer, failed, row


def report(*rows: dict[str, Any], reference: str | None = None, model: str = "moonshotai/kimi-k3") -> VerifyReport:
    tags = [*dict.fromkeys(one["tag"] for one in rows)]
    return report_of(model, rows, tags, reference, is_complete=True)


# Computed from the formula of Wilson's interval with z = 1.959964.
@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 10, 0.0, 0.27753), (10, 10, 0.72247, 1.0), (5, 10, 0.23659, 0.76341), (97, 100, 0.91548, 0.98974)],
)
def test_the_interval_is_that_of_wilson(count: int, total: int, low: float, high: float) -> None:
    assert list(Rate(count, total).interval) == pytest.approx([low, high], abs=1e-5)


def test_a_rate_without_answers_says_nothing() -> None:
    assert (Rate(0, 0).share, Rate(0, 0).interval, str(Rate(0, 0))) == (None, (0.0, 1.0), "-")
    assert str(Rate(9, 10)) == "9/10 (60%-98%)"


@pytest.mark.parametrize(
    ("good", "bad", "verdict"), [(10, 0, "good"), (9, 1, "good"), (3, 1, "unclear"), (4, 16, "bad"), (0, 10, "bad")]
)
def test_a_host_is_bad_only_if_its_interval_is_below_the_mark(good: int, bad: int, verdict: str) -> None:
    rows = [row("a") for _ in range(good)] + [row("a", valid=False) for _ in range(bad)]
    assert report(*rows).hosts[0].verdict == verdict


def test_the_mark_of_k2_thinking_is_lower() -> None:
    rows = [row("a") for _ in range(76)] + [row("a", valid=False) for _ in range(24)]
    verdicts = [report(*rows, model=f"moonshotai/kimi-{name}").hosts[0].verdict for name in ("k2-thinking", "k2-0905")]
    assert verdicts == ["good", "unclear"]


def test_other_counts_of_prompt_tokens_are_noted() -> None:
    counts = {"a": 100, "b": 100, "c": 140, "d": 80, "e": 0}
    rows = [{**row(tag), "tokens": [count, 5]} for tag, count in counts.items()]
    assert {host.tag: host.notes for host in report(*rows).hosts} == {
        "a": (),
        "b": (),
        "c": ("counts 40% more prompt tokens than usual",),
        "d": ("counts 20% fewer prompt tokens than usual",),
        "e": ("1 answers without token counts",),
    }


def test_good_hosts_are_ordered_and_bad_ones_ignored() -> None:
    rows = [row("dear", cost=1.0), *[row("fine")] * 2, row("cheap", cost=0.005), *[failed("down")] * 8]
    result = report(*rows)
    assert [host.tag for host in result.hosts] == ["cheap", "fine", "dear", "down"]
    assert (result.preferences.order, result.preferences.ignore) == (("cheap", "fine", "dear"), ("down",))
    code = "order=['cheap', 'fine', 'dear'], ignore=['down']"
    assert result.code == f'ChatKimi(model="moonshotai/kimi-k3", provider=ProviderPreferences({code}))'
    assert result.hosts[2].notes == ("100 times the usual price",)
    assert result.hosts[3].errors == {"KimiServerError": 8}
    assert result.cost == pytest.approx(1.025)


def test_leaks_that_are_repaired_are_noted() -> None:
    leaking = {**row("a"), "before": answer(leaked=True, called=False, valid=None)}
    [host] = report(*[leaking] * 6).hosts
    assert (host.verdict, host.notes) == ("good", ("leaks markup, which the repairs turn into calls",))
    assert (host.before.good, host.after.good) == (Rate(0, 6), Rate(6, 6))
    assert (host.before.f1, host.after.f1) == (0.0, 1.0)


def test_a_slow_host_is_noted() -> None:
    slow = {**row("slow"), "seconds": 20.0, "first_token": 9.0}
    hosts = {host.tag: host for host in report(row("a"), row("b"), slow).hosts}
    assert hosts["slow"].notes == ("9 times the usual wait", "10 times slower than usual")
    assert hosts["a"].notes == ()


def test_a_reference_host_decides_whether_a_call_is_due() -> None:
    rows = [row("judge", call=None), row("a", call=None, called=False, valid=None)]
    hosts = {host.tag: host for host in report(*rows, reference="judge").hosts}
    assert (hosts["a"].after.called, hosts["judge"].after.called) == (Rate(0, 1), Rate(1, 1))
    # Without one, nothing is expected.
    assert {host.after.good for host in report(*rows).hosts} == {Rate(1, 1)}


def test_a_call_that_was_not_due_lowers_the_score() -> None:
    [host] = report(row("a"), row("a", "b", call=False)).hosts
    assert host.after.uncalled == Rate(0, 1)
    assert host.after.f1 == pytest.approx(2 / 3)


def test_a_response_that_could_not_be_read_without_repairs_counts_after_them() -> None:
    [host] = report({**row("a"), "before": None}).hosts
    assert (host.before.good, host.after.good) == (Rate(0, 1), Rate(1, 1))


def test_the_report_is_json_with_intervals() -> None:
    result = report(row("a"), {**row("b"), "cost": None, "seconds": 0.0}, failed("c"))
    value = json.loads(json.dumps(result.to_dict()))
    good = {host["tag"]: host for host in value["hosts"]}["a"]["after"]["good"]
    assert good == {"count": 1, "total": 1, "share": 1.0, "interval": [0.2065, 1.0]}
    assert "ChatKimi(" in value["code"]
    assert [line["$/1000"] for line in result.rows()].count("-") == 2
