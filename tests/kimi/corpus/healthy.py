"""Healthy replies that resemble broken ones. They must stay unchanged."""

from typing import Any

from tests.kimi.corpus.calls import ONE, PARIS, TIME, WEATHER, named
from tests.kimi.corpus.cases import (
    ARGUMENTS,
    CALL,
    CALL_END,
    SECTION,
    SECTION_END,
    TOOLS,
    TURN_END,
    Case,
    call,
    healthy,
    markup,
)
from tests.kimi.corpus.healthy_tags import HEALTHY_TAGS
from tests.kimi.corpus.near_calls import QUOTATIONS
from tests.kimi.corpus.varied_healthy import VARIED_HEALTHY

BARE = f"functions.get_weather:0{PARIS}"
WHOLE = f"{SECTION}{ONE}{SECTION_END}"

QUOTED = [
    healthy("inline code", f"Kimi writes `{ONE}` then."),
    healthy("inline code, a marker", f"A call begins with `{CALL}`."),
    healthy("inline code of two backticks", f"Kimi writes ``{ONE}`` then."),
    healthy("inline code, the text's end", f"It ends with `{TURN_END}`"),
    healthy("inline code, not closed", f"It looks like `{ONE}"),
    healthy("code block", f"Look:\n```\n{WHOLE}\n```\nThat is it."),
    healthy("code block with a language", f"Look:\n```text\n{WHOLE}\n```"),
    healthy("code block of tildes", f"~~~\n{WHOLE}\n~~~\n"),
    healthy("code block of four backticks", f"````\n```\n{WHOLE}\n```\n{ONE}\n````\n"),
    healthy("code block in a list", f"1. So:\n   ```\n   {ONE}\n   ```\n"),
    healthy("code block, not closed", f"```\n{WHOLE}"),
    healthy("code block with markers only", f"```\n{SECTION}\n{SECTION_END}\n{TURN_END}\n```"),
    healthy("bare call in a code block", f"```\n{BARE}\n```\n"),
    healthy("bare call in inline code", f"`{BARE}`"),
    healthy("quotation", f'He said "{ONE}" and left.'),
    healthy("quotation, further in", f'He said "it is {ONE}" and left.'),
    healthy("apostrophes", f"She wrote '{ONE}' there."),
    healthy("curly quotation", f"He said “so {ONE}” and left."),
    healthy("German quotation", f"Er sagte „so {ONE}“."),
    healthy("French quotation", f"Il a dit « {ONE} »."),
    healthy("Chinese quotation", f"他说「{ONE}」。"),
    healthy("block quotation", f"> {WHOLE}\n\nThat was it."),
    healthy("HTML", f"<p><code>{ONE}</code></p>"),
    healthy("bare call in quotation marks", f'"{BARE}"'),
]

TALK = [
    healthy("a marker in a sentence", f"The marker {CALL} begins a call."),
    healthy("a section's marker in a sentence", f"Between {SECTION} and {SECTION_END} there are calls."),
    healthy("markers in code, then one at the end", f"Behind `{CALL_END}` is {TURN_END}"),
    healthy("the turn's end in a sentence", f"A turn ends with {TURN_END}, always."),
    healthy("several in a row, then words", f"{SECTION}{CALL} open, {CALL_END}{SECTION_END} close."),
    healthy("a marker that begins no call", f"{ARGUMENTS} is before the JSON."),
    healthy("a name, then words", f"{CALL}functions.get_weather:0 is how it begins."),
    healthy("arguments, then words", f"{CALL}functions.get_weather:0{ARGUMENTS} and then words follow."),
    healthy("a tool that is not offered", markup("functions.launch:0", "{}") + " launches."),
    healthy("a section with a tool that is not offered", f"{SECTION}{markup('functions.launch:0', '{}')}{SECTION_END}"),
    healthy("two tools that are not offered", markup("functions.a:0", "{}") + markup("functions.b:1", "{}")),
    healthy("half a call of a tool that is not offered", f"{CALL}functions.launch:0{ARGUMENTS}" + '{"a": '),
    healthy("a long id", f"{CALL}{'x' * 300}{ARGUMENTS}{PARIS}{CALL_END}"),
    healthy("a name inside that is not offered", markup("launch:0", '{"name": "launch", "arguments": {}}')),
    healthy("a name inside that is no text", markup("launch:0", '{"name": 5}')),
    healthy("no tools", WHOLE, body={}),
    healthy("empty tools", WHOLE + TURN_END, body={"tools": []}),
    healthy("no call allowed", WHOLE, body={"tools": TOOLS, "tool_choice": "none"}),
    healthy("only a server's tool", WHOLE, body={"tools": [{"type": "openrouter:web_search"}]}),
    healthy("bare call, no tools", BARE, body={}),
]

ALMOST = [
    healthy("angle brackets", "if a < b and c <| d then <|x|> <|tool|> else <"),
    healthy("the beginning of a marker at the end", f"see {SECTION[:-2]}"),
    healthy("the beginning of a marker, then words", f"see {CALL[:10]} and go on"),
    healthy("a marker of another model", "<|im_start|>user<|im_sep|>"),
    healthy("a pipe operator", "xs <|> ys <|| zs |> f"),
    healthy("only an angle bracket", "<"),
    healthy("many angle brackets", "<<<<|<|<|tool_<|tool_call_<"),
    healthy("the word functions", "functions. functions of functions, functions.get and functions.get_weather"),
    healthy("the beginning of the word", "of if f fu fun func func. tion"),
    healthy("ends with f", "one half of a leaf: f"),
    healthy("ends in the word", "These are functions"),
    healthy("bare call without a number", f"functions.get_weather{PARIS}"),
    healthy("bare call, no digits", f"functions.get_weather:{PARIS}"),
    healthy("bare call without JSON", "functions.get_weather:0 is an id, functions.get_time:1 another"),
    healthy("bare call, JSON not closed", 'functions.get_weather:0{"city": "Paris"'),
    healthy("bare call, no JSON in braces", "functions.get_weather:0{city}"),
    healthy("bare call, broken braces", 'functions.get_weather:0{"city": "Paris"] x'),
    healthy("bare call of a tool that is not offered", f"functions.launch:0{PARIS}"),
    healthy("bare call in a longer word", f"my_functions.get_weather:0{PARIS}"),
    healthy("bare call in a path", f"lib/functions.get_weather:0{PARIS}"),
    healthy("bare call without the prefix", f"get_weather:0{PARIS}"),
    healthy("JSON", '{"name": "get_weather", "arguments": {"city": "Paris"}}'),
    healthy("other letters", "Grüße, 你好, привет 🌦 <| ünd \uff5c <\uff5ctool▁calls▁begin\uff5c>"),
    healthy("a table", "| a | b |\n|---|---|\n|<b>|<i>|\n"),
]


def reply(name: str, *deltas: dict[str, Any], **expected: Any) -> Case:
    return Case(name, "", deltas, **{"finish": "tool_calls", **expected})


CALLS = [
    reply("a call", call("get_weather", PARIS, "functions.get_weather:0"), calls=(WEATHER,)),
    reply("blanks in the arguments", call("get_weather", f" {PARIS}", "x"), calls=(named("x"),)),
    reply("a call of Moonshot's", call("get_weather", PARIS, "get_weather:0"), calls=(named("get_weather:0"),)),
    reply("another host's id", call("get_weather", PARIS, "call_1"), calls=(named("call_1"),)),
    reply("no arguments", call("get_time", "{}", "functions.get_time:0"), calls=(TIME,)),
    reply("a tool of the past", call("launch", PARIS, "launch:0"), calls=(named("launch:0", "launch"),)),
    reply(
        "markers in the arguments",
        call("get_weather", f'{{"city": "{WHOLE.replace(PARIS, "x")}"}}', "a"),
        calls=(named("a", city=WHOLE.replace(PARIS, "x")),),
    ),
    reply(
        "JSON where text is wanted",
        call("save_todos", '{"note": "[1, 2]"}', "a"),
        calls=(("save_todos", {"note": "[1, 2]"}, "a"),),
    ),
    reply(
        "text where a list is wanted",
        call("save_todos", '{"todos": "none"}', "a"),
        calls=(("save_todos", {"todos": "none"}, "a"),),
    ),
    reply(
        "an object where a list is wanted",
        call("save_todos", '{"todos": "{}"}', "a"),
        calls=(("save_todos", {"todos": "{}"}, "a"),),
    ),
    reply(
        "null where an object is wanted",
        call("save_todos", '{"labels": null}', "a"),
        calls=(("save_todos", {"labels": None}, "a"),),
    ),
    reply(
        "an unknown argument with JSON",
        call("get_weather", '{"city": "{}", "x": "[1]"}', "a"),
        calls=(("get_weather", {"city": "{}", "x": "[1]"}, "a"),),
    ),
    reply(
        "quotes and brackets in the arguments",
        call("get_weather", '{"city": "\\"}]\\\\"}', "a"),
        calls=(named("a", city='"}]\\'),),
    ),
    reply(
        "text, then a call",
        {"content": "I look <|"},
        call("get_weather", PARIS, "a"),
        content="I look <|",
        calls=(named("a"),),
    ),
    reply(
        "reasoning, then text",
        {"reasoning": f"The marker {CALL}, if"},
        {"content": "Yes."},
        finish="stop",
        reasoning=f"The marker {CALL}, if",
        content="Yes.",
    ),
    reply(
        "reasoning that ends with f, then a call",
        {"reasoning": "a = f"},
        call("get_weather", PARIS, "a"),
        reasoning="a = f",
        calls=(named("a"),),
    ),
    reply("text in parts", {"content": [{"type": "text", "text": "a < b"}]}, finish="stop", content="a < b"),
]

NEXT_TURNS = [
    healthy("a sentence with a turn", f"Then it writes {TURN_END}<|im_user|>user<|im_middle|>."),
    healthy("a template", f"<|im_system|>system<|im_middle|>a{TURN_END}<|im_user|>user<|im_middle|>b{TURN_END}"),
    healthy("a turn in a code block", f"```\na{TURN_END}<|im_user|>user<|im_middle|>b{TURN_END}\n```\nBye."),
    healthy("a turn in an open code block", f"```\na{TURN_END}<|im_user|>user<|im_middle|>b"),
    healthy("a turn in a block quotation", f"> a{TURN_END}<|im_user|>user<|im_middle|>b"),
    healthy("the turn's end in a block quotation", f"> a{TURN_END}"),
    healthy("the turn's end in a code block, cut off", f"```\na{TURN_END}", finish="length"),
    healthy("a sentence in an open code block", f"```\nend = {TURN_END}"),
    healthy("another role", "<|im_user|>user<|im_middle|>a"),
    healthy("the end of a document", "The token [EOS]"),
    healthy("the end of a document, touching", "a[EOS]"),
]

HEALTHY: list[Case] = [*NEXT_TURNS, *QUOTED, *TALK, *ALMOST, *CALLS, *VARIED_HEALTHY, *HEALTHY_TAGS, *QUOTATIONS]
