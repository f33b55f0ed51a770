import io
import re
import sys

import pytest

from langchain_kimi.cli.output import Output

ROWS = [{"host": "a", "price": "1", "empty": "-"}, {"host": "longer", "price": "", "empty": ""}]


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_plain_text() -> None:
    stream = io.StringIO()
    out = Output(stream=stream)
    out.table(ROWS, title="Hosts")
    out.table([])
    out.check(passed=True, text="fine")
    out.check(passed=False, text="broken")
    out.check(None, "odd")
    out.part("a")
    out.json({"not": "written"})
    expected = "Hosts\nhost    price\na       1\nlonger\nok  fine\nBAD broken\n--  odd\na"
    assert stream.getvalue() == expected


def test_json_is_the_only_output() -> None:
    stream = io.StringIO()
    out = Output(as_json=True, stream=stream)
    out.table(ROWS)
    out.line("text")
    out.part("text")
    out.json({"a": "ä"})
    assert stream.getvalue() == '{\n  "a": "ä"\n}\n'


@pytest.mark.parametrize(
    ("as_json", "expected"), [(True, b'"\\u00e4 \\ud83d\\ude00"\n'), (False, b"\\xe4 \\U0001f600\n")]
)
def test_characters_that_the_stream_lacks_are_escaped(*, as_json: bool, expected: bytes) -> None:
    written = io.BytesIO()
    out = Output(as_json=as_json, stream=io.TextIOWrapper(written, encoding="ascii"))
    out.line("ä 😀")
    out.json("ä 😀")
    out.flush()
    assert written.getvalue() == expected


def test_a_terminal_gets_tables_and_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    out = Output(stream=stream)
    out.table([{"host": "[bold]a"}], title="Hosts")
    out.check(passed=False, text="[red]broken")
    out.line()
    assert "┏━━━━━━━━━┓" in stream.getvalue()
    assert "[bold]a" in stream.getvalue()
    assert "\x1b[1;31mBAD [red]broken" in stream.getvalue()


def test_without_rich_a_terminal_gets_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    stream = Terminal()
    Output(stream=stream).table(ROWS)
    assert stream.getvalue() == "host    price\na       1\nlonger\n"


def without_styles(text: str) -> str:
    return re.sub(r"\x1b\[\d*m", "", text)


HOSTS = [
    {"host": "steady", "price of a million": "0.6", "good": "14/14 (78%-100%)", "notes": "-"},
    {"host": "leaky", "price of a million": "0.48", "good": "5/14 (16%-61%)", "notes": "leaks markup into the text"},
]
PARAGRAPHS = """Hosts
steady
   price of a million: 0.6;
   good: 14/14 (78%-100%)
leaky
   price of a million: 0.48;
   good: 5/14 (16%-61%);
   notes: leaks markup into the text
"""


def test_a_fact_that_is_longer_than_a_line_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    Output(stream=stream).table(HOSTS)
    assert "(16%-61%); notes:\n   leaks markup into\n   the text\n" in stream.getvalue()


@pytest.mark.parametrize("has_rich", [True, False])
def test_a_narrow_terminal_gets_a_paragraph_for_each_row(monkeypatch: pytest.MonkeyPatch, *, has_rich: bool) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    if not has_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    stream = Terminal()
    Output(stream=stream).table(HOSTS, title="Hosts")
    assert without_styles(stream.getvalue()) == PARAGRAPHS


@pytest.mark.parametrize(("has_rich", "columns"), [(True, 47), (False, 72)])
def test_a_terminal_that_is_just_wide_enough_gets_a_table(
    monkeypatch: pytest.MonkeyPatch, *, has_rich: bool, columns: int
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    if not has_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    written = {}
    for width in (columns, columns - 1):
        monkeypatch.setenv("COLUMNS", str(width))
        stream = Terminal()
        Output(stream=stream).table(HOSTS)
        written[width] = without_styles(stream.getvalue())
    assert "notes:" not in written[columns]
    assert max(map(len, written[columns].splitlines())) <= columns
    assert "notes: leaks markup into the text" in written[columns - 1]


def test_two_columns_stay_a_table_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setitem(sys.modules, "rich.console", None)
    stream = Terminal()
    Output(stream=stream).table([{"error": "KimiError", "cause": "a long sentence"}])
    assert stream.getvalue() == "error      cause\nKimiError  a long sentence\n"
