"""More healthy replies: documents, code and JSON about the markup, and other models' markup."""

from tests.kimi.corpus.calls import ONE, TWO
from tests.kimi.corpus.cases import (
    ARGUMENTS,
    CALL,
    CALL_END,
    SECTION,
    SECTION_END,
    TOOLS,
    TURN_END,
    Case,
    healthy,
    markup,
)

WHOLE = f"{SECTION}{ONE}{SECTION_END}"


def escaped(text: str) -> str:
    """Return a text as the inside of a JSON string."""
    return text.replace('"', '\\"')


VARIED_HEALTHY: list[Case] = [
    healthy("json holding a call", '{"answer": "' + escaped(ONE) + '"}'),
    healthy("json, escaped quote before", '{"answer": "He said \\"' + escaped(ONE) + '\\" then"}'),
    healthy("json two keys", '{"a": "x \\" y", "b": "' + escaped(WHOLE) + '"}'),
    healthy(
        "json pretty", '{\n  "tokens": [\n    "' + SECTION + '",\n    "' + CALL + '",\n    "' + TURN_END + '"\n  ]\n}'
    ),
    healthy("json ends with turn end string", '["' + TURN_END + '"]'),
    healthy("jsonl", '{"text": "' + escaped(ONE) + '"}\n{"text": "' + escaped(TWO) + '"}'),
    healthy("python constants", f'BEGIN = "{SECTION}"\nEND = \'{SECTION_END}\'\nCALL = "{CALL}"'),
    healthy("python code with call", f"text = '{ONE}'\nprint(text)"),
    healthy("f-string template", 'f"' + CALL + "functions.{name}:{idx}" + ARGUMENTS + "{arguments}" + CALL_END + '"'),
    healthy(
        "template unquoted",
        f"The template is {SECTION}{CALL}functions.{{name}}:{{idx}}{ARGUMENTS}{{arguments}}{CALL_END}{SECTION_END}",
    ),
    healthy("template id", f"Each call is {CALL}{{id}}{ARGUMENTS}{{arguments}}{CALL_END} in a row."),
    healthy("template call_id", f"Each call is {CALL}call_id{ARGUMENTS}arguments{CALL_END} in a row."),
    healthy("template call_id in braces", f"Each call is {CALL}call_id{ARGUMENTS}{{...}}{CALL_END} in a row."),
    healthy("template dots", f"{SECTION}{CALL}...{ARGUMENTS}...{CALL_END}{SECTION_END}"),
    healthy("template ellipsis", f"{SECTION}…{SECTION_END}"),
    healthy(
        "table", f"| token | meaning |\n|---|---|\n| {SECTION} | opens |\n| {CALL} | a call |\n| {TURN_END} | ends |\n"
    ),
    healthy("list of markers", f"- {SECTION}\n- {SECTION_END}\n- {CALL}\n- {CALL_END}\nThat is all."),
    healthy("list of markers ends", f"The tokens:\n- {SECTION}\n- {SECTION_END}\n- {CALL}\n- {CALL_END}\n- {TURN_END}"),
    healthy("numbered", f"1. {CALL} begins\n2. {CALL_END} ends"),
    healthy("bold", f"**{CALL}** begins a call, *{CALL_END}* ends it."),
    healthy("pre multi-line", f"<pre>\n{WHOLE}\n</pre>\n"),
    healthy("code with class", f'<code class="x">{ONE}</code>'),
    healthy("pre code multi", f"<pre><code>\n{WHOLE}\n</code></pre>"),
    healthy("indented code", f"For example:\n\n    {WHOLE}\n\nand so on."),
    healthy("indented code tab", f"For example:\n\n\t{WHOLE}\n\nand so on."),
    healthy("indented code second line", f"So:\n\n    x = 1\n    {WHOLE}\n"),
    healthy("fence after text", f'See:\n```json\n{{"a": "{escaped(ONE)}"}}\n```\n'),
    healthy("fence tilde with backticks", f"~~~\n```\n{WHOLE}\n```\n~~~\nend"),
    healthy("quote in blockquote multi", f"> He wrote\n> {WHOLE}\n> so\n"),
    healthy("double backtick with tick", f"`` a ` {ONE} ``"),
    healthy(
        "deepseek",
        "<\uff5ctool▁calls▁begin\uff5c><\uff5ctool▁call▁begin\uff5c>function<\uff5ctool▁sep\uff5c>get_weather\n"
        '```json\n{"city": "Paris"}\n```<\uff5ctool▁call▁end\uff5c><\uff5ctool▁calls▁end\uff5c>',
    ),
    healthy(
        "harmony",
        '<|start|>assistant<|channel|>commentary to=functions.get_weather<|message|>{"city": "Paris"}<|call|>',
    ),
    healthy("qwen", '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>'),
    healthy("chatml", "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|> is ChatML."),
    healthy("llama", "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"),
    healthy("elixir pipes", "list |> Enum.map(&f/1) <|> other <| g"),
    healthy("ocaml", 'let f = function | A -> "<|" | B -> "|>"'),
    healthy("elm", "Html.div [] <| List.map viewItem items"),
    healthy("F#", 'printfn "%d" <| 5'),
    healthy("math", "a <|b|> c, ⟨x|y⟩ and <|x|y|>"),
    healthy("typescript functions.", "export const functions = { get_weather: 0 }; functions.get_weather(city);"),
    healthy("firebase", "Deploy with `firebase deploy --only functions:get_weather` or functions.get_weather:0."),
    healthy("ids in prose", "The ids functions.get_weather:0 and functions.get_weather:1 are unique."),
    healthy("ids in JSON", '{"id": "functions.get_weather:0", "arguments": {"city": "Paris"}}'),
    healthy("quote across", f"“The format is\n{ONE}\nso” it said."),
    healthy("parenthesis code", f"(`{SECTION}`, `{SECTION_END}`)"),
    healthy("reserved tokens", "<|reserved_token_163589|> [BOS] [EOS] [PAD] <|media_begin|>"),
    healthy("im_middle", "A turn is <|im_user|>user<|im_middle|>text<|im_end|>, then the next."),
    healthy("think tags", "<think>hm</think> are tokens."),
    healthy("only turn end quoted", "`<|im_end|>`"),
    healthy("ask about turn end", f"What does {TURN_END} mean?"),
    healthy("arrow end", "use <|"),
    healthy(
        "unknown tools two",
        f"{SECTION}{markup('functions.foo:0', '{}')}{markup('functions.bar:1', '{}')}{SECTION_END}\nis how it looks",
    ),
    healthy(
        "structured json schema",
        '{"city": "Paris", "text": "<|tool_call_begin|>"}',
        body={"tools": TOOLS, "response_format": {"type": "json_object"}},
    ),
    healthy("yaml quoted", f"marker: \"{CALL}\"\nother: '{ONE}'"),
    healthy("diff", f'+    BEGIN = "{SECTION}"\n-    END = "{SECTION_END}"\n'),
    healthy("tick apostrophes", f"It\u2019s \u2018{ONE}\u2019 then."),
    healthy("guillemets single", f"Il dit \u2039{ONE}\u203a alors."),
    healthy("samp", f"<samp>{ONE}</samp> and <kbd>{TWO}</kbd>"),
    healthy("xml example in fence", f"```xml\n<example>\n{WHOLE}\n</example>\n```"),
    healthy("windows path", 'open("C:\\dir\\' + ONE + '")'),
    healthy("escaped quotes in prose", '"He said \\"' + ONE + '\\"."'),
    healthy("quote after digit", 'Use 5 "' + ONE + '" here.'),
    healthy("nested json string", '{"a": "{\\"b\\": \\"' + CALL + '\\"}"}'),
    healthy("block pre attrs", '<pre lang="x">\n\n' + WHOLE + "\n\n</pre>"),
    healthy("list code after blank", "- x\n\n      " + WHOLE + "\n"),
    healthy("shell", f"echo '{ONE}' | jq ."),
    healthy("regex", "re.compile(r'<\\|tool_call_begin\\|>(.*?)')"),
    healthy("js template", "const t = `" + ONE + "`;"),
    healthy("readme section", f"### Tokens\n\n* `{SECTION}`\n* `{CALL}`\n"),
    healthy("question", f"Why did you write {SECTION} in your answer? I never write {CALL} myself."),
    healthy("placeholder arguments dots", f"{CALL}functions.get_weather:0{ARGUMENTS}{{...}}{CALL_END} is the form."),
    healthy(
        "placeholder arguments word", f"{CALL}functions.get_weather:0{ARGUMENTS}{{arguments}}{CALL_END} is the form."
    ),
    healthy(
        "placeholder unicode", f"{SECTION}{CALL}functions.get_weather:0{ARGUMENTS}…{CALL_END}{SECTION_END} is the form."
    ),
    healthy("foreign id placeholder", f"{CALL}call_123{ARGUMENTS}{{...}}{CALL_END} is the form."),
]
