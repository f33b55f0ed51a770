"""Errors about malformed replies over a socket: plain and streamed calls give the same facts."""

import json
from typing import Any

import pytest

from langchain_kimi.errors import KimiIncompleteStreamError, KimiMalformedReplyError, KimiServerError
from langchain_kimi.testing import Emulator, RawReply
from tests.faults.cases import chunk, stream_of
from tests.faults.ways import WAYS, ask, model_of, streams

FACTS = {"id": "gen-1", "provider": "Moonshot AI", "model": "moonshotai/kimi-k2"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "cost": 0.01}
WHOLE: dict[str, Any] = {
    "no choices": {},
    "null choices": {"choices": None},
    "no choice": {"choices": []},
    "a number": {"choices": [5]},
    "a text as the message": {"choices": [{"message": "x", "delta": "x"}]},
}
ODD: dict[str, Any] = {"id": 5, "provider": {}, "model": [], "usage": "x", "choices": []}


def replies_of(way: str, text: str) -> RawReply:
    if streams(way):
        body = f"data: {text}\n\ndata: [DONE]\n\n"
        return RawReply(200, {"content-type": "text/event-stream"}, body.encode())
    return RawReply(200, {"content-type": "application/json"}, text.encode())


def error_of(openrouter: Emulator, way: str, text: str) -> KimiMalformedReplyError:
    openrouter.clear()
    openrouter.script(replies_of(way, text))
    with model_of(openrouter, max_retries=0) as model:
        error = ask(model, way).error
    assert isinstance(error, KimiMalformedReplyError)
    return error


@pytest.mark.parametrize("way", WAYS)
def test_a_reply_without_an_answer_keeps_its_facts(openrouter: Emulator, way: str) -> None:
    for more in WHOLE.values():
        error = error_of(openrouter, way, json.dumps({**FACTS, "usage": USAGE, **more}))
        assert (error.generation_id, error.provider, error.model) == tuple(FACTS.values())
        assert error.usage == USAGE
        assert error.response


@pytest.mark.parametrize("way", WAYS)
def test_facts_of_the_wrong_type_are_left_out(openrouter: Emulator, way: str) -> None:
    error = error_of(openrouter, way, json.dumps(ODD))
    assert (error.generation_id, error.provider, error.usage) == (None, None, None)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_truncated_reply_keeps_the_facts_before_its_choices(openrouter: Emulator, way: str) -> None:
    text = json.dumps({**FACTS, "choices": [{"message": {"content": '{"id": "other"}'}}], "usage": USAGE})
    for end in (len(text) - 1, text.index("Moonshot") + len("Moonshot AI") + 2, text.index("other")):
        error = error_of(openrouter, way, text[:end])
        assert (error.generation_id, error.provider) == ("gen-1", "Moonshot AI")
        assert error.response
        assert error.response.text == text[:end]
    assert error_of(openrouter, way, "<html>" + text).generation_id is None


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_without_choice_0_keeps_its_usage(openrouter: Emulator, way: str) -> None:
    """A host that streams, although it was not asked to, gives the same facts in a plain call."""
    choice = {"index": 1, "delta": {"content": "Hello"}}
    answer = [{**FACTS, "choices": [choice]}, {"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}]
    for end, error in (([], None), ([{"error": {"code": 502, "message": "Broken."}}], KimiServerError)):
        for chunks in ([*answer, {"choices": [], "usage": USAGE}], [{"choices": [], "usage": USAGE}, *answer]):
            body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in [*chunks, *end]) + "data: [DONE]\n\n"
            openrouter.clear()
            openrouter.script(RawReply(200, {"content-type": "text/event-stream"}, body.encode()))
            with model_of(openrouter, max_retries=0) as model:
                outcome = ask(model, way)
            if error:
                assert isinstance(outcome.error, error)
                assert outcome.error.usage == USAGE
            else:
                assert outcome.message
                assert outcome.message.text == "Hello"
                assert outcome.message.usage_metadata
                assert outcome.message.usage_metadata["total_tokens"] == USAGE["total_tokens"]
                assert outcome.message.response_metadata["cost"] == USAGE["cost"]


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_list_in_place_of_a_delta_adds_nothing(openrouter: Emulator, way: str) -> None:
    if streams(way):
        body = stream_of({**FACTS, "choices": [{"index": 0, "delta": []}]}, chunk("Hi."), chunk(finish="stop"))
        reply = RawReply(200, {"content-type": "text/event-stream"}, body)
    else:
        choice = {"index": 0, "delta": [], "message": {"content": "Hi."}, "finish_reason": "stop"}
        reply = replies_of(way, json.dumps({**FACTS, "choices": [choice]}))
    openrouter.script(reply)
    with model_of(openrouter, max_retries=0) as model:
        outcome = ask(model, way)
    assert outcome.error is None
    assert outcome.message is not None
    assert outcome.message.text == "Hi."


@pytest.mark.parametrize("way", WAYS)
def test_a_truncated_call_after_a_repeated_one_is_not_valid(openrouter: Emulator, way: str) -> None:
    def piece(index: int, arguments: str) -> dict[str, Any]:
        call = {"index": index, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": arguments}}
        return {**FACTS, "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}

    body = stream_of(piece(0, '{"a": 1}'), piece(1, '{"a": 1}'), piece(2, '{"b"'), done=False)
    openrouter.script(RawReply(200, {"content-type": "text/event-stream"}, body))
    with model_of(openrouter, max_retries=0, streaming=True) as model:
        outcome = ask(model, way)
    assert isinstance(outcome.error, KimiIncompleteStreamError)
    partial = outcome.error.partial
    assert partial is not None
    assert partial.tool_calls == []
    shown = outcome.message
    assert [call["args"] for call in shown.tool_calls if call["args"] != {"a": 1}] == [] if shown else not streams(way)
