"""The output of a bulk run: a file of JSON lines that is only appended to, and an index of its keys.

The file is the only state. A result counts once its line is on the disk (`fsync`); results that end at the same time
share one write. The index is a temporary SQLite database beside the process, made from the file when a run starts, so
that a million keys do not stay in memory.
"""

import asyncio
import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from langchain_kimi.bulk.target import differences
from langchain_kimi.errors import KimiUsageError

_VERSION = 1
_FIRST_LINES = 100
"""Lines of a file that show whether it is the output of a run."""
_INDEX = """
PRAGMA synchronous=OFF;
PRAGMA journal_mode=OFF;
CREATE TABLE lines (key TEXT PRIMARY KEY, start INT, size INT, ok INT, own INT) WITHOUT ROWID;
CREATE TABLE waiting (row BLOB);
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the output.

    Attributes:
        content: The line.
        ok: Whether its row has a value.
        own: Whether this run wrote it.
    """

    content: bytes
    ok: bool
    own: bool


class Store:
    """The output of one run.

    Args:
        path: The file; None keeps the lines in a temporary place that ends with the run.
        description: What decides the requests, see `Target.description`.

    Attributes:
        cost: US dollars that the lines of earlier starts cost.

    Raises:
        KimiUsageError: The file belongs to another run, is in use by another run, or cannot be written.
    """

    def __init__(self, path: Path | None, description: Mapping[str, Any]) -> None:
        self.cost = Decimal(0)
        self._path = path
        self._pending: list[tuple[str, bytes, bool, asyncio.Future[OSError | None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._failure: OSError | None = None
        self._file = _opened(path)
        # The thread that writes and the one that reads share the file's position, because Windows has no `os.pread`.
        self._position = threading.Lock()
        # An empty name is a temporary database that SQLite moves to the disk when it grows.
        self._index = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            self._index.executescript(_INDEX)
            self._check(description)
            self._size = self._load()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError | sqlite3.Error):
                raise KimiUsageError(f"The output cannot be written: {error}.") from error
            raise

    def find(self, key: str) -> Line | None:
        """Return the line of a key; None without one."""
        row = self._index.execute("SELECT start, size, ok, own FROM lines WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        start, size, ok, own = row
        return Line(self._line_at(start, size), bool(ok), bool(own))

    async def append(self, key: str, line: bytes, *, ok: bool) -> None:
        """Write a line, and return when it is on the disk.

        Raises:
            OSError: It could not be written, and neither can later ones. A part of a line at the end of the file is put
                aside by the next run.
        """
        written: asyncio.Future[OSError | None] = asyncio.get_running_loop().create_future()
        self._pending.append((key, line, ok, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        if (error := await asyncio.shield(written)) is not None:
            raise error

    async def _write(self) -> None:
        while self._pending:
            lines, self._pending = self._pending, []
            if self._failure is None:
                self._failure = await self._written(lines)
            for *_, written in lines:
                written.set_result(self._failure)
        self._writing = None

    async def _written(self, lines: Sequence[tuple[str, bytes, bool, Any]]) -> OSError | None:
        """Write lines, and return why they could not be written."""
        try:
            await asyncio.to_thread(self._write_all, b"".join(line for _, line, _, _ in lines))
            for key, line, ok, _ in lines:
                self._note(key, self._size, len(line), ok=ok, own=True)
                self._size += len(line)
        except OSError as error:
            return error
        except sqlite3.Error as error:
            return OSError(None, f"The index: {error}")
        return None

    def _write_all(self, content: bytes) -> None:
        rest = memoryview(content)
        with self._position:
            while rest:
                rest = rest[self._file.write(rest) :]
        os.fsync(self._file.fileno())

    async def flush(self) -> None:
        """Wait until everything is written."""
        if self._writing is not None:
            await self._writing

    def put_aside(self, row: bytes) -> None:
        """Keep a row for a later round."""
        self._index.execute("INSERT INTO waiting VALUES (?)", (row,))

    def waiting(self) -> Iterator[bytes]:
        """Yield the rows that were put aside so far, and forget them."""
        last = self._index.execute("SELECT max(rowid) FROM waiting").fetchone()[0] or 0
        while row := self._index.execute("SELECT rowid, row FROM waiting WHERE rowid <= ? LIMIT 1", (last,)).fetchone():
            self._index.execute("DELETE FROM waiting WHERE rowid = ?", (row[0],))
            yield row[1]

    def lines(self) -> Iterator[bytes]:
        """Yield the line of each key, in the order in which they were written."""
        with closing(self._index.execute("SELECT start, size FROM lines ORDER BY start")) as places:
            for start, size in places:
                yield self._line_at(start, size)

    def _line_at(self, start: int, size: int) -> bytes:
        with self._position:
            self._file.seek(start)
            content: bytes = self._file.read(size)
        return content

    def close(self) -> None:
        """Close the file and the index."""
        self._file.close()
        self._index.close()

    def _note(self, key: str, start: int, size: int, *, ok: bool, own: bool) -> None:
        self._index.execute("INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?)", (key, start, size, ok, own))

    def _check(self, description: Mapping[str, Any]) -> None:
        """Compare the description with that of the earlier run, which is in a file beside the output."""
        if self._path is None:
            return
        beside = self._path.with_name(f"{self._path.name}.run.json")
        wanted = {"version": _VERSION, **description}
        has_content = self._path.stat().st_size > 0
        if has_content and not beside.exists() and not self._has_a_result():
            raise KimiUsageError(
                f"{self._path.name} is not the output of a bulk run.",
                advice="Choose another `out`, or move the file away.",
            )
        if has_content and beside.exists():
            different = list(differences(_description_in(beside), json.loads(json.dumps(wanted, default=str))))
            if different:
                raise KimiUsageError(
                    f"{self._path.name} has the results of another run. {'; '.join(different)}.",
                    advice="Choose another `out`, or move the file away.",
                )
            return
        temporary = beside.with_name(f"{beside.name}.{os.getpid()}")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(wanted, indent=1, default=str))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(beside)
        _sync_directory(self._path.parent)

    def _has_a_result(self) -> bool:
        """Return whether any of the first lines is a result."""
        self._file.seek(0)
        return any(_facts_of(line) is not None for line in islice(self._file, _FIRST_LINES))

    def _load(self) -> int:
        """Read the keys of the file, and return the size of its whole lines. Unreadable lines are put aside."""
        if self._path is None:
            return 0
        bad: list[bytes] = []
        start = 0
        self._index.execute("BEGIN")
        with self._path.open("rb") as file:
            for line in file:
                facts = _facts_of(line)
                if facts is None:
                    bad.append(line)
                else:
                    key, ok, cost = facts
                    self._note(key, start, len(line), ok=ok, own=False)
                    self.cost += cost
                start += len(line)
        self._index.execute("COMMIT")
        if bad:
            with self._path.with_name(f"{self._path.name}.bad").open("ab") as file:
                file.writelines(line.removesuffix(b"\n") + b"\n" for line in bad)
            if not bad[-1].endswith(b"\n"):
                start -= len(bad[-1])
                self._file.truncate(start)
        return start


def _opened(path: Path | None) -> Any:
    """Return the file without a buffer, so that nothing is written after an error; None opens a temporary file."""
    if path is None:
        return tempfile.TemporaryFile("ab+", buffering=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A device or a pipe cannot be read from its start, and some devices have no end.
        if path.exists() and not path.is_file() and not path.is_dir():
            raise KimiUsageError(f"{path} is not a file.", advice="Results are read again: choose a file as `out`.")
        file = path.open("ab+", buffering=0)
    except OSError as error:
        raise KimiUsageError(f"{path} cannot be written: {error.strerror}.") from error
    if not _lock(file):
        file.close()
        raise KimiUsageError(f"Another run is writing to {path.name}.", advice="Wait for it, or choose another `out`.")
    return file


def _lock(file: Any) -> bool:
    """Lock a file until it is closed, and return whether that was possible. Windows has no such lock."""
    try:
        import fcntl  # noqa: PLC0415 - Windows has no fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync_directory(path: Path) -> None:
    """Bring the names of the files in a directory to the disk. Windows refuses to open directories."""
    with suppress(PermissionError):
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _description_in(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise KimiUsageError(
            f"{path.name} is not JSON: {error}.", advice="Delete it if the output is that of this run."
        ) from error


def _facts_of(line: bytes) -> tuple[str, bool, Decimal] | None:
    """Return the key of a line, whether its row has a value, and its cost; None if the line is not whole."""
    try:
        row = json.loads(line)
        key, ok, cost = row["key"], row["ok"], Decimal(str(row.get("cost") or 0))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError):
        return None
    is_whole = isinstance(key, str) and isinstance(ok, bool) and cost.is_finite() and line.endswith(b"\n")
    return (key, ok, cost) if is_whole else None
