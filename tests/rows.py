"""Runs the rows of a table in few tests, because pytest and xdist need more time for a test than a short row takes."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import compress, product
from typing import Any, NamedTuple

import pytest

from langchain_kimi.testing import Emulator

Test = Callable[..., Any]
SHARED = frozenset({"model", "openrouter", "wire"})
"""Fixtures that rows may share, unless a file has its own. Before each row, the emulator forgets what it received."""
ROWS_IN_ONE_TEST = 100
"""The longest group of rows. Tables are divided, so that each process gets a part of a long one."""
LONG = "long"
"""The mark of tests and of rows that `make test` leaves out."""
APART = "apart"
"""The mark of a test whose rows have fixtures of their own."""
ROWS_OF_TABLES = 40
"""The longest group of a table that is not divided by hand; some of these rows are slower."""


class Row(NamedTuple):
    """The arguments of a row, and its name in reports."""

    name: str
    values: dict[str, Any]


def each_row(
    names: str, rows: Iterable[Any], *, ids: Any = None, most: int = ROWS_IN_ONE_TEST
) -> Callable[[Test], Test]:
    """Return a decorator like `pytest.mark.parametrize`, which runs many rows in one test.

    All rows run, also after a failure, and each failure names its row. A row that is skipped is left out. Rows share
    the fixtures of the function. Rows with marks are in tests of their own.
    """
    keys = [name.strip() for name in names.split(",")]
    groups = list(_groups(keys, list(rows), ids, most))

    def decorate(test: Test) -> Test:
        wrapper = _async_rows(test) if inspect.iscoroutinefunction(test) else _sync_rows(test)
        others = [one for name, one in inspect.signature(test).parameters.items() if name not in keys]
        own = inspect.Parameter("rows", inspect.Parameter.KEYWORD_ONLY)
        named = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in others]
        vars(wrapper)["__signature__"] = inspect.Signature([own, *named])
        decorated: Test = pytest.mark.parametrize("rows", groups)(wrapper)
        return decorated

    return decorate


def _groups(keys: list[str], rows: list[Any], ids: Any, most: int) -> Iterator[Any]:
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
    for start in range(0, len(plain), most):
        yield pytest.param(plain[start : start + most], id=f"rows {start}")


def _name(ids: Any, number: int, values: Any) -> Any:
    if callable(ids):
        return "-".join(str(ids(value)) for value in values)
    return ids[number] if ids else f"{number}: {values!r:.200}"


def leave_out_long_rows(test: Any) -> None:
    """Leave the rows that are marked as long out of the tables of a test. pytest would make a test of each first."""
    if _tables(test):
        test.pytestmark = [_without_long_rows(mark) if mark.name == "parametrize" else mark for mark in test.pytestmark]


def _without_long_rows(table: pytest.Mark) -> pytest.Mark:
    """Return a table without its long rows. One that has only such rows stays, and pytest deselects its tests."""
    names, values, *others = table.args
    rows, ids = list(values), table.kwargs.get("ids")
    short = [all(mark.name != LONG for mark in getattr(row, "marks", ())) for row in rows]
    if any(short):
        rows = [*compress(rows, short)]
        ids = [*compress(ids, short)] if isinstance(ids, list | tuple) else ids
    return pytest.mark.parametrize(names, rows, *others, **{**table.kwargs, "ids": ids}).mark


def can_be_grouped(test: Any, module: Any) -> bool:
    """Return whether the rows of a test's tables may share its fixtures, because no row changes one of them."""
    tables = _tables(test)
    if (
        not tables
        or APART in {mark.name for mark in test.pytestmark}
        or hasattr(test, "hypothesis")
        or any(table.kwargs.get("indirect") for table in tables)
    ):
        return False
    columns = {name for table in tables for name in _columns(table)}
    return "rows" not in columns and {*inspect.signature(test).parameters} - columns <= SHARED - {*vars(module)}


def grouped(test: Any) -> Any:
    """Return a test that runs the rows of `pytest.mark.parametrize` as `each_row` does."""
    tables = _tables(test)
    names = [name for table in tables for name in _columns(table)]
    rows = [_joined(row) for row in product(*(_rows(table) for table in tables))]
    decorated: Any = each_row(",".join(names), rows, most=ROWS_OF_TABLES)(test)
    decorated.pytestmark = [mark for mark in decorated.pytestmark if all(mark is not table for table in tables)]
    return decorated


def _tables(test: Any) -> list[pytest.Mark]:
    return [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]


def _columns(table: pytest.Mark) -> list[str]:
    names = table.args[0]
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else [*names]


def _rows(table: pytest.Mark) -> list[Any]:
    """Return the rows with their names."""
    ids, is_single = table.kwargs.get("ids"), len(_columns(table)) == 1
    named = list(ids) if ids is not None and not callable(ids) else ids
    rows = []
    for number, row in enumerate(table.args[1]):
        is_param = hasattr(row, "marks")
        values = row.values if is_param else (row,) if is_single else tuple(row)
        name = row.id if is_param else None
        if name is None:
            name = _name(named, number, values) if named else "-".join(_shown(value, number) for value in values)
        rows.append(pytest.param(*values, id=str(name), marks=row.marks if is_param else ()))
    return rows


def _shown(value: Any, number: int) -> str:
    is_short = isinstance(value, str | int | float | bool | None)
    return f"{value!s:.100}" if is_short else f"{getattr(value, '__name__', 'row')} {number}"


def _joined(rows: tuple[Any, ...]) -> Any:
    values = [value for row in rows for value in row.values]
    marks = [mark for row in rows for mark in row.marks]
    return pytest.param(*values, id="-".join(row.id for row in rows), marks=marks)


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


def _clearing(fixtures: dict[str, Any]) -> Callable[[], None]:
    """Return a function that gives the emulator the state that it has now."""
    emulator = fixtures.get("openrouter")
    if not isinstance(emulator, Emulator):
        return lambda: None
    behavior = emulator.behavior

    def clear() -> None:
        emulator.clear()
        emulator.behavior = behavior

    return clear


def _sync_rows(test: Test) -> Test:
    @wraps(test)
    def run(*, rows: list[Row], **fixtures: Any) -> None:
        failures: list[BaseException] = []
        clear = _clearing(fixtures)
        for row in rows:
            with _collected(failures, row):
                clear()
                test(**row.values, **fixtures)
        _report(failures)

    return run


def _async_rows(test: Test) -> Test:
    @wraps(test)
    async def run(*, rows: list[Row], **fixtures: Any) -> None:
        failures: list[BaseException] = []
        clear = _clearing(fixtures)
        for row in rows:
            with _collected(failures, row):
                clear()
                await test(**row.values, **fixtures)
        _report(failures)

    return run
