"""Replies to a request for a person, and the expected result of each."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import BaseModel

from langchain_kimi._reply.tool_calls import breaking_suffix, parsed_arguments


class Person(BaseModel):
    """A person."""

    name: str
    age: int


class Color(Enum):
    RED = "red"


class Strict(BaseModel, strict=True):
    day: date
    color: Color


PERSON_SCHEMA = {"title": "Person", **Person.model_json_schema()}
ADA = {"name": "Ada", "age": 36}
JSON = '{"name": "Ada", "age": 36}'


@dataclass(frozen=True)
class Case:
    """A reply, and its expected result if a call was requested and if text was: the value, or the cause of the error.

    Attributes:
        plain: The result for a schema without a pydantic class, if it differs.
        old: The result for a class of pydantic 1, if it differs from that for a class of pydantic 2.
    """

    name: str
    by_call: Any
    by_text: Any
    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish_reason: str = "stop"
    plain: Any = None
    old: Any = None

    def expected(self, *, by_call: bool, pydantic: bool) -> Any:
        if not pydantic and self.plain is not None:
            return self.plain
        return self.by_call if by_call else self.by_text

    def message(self) -> AIMessage:
        parsed = [(name, text, parsed_arguments(text, ended=True)) for name, text in self.calls]
        return AIMessage(
            content=self.text,
            tool_calls=[{"name": n, "args": a, "id": n} for n, _, a in parsed if isinstance(a, dict)],
            invalid_tool_calls=[
                {"name": n, "args": text, "id": n, "error": a, "type": "invalid_tool_call"}
                for n, text, a in parsed
                if isinstance(a, str)
            ],
            response_metadata={"finish_reason": self.finish_reason},
        )

    def chunks(self, size: int) -> list[AIMessageChunk]:
        """Return the reply as the chunks that `ChatKimi` yields, in pieces of `size` characters."""
        chunks = [AIMessageChunk(content=piece) for piece in pieces(self.text, size)]
        for index, (name, text) in enumerate(self.calls):
            is_whole = isinstance(parsed_arguments(text, ended=True), dict)
            chunks.append(call_piece(index, name, ""))
            # Blanks before the arguments are left out.
            chunks += [call_piece(index, None, piece) for piece in pieces(text if text.strip() else "", size)]
            if not is_whole and (suffix := breaking_suffix(text)):
                chunks.append(call_piece(index, None, suffix))
        end = {"finish_reason": self.finish_reason}
        return [*chunks, AIMessageChunk(content="", response_metadata=end, chunk_position="last")]


def pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def call_piece(index: int | None, name: str | None, args: str | None) -> AIMessageChunk:
    piece = {"index": index, "name": name, "args": args, "id": name, "type": "tool_call_chunk"}
    return AIMessageChunk(content="", tool_call_chunks=[piece])


def texts(name: str, text: str, by_text: Any, **more: Any) -> Case:
    """Return a reply of text only; if a call was requested, text without a value is a `no_call` error."""
    by_call = "no_call" if by_text in ("bad_json", "invalid") else by_text
    return Case(name, by_call, by_text, text, **more)


def calls(name: str, by_call: Any, *args: str, **more: Any) -> Case:
    """Return a reply of calls only; the result is the same if text was requested."""
    return Case(name, by_call, by_call, calls=tuple(("Person", text) for text in args), **more)


EVA = '{"name": "Eva", "age": 1}'
MORE = {"name": "Ada", "age": 36, "more": [{}]}
HALF = {"name": "\ud83d", "age": 1}


def once(text: str) -> str:
    """Return a text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def nested(depth: int) -> str:
    """Return the person with a deeply nested extra key."""
    return f'{{"name": "Ada", "age": 36, "more": {"[" * depth}{"]" * depth}}}'


CASES = [
    # Text with the value.
    texts("as it should be", JSON, ADA),
    texts("over lines", '\n{\n  "name": "Ada",\n  "age": 36\n}\n', ADA),
    texts("fenced as json", f"```json\n{JSON}\n```", ADA),
    texts("fenced", f"```\n{JSON}\n```\n", ADA),
    texts("fenced, not closed", f"```json\n{JSON}", ADA),
    texts("fenced with carriage returns", f"```json\r\n{JSON}\r\n```", ADA),
    texts("fenced after words", f"Here it is:\n\n```json\n{JSON}\n```\nAnything else?", ADA),
    texts("after words", f"Here it is: {JSON}", ADA),
    texts("before words", f"{JSON}\nI hope that helps.", ADA),
    texts("between words", f"Sure!\n{JSON}\nDone.", ADA),
    texts("after a byte order mark", f"\ufeff{JSON}", ADA),
    texts("after a byte order mark and a fence", f"\ufeff```json\n{JSON}\n```", ADA),
    texts("as a string of JSON", '"{\\"name\\": \\"Ada\\", \\"age\\": 36}"', ADA),
    texts("after words with braces", f"Filled in {{name}} and {{age}}: {JSON}", ADA),
    texts("after words with nested braces", f"Filled in {{a {{b}} c}}: {JSON}", ADA),
    texts("with a footnote and a link", f"See [1] and [here](https://example.com): {JSON}", ADA),
    texts("with a list of words", f'From ["Ada", "36"]: {JSON}', ADA),
    texts("twice the same", f"{JSON}\nAgain: {JSON}", ADA),
    texts("with a brace too many", JSON + "}", ADA),
    texts("with a raw line break in a string", '{"name": "A\nB", "age": 36}', {"name": "A\nB", "age": 36}),
    texts("with a fence in a string", '{"name": "```x```", "age": 36}', {"name": "```x```", "age": 36}),
    texts("in Chinese", '{"name": "你好啊集团", "age": 1}', {"name": "你好啊集团", "age": 1}),
    texts("with braces in a string", '{"name": "}{", "age": 1}', {"name": "}{", "age": 1}),
    # Text without a value.
    texts("cut in the first key", '{"na', "bad_json"),
    texts("cut in a string", '{"name": "Ad', "bad_json"),
    texts("cut before the end", '{"name": "Ada", "age": 36', "bad_json"),
    texts("cut inside, with a whole part", '{"name": "Ada", "of": {"name": "Eva", "age": 1}, "age', "bad_json"),
    texts("cut after words", 'Here: {"name": "Ada", "ag', "bad_json"),
    texts("cut by the limit", '{"name": "Ada", "ag', "length", finish_reason="length"),
    texts("whole, but cut by the limit", JSON, "length", finish_reason="length"),
    texts("nothing, cut by the limit", "", "length", finish_reason="length"),
    texts("two different", f'{JSON} or {{"name": "Eva", "age": 1}}', "bad_json"),
    texts("broken, then whole", f'{{"name": "Ada",}} rather {JSON}', "bad_json"),
    texts("comma at the end", '{"name": "Ada", "age": 36,}', "bad_json"),
    texts("single quotes", "{'name': 'Ada', 'age': 36}", "bad_json"),
    texts("comments", '{"name": "Ada", // who\n "age": 36}', "bad_json"),
    texts("NaN", '{"name": "Ada", "age": NaN}', "bad_json"),
    texts("Infinity", '{"name": "NaN", "age": Infinity}', "bad_json"),
    texts("minus Infinity", '{"name": "Ada", "age": -Infinity}', "bad_json"),
    texts("too large a number", '{"name": "Ada", "age": 1e999}', "bad_json"),
    texts("too long a number", f'{{"name": "Ada", "age": {"9" * 5000}}}', "bad_json"),
    texts("words", "I cannot find a person here.", "bad_json"),
    texts("a word of Python", "None", "bad_json"),
    texts("XML", "<person><name>Ada</name></person>", "bad_json"),
    texts("a list of it", f"[{JSON}]", "invalid"),
    texts("a list of it after words", f"All: [{JSON}]", "invalid"),
    texts("a broken list of it", f"[{JSON}, {{", "bad_json"),
    texts("null", "null", "invalid"),
    texts("a number", "36", "invalid"),
    texts("a string", '"Ada"', "invalid"),
    texts("a key missing", '{"name": "Ada"}', "invalid"),
    texts("an empty object", "{}", "invalid"),
    texts("inside another key", f'{{"Person": {JSON}}}', "invalid"),
    texts("filtered half-way", '{"name": "Ad', "refusal", finish_reason="content_filter"),
    texts("whole, with the finish reason content_filter", JSON, ADA, finish_reason="content_filter"),
    # Other fences, and other prose around the value.
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
    # Reasoning in the text.
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
    # Calls with the value.
    calls("a call", ADA, JSON),
    calls("called twice", ADA, JSON, '{"name": "Eva", "age": 1}'),
    calls("called again after a broken call", ADA, '{"name": "Ad', JSON),
    calls("a call with a line break in a string", {"name": "A\nB", "age": 1}, '{"name": "A\nB", "age": 1}'),
    calls("a call with a fence", ADA, f"```json\n{JSON}\n```"),
    calls("a call with a string of JSON", ADA, '"{\\"name\\": \\"Ada\\", \\"age\\": 36}"'),
    Case("a call and words", ADA, "bad_json", "Let me see.", (("Person", JSON),)),
    Case("a call of something else and the value", ADA, ADA, JSON, (("search", "{}"),)),
    # Calls without a value.
    Case("a call of something else", "no_call", "empty", calls=(("search", JSON),)),
    Case("a broken call of something else", "no_call", "empty", calls=(("search", "{"),)),
    calls("a call cut off", "bad_json", '{"name": "Ad'),
    calls("a call cut off in a list", "bad_json", '{"name": ["Ad'),
    calls("a call cut by the limit", "length", '{"name": "Ad', finish_reason="length"),
    calls("a whole call cut by the limit", "length", JSON, finish_reason="length"),
    calls("a call with NaN", "bad_json", '{"name": "Ada", "age": NaN}'),
    calls("a call without arguments", "invalid", ""),
    calls("a call with a list", "invalid", f"[{JSON}]"),
    calls("a call with a key missing", "invalid", '{"name": "Ada"}'),
    # Calls that are odd in other ways.
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

# Truncated at every position.
CUT = [texts(f"cut after {end} characters", JSON[:end], "bad_json") for end in range(1, len(JSON))]
CUT += [calls(f"a call cut after {end} characters", "bad_json", JSON[:end]) for end in range(1, len(JSON))]


def one_per_outcome(cases: Iterable[Case]) -> list[Case]:
    """Return the first case of each pair of outcomes, separately for replies with and without calls."""
    chosen: dict[tuple[str, str, bool], Case] = {}
    for case in cases:
        by_call, by_text = (result if isinstance(result, str) else "value" for result in (case.by_call, case.by_text))
        chosen.setdefault((by_call, by_text, bool(case.calls)), case)
    return list(chosen.values())


ONE_PER_OUTCOME = one_per_outcome(CASES)

# Types inside a value are checked by pydantic only; a schema without a class leaves them to the host.
TYPED = [
    texts("a number as a string", '{"name": "Ada", "age": "36"}', ADA, plain={"name": "Ada", "age": "36"}),
    texts("a key more", '{"name": "Ada", "age": 36, "x": 1}', ADA, plain={"name": "Ada", "age": 36, "x": 1}),
    texts("half of an emoji", '{"name": "\\ud83d", "age": 1}', "invalid", plain=HALF, old=HALF),
    texts("of another type", '{"name": "Ada", "age": "old"}', "invalid", plain={"name": "Ada", "age": "old"}),
    calls("a call of another type", "invalid", '{"name": 1, "age": "old"}', plain={"name": 1, "age": "old"}),
    texts("with nulls", '{"name": null, "age": null}', "invalid", plain={"name": None, "age": None}),
    texts("half a year", '{"name": "Ada", "age": 36.5}', "invalid", plain={"name": "Ada", "age": 36.5}, old=ADA),
    texts("a list in a key", '{"name": ["Ada"], "age": 36}', "invalid", plain={"name": ["Ada"], "age": 36}),
    texts("a key more with a list", json.dumps(MORE), ADA, plain=MORE),
]
