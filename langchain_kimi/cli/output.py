"""Write results: as JSON, as tables and colors on a terminal with `rich`, or as plain text."""

import io
import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, TextIO

Row = Mapping[str, str]


class Output:
    """Where a command writes its results.

    Args:
        as_json: Whether results are written as one JSON value, and nothing else.
        stream: The stream; None takes stdout.
    """

    def __init__(self, *, as_json: bool = False, stream: TextIO | None = None) -> None:
        self.as_json = as_json
        # Python has no stdout if it was closed before the start (`>&-`).
        self._stream: TextIO = stream or sys.stdout or io.StringIO()
        if isinstance(self._stream, io.TextIOWrapper):
            # Windows writes to pipes and files in the encoding of the locale, which lacks most characters of answers.
            self._stream.reconfigure(errors="backslashreplace")
        self._rich = None if as_json or not self._stream.isatty() else _rich()

    def flush(self) -> None:
        """Write what is still in the buffer of the stream."""
        self._stream.flush()

    def json(self, value: Any) -> None:
        """Write a value if JSON was requested."""
        if self.as_json:
            # Python's escapes of characters beyond U+FFFF are not JSON.
            has_all = (getattr(self._stream, "encoding", None) or "utf-8").lower().startswith("utf")
            self._stream.write(json.dumps(value, ensure_ascii=not has_all, indent=2, default=str) + "\n")

    def line(self, text: str = "", *, style: str = "") -> None:
        """Write a line of text, unless JSON was requested. The style is used on a terminal only."""
        if self.as_json:
            return
        if self._rich is None:
            self._stream.write(f"{text}\n")
        else:
            self._console().print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)

    def part(self, text: str) -> None:
        """Write a part of a line at once, unless JSON was requested."""
        if not self.as_json:
            self._stream.write(text)
            self._stream.flush()

    def check(self, passed: bool | None, text: str) -> None:  # noqa: FBT001 - the result of a check comes first
        """Write a finding: good, bad, or (None) worth knowing."""
        mark, style = {True: ("ok ", "green"), False: ("BAD", "bold red"), None: ("-- ", "yellow")}[passed]
        self.line(f"{mark} {text}", style=style)

    def table(self, rows: Sequence[Row], title: str = "") -> None:
        """Write a table, whose columns are the keys of the first row; columns without any value are left out."""
        if self.as_json or not rows:
            return
        names = [name for name in rows[0] if any(row[name] not in {"", "-"} for row in rows)]
        if self._rich is None:
            self._plain_table(rows, names, title)
            return
        table = import_module("rich.table").Table(title=title or None, title_justify="left")
        for name in names:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(import_module("rich.text").Text(row[name]) for name in names))
        self._console().print(table)

    def _plain_table(self, rows: Sequence[Row], names: Sequence[str], title: str) -> None:
        if title:
            self.line(title)
        lines = [dict(zip(names, names, strict=True)), *rows]
        widths = {name: max(len(line[name]) for line in lines) for name in names}
        for line in lines:
            self.line("  ".join(line[name].ljust(widths[name]) for name in names).rstrip())

    def _console(self) -> Any:
        return self._rich.Console(file=self._stream)  # type: ignore[union-attr]  # callers check it


def _rich() -> Any:
    try:
        return import_module("rich.console")
    except ImportError:
        return None
