"""Tables of results: Parquet files and SQLite databases."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from langchain_kimi import ChatKimi, KimiUsageError, bulk
from langchain_kimi.bulk import tables
from langchain_kimi.bulk.tables import lines_path, table_path, write_table
from langchain_kimi.bulk.tables import pyarrow as module_of_pyarrow
from langchain_kimi.testing import Emulator, Reply, faults


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return list(pyarrow.parquet.read_table(path).to_pylist())
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM results")]


@pytest.mark.parametrize("suffix", [".parquet", ".sqlite", ".db"])
def test_a_run_ends_with_a_table_of_all_results(
    suffix: str, model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / f"out{suffix}"
    openrouter.script(faults.provider_refused("bad schema"), Reply(text="fine"))
    bulk.run(model, ["a", "b"], out=path, max_concurrency=1)
    failed, answered = rows_of(path)

    assert (failed["ok"], answered["ok"]) == (False, True)
    assert (failed["error_kind"], failed["text"], answered["text"]) == ("KimiInvalidRequestError", None, "fine")
    assert "bad schema" in json.loads(failed["error"])["reason"]
    assert json.loads(answered["value"])["content"] == "fine"
    assert answered["cost"] > 0

    summary = bulk.run(model, ["a", "b", "c"], out=path, retry_failed=True)
    assert [row["ok"] for row in rows_of(path)] == [True] * 3
    assert (summary.stored, summary.answered) == (1, 2)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        f"out{suffix}", f"out{suffix}.jsonl", f"out{suffix}.jsonl.run.json",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".parquet", ".sqlite"])
def test_half_of_a_surrogate_pair_becomes_a_replacement_character(suffix: str, tmp_path: Path) -> None:
    line = json.dumps({"key": "a", "ok": True, "kind": "json", "value": "cut \ud83d"}).encode()
    write_table([line], tmp_path / f"out{suffix}")

    [row] = rows_of(tmp_path / f"out{suffix}")
    assert (row["value"], row["text"]) == ('"cut \ufffd"', "cut \ufffd")


@pytest.mark.parametrize("suffix", [".parquet", ".sqlite"])
def test_the_batch_lane_makes_the_same_table(
    suffix: str, model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    openrouter.behave(batch_states=())
    bulk.run(model, ["a", "b"], out=tmp_path / f"calls{suffix}")
    bulk.run(model, ["a", "b"], out=tmp_path / f"batch{suffix}", lane="batch")
    bulk.run(model, ["a", "b", "c"], out=tmp_path / f"batch{suffix}", lane="batch")

    calls, batch = rows_of(tmp_path / f"calls{suffix}"), rows_of(tmp_path / f"batch{suffix}")
    assert {row["key"] for row in batch[:2]} == {row["key"] for row in calls}
    assert (len(batch), {row["ok"] for row in batch}) == (3, {True})
    assert all(row["text"] and row["cost"] > 0 for row in batch)
    assert (tmp_path / f"batch{suffix}.jsonl.batches.jsonl").exists()


def test_values_that_are_not_messages_have_their_text_or_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_table([json.dumps({"key": "k", "ok": True, "value": value}).encode() for value in ("x", {"a": 1}, 3)], path)
    assert [(row["value"], row["text"]) for row in rows_of(path)] == [('"x"', "x"), ('{"a": 1}', None), ("3", None)]


def test_only_the_suffixes_of_tables_make_one(tmp_path: Path) -> None:
    assert table_path(Path("a.jsonl")) is None
    assert lines_path(Path("a.jsonl")) == Path("a.jsonl")
    assert lines_path(Path("x/a.PARQUET")) == Path("x/a.PARQUET.jsonl")


def test_a_missing_module_is_named() -> None:
    with pytest.raises(KimiUsageError, match="Parquet files need pyarrow"):
        module_of_pyarrow("pyarrow.no_such_module")


@pytest.mark.parametrize("suffix", [".parquet", ".db"])
def test_a_table_that_cannot_be_written_stops_the_run_and_keeps_the_lines(
    suffix: str, model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / f"out{suffix}"
    path.mkdir()
    with pytest.raises(bulk.BulkStoppedError):
        bulk.run(model, ["a"], out=path)
    assert len(lines_path(path).read_bytes().splitlines()) == 1


@pytest.mark.parametrize("suffix", [".parquet", ".db"])
def test_a_file_that_no_run_made_is_not_replaced(
    suffix: str, model: ChatKimi, openrouter: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(b"mine")
    with pytest.raises(KimiUsageError, match=rf"mine\{suffix} is not the output of a bulk run"):
        bulk.run(model, ["a"], out=path)
    assert (path.read_bytes(), openrouter.requests) == (b"mine", [])


def test_a_database_that_cannot_be_opened_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written"):
        write_table([], tmp_path / "missing" / "a.db")
    assert tables.COLUMNS.keys() >= {"key", "value", "error"}
