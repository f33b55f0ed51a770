"""More replies to a request for a person, stranger ones; see `structured_cases`."""

import json

from tests.messages.structured_cases import ADA, JSON, PERSON_SCHEMA, Case, calls, texts

EVA = '{"name": "Eva", "age": 1}'
MORE = {"name": "Ada", "age": 36, "more": [{}]}


def once(text: str) -> str:
    """A JSON string of a text."""
    return json.dumps(text, ensure_ascii=False)


def nested(depth: int) -> str:
    """The person, and beside it something deep."""
    return f'{{"name": "Ada", "age": 36, "more": {"[" * depth}{"]" * depth}}}'


ODD = [
    # Other fences, and other words around.
    texts("fenced with tildes", f"~~~json\n{JSON}\n~~~", ADA),
    texts("fenced with attributes", f"```{{.json #x}}\n{JSON}\n```", ADA),
    texts("fenced with a title", f'```json title="a.json"\n{JSON}\n```', ADA),
    texts("fenced by four", f"````json\n{JSON}\n````", ADA),
    texts("fenced on one line", f"```json {JSON} ```", ADA),
    texts("fenced in a fence", f"```markdown\n```json\n{JSON}\n```\n```", ADA),
    texts("fenced as yaml, but JSON", f"```yaml\n{JSON}\n```", ADA),
    texts("fenced twice the same", f"```json\n{JSON}\n```\n```json\n{JSON}\n```", ADA),
    texts("fenced twice, different", f"```json\n{JSON}\n```\n```json\n{EVA}\n```", "bad_json"),
    texts("between single ticks", f"`{JSON}`", ADA),
    texts("in bold", f"**{JSON}**", ADA),
    texts("quoted", f"> {JSON}", ADA),
    texts("in a list of one", f"- {JSON}", ADA),
    texts("assigned", f"person = {JSON};", ADA),
    texts("as an argument", f"Person({JSON})", ADA),
    texts("in a tag", f"<answer>{JSON}</answer>", ADA),
    texts("before an end token", f"{JSON}<|im_end|>", ADA),
    texts("before a comma", f"{JSON},", ADA),
    texts("on a line each, twice", f"{JSON}\n{JSON}\n", ADA),
    texts("after a set", f"Of {{1, 2}} and {{x | x > 1}}: {JSON}", ADA),
    texts("after a formula", rf"By \frac{{a}}{{b}}: {JSON}", ADA),
    texts("after a program", f"function f() {{ return {{}}; }} gives {JSON}", ADA),
    texts("after a dict of Python", f"From {{'a': 1}}: {JSON}", ADA),
    texts("after a brace that closes nothing", f"}} {JSON}", ADA),
    texts("after a brace that nothing closes", f"An open {{ brace. {JSON}", "bad_json"),
    texts("after a template of it", f'As {{"name": "...", "age": 0}}: {JSON}', "bad_json"),
    texts("before an empty object", f"{JSON} {{}}", "bad_json"),
    texts("before another object in a list", f'{JSON} [{{"a": 1}}]', "bad_json"),
    texts("before a cut one", f'{JSON}\n{{"name": "Ev', "bad_json"),
    texts("before words with braces", f"{JSON} where {{name}} is the name", ADA),
    # Thoughts in the text.
    texts("after a thought", f"<think>Perhaps {{}}?</think>{JSON}", ADA),
    texts("after a thought with another", f"\n<think>\nPerhaps {EVA}?\n</think>\n\n{JSON}", ADA),
    texts("after the end of a thought", f"Perhaps {EVA}?</think>{JSON}", ADA),
    texts("with the end of a thought in a string", '{"name": "</think>", "age": 1}', {"name": "</think>", "age": 1}),
    texts("in a thought that does not end", f"<think>Perhaps {JSON}", "bad_json"),
    texts("in a thought before nothing", f"<think>Perhaps {JSON}</think>", "bad_json"),
    # JSON in strings.
    texts("as a string in a fence", f"```json\n{once(JSON)}\n```", ADA),
    texts("as a fence in a string", once(f"```json\n{JSON}\n```"), ADA),
    texts("as a string in a string", once(once(JSON)), "invalid"),
    texts("as a string with words", once(f"Here: {JSON}"), "invalid"),
    texts("as a string with two different", once(f"{JSON} {EVA}"), "invalid"),
    texts("as a string of a cut one", once('{"name": "Ada", "age": 3'), "invalid"),
    texts("as a string, cut", once(JSON)[:-8], "bad_json"),
    texts("as a string without its quotes", once(JSON)[1:-1], "bad_json"),
    # Characters.
    texts("with escapes in its keys", '{"n\\u0061me": "\\u0041da", "age": 36}', ADA),
    texts("with a pair of surrogates", '{"name": "\\ud83d\\ude00", "age": 1}', {"name": "😀", "age": 1}),
    texts("with a null character", '{"name": "\\u0000", "age": 1}', {"name": "\0", "age": 1}),
    texts("with raw control characters", '{"name": "\t\x07\x7f", "age": 1}', {"name": "\t\x07\x7f", "age": 1}),
    texts("with a line separator", '{"name": "\u2028", "age": 1}', {"name": "\u2028", "age": 1}),
    texts("with spaces that do not break", f"\u00a0{JSON}\u00a0", ADA),
    texts("after a space of no width", f"\u200b{JSON}", ADA),
    texts("with a path that lost a backslash", '{"name": "C:\\data", "age": 1}', "bad_json"),
    texts("with half an escape", '{"name": "\\u12", "age": 1}', "bad_json"),
    texts("with quotes of a printer", "{“name”: “Ada”, “age”: 36}", "bad_json"),
    texts("with a quote in a string", '{"name": "Ada "the first"", "age": 36}', "bad_json"),
    # Numbers.
    texts("with a huge number", f'{{"name": "Ada", "age": {"9" * 30}}}', {"name": "Ada", "age": int("9" * 30)}),
    texts("with a whole number as a fraction", '{"name": "Ada", "age": 36.0}', ADA),
    texts("with a number of a plus", '{"name": "Ada", "age": +36}', "bad_json"),
    texts("with a number of a zero too many", '{"name": "Ada", "age": 036}', "bad_json"),
    texts("with a number of thousands", '{"name": "Ada", "age": 36,000}', "bad_json"),
    texts("with a number of base sixteen", '{"name": "Ada", "age": 0x24}', "bad_json"),
    # Keys.
    texts("with a key twice the same", '{"name": "Ada", "name": "Ada", "age": 36}', ADA),
    texts("with a key twice", '{"name": "Ada", "age": 36, "name": "Eva"}', "bad_json"),
    texts("with an inner key twice", '{"name": "Ada", "age": 36, "x": [{"a": 1, "a": 2}]}', "bad_json"),
    texts("with keys of another case", '{"Name": "Ada", "Age": 36}', "invalid"),
    texts("with keys that have blanks", '{" name": "Ada", "age ": 36}', "invalid"),
    texts("without quotes around its keys", '{name: "Ada", age: 36}', "bad_json"),
    texts("without a comma", '{"name": "Ada" "age": 36}', "bad_json"),
    texts("without a colon", '{"name" "Ada", "age": 36}', "bad_json"),
    texts("with dots for the rest", '{"name": "Ada", ...}', "bad_json"),
    texts("with more that is deep", nested(100), ADA, plain=json.loads(nested(100))),
    texts("with more that is too deep", nested(100_000), "bad_json"),
    # Other languages, and other values.
    texts("a dict of Python", "{'name': 'Ada', 'age': None}", "bad_json"),
    texts("a word of Python in it", '{"name": "Ada", "age": None}', "bad_json"),
    texts("undefined", '{"name": "Ada", "age": undefined}', "bad_json"),
    texts("a comment of Python", '{"name": "Ada", # who\n "age": 36}', "bad_json"),
    texts("a comment over lines", '{"name": "Ada", /* who */ "age": 36}', "bad_json"),
    texts("comments around", f"// a person\n{JSON} // done", ADA),
    texts("YAML", "name: Ada\nage: 36", "bad_json"),
    texts("YAML in a fence", "```yaml\nname: Ada\nage: 36\n```", "bad_json"),
    texts("TOML", 'name = "Ada"\nage = 36', "bad_json"),
    texts("a table", "| name | age |\n| --- | --- |\n| Ada | 36 |", "bad_json"),
    texts("an empty fence", "```json\n```", "bad_json"),
    texts("an empty list", "[]", "invalid"),
    texts("an empty string", '""', "invalid"),
    texts("true", "true", "invalid"),
    texts("two in a list", f"[{JSON}, {EVA}]", "invalid"),
    texts("the schema", json.dumps(PERSON_SCHEMA), "invalid"),
    texts("an error", '{"error": "There is no person."}', "invalid"),
    texts("as arguments of a call", f'{{"name": "Person", "arguments": {JSON}}}', "invalid"),
    texts("cut in a fence that is closed", '```json\n{"name": "Ada", "age": 3\n```', "bad_json"),
    texts("cut before words", '{"name": "Ada", "age": 3\nI stop here.', "bad_json"),
    # Calls.
    Case("half a call and the value", "bad_json", ADA, JSON, (("Person", '{"name": "Ad'),)),
    Case("an unfit call and the value", "invalid", ADA, JSON, (("Person", '{"name": "Ada"}'),)),
    Case("a call and half a value", ADA, "bad_json", '{"name": "Ad', (("Person", JSON),)),
    Case("a call after another's", ADA, ADA, calls=(("search", "{}"), ("Person", JSON))),
    Case("a call of a longer name", "no_call", "empty", calls=(("PersonWithAge", JSON),)),
    calls("an unfit call before one that fits", ADA, '{"name": "Ada"}', JSON),
    calls("two calls, both unfit", "invalid", '{"name": "Ada"}', '{"age": 36}'),
    calls("a call with a key twice", "bad_json", '{"name": "Ada", "age": 36, "name": "Eva"}'),
    calls("a call with null", "invalid", "null"),
    calls("a call with words after", ADA, f"{JSON} Done."),
    calls("a call with two different", "bad_json", f"{JSON}{EVA}"),
    calls("a call with a comma at the end", "bad_json", '{"name": "Ada", "age": 36,}'),
    calls("a call with a dict of Python", "bad_json", "{'name': 'Ada', 'age': 36}"),
    calls("a call with the arguments inside", "invalid", f'{{"arguments": {JSON}}}'),
    calls("a call with blanks for arguments", "invalid", "  "),
]

ODD += [texts(f"cut after {end} characters", JSON[:end], "bad_json") for end in range(1, len(JSON))]
ODD += [calls(f"a call cut after {end} characters", "bad_json", JSON[:end]) for end in range(1, len(JSON))]

ODD_TYPED = [
    texts("with nulls", '{"name": null, "age": null}', "invalid", plain={"name": None, "age": None}),
    texts("half a year", '{"name": "Ada", "age": 36.5}', "invalid", plain={"name": "Ada", "age": 36.5}, old=ADA),
    texts("a list in a key", '{"name": ["Ada"], "age": 36}', "invalid", plain={"name": ["Ada"], "age": 36}),
    texts("a key more with a list", json.dumps(MORE), ADA, plain=MORE),
]
