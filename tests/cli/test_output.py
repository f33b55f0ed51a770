import io
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
