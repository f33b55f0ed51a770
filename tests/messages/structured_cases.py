"""What models reply when they are asked for a person, and what that is worth: one row a reply."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import BaseModel

from langchain_kimi._messages.tool_arguments import breaking_suffix, parsed_arguments


class Person(BaseModel):
    """A person."""

    name: str
    age: int


class Colour(Enum):
    RED = "red"


class Strict(BaseModel, strict=True):
    day: date
    colour: Colour


PERSON_SCHEMA = {"title": "Person", **Person.model_json_schema()}
ADA = {"name": "Ada", "age": 36}
JSON = '{"name": "Ada", "age": 36}'


@dataclass(frozen=True)
class Case:
    """A reply; what it is worth when a call was asked for, and when text was: `ADA`, or the cause of the error.

    Attributes:
        plain: What it is worth for a schema without a pydantic class, where that is something else.
        old: What it is worth for a class of pydantic 1, where that is something else than for one of pydantic 2.
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
        """The same reply, streamed in pieces of so many characters, as this package's model hands them on."""
        chunks = [AIMessageChunk(content=piece) for piece in pieces(self.text, size)]
        for index, (name, text) in enumerate(self.calls):
            is_whole = isinstance(parsed_arguments(text, ended=True), dict)
            chunks.append(call_piece(index, name, ""))
            chunks += [call_piece(index, None, piece) for piece in pieces(text, size)]
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
    """A reply of text only: without the call that was asked for it is worth its value, or else nothing."""
    by_call = "no_call" if by_text in ("bad_json", "invalid") else by_text
    return Case(name, by_call, by_text, text, **more)


def calls(name: str, by_call: Any, *args: str, **more: Any) -> Case:
    """A reply of calls only: without the text that was asked for they are worth the same."""
    return Case(name, by_call, by_call, calls=tuple(("Person", text) for text in args), **more)


CASES = [
    # Text that holds the value.
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
    # Text that does not.
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
    texts("whole, said to be filtered", JSON, ADA, finish_reason="content_filter"),
    # Calls that hold the value.
    calls("a call", ADA, JSON),
    calls("called twice", ADA, JSON, '{"name": "Eva", "age": 1}'),
    calls("called again after a broken call", ADA, '{"name": "Ad', JSON),
    calls("a call with a line break in a string", {"name": "A\nB", "age": 1}, '{"name": "A\nB", "age": 1}'),
    calls("a call with a fence", ADA, f"```json\n{JSON}\n```"),
    calls("a call with a string of JSON", ADA, '"{\\"name\\": \\"Ada\\", \\"age\\": 36}"'),
    Case("a call and words", ADA, "bad_json", "Let me see.", (("Person", JSON),)),
    Case("a call of something else and the value", ADA, ADA, JSON, (("search", "{}"),)),
    # Calls that do not.
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
]

# For a schema without a pydantic class, types are the host's affair; so these are told apart by pydantic only.
TYPED = [
    texts("a number as a string", '{"name": "Ada", "age": "36"}', ADA, plain={"name": "Ada", "age": "36"}),
    texts("a key more", '{"name": "Ada", "age": 36, "x": 1}', ADA, plain={"name": "Ada", "age": 36, "x": 1}),
    texts("half of an emoji", '{"name": "\\ud83d", "age": 1}', "invalid", plain={"name": "\ud83d", "age": 1}),
    texts("of another type", '{"name": "Ada", "age": "old"}', "invalid", plain={"name": "Ada", "age": "old"}),
    calls("a call of another type", "invalid", '{"name": 1, "age": "old"}', plain={"name": 1, "age": "old"}),
]
