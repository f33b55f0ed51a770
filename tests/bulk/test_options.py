"""The options of a bulk run."""

from decimal import Decimal
from typing import Any

import pytest

from langchain_kimi import KimiUsageError
from langchain_kimi.bulk.options import checked_options
from langchain_kimi.bulk.rate_limiter import Limits


def test_missing_options_have_their_defaults() -> None:
    options = checked_options({})

    assert options.limits == Limits(64, None, None)
    assert (options.retries, options.on_error, options.max_cost) == (2, "keep", None)


def test_options_are_taken() -> None:
    options = checked_options({"max_concurrency": 5, "requests_per_minute": 9.5, "max_cost": 0.1, "retries": 0})

    assert options.limits == Limits(5, 9.5, None)
    assert (options.max_cost, options.retries) == (Decimal("0.1"), 0)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_concurency": 5}, "Unknown options: max_concurency"),
        ({"max_concurrency": 0}, "max_concurrency must be a number above 0"),
        ({"max_concurrency": 2.5}, "must be integers"),
        ({"max_concurrency": True}, "max_concurrency must be a number"),
        ({"retries": -1}, "must be integers"),
        ({"requests_per_minute": 0}, "requests_per_minute must be a number above 0"),
        ({"tokens_per_minute": "many"}, "tokens_per_minute must be a number"),
        ({"max_cost": -1}, "max_cost must be a number of at least 0"),
        ({"max_cost": float("nan")}, "max_cost must be a number"),
        ({"on_error": "ignore"}, "on_error must be"),
        ({"prices": {"input": 1, "output": 2}}, "not 'input', 'output'"),
        ({"lane": "fast"}, 'lane must be "calls" or "batch"'),
    ],
)
def test_invalid_options_are_refused_by_name(options: Any, error: str) -> None:
    with pytest.raises(KimiUsageError, match=error):
        checked_options(options)
