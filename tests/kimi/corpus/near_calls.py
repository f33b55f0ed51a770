"""Texts around calls: quotations in which a call stays text, and texts before a call that only look like one."""

from tests.kimi.corpus.calls import ONE
from tests.kimi.corpus.cases import CALL_END, SECTION, SECTION_END, TURN_END, Call, Case, healthy, leaked, lifted
from tests.kimi.corpus.tags import CALL, END_OF_MESSAGE, PARIS, SEP, WEATHER, closed, opened, section
from tests.kimi.corpus.tags import ONE as TAGGED
from tests.kimi.corpus.tags import case as tags_case

WHOLE = f"{SECTION}{ONE}{SECTION_END}"
BARE = 'functions.get_weather:0{"city": "Paris"}'
CALLED: Call = ("get_weather", {"city": "Paris"}, "functions.get_weather:0")

_QUOTED: dict[str, str] = {
    # LaTeX
    "a LaTeX comment after a command": f"\\usepackage{{x}} % {ONE}\n\\begin{{document}}",
    "a LaTeX comment with words": f"\\usepackage{{x}} % emits {ONE}\nText",
    "a LaTeX comment after a tab": f"\\foo\t% {ONE}\nText",
    "a LaTeX comment in a table": f"a & b \\\\ % {ONE}\n",
    "a LaTeX comment with two signs": f"%% {ONE}\nText",
    "a LaTeX comment with K3's call": f"\\section{{A}} % {section(TAGGED)}\n",
    "a LaTeX comment with a bare call": f"\\foo{{a}} % {BARE}\nmore",
    "a line that begins with a command": f"\\draw (0,0) -- (1,1) node % see {ONE}\n",
    "texttt": f"\\texttt{{{ONE}}} is a call.",
    "lstinline": f"\\lstinline|{ONE}| is a call.",
    "mintinline": f"\\mintinline{{text}}{{{ONE}}} is a call.",
    "mintinline with a delimiter": f"\\mintinline{{text}}|{ONE}| is a call.",
    "the environment comment": f"\\begin{{comment}}\n{ONE}\n\\end{{comment}}\nText",
    "the environment tcblisting": f"\\begin{{tcblisting}}{{}}\n{ONE}\n\\end{{tcblisting}}\nText",
    "the environment Verbatim with options": f"\\begin{{Verbatim}}[fontsize=\\small]\n{ONE}\n\\end{{Verbatim}}\nText",
    # Brackets
    "square brackets": f"The model writes [{ONE}] then.",
    "square brackets around a section": f"[{WHOLE}{WHOLE}] is two sections.",
    "square brackets around K3's call": f"The model writes [{TAGGED}] then.",
    "a Markdown link": f"See [{ONE}](https://example.org/a) for it.",
    "braces": f"The template is {{{ONE}}} here.",
    "a bare call in square brackets": f"It writes [{BARE}] then.",
    "a bare call in braces": f"It writes {{{BARE}}} then.",
    # Apostrophes
    "a section between apostrophes": f"text = '{WHOLE}'\nprint(text)",
    "a section between apostrophes in parentheses": f"parse('{WHOLE}')",
    "a section of K3 between apostrophes": f"It is '{section(TAGGED)}' here.",
    "a section of K3 between apostrophes in parentheses": f"parse('{section(TAGGED)}', 1)",
    "a section of K3 between curved apostrophes": f"It is \u2018{section(TAGGED)}\u2019 here.",
    # Comments of other languages
    "a Python comment after one blank": f"x = 1 # {ONE}\n",
    "a Python comment with words": f"x = f(1) # writes {ONE}\n",
    "a JavaScript comment after one blank": f"let x = 1; // {ONE}\n",
    "a C comment after code": f"int x; /* {ONE} */\n",
    "a C comment with words": f"int x; /* as in {ONE} */\n",
    "a SQL comment": f"SELECT 1 -- {ONE}\n",
    "a Lisp comment": f"; {ONE}\n(defun a ())",
    "a Lisp comment with two signs": f";; {ONE}\n(defun a ())",
    "a batch comment": f"REM {ONE}\n",
    "a Vim comment": f'" {ONE}\nset nu',
    "a MATLAB comment": f"y = f(x); % {ONE}\n",
    "raw text of Jinja": f"{{% raw %}}{ONE}{{% endraw %}}",
    # Blocks of other formats
    "a comment of Handlebars": f"{{{{!-- {ONE} --}}}}\n",
    "a comment of Go's templates": f"{{{{/* {WHOLE} */}}}}\n",
    "a comment of JSP": f"<%-- {ONE} --%>\n",
    "a comment of ERB": f"<%# {ONE} %>\n",
    "a comment of Razor": f"@* {ONE} *@\n",
    "a comment of OCaml": f"(* {WHOLE} *)\nlet x = 1",
    "a comment of Julia": f"#=\n{ONE}\n=#\nx = 1",
    "a comment of Scheme": f"#|\n{WHOLE}\n|#\n(define x 1)",
    "a comment of Jinja without blanks": f"{{#- {WHOLE} -#}}",
    "a comment of Liquid": f"{{% comment %}}{ONE}{{% endcomment %}}",
    "a comment of Python without a blank": f"x = 1\n#{WHOLE}\ny = 2\n",
    "a comment of a batch file": f":: {ONE}\n",
    "highlighted text of Jekyll": f"{{% highlight text %}}\n{ONE}\n{{% endhighlight %}}",
    "a block of Org": f"#+begin_src text\n{WHOLE}\n#+end_src\n",
    "an example of Org": f"#+BEGIN_EXAMPLE\n{section(TAGGED)}\n#+END_EXAMPLE\n",
    "a block of Jira": f"{{code:title=x}}\n{WHOLE}\n{{code}}\n",
    "a block of BBCode": f"[code]{WHOLE}[/code]",
    "a quotation of BBCode": f"[quote=a]\n{ONE}\n[/quote]\n",
    "text of MediaWiki": f"<nowiki>{WHOLE}</nowiki>",
    "a script": f'<script type="text/plain">{WHOLE}</script>',
    "an added line of a diff": f"@@ -1 +1 @@\n-old\n+{WHOLE}\n",
    "a context line of a diff": f"@@ -1,2 +1,2 @@ def f\n {ONE}\n+y\n",
    "an inline Verb": f"\\Verb|{ONE}| is a call.",
    # Strings of other languages
    "a string of bytes": f"b'{WHOLE}'",
    "a raw string of C++": f'auto s = R"x(\n{WHOLE}\n)x";',
    "a raw string of Rust": f'let s = r#"\n{ONE}\n"#;',
    "a long string of Lua": f"s = [==[\n{ONE}\n]==]",
    "a string of PostgreSQL": f"DO $body$\n{ONE}\n$body$;",
    "a string of Ruby": f"s = <<~TEXT\n  {ONE}\nTEXT\n",
    "a string of PHP": f"$s = <<<EOT\n{ONE}\nEOT;\n",
    "a string of PowerShell": f"$x = @'\n{ONE}\n'@\n",
    "a string of Nix": f"s = ''\n  {ONE}\n'';",
    # Other brackets and emphasis
    "full-width brackets": f"\u3010{WHOLE}\u3011\uff08{ONE}\uff09\u300a{ONE}\u300b",
    "low quotation marks": f"Er schrieb \u201a{WHOLE}\u2018.",
    "bold text": f"It writes **{WHOLE}** then.",
    "italic text": f"It writes _{WHOLE}_ or *{ONE}* then.",
    "struck text": f"It writes ~~{section(TAGGED)}~~ then.",
    "a code block in a list": f"- a\n\n    ```\n    - {WHOLE}\n    ```\n",
    "a line of code in a list": f"- For example:\n\n    {WHOLE}\n",
    "a cell before the last one": f"| a | b |\n|---|---|\n| {ONE}|{ONE}|\n",
    # Something that the text opens before the call and closes after it
    "an element of XML": f"<answer>{ONE}</answer>",
    "an element of XML on its own lines": f'<ns:out id="1">\n{section(TAGGED)}\n</ns:out>\nDone.',
    "a bare call in an element": f"<p>{BARE}</p>",
    "passed text of AsciiDoc": f"It writes ++{ONE}++ there.",
    "verbatim text of Org": f"It writes ={WHOLE}= there.",
    "a bare call in verbatim text of Org": f"It writes ={BARE}= there.",
    "a listing of AsciiDoc": f".Example\n[source,text]\n----\n{WHOLE}\n----\n\nThat was it.",
    "a literal block of AsciiDoc": f"....\n\n{section(TAGGED)}\n\n....\n",
    "a fence of colons": f"::: code\n{ONE}\n:::\n",
    "a formula": f"$$\n{ONE}\n$$\n",
    "an example of Texinfo": f"@example\n{ONE}\n@end example\n",
    "text between dashes": f"He wrote \u2014 {ONE} \u2014 and left.",
    "text between arrows": f"in -> {BARE} -> out",
    "text between Swedish marks": f"Han skrev \u201d{ONE}\u201d.",
    "words in parentheses": f"It writes (for example {ONE}) there.",
    "words in a string of Python": f"s = 'so {ONE}'\nprint(s)",
    "words in bold text": f"**It writes {section(TAGGED)}** there.",
    "a line of a log": f"12:00 INFO {BARE} took 3 ms",
    "a literal line of Org": f"Text\n: {ONE}\nmore",
    "a comment of reStructuredText": f".. {ONE}\n\nText",
    "an open quotation before other text": f"Use ` and {ONE} then",
    "words in a string of JSON": '{"a": "so ' + ONE.replace('"', '\\"') + ' then", "b": 1}',
    "words in the last string of JSON": '["so ' + ONE.replace('"', '\\"') + '"]',
    # The format of prompts
    "a prompt": "<|im_user|>user<|im_middle|>Hi<|im_end|><|im_assistant|>assistant<|im_middle|>Hello<|im_end|>",
    "a prompt in a sentence": "The prompt is <|im_system|>system<|im_middle|>Be kind.<|im_end|> and so on.",
    "the end of a turn in a sentence": f"Do not confuse {TURN_END} and [EOS]; {TURN_END} is the stop token.",
    "the end of a turn at the beginning": f"{TURN_END} is the token that ends a turn.",
    "the end of a turn in a list": f"- {TURN_END}: ends a turn\n- [EOS]: ends a document",
    "the end of a turn before a period": f"Each turn ends with {TURN_END}.",
    "an attribute without marks, in a sentence": f"The tag <|open|>call tool=get_weather{SEP} begins a call.",
}
QUOTATIONS: list[Case] = [healthy(f"quoted, {name}", text) for name, text in _QUOTED.items()]

_BEFORE: dict[str, str] = {
    "a percent sign": "Rain is at 100 % ",
    "a percent sign without a blank": "Humidity is 50%",
    "a number sign": "I take issue #5 ",
    "a heading": "## Weather\n",
    "a URL": "See https://example.org/a ",
    "closed brackets": "[ok] {ok} (ok) ",
    "a dash": "I look -- ",
    "a semicolon": "I look; ",
    "an equation": "With x = 5 ",
    "a closed comment": "<!-- x -->int x; /* a */ ",
    "a closed verbatim text": "\\verb|x| \\lstinline|y| ",
    "closed raw text": "{% raw %}x{% endraw %} ",
    "a LaTeX command": "\\section{A} ",
    "the end of a LaTeX document": "\\begin{comment}x\\end{comment}\n\\end{document}\n",
    "a smile": "Sure :) ",
    "words in capitals": "SELECT one city: ",
    "a pattern of paths": "src/* ",
    "a code block": "```py\nx = 1\n```",
    "a code block of tildes in a list": "- a\n  ~~~~\n  ```\n  ~~~~",
    "an indented text in a list": "1. Step\n\n    Explanation.",
    "a text in an inner list": "- a\n  - b\n\n    Text.",
    "a text after a tab in a list": "- a\n\n\tText.",
    "the last row of a table": "| a | b |\n|---|---|\n| 1 | 2 |",
    "a bold title": "**Calling a tool:**",
    "bold, italic and struck text": "**a** *b* _c_ ~~d~~ ",
    "a bullet": "* ",
    "quotation marks of Polish": "\u201ea\u201d ",
    "quotation marks of Danish": "\u00bba\u00ab \u203ab\u2039 ",
    "an escaped backtick": "The \\` key. ",
    "an escaped backtick and code": "The \\` key and `x`. ",
    "a comment sign in code": "Use `x  # y` here. ",
    "a comment of OCaml that is not closed": "(* about)\n",
    "a closed comment of templates": "{{!-- a --}}{{/* b */}}<%-- c --%><%# d %>{#- e -#} ",
    "closed strings": 'R"x(a)x" r#"a"# [==[a]==] AS $$a$$ ',
    "a closed block of Org": "#+begin_src c\nx\n#+end_src\n",
    "closed blocks of wikis": "[code]x[/code]\n{code}\nx\n{code}\n",
    "a diff": "@@ -1 +1 @@\n-a\n+b\n\n",
    "dollars": "It costs $5$ or US$$. ",
    "a label of a prompt": "<|im_assistant|>assistant<|im_middle|>",
    "a backtick that nothing closes": "Press the ` key, so I look: ",
    "a quotation mark that nothing closes": 'He said "look it up. ',
    "a code tag that nothing closes": "The <code> tag. ",
    "a break": "Text<br>",
    "a line of equals signs": "Title\n=====\n",
    "a rule": "Text\n\n----\n",
    "the tag of a call": "<tool_call>",
    "the tag of an answer": "<answer>",
    "an opened parenthesis": "Well (as you said, ",
    "an arrow": "Next -> ",
    "dots": "So .. ",
    "an escaped percent sign": "\\item 50\\% of it ",
}
_STRAY: dict[str, tuple[str, str]] = {
    "between two sentences": (f"Hello.{TURN_END}Bye.", "Hello.Bye."),
    "between two paragraphs": (f"Hello.{TURN_END}\n\nBye.", "Hello.\n\nBye."),
    "at the beginning": (f"{TURN_END}Hello.", "Hello."),
    "in a line before the text": (f"{TURN_END}\nHello.", "\nHello."),
    "at the end of a block quotation": (f"> Hello.{TURN_END}", "> Hello."),
    "several between two sentences": (f"Hello.{CALL_END}{SECTION_END}{TURN_END}Bye.", "Hello.Bye."),
}
VALUE = opened("tools") + CALL + opened("argument", key="city", type="string") + "Paris"
_DAMAGED: dict[str, str] = {
    "a closing marker alone": VALUE + "<|close|>" + closed("call") + closed("tools"),
    "a closing tag without its end": VALUE + "<|close|>argument" + closed("call"),
    "a closing tag without its end, before a line": VALUE + "<|close|>argument\n" + closed("call") + closed("tools"),
    "a closing tag of another name": VALUE + closed("value") + closed("call") + closed("tools"),
    "a closing tag without a name": VALUE + "<|close|><|sep|>" + closed("call") + closed("tools"),
    "a damaged tag before the end": VALUE + "<|close|>arg" + END_OF_MESSAGE,
    "K2's end of a turn": VALUE + TURN_END,
    "K2's ends": VALUE + CALL_END + SECTION_END + "\n",
    "attributes without marks": section(f"<|open|>call tool=get_weather index=1{SEP}{PARIS}{closed('call')}"),
    "another name of the type": section(
        CALL + opened("argument", key="city", type="STR") + "Paris" + closed("argument")
    ),
    "an unknown type": section(CALL + opened("argument", key="city", type="name") + "Paris" + closed("argument")),
    "tabs": section(f"\t{CALL}\t{PARIS}\t{closed('call')}\t"),
    "Windows line breaks": section(f"\r\n{CALL}\r\n{PARIS}\r\n{closed('call')}\r\n"),
    "indentation": section(f"\n  {CALL}\n    {PARIS}\n  {closed('call')}\n"),
}
NEAR_CALLS: list[Case] = [
    *(
        lifted(f"after {name}", "after vllm-project/vllm#53246", f"{text}{WHOLE}", CALLED, content=text)
        for name, text in _BEFORE.items()
    ),
    *(
        leaked(f"the end of a turn, {name}", "after getsigit/sigit#92", text, content=shown, repairs={"markup": 1})
        for name, (text, shown) in _STRAY.items()
    ),
    *(
        tags_case(f"damaged, {name}", text, WEATHER, source="vllm-project/vllm#53246")
        for name, text in _DAMAGED.items()
    ),
    tags_case(
        "without arguments that are required",
        section(CALL + closed("call")),
        invalid=(("get_weather", "{}", "functions.get_weather:0"),),
    ),
]
