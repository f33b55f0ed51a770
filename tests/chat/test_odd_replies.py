"""Odd but observed replies: other choices, thoughts without an index, waits in every form, and very long pieces."""

import json
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest
from langchain_core.tools import tool
from pydantic import PrivateAttr

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http.calls import Clock
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi.errors import KimiError, KimiRateLimitError, KimiServerError
from langchain_kimi.testing import Emulator, RawReply
from tests.conftest import KEY
from tests.faults.ways import WAYS, Outcome, ask, model_of, streams
from tests.growth import assert_linear
from tests.openrouter.http.calling import Recorded
from tests.rows import each_row

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
FAILED = {"error": {"code": 502, "message": "Upstream closed"}}
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
    "the other first": (
        [delta(1, "x"), delta(0, "A"), delta(1, "y", "stop"), delta(0, "B", "stop")],
        [message(0, "AB"), message(1, "xy")],
    ),
    "the other first, whole": (
        [delta(1, "x"), delta(1, "y", "stop"), delta(0, "A"), delta(0, "B", "stop")],
        [message(0, "AB"), message(1, "xy")],
    ),
    "the other first, with a call": (
        [delta(2, None, tool_calls=CALL), delta(2, "", "tool_calls"), delta(0, "AB", "stop")],
        [message(0, "AB"), message(2, None, "tool_calls", tool_calls=CALL)],
    ),
    "the other first, with thoughts": (
        [delta(1, "", reasoning="x"), delta(0, "A"), delta(1, "y", "stop"), delta(0, "B", "stop")],
        [message(0, "AB"), message(1, "y", reasoning="x")],
    ),
    "the other first, as a text": (
        [delta("1", "x"), delta("0", "A"), delta("1", "y", "stop"), delta("0", "B", "stop")],
        [message("0", "AB"), message("1", "xy")],
    ),
    "the other first, as a float": (
        [delta(1.0, "x"), delta(0.0, "A"), delta(1.0, "y", "stop"), delta(0.0, "B", "stop")],
        [message(0.0, "AB"), message(1.0, "xy")],
    ),
    "the other ends first, with an error": (
        [delta(1, "x", "error"), delta(0, "A"), delta(0, "B", "stop")],
        [message(0, "AB"), message(1, "x", "error")],
    ),
    "an error in the other": (
        [delta(0, "A"), {**delta(1, "x"), **FAILED}, delta(0, "B", "stop")],
        [message(0, "AB"), {**message(1, "x"), **FAILED}],
    ),
    "an error in the other, first": (
        [{**delta(1, "x"), **FAILED}, delta(0, "A"), delta(0, "B", "stop")],
        [message(0, "AB"), {**message(1, "x"), **FAILED}],
    ),
    "an error in the other, at last": (
        [delta(0, "AB", "stop"), {**delta(1, "", "error"), **FAILED}],
        [message(0, "AB"), {**message(1, "", "error"), **FAILED}],
    ),
    "the other is blank": (
        [delta(1, ""), delta(0, "AB", "stop"), delta(1, "", "stop")],
        [message(0, "AB"), message(1, "")],
    ),
    "the other is malformed": (
        [{"index": 1, "delta": "x"}, delta(0, "AB", "stop")],
        [message(0, "AB"), {"index": 1, "message": "x"}],
    ),
    "two others": ([delta(2, "x"), delta(1, "AB"), delta(2, "y")], [message(1, "AB"), message(2, "xy")]),
    "a negative number": ([delta(-1, "A"), delta(-1, "B", "stop")], [message(-1, "AB")]),
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


@pytest.mark.parametrize("way", WAYS)
def test_choices_without_numbers_get_the_free_ones(openrouter: Emulator, way: str) -> None:
    deltas = [{**delta(None, "x"), "error": FAILED["error"]}, delta(0, "AB", "stop")]
    body = event(*deltas) + b"data: [DONE]\n\n"
    plain = json.dumps({"id": "gen-1", "choices": [message("b", "xy"), message(0, "AB")]}).encode()
    openrouter.script(RawReply(200, STREAM, body) if streams(way) else RawReply(200, PLAIN, plain))
    outcome = ask(model_of(openrouter, max_retries=0), way)
    assert outcome.error is None
    assert outcome.message is not None
    assert outcome.message.text == "AB"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("others", [[], [1], [2, 1]])
def test_an_error_in_the_answer_is_an_error(openrouter: Emulator, others: list[int], way: str) -> None:
    deltas = [*(delta(other, "x", "stop") for other in others), {**delta(0, "A"), **FAILED}]
    messages = [*(message(other, "x") for other in others), {**message(0, "A"), **FAILED}]
    openrouter.script(sent(way, deltas, *messages))
    outcome = ask(model_of(openrouter, max_retries=0), way)
    assert isinstance(outcome.error, KimiServerError)
    assert outcome.error.partial is not None
    assert outcome.error.partial.text == "A"
    openrouter.clear()


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


NOW = 1_790_000_000.0
"""The time of the passed clock, in seconds since the epoch."""
WAITS: dict[str, dict[str, str]] = {
    "seconds": {"retry-after": "40"},
    "seconds with a unit": {"retry-after": "40s"},
    "milliseconds": {"retry-after-ms": "40000"},
    "milliseconds before seconds": {"retry-after-ms": "40000", "retry-after": "7"},
    "milliseconds in the place of seconds": {"retry-after": "40000ms"},
    "a date": {"retry-after": formatdate(NOW + 40, usegmt=True)},
    "a date with the zone -0000": {"retry-after": formatdate(NOW + 40)},
    "a date with a zone": {"retry-after": formatdate(NOW + 40 + 7200)[:-5] + "+0200"},
    "a date of asctime": {"retry-after": time.asctime(time.gmtime(NOW + 40))},
    "a date of RFC 850": {"retry-after": time.strftime("%A, %d-%b-%y %H:%M:%S GMT", time.gmtime(NOW + 40))},
    "a date of ISO 8601": {"retry-after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + 40))},
    "the end of the limit": {"x-ratelimit-reset": f"{(NOW + 40) * 1000:.0f}"},
}


class PatientKimi(ChatKimi):
    """A ChatKimi with a clock that only advances by sleeping, and records the sleeps."""

    _recorded: Recorded = PrivateAttr(default_factory=Recorded)
    _chance: float = PrivateAttr(default=0.0)

    def _clock(self) -> Clock:
        return self._recorded.clock

    def _retries(self, *limits: Any, **named: Any) -> Retries:
        return super()._retries(*limits, **named)._replace(chance=lambda: self._chance)


@pytest.fixture
def _far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


SLOW_DOWN = json.dumps({"error": {"code": 429, "message": "Slow down."}}).encode()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change the time zone of a process")
@pytest.mark.usefixtures("_far_from_utc")
@pytest.mark.parametrize("way", WAYS)
@each_row("form", WAITS, ids=str)
def test_the_wait_passes_before_the_retry_in_every_form(openrouter: Emulator, form: str, way: str) -> None:
    openrouter.clear()
    openrouter.script(RawReply(429, {**PLAIN, **WAITS[form]}, SLOW_DOWN))
    with PatientKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1) as model:
        outcome = ask(model, way)
        assert (outcome.error, len(openrouter.requests)) == (None, 2)
        assert model._recorded.slept == [40.0]


@pytest.mark.parametrize("way", WAYS)
def test_clients_with_the_same_wait_retry_at_different_times(openrouter: Emulator, way: str) -> None:
    slept = []
    for chance in (0.0, 0.2, 0.9):
        openrouter.script(RawReply(429, {**PLAIN, "retry-after-ms": "40000"}, SLOW_DOWN))
        with PatientKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=1) as model:
            model._chance = chance
            assert ask(model, way).error is None
            slept += model._recorded.slept
    assert slept == [40.0, 42.0, 49.0]


@pytest.mark.parametrize("way", WAYS)
def test_the_error_has_the_wait(openrouter: Emulator, way: str) -> None:
    openrouter.script(RawReply(429, {**PLAIN, **WAITS["a date of asctime"]}, SLOW_DOWN))
    with PatientKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0) as model:
        error = ask(model, way).error
        assert isinstance(error, KimiRateLimitError)
        assert (error.retry_after, model._recorded.slept) == (40.0, [])


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
