"""The corpus's way of writing down a reply and what must come of it, and of running it."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi._reply.plain import PlainMessage
from langchain_kimi._reply.streamed import StreamedMessage

SECTION = "<|tool_calls_section_begin|>"
SECTION_END = "<|tool_calls_section_end|>"
ONE_SECTION = "<|tool_call_section_begin|>"
ONE_SECTION_END = "<|tool_call_section_end|>"
CALL = "<|tool_call_begin|>"
ARGUMENTS = "<|tool_call_argument_begin|>"
CALL_END = "<|tool_call_end|>"
TURN_END = "<|im_end|>"

Call = tuple[str, Any, str]
"""Name, arguments and id; of an invalid call the arguments are text."""

SCHEMAS: dict[str, dict[str, Any]] = {
    "get_weather": {"properties": {"city": {"type": "string"}}, "required": ["city"]},
    "get_time": {"properties": {}},
    "list_files": {"properties": {"path": {"type": "string"}, "depth": {"type": "integer"}}},
    "save_todos": {
        "properties": {
            "todos": {"type": "array", "items": {"$ref": "#/$defs/Todo"}},
            "labels": {"anyOf": [{"type": "object"}, {"type": "null"}]},
            "note": {"type": "string"},
        },
        "$defs": {"Todo": {"type": "object", "properties": {"id": {"type": "integer"}}}},
    },
    "search-web": {"properties": {"query": {"type": "string"}}},
}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", **schema}}}
    for name, schema in SCHEMAS.items()
]


@dataclass(frozen=True)
class Case:
    """A reply and what must come of it.

    Attributes:
        name: What is wrong with it, or looks like that.
        source: The thread where it was reported, or where the form was seen; `after` one that has a variation of it.
        deltas: The stream's deltas; the plain form is their sum.
        finish: The finish reason that came.
        calls: The valid calls of the message.
        invalid: The invalid ones.
        content: Its text.
        reasoning: Its reasoning.
        ends: The finish reason that it must have; the one that came if not given.
        repairs: What must have been counted; nothing at all for a healthy reply.
        body: The request, beside its tools.
        taken: The ids that the user's conversation holds.
    """

    name: str
    source: str
    deltas: tuple[dict[str, Any], ...]
    finish: str | None = "stop"
    calls: tuple[Call, ...] = ()
    invalid: tuple[Call, ...] = ()
    content: str = ""
    reasoning: str = ""
    ends: str | None = ""
    repairs: dict[str, int] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=lambda: {"tools": TOOLS})
    taken: frozenset[str] = frozenset()


NOTHING: dict[str, Any] = {"role": "assistant", "content": None, "reasoning": None, "reasoning_details": []}
"""A delta that says nothing."""


def leaked(name: str, source: str, text: str, **expected: Any) -> Case:
    """A text with markup in it: by default its calls are lifted, and the reply ends with calls."""
    expected.setdefault("ends", "tool_calls" if expected.get("calls") else "")
    found = len(expected.get("calls", ())) + len(expected.get("invalid", ()))
    expected.setdefault("repairs", {"markup": found} if found else {})
    return Case(name, source, ({"content": text},), **expected)


def lifted(name: str, source: str, text: str, *calls: Call, **expected: Any) -> Case:
    """A text out of which these calls are lifted."""
    return leaked(name, source, text, calls=calls, **expected)


def in_reasoning(case: Case, source: str) -> Case:
    """The same text, but in the reasoning, with nothing else in the reply."""
    text = case.deltas[0]["content"]
    return replace(
        case,
        name=f"{case.name}, in the reasoning",
        source=source,
        deltas=({"reasoning": text},),
        content="",
        reasoning=case.content,
    )


def healthy(name: str, text: str, **expected: Any) -> Case:
    """A text that must come out as it is, and uncounted."""
    return Case(name, "", ({"content": text},), content=text, **expected)


def call(name: str | None, arguments: Any, call_id: str | None = None, **others: Any) -> dict[str, Any]:
    """A delta with one call, or a piece of it."""
    piece: dict[str, Any] = {"index": 0, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"tool_calls": [{**piece, **({"id": call_id} if call_id is not None else {}), **others}]}


def markup(call_id: str, arguments: str, end: str = CALL_END) -> str:
    """One call as Kimi writes it."""
    return f"{CALL}{call_id}{ARGUMENTS}{arguments}{end}"


def splits(case: Case) -> Iterator[list[dict[str, Any]]]:
    """The deltas as in `even_splits`, and with each of their texts cut in two at every place."""
    yield from even_splits(case)
    deltas = list(case.deltas)
    for position, delta in enumerate(deltas):
        for at in range(1, len(_text(delta)[1])):
            yield [*deltas[:position], *_cut(delta, [at]), *deltas[position + 1 :]]


def random_splits(case: Case, count: int = 25) -> Iterator[list[dict[str, Any]]]:
    """The deltas as in `even_splits`, and `count` times with each of their texts cut at up to three places.

    The places are the same in each run.
    """
    yield from even_splits(case)
    chance = random.Random(case.name)  # noqa: S311 - no secret, but the same places each time
    for _ in range(count):
        pieces: list[dict[str, Any]] = []
        for delta in case.deltas:
            places = range(1, len(_text(delta)[1]))
            pieces += _cut(delta, sorted(chance.sample(places, min(chance.randint(1, 3), len(places)))))
        yield pieces


def even_splits(case: Case) -> Iterator[list[dict[str, Any]]]:
    """The deltas as they are, and with all texts cut into characters.

    The text of a single delta is also cut into pieces of a few characters, with deltas between them that say nothing.
    """
    deltas = list(case.deltas)
    yield deltas
    yield [piece for delta in deltas for piece in _characters(delta)]
    if len(deltas) == 1 and "tool_calls" not in deltas[0]:
        for length, silent in ((1, NOTHING), (3, {}), (7, {"content": ""})):
            pieces = _cut(deltas[0], list(range(length, len(_text(deltas[0])[1]), length)))
            yield [one for piece in pieces for one in (piece, silent)]


def _text(delta: dict[str, Any]) -> tuple[str, str]:
    """The longest text of a delta, and where it is."""
    if calls := delta.get("tool_calls"):
        arguments = (calls[0].get("function") or {}).get("arguments")
        return "tool_calls", arguments if isinstance(arguments, str) and len(calls) == 1 else ""
    return next(((key, text) for key, text in delta.items() if isinstance(text, str)), ("", ""))


def _characters(delta: dict[str, Any]) -> list[dict[str, Any]]:
    return _cut(delta, list(range(1, len(_text(delta)[1]))))


def _cut(delta: dict[str, Any], places: list[int]) -> list[dict[str, Any]]:
    key, text = _text(delta)
    pieces = [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]
    if len(pieces) == 1:
        return [delta]
    if key != "tool_calls":
        return [{**(delta if not number else {}), key: piece} for number, piece in enumerate(pieces)]
    [whole] = delta["tool_calls"]
    first = {**whole, "function": {**whole["function"], "arguments": pieces[0]}}
    rest = [{"index": whole.get("index"), "function": {"arguments": piece}} for piece in pieces[1:]]
    return [{**delta, "tool_calls": [piece]} for piece in (first, *rest)]


def streamed(case: Case, deltas: list[dict[str, Any]], repair_options: RepairOptions | None = None) -> AIMessage:
    """The message of the reply, streamed with these deltas."""
    reader = StreamedMessage(
        ResponseHead(200, {}, 0.0),
        _body(case),
        idle=None,
        with_usage=True,
        repair_options=repair_options or RepairOptions(call_ids=lambda: case.taken),
    )
    choices: list[dict[str, Any]] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": case.finish})
    events = [json.dumps({"id": "gen-1", "choices": [choice]}) for choice in choices]
    sent = "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])
    chunks = [*reader.feed(sent.encode(), 0.0), *reader.close()]
    return cast("AIMessage", reduce(add, [chunk.message for chunk in chunks]))


def plain(case: Case, repair_options: RepairOptions | None = None) -> AIMessage:
    """The message of the reply, not streamed."""
    repair_options = repair_options or RepairOptions(call_ids=lambda: case.taken)
    reader = PlainMessage(ResponseHead(200, {}, 0.0), _body(case), idle=None, repair_options=repair_options)
    choice = {"index": 0, "message": {"role": "assistant", **summed(case)}, "finish_reason": case.finish}
    reader.feed(json.dumps({"id": "gen-1", "choices": [choice]}).encode(), 0.0)
    [result] = reader.close()
    return cast("AIMessage", result.generations[0].message)


def summed(case: Case) -> dict[str, Any]:
    """The message that the deltas add up to, as a host would send it."""
    message: dict[str, Any] = {}
    for delta in case.deltas:
        for key, value in delta.items():
            message[key] = message[key] + value if key in message else value
    calls: list[dict[str, Any]] = []
    for piece in message.get("tool_calls", ()):
        # A piece with neither id nor name continues the last call.
        if calls and not piece.get("id") and not piece["function"].get("name"):
            function = calls[-1]["function"]
            calls[-1] = {
                **calls[-1],
                "function": {**function, "arguments": function["arguments"] + piece["function"]["arguments"]},
            }
        else:
            calls.append(piece)
    return {**message, "tool_calls": calls} if calls else message


def _body(case: Case) -> WireBody:
    return cast("WireBody", {"model": "moonshotai/kimi-k2-0905", "messages": [], **case.body})


# What makes LangChain take the sum of a stream's pieces for broken.
BREAKERS = ('""]', '""}', '"]', '"}', "]", "}")


def told_by(message: AIMessage, expected: Case | None = None) -> dict[str, Any]:
    """What a message tells; of `expected`, broken arguments may be followed by what breaks them for LangChain."""
    told = _told_by(message)
    if expected and len(told["invalid"]) == len(expected.invalid):
        told["invalid"] = tuple(
            (name, text[: len(known[1])] if text[len(known[1]) :] in BREAKERS else text, call_id)
            for (name, text, call_id), known in zip(told["invalid"], expected.invalid, strict=True)
        )
    return told


def _told_by(message: AIMessage) -> dict[str, Any]:
    return {
        "content": message.content,
        "reasoning": message.additional_kwargs.get("reasoning_content", ""),
        "calls": tuple((one["name"], one["args"], one["id"]) for one in message.tool_calls),
        "invalid": tuple((one["name"] or "", one["args"], one["id"]) for one in message.invalid_tool_calls),
        "finish": message.response_metadata["finish_reason"],
        "repairs": message.response_metadata.get("kimi", {}).get("repairs", {}),
    }


def expected_of(case: Case) -> dict[str, Any]:
    """What a message must tell."""
    return {
        "content": case.content,
        "reasoning": case.reasoning,
        "calls": case.calls,
        "invalid": case.invalid,
        "finish": case.ends or case.finish,
        "repairs": case.repairs,
    }
