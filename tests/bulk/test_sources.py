"""The rows of a run, from iterables and files."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_kimi import KimiUsageError
from langchain_kimi.bulk.sources import number_of_rows, rows_of


async def listed(source: Any) -> list[Any]:
    return [row async for row in rows_of(source)]


async def test_iterables_of_every_kind_give_their_rows() -> None:
    async def later() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert await listed([1, 2]) == await listed(iter([1, 2])) == await listed(later()) == [1, 2]


async def test_a_generator_is_not_read_ahead() -> None:
    taken = []

    def endless() -> Any:
        number = 0
        while True:
            taken.append(number)
            yield number
            number += 1

    async for row in rows_of(endless()):
        if row == 2:
            break

    assert taken == [0, 1, 2]


async def test_files_give_their_rows(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('\ufeff{"a": 1}\n\n"two"\n', encoding="utf-8")
    (tmp_path / "a.CSV").write_text('a,b\n1,"x\ny"\n', encoding="utf-8")

    assert await listed(tmp_path / "a.jsonl") == [{"a": 1}, "two"]
    assert await listed(str(tmp_path / "a.CSV")) == [{"a": "1", "b": "x\ny"}]


async def test_a_parquet_file_gives_its_rows(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra `parquet`")
    parquet.write_table(pyarrow.table({"a": list(range(2_500))}), tmp_path / "a.parquet")

    assert await listed(tmp_path / "a.parquet") == [{"a": number} for number in range(2_500)]
    assert number_of_rows(tmp_path / "a.parquet") == 2_500


async def test_a_parquet_file_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)

    with pytest.raises(KimiUsageError, match="parquet"):
        await listed(tmp_path / "a.parquet")


@pytest.mark.parametrize("source", [5, None, {"a": 1}, b"ab", HumanMessage("a")])
async def test_other_values_are_refused(source: Any) -> None:
    with pytest.raises(KimiUsageError, match="must be an iterable"):
        await listed(source)


class Frame:
    """A data frame like those of pandas, whose iterator yields the names of its columns."""

    columns = ("text",)
    shape = (2, 1)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


async def test_the_columns_of_a_data_frame_are_not_its_rows() -> None:
    with pytest.raises(KimiUsageError, match=r'got Frame.*to_dict\("records"\)'):
        await listed(Frame())


async def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"a": 1}\n{"a"\n', encoding="utf-8")

    with pytest.raises(KimiUsageError, match=r"Line 2 of bad\.jsonl is not JSON"):
        await listed(tmp_path / "bad.jsonl")
    with pytest.raises(KimiUsageError, match="No such file"):
        await listed(tmp_path / "missing.csv")
    (tmp_path / "long.csv").write_text("a,b\n1,2\n3,4,5\n", encoding="utf-8")
    with pytest.raises(KimiUsageError, match=r"Line 3 of long\.csv has more values than there are columns"):
        await listed(tmp_path / "long.csv")
    (tmp_path / "text.parquet").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(KimiUsageError, match=r"text\.parquet cannot be read as Parquet"):
        await listed(tmp_path / "text.parquet")
    with pytest.raises(KimiUsageError, match="unknown suffix"):
        await listed(tmp_path / "rows.xlsx")


def test_the_number_of_rows_is_that_of_a_sized_source() -> None:
    assert number_of_rows([1, 2, 3]) == 3
    assert number_of_rows(iter([1])) == 1
    assert number_of_rows(number for number in [1]) is None
    assert number_of_rows("rows.jsonl") is None


async def test_the_number_of_rows_of_a_file_is_counted(tmp_path: Path) -> None:
    files = {
        "a.jsonl": b'1\n\n{"a": 2}\n  \n3',
        "b.ndjson": b"",
        "c.csv": b'a,b\n1,"x\ny"\n\n2,z\n',
        "d.xlsx": b"1",
        "e.csv": b"a\n\xff\n",
        "f.parquet": b"nothing",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    assert [number_of_rows(tmp_path / name) for name in files] == [3, 0, 2, None, None, None]
    assert number_of_rows(str(tmp_path / "a.jsonl")) == len(await listed(tmp_path / "a.jsonl"))
    assert number_of_rows(tmp_path / "c.csv") == len(await listed(tmp_path / "c.csv"))
    assert number_of_rows(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", b"[" * 100_000, "Line 1 of a.jsonl is not JSON"),
        ("a.jsonl", b'"\xff"', "not UTF-8"),
        ("a.csv", b"a\n\xff\n", "not UTF-8"),
        ("a.csv", b"a\n" + b"x" * 200_000, "cannot be read as CSV: field larger than field limit"),
    ],
)
async def test_a_file_that_cannot_be_read_names_the_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(KimiUsageError, match=reason):
        await listed(tmp_path / name)
