import pytest

from langchain_kimi._kimi.markup.blocks import BlockTracker
from langchain_kimi._kimi.markup.scanner import MarkupScanner
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.calls import ONE
from tests.kimi.corpus.cases import TOOLS
from tests.kimi.corpus.healthy_tags import AFTER_QUOTING
from tests.kimi.corpus.tags import ONE as K3_ONE

OPEN = [
    "<!-- a",
    "<![CDATA[",
    'x = """a',
    "x = '''",
    "\\begin{verbatim}",
    "\\begin{lstlisting}[language=C]\na",
    "\\verb|a",
    "\\verb|<|tool_call_begin|>",
    "\\verb+a",
    "# a",
    "  // a",
    "% a",
    "x = 1  # a",
    "/* a",
    "/*\n a",
    "-- a",
    "SELECT 1; -- a",
    "x = 1  -- a",
    "--[[ a",
    "{- a",
    "{# a",
    "cat <<'EOF'\na",
    "cat <<-EOF > file\n\ta\n",
    'cat <<"TEXT" | wc\na\nb',
    "{{!-- a",
    "{{/* a",
    "<%-- a\n",
    "<%# a",
    "{#- a",
    "(* a",
    "@* a\n",
    "#= a\n",
    "#| a\n",
    "[code]\na",
    "{code:title=a}\na",
    "#+BEGIN_SRC c\na",
    "{% highlight c %}\na",
    'R"x(a)"',
    'r##"a"#',
    "[==[a]]",
    "AS $a$\n",
    "x = <<~TEXT\na",
    "x = <<<EOT\na",
    "x = @'\na",
    "x = ''\na",
    "@@ -1,2 +1 @@ a\n-a\n+",
    "@@ -1 +1 @@\n a",
    "::  a",
]
CLOSED = [
    "",
    "<!-- a -->",
    "<![CDATA[a]]>",
    '"""a"""',
    '`"""` a',
    "`<!--` a",
    "\\begin{verbatim}a\\end{verbatim}",
    "\\verb|a| b",
    "\\verb+a+",
    "\\verb|a\n",
    "# a\n",
    "/* a */",
    "a/* b",
    "#5 a",
    "-- a\n",
    "--[[ a ]]",
    "{- a -}",
    "{# a #}",
    "{-1, 2}",
    "{#name} a",
    "cat <<'EOF'\na\nEOF\n",
    "cat <<-EOF\n\ta\n\tEOF\n",
    "cout << END_OF\n",
    "1 << 2\n",
    "# cat <<EOF\n",
    "{{!-- a --}}",
    "{{/* a */}}",
    "<%-- a --%>",
    "<%# a %>",
    "(* a\n",
    "(* a *)",
    "@* a *@",
    "#= a =#",
    "#| a\n|#",
    "[code]a[/code]",
    "see [code] a",
    "{code}\na\n{code}",
    "#+BEGIN_SRC c\na\n#+end_src",
    'R"x(a)x"',
    'r##"a"##',
    "[==[a]==]",
    "AS $a$\n$a$",
    "$a$ b",
    "x = <<~TEXT\na\nTEXT\n",
    "x = <<<EOT\na\nEOT;\n",
    "x = @'\na\n'@\n",
    "x = ''\na\n'';\n",
    "@@ -1 +1 @@\n-a\n\n",
    "@@ -1 +1 @@\n-a\nb",
    "::1 a",
    "\\verb|a\n/* a\n*/",
    "`x  # y` a",
    "\\`<!-- -->`a`",
    "a" * 80,
]


def tracked(*pieces: str) -> BlockTracker:
    tracker = BlockTracker()
    for piece in pieces:
        first, *others = piece.split("\n")
        tracker.add(first)
        for line in others:
            tracker.end_line()
            tracker.add(line)
    return tracker


@pytest.mark.parametrize("text", OPEN)
def test_blocks_are_open(text: str) -> None:
    assert tracked(text).is_open
    assert tracked(*text).is_open


@pytest.mark.parametrize("text", CLOSED)
def test_blocks_are_closed(text: str) -> None:
    assert not tracked(text).is_open
    assert not tracked(*text).is_open


@pytest.mark.parametrize("call", [ONE, K3_ONE], ids=["K2", "K3"])
@pytest.mark.parametrize("text", AFTER_QUOTING)
def test_calls_after_closed_blocks_are_lifted(text: str, call: str) -> None:
    scanner = MarkupScanner(OfferedTools({"tools": TOOLS}))
    assert scanner.feed(text + call) + scanner.close(clean=True) == text
    assert [one.name for one in scanner.calls] == ["get_weather"]
