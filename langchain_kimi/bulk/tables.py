"""Tables of the results of a bulk run: Parquet files and SQLite databases, made of its JSON lines at the end.

A run writes JSON lines, because a line can be appended, and is whole or not. A Parquet file has its index at its end,
so it is lost if the process is killed before it is closed. Inserts into an SQLite database (WAL, 20,000 rows of 600
bytes, a commit for each 8 rows) took 3.6 times the CPU time of appended lines with as many `fsync`.
"""

import asyncio
import importlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from langchain_kimi.errors import KimiUsageError

COLUMNS: Mapping[str, str] = {
    "key": "TEXT", "index": "INTEGER", "ok": "INTEGER", "kind": "TEXT", "value": "TEXT", "text": "TEXT",
    "error": "TEXT", "error_kind": "TEXT", "model": "TEXT", "provider": "TEXT", "input_tokens": "INTEGER",
    "output_tokens": "INTEGER", "cost": "REAL", "unknown_costs": "INTEGER", "seconds": "REAL",
}  # fmt: skip
"""The columns of a table, with their types in SQLite. `value` and `error` are JSON; `text` is the text of a message."""
_PARQUET_TYPES = {"TEXT": "string", "INTEGER": "int64", "REAL": "float64"}
_BATCH = 10_000
"""Rows in memory at once."""

Writer = Callable[[Iterator[dict[str, Any]], Path], None]


def lines_path(out: Path) -> Path:
    """Return the file of the JSON lines of a run: the output itself, or the file beside a table."""
    return out.with_name(f"{out.name}.jsonl") if out.suffix.lower() in _WRITERS else out


def table_path(out: Path) -> Path | None:
    """Return the table that a run makes at its end; None if its output is not a table.

    Raises:
        KimiUsageError: The table is a Parquet file, and pyarrow is not installed; or there is a file of this name,
            which the table would replace, and no run made it.
    """
    suffix = out.suffix.lower()
    if suffix == ".parquet":
        pyarrow("pyarrow.parquet")
    if suffix not in _WRITERS:
        return None
    if out.is_file() and not lines_path(out).exists():
        raise KimiUsageError(
            f"{out.name} is not the output of a bulk run: there is no {lines_path(out).name} beside it.",
            advice="Choose another `out`, or move the file away.",
        )
    return out


def write_table(lines: Iterable[bytes], path: Path) -> None:
    """Make a table of lines. It replaces an earlier one at once, when it is whole.

    Raises:
        OSError: It could not be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        _WRITERS[path.suffix.lower()](map(row_of, lines), temporary)
        temporary.replace(path)
    except sqlite3.Error as error:
        raise OSError(None, f"{path.name} cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


async def table_error(lines: Iterable[bytes], path: Path) -> OSError | None:
    """Make a table of lines in a thread, and return the reason if it could not be written."""
    try:
        await asyncio.to_thread(write_table, lines, path)
    except OSError as error:
        return error
    return None


def row_of(line: bytes) -> dict[str, Any]:
    """Return the row of a line in a table."""
    stored = json.loads(line)
    row = {name: stored.get(name) for name in COLUMNS}
    value, error = stored.get("value"), stored.get("error")
    if error is not None:
        row |= {"error": json.dumps(error, ensure_ascii=False), "error_kind": error["kind"]}
    else:
        row |= {"value": json.dumps(value, ensure_ascii=False), "text": _text_of(value)}
    return {name: _encodable(one) if isinstance(one, str) else one for name, one in row.items()}


def _encodable(text: str) -> str:
    """Return a text with U+FFFD in place of halves of surrogate pairs, which a truncated reply may end with."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def arrow_schema() -> Any:
    """Return the columns as a schema of pyarrow.

    Raises:
        KimiUsageError: pyarrow is not installed.
    """
    arrow = pyarrow("pyarrow")
    types = {name: _PARQUET_TYPES[kind] for name, kind in COLUMNS.items()} | {"ok": "bool_"}
    return arrow.schema([(name, getattr(arrow, kind)()) for name, kind in types.items()])


def pyarrow(name: str) -> Any:
    """Import a module of pyarrow.

    Raises:
        KimiUsageError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise KimiUsageError(
            "Parquet files need pyarrow.", advice="Run `pip install pyarrow`, or install the extra `parquet`."
        ) from error


def _text_of(value: Any) -> str | None:
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else None


def _write_parquet(rows: Iterator[dict[str, Any]], path: Path) -> None:
    arrow, parquet, schema = pyarrow("pyarrow"), pyarrow("pyarrow.parquet"), arrow_schema()
    with parquet.ParquetWriter(path, schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(arrow.Table.from_pylist(batch, schema))


def _write_sqlite(rows: Iterator[dict[str, Any]], path: Path) -> None:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    values = ", ".join(f":{name}" for name in COLUMNS)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE results ({columns})")
        database.executemany(f"INSERT INTO results VALUES ({values})", rows)  # noqa: S608 - the names are constants


_WRITERS: Mapping[str, Writer] = {
    ".parquet": _write_parquet, ".sqlite": _write_sqlite, ".sqlite3": _write_sqlite, ".db": _write_sqlite,
}  # fmt: skip
