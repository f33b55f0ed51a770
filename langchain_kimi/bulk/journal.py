"""The batches of a bulk run: a file of JSON lines beside the output, so that no row is submitted twice.

A line is on the disk before the step that it announces: the rows of a batch before they are sent, its handle before its
results are read, and its end after all results are in the output.
"""

import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from langchain_kimi.errors import KimiUsageError


@dataclass(slots=True)
class OpenBatch:
    """A batch whose results are not in the output.

    Attributes:
        key: The key of the submission.
        since: When it began, in seconds since 1970.
        rows: The keys of its rows, in their order.
        max_cost: Its maximum cost in US dollars, if its run had a limit of money.
        handle: The JSON of its handle; None if the run ended before it had one.
        is_lost: Whether the server did not have the batch any more, and the rows that a run asked for are failed rows.
    """

    key: str
    since: float
    rows: list[str]
    max_cost: Decimal = Decimal(0)
    handle: Mapping[str, Any] | None = None
    is_lost: bool = False


@dataclass(slots=True)
class Journal:
    """The file of the batches of a run.

    Attributes:
        path: The file.
        batches: The open batches by their keys.
        ids: The server's ids of all batches so far.
    """

    path: Path
    batches: dict[str, OpenBatch] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    _batch_of: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @classmethod
    def at(cls, path: Path) -> "Journal":
        """Read a journal. A line that was not written whole is left out: its step was not made."""
        journal = cls(path)
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            journal._apply(entry)
        return journal

    def batch_of(self, row: str) -> str | None:
        """Return the key of the open batch with a row, or None."""
        return self._batch_of.get(row)

    def begin(self, key: str, since: float, rows: Sequence[str], max_cost: Decimal) -> None:
        """Note a batch that will be submitted."""
        self._write({"state": "sending", "key": key, "since": since, "rows": list(rows), "max_cost": str(max_cost)})

    def add_handle(self, key: str, handle: str) -> None:
        """Note the handle of a batch, as JSON."""
        self._write({"state": "submitted", "key": key, "handle": json.loads(handle)})

    def mark_lost(self, key: str) -> None:
        """Note that the server does not have a batch any more, and that its rows are failed rows in the output."""
        self._write({"state": "lost", "key": key})

    def end(self, key: str, rows: Iterable[str]) -> None:
        """Note rows that are not open in a batch any more: their results are in the output, or it was not accepted.

        The batch is open until all its rows have ended, because a run may ask for only some of them.
        """
        self._write({"state": "ended", "key": key, "rows": list(rows)})

    def _write(self, entry: Mapping[str, Any]) -> None:
        with self._lock, self.path.open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            # A line that an earlier process did not finish must not become the beginning of this one.
            begin = b"" if file.read(1) in {b"", b"\n"} else b"\n"
            file.write(begin + json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self._apply(entry)

    def _apply(self, entry: Mapping[str, Any]) -> None:
        state, key = entry.get("state"), str(entry.get("key"))
        if state == "sending":
            self.batches[key] = OpenBatch(key, entry["since"], list(entry["rows"]), Decimal(entry.get("max_cost", 0)))
            self._batch_of.update(dict.fromkeys(entry["rows"], key))
        elif key not in self.batches:
            raise KimiUsageError(f"{self.path.name} is not the journal of a run.", advice="Move the file away.")
        elif state == "submitted":
            self.batches[key].handle = entry["handle"]
            self.ids.add(entry["handle"]["id"])
        elif state == "lost":
            self.batches[key].is_lost = True
        else:
            self._end(key, entry.get("rows"))

    def _end(self, key: str, rows: Iterable[str] | None) -> None:
        batch = self.batches[key]
        for row in batch.rows if rows is None else rows:
            if self._batch_of.get(row) == key:
                del self._batch_of[row]
        if all(self._batch_of.get(row) != key for row in batch.rows):
            del self.batches[key]
