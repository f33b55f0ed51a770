"""The cases of the corpus: a reply and the expected message, and functions that run them."""

import json
import random
from collections.abc import Iterable, Iterator
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
"""Name, arguments and id. The arguments of an invalid call are text."""

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
    """A reply and the expected message.

    Attributes:
        name: What is wrong with the reply, or seems to be.
        source: The issue that reports it; `after` an issue for a variation of its report.
        deltas: The deltas of the stream. Their sum is the plain reply.
        finish: The finish reason of the reply.
        calls: The expected valid calls.
        invalid: The expected invalid calls.
        content: The expected content.
        reasoning: The expected reasoning.
        ends: The expected finish reason. Empty: that of the reply.
        repairs: The expected counts of repairs.
        body: The fields of the request.
        taken: The call ids in the conversation.
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
"""An empty delta."""


def leaked(name: str, source: str, text: str, **expected: Any) -> Case:
    """Return a case with markup in the text, whose calls become structured calls."""
    expected.setdefault("ends", "tool_calls" if expected.get("calls") else "")
    count = len(expected.get("calls", ())) + len(expected.get("invalid", ()))
    expected.setdefault("repairs", {"markup": count} if count else {})
    return Case(name, source, ({"content": text},), **expected)


def lifted(name: str, source: str, text: str, *calls: Call, **expected: Any) -> Case:
    """Return a case with these valid calls in the text."""
    return leaked(name, source, text, calls=calls, **expected)


def in_reasoning(case: Case, source: str) -> Case:
    """Return a case with the same text as the reasoning of a reply, whose content is an answer if there is no call."""
    text = case.deltas[0]["content"]
    # Reasoning alone is an empty reply if it finished with `stop`.
    answer = "" if case.calls or case.invalid or case.finish != "stop" else "Done."
    return replace(
        case,
        name=f"{case.name}, in the reasoning",
        source=source,
        deltas=({"reasoning": text}, *([{"content": answer}] if answer else [])),
        content=answer,
        reasoning=case.content,
    )


def healthy(name: str, text: str, **expected: Any) -> Case:
    """Return a case with a text that must stay unchanged."""
    return Case(name, "", ({"content": text},), content=text, **expected)


def call(name: str | None, arguments: Any, call_id: str | None = None, **others: Any) -> dict[str, Any]:
    """Return a delta with one call, or a piece of one."""
    piece: dict[str, Any] = {"index": 0, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"tool_calls": [{**piece, **({"id": call_id} if call_id is not None else {}), **others}]}


def markup(call_id: str, arguments: str, end: str = CALL_END) -> str:
    """Return a call in K2's markup."""
    return f"{CALL}{call_id}{ARGUMENTS}{arguments}{end}"


def splits(case: Case) -> Iterator[list[dict[str, Any]]]:
    """Yield the deltas as in `even_splits`, and with each text split in two at every position."""
    yield from even_splits(case)
    deltas = list(case.deltas)
    for position, delta in enumerate(deltas):
        for at in range(1, len(_text(delta)[1])):
            yield [*deltas[:position], *_cut(delta, [at]), *deltas[position + 1 :]]


def random_splits(case: Case, count: int = 25) -> Iterator[list[dict[str, Any]]]:
    """Yield some of `even_splits`, and `count` times the deltas with each text split at up to three positions.

    These are the unchanged deltas, the characters, and one way to put empty deltas between pieces. What is yielded is
    the same in each run.
    """
    chance = random.Random(case.name)  # noqa: S311 - not a secret; the same positions in each run
    unchanged, characters, *with_silence = even_splits(case)
    yield from (unchanged, characters, *chance.sample(with_silence, min(1, len(with_silence))))
    for _ in range(count):
        pieces: list[dict[str, Any]] = []
        for delta in case.deltas:
            places = range(1, len(_text(delta)[1]))
            pieces += _cut(delta, sorted(chance.sample(places, min(chance.randint(1, 3), len(places)))))
        yield pieces


def check_streamed(case: Case, split: Iterable[list[dict[str, Any]]]) -> None:
    """Check that the deltas give the expected outcome in each of these splits."""
    expected = expected_of(case)
    for deltas in split:
        assert outcome_of(streamed(case, deltas), case) == expected, deltas


def even_splits(case: Case) -> Iterator[list[dict[str, Any]]]:
    """Yield the deltas unchanged, and with all texts split into characters.

    The text of a single delta is also split into pieces of a few characters, with empty deltas between them.
    """
    deltas = list(case.deltas)
    yield deltas
    yield [piece for delta in deltas for piece in _characters(delta)]
    if len(deltas) == 1 and "tool_calls" not in deltas[0]:
        for length, silent in ((1, NOTHING), (3, {}), (7, {"content": ""})):
            pieces = _cut(deltas[0], list(range(length, len(_text(deltas[0])[1]), length)))
            yield [one for piece in pieces for one in (piece, silent)]


def _text(delta: dict[str, Any]) -> tuple[str, str]:
    """Return the key and the text that can be split in a delta."""
    calls = delta.get("tool_calls")
    if isinstance(calls, dict):
        return "tool_calls", ""
    if calls:
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
    """Return the message of the reply, streamed with these deltas."""
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
    """Return the message of the reply, not streamed."""
    repair_options = repair_options or RepairOptions(call_ids=lambda: case.taken)
    reader = PlainMessage(ResponseHead(200, {}, 0.0), _body(case), idle=None, repair_options=repair_options)
    choice = {"index": 0, "message": {"role": "assistant", **summed(case)}, "finish_reason": case.finish}
    reader.feed(json.dumps({"id": "gen-1", "choices": [choice]}).encode(), 0.0)
    [result] = reader.close()
    return cast("AIMessage", result.generations[0].message)


def summed(case: Case) -> dict[str, Any]:
    """Return the sum of the deltas as a plain message."""
    message: dict[str, Any] = {}
    for delta in case.deltas:
        for key, value in delta.items():
            message[key] = message[key] + value if key in message else value
    calls: list[dict[str, Any]] = []
    for piece in message.get("tool_calls", ()):
        # A piece without id and name continues the last call.
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


# Suffixes of streamed invalid arguments, which keep LangChain from repairing them.
BREAKERS = ('""]', '""}', '"]', '"}', "]", "}")


def outcome_of(message: AIMessage, expected: Case | None = None) -> dict[str, Any]:
    """Return the outcome of a message. Suffixes in `BREAKERS` are removed from the invalid arguments of `expected`."""
    outcome = _outcome_of(message)
    if expected and len(outcome["invalid"]) == len(expected.invalid):
        outcome["invalid"] = tuple(
            (name, text[: len(wanted[1])] if text[len(wanted[1]) :] in BREAKERS else text, call_id)
            for (name, text, call_id), wanted in zip(outcome["invalid"], expected.invalid, strict=True)
        )
    return outcome


def _outcome_of(message: AIMessage) -> dict[str, Any]:
    return {
        "content": message.content,
        "reasoning": message.additional_kwargs.get("reasoning_content", ""),
        "calls": tuple((one["name"], one["args"], one["id"]) for one in message.tool_calls),
        "invalid": tuple((one["name"] or "", one["args"], one["id"]) for one in message.invalid_tool_calls),
        "finish": message.response_metadata["finish_reason"],
        "repairs": message.response_metadata.get("kimi", {}).get("repairs", {}),
    }


def expected_of(case: Case) -> dict[str, Any]:
    """Return the expected outcome."""
    return {
        "content": case.content,
        "reasoning": case.reasoning,
        "calls": case.calls,
        "invalid": case.invalid,
        "finish": case.ends or case.finish,
        "repairs": case.repairs,
    }
