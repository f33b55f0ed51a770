import pytest

from tests.reports.agents import REPORT, report


@pytest.mark.long
def test_the_report_is_up_to_date() -> None:
    assert REPORT.read_text(encoding="utf-8") == report()
