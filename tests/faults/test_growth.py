"""A whole call takes time in proportion to the length of the reply, whatever the model writes."""

import json
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from langchain_kimi.testing import Emulator, RawReply
from tests.adversarial import PIECES, WORST, pieces_of, repeated
from tests.faults.cases import WEATHER, stream_of
from tests.faults.ways import ask, model_of
from tests.growth import assert_linear

Delta = dict[str, Any]


def arguments(text: str) -> list[Delta]:
    first = {"index": 0, "id": "x", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    more = [{"index": 0, "function": {"arguments": piece}} for piece in pieces_of(text, 64)]
    return [{"tool_calls": [call]} for call in (first, *more)]


PARTS: dict[str, Callable[[str], list[Delta]]] = {
    "text": lambda text: [{"content": piece} for piece in pieces_of(text, 64)],
    "reasoning": lambda text: [{"reasoning": piece} for piece in pieces_of(text, 64)],
    "arguments": arguments,
}


def streamed(deltas: list[Delta]) -> RawReply:
    ends = [None] * len(deltas) + ["stop"]
    events = [
        {"id": "gen-1", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in zip([*deltas, {}], ends, strict=True)
    ]
    return RawReply(headers={"content-type": "text/event-stream"}, body=stream_of(*events))


def plain(part: str, text: str) -> RawReply:
    call = {"id": "x", "type": "function", "function": {"name": "get_weather", "arguments": text}}
    key, value = ("tool_calls", [call]) if part == "arguments" else ("content" if part == "text" else part, text)
    message = {"role": "assistant", "content": "", key: value}
    body = {"id": "gen-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return RawReply(headers={"content-type": "application/json"}, body=json.dumps(body).encode())


def check_growth(openrouter: Emulator, piece: str, parts: list[str], start: str = "") -> None:
    model = model_of(openrouter, max_retries=0, retry_empty=0)

    def call(size: int) -> None:
        text = start + repeated(piece, size)
        for part in parts:
            openrouter.clear()
            openrouter.script(streamed(PARTS[part](text)), plain(part, text))
            outcomes = ask(model, "stream", tools=[WEATHER]), ask(model, "invoke", tools=[WEATHER])
            assert all(outcome.shown or outcome.error for outcome in outcomes)

    with model:
        assert_linear(call)


@pytest.mark.parametrize("piece", WORST[:4], ids=repr)
def test_a_call_takes_linear_time(openrouter: Emulator, piece: str) -> None:
    check_growth(openrouter, piece, list(PARTS))


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: repr(piece)[:60])
def test_each_part_of_a_reply_takes_linear_time(openrouter: Emulator, piece: str, part: str) -> None:
    check_growth(openrouter, piece, [part])


@pytest.mark.long
@given(start=st.sampled_from(["", *PIECES]), pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
def test_no_combination_takes_more_than_linear_time(start: str, pieces: list[str]) -> None:
    with Emulator() as openrouter:
        check_growth(openrouter, "".join(pieces), list(PARTS), start)
