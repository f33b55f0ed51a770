"""The report of an audit log: sums, tables and the page."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from langchain_kimi._costs.report import as_html, as_text, lines_in, rows_of


def line(run: str, **fields: Any) -> str:
    usual = {
        "time": "2026-11-27T10:00:00.000+00:00",
        "run_id": run,
        "parent_run_id": None,
        "model": "kimi",
        "host": "Host",
        "input_tokens": 1_000,
        "cached_tokens": 250,
        "output_tokens": 100,
        "cost": 0.1,
        "upstream_cost": 0.0,
        "state": "answered",
        "attempts": 1,
    }
    return json.dumps({**usual, **fields})


LOG = [
    line("1"),
    line("2", model="<other>", cost=0.5, upstream_cost=0.2, attempts=3, time="2026-11-26T10:00:00.000+00:00"),
    line("3", state="abandoned", cost=None, host=None, parent_run_id="graph"),
    line("4", state="cancelled", cost=None, parent_run_id="graph"),
    line("3", state="reconciled", cost=0.05, host="Host", parent_run_id="graph"),
    line("5", state="cached", cost=None, input_tokens=0, cached_tokens=0, output_tokens=0),
]


def test_a_looked_up_cost_replaces_the_unknown_one() -> None:
    calls, damaged = lines_in(LOG)
    assert (len(calls), damaged) == (5, 0)
    *_, total = rows_of(calls, "model")
    assert (total.calls, total.failed, total.unknown, total.retries) == (5, 2, 1, 2)
    assert str(total.cost) == "0.85"


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("model", ["<other>", "kimi", "total"]),
        ("host", ["Host", "total"]),
        ("day", ["2026-11-26", "2026-11-27", "total"]),
        ("run", ["2", "1", "graph", "5", "total"]),
    ],
)
def test_calls_are_summed_up_by_each_key(by: str, names: list[str]) -> None:
    assert [row.name for row in rows_of(lines_in(LOG)[0], by)] == names


def test_sums_are_json_types() -> None:
    [_, total] = rows_of(lines_in(LOG)[0], "host")
    assert json.loads(json.dumps(total.to_dict())) == {
        "name": "total",
        "calls": 5,
        "failed": 2,
        "unknown": 1,
        "retries": 2,
        "input_tokens": 4_000,
        "cached_tokens": 1_000,
        "output_tokens": 400,
        "cost": 0.85,
    }


def test_lines_that_are_not_readable_are_counted() -> None:
    calls, damaged = lines_in(["", "{", "[]", "{}", line("1")])
    assert (len(calls), damaged) == (2, 2)
    assert rows_of(calls, "run")[-1].calls == 2


def test_the_text_is_a_table() -> None:
    text = as_text(rows_of(lines_in(LOG)[0], "model"))
    lines = text.splitlines()
    assert len({len(one) for one in lines}) == 1
    assert re.search(r"kimi +4 +2 +1 +0 +3,000 +25% +300 +0\.150000", lines[2])


class Tags(HTMLParser):
    """Checks that tags are closed in order, and keeps what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_one_file_and_escapes_names() -> None:
    page = as_html(rows_of(lines_in(LOG)[0], "model"), "model")
    tags = Tags()
    tags.feed(page)
    assert (tags.open, tags.addresses) == ([], [])
    assert "&lt;other&gt;" in page
    assert "<other>" not in page
    assert 'style="width:100.0%"' in page
    assert "prefers-color-scheme:dark" in page
    assert "1 of them of unknown cost" in page


def test_the_page_of_an_empty_log_has_a_total() -> None:
    page = as_html(rows_of([], "day"), "day")
    assert "0.000000 USD in 0 calls." in page
