"""Errors that a Celery task raises arrive at the caller of `get`; run by `make test-ray`."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

if importlib.util.find_spec("celery") is None:
    pytest.skip("celery is not installed; `make test-ray` installs it", allow_module_level=True)

from celery import Celery
from celery.contrib.testing.worker import start_worker

from langchain_kimi.errors import KimiError
from tests.test_errors import DETAILS, TREE, made

KINDS = list(TREE)
PLAIN = (
    "reason",
    "advice",
    "status",
    "code",
    "error_type",
    "model",
    "provider",
    "retry_after",
    "is_retryable",
    "usage",
)
"""The attributes that JSON can represent."""


def task_of(app: Celery) -> Any:
    @app.task(name="fail", throws=(KimiError,))  # type: ignore[untyped-decorator]  # celery has no types
    def fail(number: int) -> None:
        raise made(KINDS[number], **DETAILS)

    return fail


@pytest.fixture(params=["json", "pickle"])
def fail(request: pytest.FixtureRequest) -> Iterator[Any]:
    app = Celery("kimi", broker="memory://", backend="cache+memory://")
    serializer = request.param
    app.conf.update(
        task_serializer=serializer,
        result_serializer=serializer,
        accept_content=["json", "pickle"],
        result_accept_content=["json", "pickle"],
        broker_connection_retry_on_startup=False,
    )
    task = task_of(app)
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
        yield task


@pytest.mark.filterwarnings("ignore")
def test_errors_of_tasks_arrive_with_their_attributes(fail: Any) -> None:
    for number, kind in enumerate(KINDS):
        result = fail.delay(number)
        error = result.get(timeout=60, propagate=False)
        assert type(error) is kind
        expected = made(kind, **DETAILS)
        for name in PLAIN:
            assert getattr(error, name) == getattr(expected, name), (kind, name)
        with pytest.raises(kind):
            result.get(timeout=60)
