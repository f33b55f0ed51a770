"""Rows in one test all run, and each failure names its row."""

import asyncio
from types import ModuleType
from typing import Any

import pytest

from langchain_kimi.testing import Behavior, Emulator
from tests.rows import ROWS_IN_ONE_TEST, can_be_grouped, each_row, grouped, leave_out_long_rows

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


def test_long_rows_are_left_out_with_their_names() -> None:
    rows = [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.waits)]

    @pytest.mark.parametrize("name", [pytest.param("long", marks=pytest.mark.long)])
    @pytest.mark.parametrize("number", rows, ids=["one", "two", "three"])
    def check_both(number: int, name: str) -> None:
        assert (number, name) != (2, "short")

    test: Any = check_both
    leave_out_long_rows(test)
    numbers, names = test.pytestmark
    assert (numbers.args[1], numbers.kwargs["ids"]) == ([rows[0], rows[2]], ["one", "three"])
    # pytest would skip a test whose table is empty. It deselects one whose rows are all long.
    assert names.args[1][0].id is None


@pytest.mark.parametrize("times", [2])
@each_row("number, text", [(1, "a"), pytest.param(2, "b", id="two")], ids=["one", "unused"])
def test_a_row_has_several_values_beside_fixtures(number: int, text: str, times: int) -> None:
    assert (number, text, times) in {(1, "a", 2), (2, "b", 2)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.parametrize(("text", "size"), [("a", 1), pytest.param("bb", 2, id="two"), ("ccc", [])])
def lengths(text: str, size: Any, number: int) -> None:
    SEEN.append(number)
    assert len(text) == size


def test_the_rows_of_tables_become_groups_and_keep_their_names_and_marks() -> None:
    test = grouped(lengths)
    [table] = [mark for mark in test.pytestmark if mark.name == "parametrize"]
    assert {mark.name for mark in test.pytestmark} == {"filterwarnings", "parametrize"}
    assert [group.id for group in table.args[1]] == ["a-1-2", "two-2", "ccc-row 2-2", "rows 0"]
    assert [bool(group.marks) for group in table.args[1]] == [True, True, True, False]
    SEEN.clear()
    with pytest.raises(BaseExceptionGroup) as raised:
        test(rows=table.args[1][-1].values[0])
    assert SEEN == [1, 1, 1]
    assert [failure.__notes__ for failure in raised.value.exceptions] == [["in the row 'ccc-row 2-1'"]]


def with_fixtures(number: int, openrouter: Emulator) -> None:
    assert number
    assert not openrouter.bodies
    assert openrouter.behavior == Behavior()
    openrouter.behave(pause=1)


def test_an_emulator_is_as_new_in_each_row() -> None:
    test = grouped(pytest.mark.parametrize("number", [1, 2, 3])(with_fixtures))
    table = next(mark for mark in test.pytestmark if mark.args[0] == "rows")
    with Emulator() as openrouter:
        test(rows=table.args[1][0].values[0], openrouter=openrouter)


def with_path(number: int, tmp_path: object) -> None:
    raise AssertionError(number, tmp_path)


def test_rows_with_fixtures_of_their_own_are_not_grouped() -> None:
    module = ModuleType("own")
    numbers = pytest.mark.parametrize("number", [1, 2])
    assert can_be_grouped(lengths, module)
    assert not can_be_grouped(check, module)
    assert not can_be_grouped(numbers(with_path), module)
    assert not can_be_grouped(each_row("number", [1])(check), module)
    assert can_be_grouped(numbers(with_fixtures), module)
    vars(module)["openrouter"] = "a fixture of the file"
    assert not can_be_grouped(with_fixtures, module)

    def check_apart(number: int) -> None:
        assert number

    marked = numbers(check_apart)
    assert can_be_grouped(marked, module)
    assert not can_be_grouped(pytest.mark.apart(marked), module)
