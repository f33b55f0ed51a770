"""Write results: as JSON, as tables and colors on a terminal with `rich`, or as plain text."""

import io
import json
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, TextIO

Row = Mapping[str, str]

_EMPTY = ("", "-")
_NO_BREAK = "\N{NO-BREAK SPACE}"


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
        """Write a table, whose columns are the keys of the first row; columns without any value are left out.

        On a terminal that is too narrow for the columns, each row becomes a paragraph.
        """
        if self.as_json or not rows:
            return
        names = [name for name in rows[0] if any(row[name] not in _EMPTY for row in rows)]
        # Two columns can be read in any case: the second one is text.
        may_be_narrow = len(names) > 2 and self._stream.isatty()  # noqa: PLR2004 - see above
        if self._rich is None:
            lines = _aligned(rows, names)
            if may_be_narrow and max(map(len, lines)) > shutil.get_terminal_size().columns:
                self._paragraphs(rows, names, title)
            else:
                self.line("\n".join([title, *lines] if title else lines))
            return
        table = import_module("rich.table").Table(title=title or None, title_justify="left")
        for name in names:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(import_module("rich.text").Text(row[name]) for name in names))
        if may_be_narrow and self._breaks_words(table, rows, names):
            self._paragraphs(rows, names, title)
        else:
            self._console().print(table)

    def _breaks_words(self, table: Any, rows: Sequence[Row], names: Sequence[str]) -> bool:
        """Return whether a table of `rich` breaks words to fit the terminal."""
        plain = io.StringIO()
        self._rich.Console(file=plain, width=self._console().width).print(table)  # type: ignore[union-attr]  # see table
        texts = [*names, *(row[name] for row in rows for name in names)]
        return not set(" ".join(texts).split()) <= set(plain.getvalue().split())

    def _paragraphs(self, rows: Sequence[Row], names: Sequence[str], title: str) -> None:
        if title:
            self.line(title)
        width = shutil.get_terminal_size().columns
        for row in rows:
            self.line(row[names[0]], style="bold")
            facts = [f"{name}: {row[name]}" for name in names[1:] if row[name] not in _EMPTY]
            # A fact that fits a line is not broken: textwrap does not break lines at no-break spaces.
            glued = [fact.replace(" ", _NO_BREAK) if len(fact) < width - 3 else fact for fact in facts]
            text = textwrap.fill("; ".join(glued), width, initial_indent="   ", subsequent_indent="   ")
            self.line(text.replace(_NO_BREAK, " "))

    def _console(self) -> Any:
        return self._rich.Console(file=self._stream)  # type: ignore[union-attr]  # callers check it


def _aligned(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Return the lines of a table, with the names of the columns first."""
    lines = [dict(zip(names, names, strict=True)), *rows]
    widths = {name: max(len(line[name]) for line in lines) for name in names}
    return ["  ".join(line[name].ljust(widths[name]) for name in names).rstrip() for line in lines]


def _rich() -> Any:
    try:
        return import_module("rich.console")
    except ImportError:
        return None
