"""Messages of providers: which of them report that the prompt exceeds the context."""

import pytest

from langchain_kimi._openrouter.overflow import MAX_CHARACTERS, reports_overflow
from tests.openrouter.failure_cases import OVERFLOWS
from tests.openrouter.other_messages import OTHERS
from tests.openrouter.overflow_cases import REPORTS


@pytest.mark.parametrize("message", [*OVERFLOWS, *REPORTS])
def test_a_report_of_an_overflow_is_recognized(message: str) -> None:
    assert reports_overflow(message)
    assert reports_overflow(message.upper())
    assert reports_overflow(f"Upstream error. {message} Try again.")


@pytest.mark.parametrize("message", OTHERS)
def test_other_messages_report_no_overflow(message: str) -> None:
    assert not reports_overflow(message)


def test_only_the_begin_of_a_long_text_counts() -> None:
    assert not reports_overflow("x" * MAX_CHARACTERS + OVERFLOWS[0])
