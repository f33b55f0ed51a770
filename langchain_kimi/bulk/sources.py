"""The rows of a bulk run: any iterable or async iterable, or a file of JSON lines, CSV or Parquet.

Rows are read one after another, and never all at once.
"""

import csv
import json
import operator
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from langchain_kimi.bulk.tables import pyarrow
from langchain_kimi.errors import KimiUsageError

_JSON_LINES = (".jsonl", ".ndjson")


async def rows_of(source: Any) -> AsyncGenerator[Any, None]:
    """Yield the rows of a source.

    Args:
        source: A path, an iterable, or an async iterable.

    Raises:
        KimiUsageError: The rows have another type, or the file cannot be read.
    """
    if isinstance(source, AsyncIterable):
        async for row in source:
            yield row
    else:
        for row in _iterable(source):
            yield row


def number_of_rows(source: Any) -> int | None:
    """Return the number of rows if the source has a length (also `__length_hint__`) or is a file, else None.

    A file is read once for that, which takes about a second for a million rows.
    """
    if not isinstance(source, str | Path):
        number = operator.length_hint(source, -1)
        return None if number < 0 else number
    path = Path(source)
    try:
        # Other files, such as pipes, can be read only once.
        return _counted(path) if path.is_file() else None
    except (OSError, ValueError, csv.Error):
        # The rows are read later, and then the problem is reported.
        return None


def _counted(path: Path) -> int | None:
    suffix = path.suffix.lower()
    if suffix in _JSON_LINES:
        with path.open("rb") as file:
            return sum(not line.isspace() for line in file)
    if suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as text:
            return sum(1 for _ in csv.DictReader(text))
    if suffix == ".parquet":
        with pyarrow("pyarrow.parquet").ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    return None


def _iterable(source: Any) -> Iterable[Any]:
    if isinstance(source, str | Path):
        return rows_of_file(Path(source))
    # The iterator of a data frame yields the names of its columns (pandas) or the columns (Polars).
    is_frame = hasattr(source, "columns") and hasattr(source, "shape")
    # Messages and prompts are pydantic models, whose iterators yield the fields.
    is_one = isinstance(source, Mapping | BaseModel | bytes)
    if is_frame or is_one or not isinstance(source, Iterable):
        raise KimiUsageError(
            f"rows must be an iterable of rows, an async iterable or a path, got {type(source).__name__}.",
            advice="Pass a list, a generator, or the path of a .jsonl, .csv or .parquet file. Rows of a data frame: "
            'to_dict("records") in pandas, iter_rows(named=True) in Polars, to_pylist() in pyarrow.',
        )
    return source


def rows_of_file(path: Path) -> Iterator[Any]:
    """Yield the rows of a file, by its suffix: `.jsonl` or `.ndjson`, `.csv`, `.parquet`.

    Raises:
        KimiUsageError: The suffix is another one, there is no such file, or a line is not JSON.
    """
    readers = {**dict.fromkeys(_JSON_LINES, _json_lines), ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise KimiUsageError(f"{path.name} has an unknown suffix; it must be one of {', '.join(readers)}.")
    try:
        yield from reader(path)
    except OSError as error:
        raise KimiUsageError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise KimiUsageError(f"{path} is not UTF-8.") from error


def _json_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise KimiUsageError(f"Line {number} of {path.name} is not JSON: {error}.") from error


def _csv(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            # Some programs leave out empty values at the end of a line.
            for row in (reader := csv.DictReader(file, restval="")):
                if None in row:
                    raise KimiUsageError(
                        f"Line {reader.line_num} of {path.name} has more values than there are columns.",
                        advice="Quote the values that contain commas.",
                    )
                yield row
        except csv.Error as error:
            raise KimiUsageError(
                f"{path.name} cannot be read as CSV: {error}.",
                advice="For texts of more than 131,072 characters raise csv.field_size_limit, or use JSON lines.",
            ) from error


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    parquet, arrow_error = pyarrow("pyarrow.parquet"), pyarrow("pyarrow").ArrowException
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1_000):
                yield from batch.to_pylist()
    except arrow_error as error:
        raise KimiUsageError(f"{path.name} cannot be read as Parquet: {error}.") from error
