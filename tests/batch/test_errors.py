import json
import pickle
from typing import Any

import pytest
from langchain_core.exceptions import ModelAPIError, ModelInvalidRequestError

from langchain_kimi import KimiError
from langchain_kimi.batch.errors import pending, too_large, unanswered

ERRORS: dict[str, tuple[KimiError, dict[str, Any], bool]] = {
    "limit": (too_large(5_000, 6_000, "rows"), {"limit": 5_000, "actual": 6_000, "unit": "rows"}, False),
    "pending": (pending("b", "in_progress"), {"batch_id": "b", "batch_status": "in_progress"}, True),
    "row": (unanswered("b", "expired", "Late.", "m"), {"batch_id": "b", "batch_status": "expired"}, True),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_have_their_facts_after_every_journey(name: str) -> None:
    error, facts, is_retryable = ERRORS[name]
    kind = type(error)

    copies: list[KimiError] = [pickle.loads(pickle.dumps(error)), kind(*json.loads(json.dumps(error.args)))]  # noqa: S301 - the test wrote it

    for each in (error, *copies):
        assert {fact: getattr(each, fact) for fact in facts} == facts
        assert each.is_retryable is is_retryable
        assert isinstance(each, ModelAPIError | ModelInvalidRequestError)
