"""The progress of a bulk run."""

import io
import logging
import sys

import pytest

from langchain_kimi.bulk.progress import IN_LOG, Bar, Lines, progress_of
from langchain_kimi.bulk.results import BulkResult
from langchain_kimi.bulk.summary import BulkSummary


def test_lines_have_a_period() -> None:
    lines: list[str] = []
    seconds = [0.0]
    progress = Lines(lines.append, BulkSummary(), 60.0, lambda: seconds[0])

    for second in (30.0, 59.0, 60.0, 61.0, 119.0, 120.0):
        seconds[0] = second
        progress.update()
    assert len(lines) == 2
    progress.close()

    assert len(lines) == 3


def test_a_function_gets_the_sums_after_each_result() -> None:
    summary = BulkSummary()
    rows: list[int] = []
    progress = progress_of(lambda sums: rows.append(sums.rows), summary)

    for number in range(3):
        summary.add(BulkResult("a", number))
        progress.update()
    progress.close()

    assert rows == [1, 2, 3]


def test_without_a_terminal_the_log_has_the_lines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "langchain_kimi"):
        progress = progress_of(True, BulkSummary())  # noqa: FBT003 - the user's value
        progress.update()
        progress.close()

    assert [record.message for record in caplog.records] == ["0 rows, 0 failed, $0.0000"]
    assert IN_LOG == 60


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    summary = BulkSummary(total=4)
    progress = progress_of(True, summary)  # noqa: FBT003 - the user's value
    assert isinstance(progress, Bar)
    for number in range(3):
        summary.add(BulkResult("a", number))
        progress.update()
    progress.close()

    shown = terminal.getvalue()
    assert "0 of 4 rows" in shown
    assert "3 of 4 rows, 0 failed, $0.0000" in shown.rsplit("━", 1)[1]


def test_a_terminal_without_the_library_has_one_line_that_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    monkeypatch.setattr("sys.stderr", terminal)
    progress = progress_of(True, BulkSummary())  # noqa: FBT003 - the user's value
    assert isinstance(progress, Lines)
    progress._write("0 rows")
    progress.close()
    monkeypatch.setenv("COLUMNS", "10")
    progress.close()

    assert terminal.getvalue() == "\r\x1b[K0 rows\r\x1b[K0 rows, 0 failed, $0.0000\n\r\x1b[K0 rows, 0\n"


def test_without_progress_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    progress = progress_of(False, BulkSummary())  # noqa: FBT003 - the user's value
    progress.update()
    progress.close()

    assert capsys.readouterr() == ("", "")
