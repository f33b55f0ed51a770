"""Odd but observed replies: other choices, thoughts without an index, waits in every form, and very long pieces."""

import json
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest
from langchain_core.tools import tool

from langchain_kimi.errors import KimiError, KimiRateLimitError
from langchain_kimi.testing import Emulator, RawReply
from tests.faults.ways import WAYS, Outcome, ask, model_of, streams
from tests.growth import assert_linear

PLAIN = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream"}


def event(*choices: Any) -> bytes:
    return b"data: " + json.dumps({"id": "gen-1", "choices": list(choices)}).encode() + b"\n\n"


def delta(index: Any, content: str | None, finish: str | None = None, **more: Any) -> Any:
    return {"index": index, "delta": {"role": "assistant", "content": content, **more}, "finish_reason": finish}


def message(index: Any, content: str | None, finish: str = "stop", **more: Any) -> Any:
    return {"index": index, "message": {"role": "assistant", "content": content, **more}, "finish_reason": finish}


def sent(way: str, deltas: list[Any], *messages: Any) -> RawReply:
    """Return the deltas as a stream, or the messages as a plain reply, depending on the way."""
    if streams(way):
        return RawReply(200, STREAM, b"".join(map(event, deltas)) + b"data: [DONE]\n\n")
    return RawReply(200, PLAIN, json.dumps({"id": "gen-1", "choices": list(messages)}).encode())


CALL = [{"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
CHOICES: dict[str, tuple[list[Any], list[Any]]] = {
    "interleaved": (
        [delta(0, "A"), delta(1, "x"), delta(0, "B"), delta(1, "y", "stop"), delta(0, "", "stop")],
        [message(0, "AB"), message(1, "xy")],
    ),
    "the other ends first": (
        [delta(0, "A"), delta(1, "x", "stop"), delta(0, "B"), delta(0, "", "stop")],
        [message(0, "AB"), message(1, "x")],
    ),
    "the other calls a tool": (
        [delta(0, "A"), delta(1, None, tool_calls=CALL), delta(1, "", "tool_calls"), delta(0, "B", "stop")],
        [message(0, "AB"), message(1, None, "tool_calls", tool_calls=CALL)],
    ),
    "the other after the end": ([delta(0, "AB", "stop"), delta(1, "x", "stop")], [message(0, "AB"), message(1, "x")]),
    "only the other": ([delta(1, "A"), delta(1, "B", "stop")], [message(1, "AB")]),
    "null": ([delta(None, "A"), delta(None, "B", "stop")], [message(None, "AB")]),
    "a text": ([delta("0", "A"), delta("0", "B", "stop")], [message("0", "AB")]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CHOICES)
def test_another_choice_is_not_mixed_into_the_answer(openrouter: Emulator, case: str, way: str) -> None:
    deltas, messages = CHOICES[case]
    openrouter.script(sent(way, deltas, *messages))
    outcome = ask(model_of(openrouter, max_retries=0), way)
    assert outcome.error is None
    assert outcome.message is not None
    assert (outcome.message.text, outcome.message.tool_calls) == ("AB", [])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", [case for case, (_, messages) in CHOICES.items() if len(messages) > 1])
def test_the_choices_of_a_plain_reply_may_come_in_any_order(openrouter: Emulator, case: str, way: str) -> None:
    choices = [*reversed(CHOICES[case][1])]
    openrouter.script(RawReply(200, PLAIN, json.dumps({"id": "gen-1", "choices": choices}).encode()))
    outcome = ask(model_of(openrouter, max_retries=0), way)
    assert outcome.error is None
    assert outcome.message is not None
    assert (outcome.message.text, outcome.message.tool_calls) == ("AB", [])


def test_choices_without_numbers_stay_in_their_order(openrouter: Emulator) -> None:
    choices = [message("b", "AB"), message(0, "xy")]
    openrouter.script(RawReply(200, PLAIN, json.dumps({"id": "gen-1", "choices": choices}).encode()))
    outcome = ask(model_of(openrouter, max_retries=0), "invoke")
    assert outcome.message is not None
    assert outcome.message.text == "AB"


THOUGHTS = [{"type": "reasoning.text", "text": "First."}, {"type": "reasoning.text", "text": "Second."}]


@pytest.mark.parametrize("way", WAYS)
def test_two_thoughts_without_an_index_stay_two(openrouter: Emulator, way: str) -> None:
    deltas = [delta(0, "", reasoning_details=THOUGHTS), delta(0, "Here.", "stop")]
    openrouter.script(sent(way, deltas, message(0, "Here.", reasoning_details=THOUGHTS)))
    outcome = ask(model_of(openrouter, max_retries=0), way)
    assert outcome.message is not None
    assert outcome.message.additional_kwargs["reasoning_details"] == THOUGHTS
    openrouter.clear()
    ask(model_of(openrouter, model="moonshotai/kimi-k2.6"), way, ["hi", outcome.message, "And?"])
    assert openrouter.bodies[0]["messages"][1]["reasoning_details"] == THOUGHTS


WAITS: dict[str, Callable[[float], dict[str, str]]] = {
    "seconds": lambda _: {"retry-after": "60"},
    "milliseconds": lambda _: {"retry-after-ms": "60000"},
    "milliseconds before seconds": lambda _: {"retry-after-ms": "60000", "retry-after": "7"},
    "a date": lambda now: {"retry-after": formatdate(now + 60, usegmt=True)},
    "a date with the zone -0000": lambda now: {"retry-after": formatdate(now + 60)},
    "a date with a zone": lambda now: {"retry-after": formatdate(now + 60 + 7200)[:-5] + "+0200"},
    "a date of asctime": lambda now: {"retry-after": time.asctime(time.gmtime(now + 60))},
}


@pytest.fixture
def _far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change the time zone of a process")
@pytest.mark.usefixtures("_far_from_utc")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", WAITS)
def test_the_wait_is_read_in_every_form(openrouter: Emulator, form: str, way: str) -> None:
    body = json.dumps({"error": {"code": 429, "message": "Slow down."}}).encode()
    openrouter.script(RawReply(429, {**PLAIN, **WAITS[form](time.time())}, body))
    error = ask(model_of(openrouter, max_retries=0), way).error
    assert isinstance(error, KimiRateLimitError)
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 60


@pytest.mark.parametrize("way", WAYS)
def test_the_wait_in_milliseconds_passes_before_the_retry(openrouter: Emulator, way: str) -> None:
    body = json.dumps({"error": {"code": 429, "message": "Slow down."}}).encode()
    openrouter.script(RawReply(429, {**PLAIN, "retry-after-ms": "40"}, body))
    start = time.monotonic()
    assert ask(model_of(openrouter, max_retries=1), way).error is None
    assert time.monotonic() - start >= 0.04


@tool
def f(a: str = "") -> str:
    """Do something."""
    return a


SIZE = 2**14
"""The smaller of two sizes; the larger one is four times as long. Quadratic work on it took half a minute."""


def call_with(arguments: str) -> Any:
    return [{"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": arguments}}]


LONG: dict[str, Callable[[int], dict[str, Any]]] = {
    "an object repeated": lambda size: {"tool_calls": call_with('{"a":"Oslo"}' * (size // 12))},
    "nested arrays": lambda size: {"tool_calls": call_with('{"a":' + "[1.5," * (size // 64))},
    "an escaped object": lambda size: {
        "tool_calls": call_with(r"{\"items\": [" + r"{\"a\": 1}, " * (size // 12) + "]}")
    },
    "beginnings of leaked calls": lambda size: {"content": " functions.f:0 {" * (size // 16)},
    "a leaked id of blanks": lambda size: {
        "content": "<|tool_call_begin|>" + " " * size + "<|tool_call_argument_begin|>{}"
    },
    "many leaked calls": lambda size: {
        "content": "".join(
            f'<|tool_call_begin|>functions.f:{n}<|tool_call_argument_begin|>{{"a": "{n}"}}<|tool_call_end|>'
            for n in range(size // 200)
        )
    },
    "many thoughts": lambda size: {
        "content": "Here.",
        "reasoning_details": [{"type": "reasoning.text", "text": "a", "index": n} for n in range(size // 64)],
    },
    "angle brackets": lambda size: {"content": "<" * size},
}


def assert_linear_replies(
    openrouter: Emulator, model: Any, way: str, reply: Callable[[int], RawReply]
) -> list[Outcome]:
    """Assert that the time of a call grows in proportion to the size of its reply, and return the outcomes."""
    outcomes = []

    def call(size: int) -> None:
        openrouter.script(reply(size))
        outcomes.append(ask(model, way))

    assert_linear(call, SIZE)
    return outcomes


@pytest.mark.parametrize("way", ["invoke", "astream"])
@pytest.mark.parametrize("shape", LONG)
def test_a_long_degenerate_reply_takes_linear_time(openrouter: Emulator, shape: str, way: str) -> None:
    def reply(size: int) -> RawReply:
        fields = {"content": "", **LONG[shape](size)}
        finish = "tool_calls" if "tool_calls" in fields else "stop"
        return sent(way, [delta(0, **fields), delta(0, "", finish)], message(0, **fields))

    model = model_of(openrouter, max_retries=0).bind_tools([f])
    for outcome in assert_linear_replies(openrouter, model, way, reply):
        assert outcome.error is None or isinstance(outcome.error, KimiError)


@pytest.mark.parametrize("way", ["invoke", "astream"])
@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("piece", ["<", "<style>", "{", '{"error":', "data: x\n", " "])
def test_a_long_page_takes_linear_time(openrouter: Emulator, piece: str, status: int, way: str) -> None:
    def reply(size: int) -> RawReply:
        return RawReply(status, {"content-type": "text/html"}, (piece * (size // len(piece))).encode())

    for outcome in assert_linear_replies(openrouter, model_of(openrouter, max_retries=0), way, reply):
        assert isinstance(outcome.error, KimiError)
        assert len(str(outcome.error)) < 5000
