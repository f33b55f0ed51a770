"""Healthy replies about K3's markup, and quotations that contain whole calls. They must stay unchanged."""

from tests.kimi.corpus.calls import ONE as K2_ONE
from tests.kimi.corpus.calls import PARIS
from tests.kimi.corpus.cases import SECTION, SECTION_END, Case, healthy
from tests.kimi.corpus.tags import CALL, END_OF_MESSAGE, ONE, SEP, argument, closed, opened, section, tagged

WHOLE = section(ONE)
BARE = f"functions.get_weather:0{PARIS}"

FORMS = {"K2": K2_ONE, "K2's section": f"{SECTION}{K2_ONE}{SECTION_END}", "K3": WHOLE, "bare": " " + BARE}

ABOUT_TAGS: list[Case] = [
    healthy(f"K3, {name}", text)
    for name, text in {
        "inline code": f"Kimi writes `{WHOLE}` then.",
        "a marker in inline code": "A tag begins with `<|open|>`.",
        "code block": f"Look:\n```\n{WHOLE}\n```\nThat is it.",
        "code block, not closed": f"```\n{WHOLE}",
        "quotation": f"He said \u201c{WHOLE}\u201d and left.",
        "straight quotation": f'He said "{closed("message")}" and left.',
        "apostrophes": f"She wrote '{closed('message')}' there.",
        "block quotation": f"> {WHOLE}\n\nThat was it.",
        "HTML": f"<p><code>{WHOLE}</code></p>",
        "indented code": f"For example:\n\n    {WHOLE}\n\nand so on.",
        "a marker in a sentence": "The marker <|open|> begins a tag.",
        "three markers in a sentence": "The markers <|open|>, <|close|> and <|sep|> make tags.",
        "a marker at the end": "A tag begins with <|open|>",
        "a tag in a sentence": f"The tag {closed('message')} ends a message.",
        "two tags in a sentence": f"Between {opened('response')} and {closed('response')} is the answer.",
        "a tag at the beginning": f"{opened('response')} opens the answer.",
        "a tag of a call in a sentence": f"A call begins with {CALL} and has arguments.",
        "a question": f"What does {closed('think')} mean?",
        "a token in a sentence": f"A message ends with {END_OF_MESSAGE}, always.",
        "a template": f"{opened('call', tool='NAME', index='N')}...{closed('call')} is a call.",
        "a template of an argument": f"{CALL}{argument('city', '...')}{closed('call')} is a call.",
        "a template with braces": section(opened("call", tool="{name}", index="{n}") + closed("call")),
        "a tool that is not offered": tagged("launch", argument("target", "moon")) + " launches.",
        "a section with a tool that is not offered": section(tagged("launch")) + "\nis how it looks",
        "unknown tags": f"<|open|>box{SEP}a<|close|>box{SEP} is a box.",
        "a list": f"- {opened('tools')}\n- {closed('tools')}\nThat is all.",
        "a table": f"| tag | use |\n|---|---|\n| {opened('think')} | reasoning |\n| {closed('think')} | its end |\n",
        "bold": f"**{opened('think')}** begins the reasoning, *{closed('think')}* ends it.",
        "JSON": '{"stop": ["' + closed("message") + '", "' + END_OF_MESSAGE + '"]}',
        "Python": f"OPEN = \"<|open|>\"\nEND = '{closed('message')}'",
        "a regular expression": r"re.compile(r'<\|open\|>call(.*?)<\|sep\|>')",
        "a separator": f"The marker {SEP} separates.",
        "words that begin like a tag": "<|open|>call is written first, then the name.",
        "pipes": "a <|open b> c |> d <| e",
    }.items()
]

QUOTED: list[Case] = [
    healthy(f"{name}, {kind}", text)
    for kind, call in FORMS.items()
    for name, text in {
        "HTML comment": f"<p>a</p>\n<!-- {call} -->\n<p>b</p>",
        "HTML comment of several lines": f"<!--\n{call}\n-->\n",
        "SQL comment": f"-- for example {call}\nSELECT 1;\n",
        "SQL comment after code": f"SELECT 1; -- {call}\n",
        "Lua comment": f"--[[ {call} ]]\n",
        "Haskell comment": f"{{- {call} -}}\n",
        "Jinja comment": f"{{# {call} #}}\n",
        "heredoc": f"cat <<'EOF' > a.txt\n{call}\nEOF\nDone.",
        "indented heredoc": f"cat <<-END\n\t{call}\n\tEND\n",
        "literal block": f"A call is written so::\n\n  {call}\n\nand so on.",
        "directive": f".. code-block:: text\n\n   {call}\n\nThat was it.",
        "Python comment": f"x = 1\n# {call}\ny = 2\n",
        "Python comment after code": f"x = 1  # {call}\ny = 2\n",
        "C comment": f"// {call}\nint x;\n",
        "C block comment": f"/* {call} */\nint x;\n",
        "C block comment of several lines": f"/*\n * a\n * {call}\n */\nint x;\n",
        "LaTeX verb": f"Write \\verb|{call}| in LaTeX.",
        "LaTeX verb with a plus sign": f"Write \\verb+{call}+ in LaTeX.",
        "LaTeX verbatim": f"\\begin{{verbatim}}\n{call}\n\\end{{verbatim}}\n",
        "LaTeX listing": f"\\begin{{lstlisting}}[language=XML]\n{call}\n\\end{{lstlisting}}\n",
        "LaTeX comment": f"a\n% {call}\nb\n",
        "triple quotation marks": f'text = """\n{call}\n"""\nprint(text)\n',
        "triple apostrophes": f"text = '''\n{call}\n'''\nprint(text)\n",
        "triple quotation marks in a line": f'text = """{call}"""\nprint(text)\n',
        "CDATA": f"<a><![CDATA[{call}]]></a>",
        "CDATA of several lines": f"<![CDATA[\n{call}\n]]>\n",
        "YAML literal": f"text: |\n  {call}\nother: 1\n",
        "YAML folded": f"a:\n  text: >-\n    {call}\n",
        "Ruby comment": f"=begin\n{call}\n=end\nputs 1\n",
        "PowerShell comment": f"<#\n{call}\n#>\nGet-Item\n",
        "text area": f"<textarea>{call}</textarea>",
        "example": f"<example>\n{call}\n</example>",
        "table cell": f"| form | text |\n|---|---|\n| a | {call} |\n",
        "parentheses": f"It writes ({call.strip()}) there.",
    }.items()
]

AFTER_QUOTING: list[str] = [
    "Use `<!--` for comments.\n",
    "<!-- a -->\n",
    "See src/*.py and /* too.\n",
    '"""a"""\n',
    'x = """\na\n"""\n',
    "# Weather\n",
    "Call \\verb|x| first. ",
    "\\begin{verbatim}\nx\n\\end{verbatim}\n",
    "<![CDATA[x]]> ",
    "(I look.) ",
    "// a\n",
    "Issue #5: ",
    "It is 5 % now. ",
    "- item\n-- ",
    "A smile :(",
    "[1] ",
    "It rose by 5 % ",
    "text: |\n  a\nb: 1\n",
    "=begin\na\n=end\n",
    "<# a #> ",
    "<example>a</example> ",
    "| a |\n|---|\n| b |\n",
]
"""Texts in which no quotation is open at the end."""

HEALTHY_TAGS: list[Case] = [*ABOUT_TAGS, *QUOTED]
