"""Rows in one test all run, and each failure names its row."""

import asyncio
from typing import Any

import pytest

from tests.rows import ROWS_IN_ONE_TEST, each_row

SEEN: list[int] = []


def check(number: int) -> None:
    SEEN.append(number)
    if number == 1:
        pytest.skip("left out")
    if number == 2:
        pytest.fail("two")
    assert number != 3


def groups_of(test: Any) -> Any:
    [mark] = test.pytestmark
    return mark.args[1]


@pytest.mark.parametrize("is_async", [False, True])
def test_all_rows_run_and_failures_name_their_rows(*, is_async: bool) -> None:
    async def check_later(number: int) -> None:
        check(number)

    SEEN.clear()
    test: Any = each_row("number", range(5), ids=lambda number: f"number {number}")(check_later if is_async else check)
    [group] = groups_of(test)
    with pytest.raises(BaseExceptionGroup) as raised:
        asyncio.run(test(rows=group.values[0])) if is_async else test(rows=group.values[0])
    assert SEEN == [0, 1, 2, 3, 4]
    assert [failure.__notes__ for failure in raised.value.exceptions] == [
        ["in the row 'number 2'"],
        ["in the row 'number 3'"],
    ]


def test_long_tables_are_divided_and_marked_rows_are_separate() -> None:
    marked = pytest.param(-1, id="marked", marks=pytest.mark.long)
    groups = groups_of(each_row("number", [*range(ROWS_IN_ONE_TEST), marked, 7])(check))
    assert [group.id for group in groups] == ["marked", "rows 0", f"rows {ROWS_IN_ONE_TEST}"]
    assert [len(group.values[0]) for group in groups] == [1, ROWS_IN_ONE_TEST, 1]
    assert [bool(group.marks) for group in groups] == [True, False, False]


@pytest.mark.parametrize("times", [2])
@each_row("number, text", [(1, "a"), pytest.param(2, "b", id="two")], ids=["one", "unused"])
def test_a_row_has_several_values_beside_fixtures(number: int, text: str, times: int) -> None:
    assert (number, text, times) in {(1, "a", 2), (2, "b", 2)}
