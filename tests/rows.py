"""Runs the rows of a table in few tests, because pytest and xdist need more time for a test than a short row takes."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple

import pytest

Test = Callable[..., Any]
ROWS_IN_ONE_TEST = 100
"""The longest group of rows. Tables are divided, so that each process gets a part of a long one."""


class Row(NamedTuple):
    """The arguments of a row, and its name in reports."""

    name: str
    values: dict[str, Any]


def each_row(names: str, rows: Iterable[Any], *, ids: Any = None) -> Callable[[Test], Test]:
    """Return a decorator like `pytest.mark.parametrize`, which runs many rows in one test.

    All rows run, also after a failure, and each failure names its row. A row that is skipped is left out. Rows share
    the fixtures of the function. Rows with marks are in tests of their own.
    """
    keys = [name.strip() for name in names.split(",")]
    groups = list(_groups(keys, list(rows), ids))

    def decorate(test: Test) -> Test:
        wrapper = _async_rows(test) if inspect.iscoroutinefunction(test) else _sync_rows(test)
        others = [one for name, one in inspect.signature(test).parameters.items() if name not in keys]
        own = inspect.Parameter("rows", inspect.Parameter.KEYWORD_ONLY)
        named = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in others]
        vars(wrapper)["__signature__"] = inspect.Signature([own, *named])
        decorated: Test = pytest.mark.parametrize("rows", groups)(wrapper)
        return decorated

    return decorate


def _groups(keys: list[str], rows: list[Any], ids: Any) -> Iterator[Any]:
    named = ids if ids is None or callable(ids) else [str(name) for name in ids]
    plain: list[Row] = []
    for number, row in enumerate(rows):
        is_param = hasattr(row, "marks")
        values = row.values if is_param else [row] if len(keys) == 1 else row
        name = row.id if is_param and row.id else _name(named, number, values)
        case = Row(str(name), dict(zip(keys, values, strict=True)))
        if is_param and row.marks:
            yield pytest.param([case], id=case.name, marks=row.marks)
        else:
            plain.append(case)
    for start in range(0, len(plain), ROWS_IN_ONE_TEST):
        yield pytest.param(plain[start : start + ROWS_IN_ONE_TEST], id=f"rows {start}")


def _name(ids: Any, number: int, values: Any) -> Any:
    if callable(ids):
        return "-".join(str(ids(value)) for value in values)
    return ids[number] if ids else f"{number}: {values!r:.200}"


@contextmanager
def _collected(failures: list[BaseException], row: Row) -> Iterator[None]:
    """Collect the failure of a row. pytest's own failures are not of type Exception."""
    try:
        yield
    except pytest.skip.Exception:
        return
    except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001 - whatever it is, the row has failed
        failure.add_note(f"in the row {row.name!r}")
        failures.append(failure)


def _report(failures: list[BaseException]) -> None:
    if failures:
        raise BaseExceptionGroup("rows that failed", failures)


def _sync_rows(test: Test) -> Test:
    @wraps(test)
    def run(*, rows: list[Row], **fixtures: Any) -> None:
        failures: list[BaseException] = []
        for row in rows:
            with _collected(failures, row):
                test(**row.values, **fixtures)
        _report(failures)

    return run


def _async_rows(test: Test) -> Test:
    @wraps(test)
    async def run(*, rows: list[Row], **fixtures: Any) -> None:
        failures: list[BaseException] = []
        for row in rows:
            with _collected(failures, row):
                await test(**row.values, **fixtures)
        _report(failures)

    return run
