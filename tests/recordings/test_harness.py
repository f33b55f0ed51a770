"""Tests of the replay server and the expectations, with httpx and hand-written responses, without the package."""

import json

import httpx
import pytest

from tests.plain_http import NO_TLS
from tests.recordings.exchanges import EXCHANGES, Exchange, Reply, name_of, needs_recordings
from tests.recordings.expected import failure_of, message_of, reply_of
from tests.recordings.replay import MOST_PIECES, ReplayServer, Split, body_for, pieces_of

STREAM = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


def stream_of(*events: object) -> Reply:
    body = "".join(f": WAIT\n\ndata: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events)
    return Reply(200, STREAM, f"{body}data: [DONE]\n\n".encode())


def event(delta: object = None, **others: object) -> dict[str, object]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    return {"id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **others}


def call(index: int, arguments: str | None, id: str | None = None, name: str | None = None) -> dict[str, object]:  # noqa: A002 - the wire's word
    return {"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]}


@needs_recordings
@pytest.mark.parametrize("exchange", EXCHANGES[::32], ids=name_of)
@pytest.mark.parametrize("split", ["whole", "bytes", "odd", "network"])
def test_the_server_serves_the_recorded_responses(server: ReplayServer, exchange: Exchange, split: Split) -> None:
    reply = exchange.reply
    server.serve(reply, split)
    with httpx.stream(
        "POST", f"{server.url}/chat/completions", json={"asked": exchange.name}, verify=NO_TLS
    ) as response:
        pieces = list(response.iter_bytes())
    assert b"".join(pieces) == body_for(reply, split)
    assert response.status_code == reply.status
    assert response.headers["content-type"] == reply.headers["content-type"]
    assert server.received == [{"asked": exchange.name}]


@pytest.mark.parametrize(("split", "sizes"), [("whole", [9]), ("bytes", [1] * 9), ("network", [4, 5])])
def test_a_body_is_split_into_pieces(split: Split, sizes: list[int]) -> None:
    assert [len(piece) for piece in pieces_of(b"123456789", split, (4, 5))] == sizes


def test_odd_splits_cut_characters_and_line_ends() -> None:
    reply = stream_of(event({"content": "ä月"}))
    body = body_for(reply, "odd")
    pieces = pieces_of(body, "odd")
    assert b"".join(pieces) == body
    assert any(piece.endswith(b"\r") for piece in pieces)
    assert any(piece.startswith("月".encode()[1:2]) for piece in pieces)


def test_long_bodies_are_split_into_larger_pieces() -> None:
    assert len(pieces_of(b"x" * 7 * MOST_PIECES, "bytes")) == MOST_PIECES


def test_the_pieces_arrive_as_they_were_cut(server: ReplayServer) -> None:
    server.serve(Reply(200, JSON, b" \n{}"), "bytes")
    with httpx.stream("POST", server.url, json={}, verify=NO_TLS) as response:
        assert list(response.iter_raw()) == [b" ", b"\n", b"{", b"}"]


def test_a_stream_adds_up_to_a_reply() -> None:
    reply = stream_of(
        event({"role": "assistant", "content": None, "reasoning": "Let"}, provider=None),
        event({"content": "", "reasoning": " me"}, provider="P"),
        event({"content": "Hi"}),
        event({"content": " there"}),
        {**event({"content": ""}), "choices": [{"delta": {}, "finish_reason": "stop"}]},
        event(usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.5}),
    )
    message = message_of(reply_of(reply))
    assert message["content"] == "Hi there"
    assert message["additional_kwargs"] == {"reasoning_content": "Let me"}
    assert message["usage_metadata"] == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert message["response_metadata"] == {
        "id": "gen-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model_name": "m",
        "model_provider": "openrouter",
        "provider": "P",
        "finish_reason": "stop",
        "normalized_finish_reason": "stop",
        "cost": 0.5,
        "token_usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.5},
    }


def test_calls_are_distinguished_by_index_and_id() -> None:
    reply = stream_of(
        event(call(0, '{"a"', "x", "f")),
        event(call(0, ":1}", "x", "")),
        event(call(0, None, "y", "g")),
        event(call(1, "[1]", "z", "h")),
    )
    message = message_of(reply_of(reply))
    assert message["tool_calls"] == [{"name": "f", "args": {"a": 1}, "id": "x"}, {"name": "g", "args": {}, "id": "y"}]
    assert message["invalid_tool_calls"] == [{"name": "h", "args": "[1]", "id": "z"}]


def test_reasoning_details_are_merged_by_type_and_index() -> None:
    def text(**entry: object) -> object:
        return event({"reasoning_details": [{"type": "reasoning.text", "index": 0, **entry}]})

    def secret(data: str) -> object:
        return event({"reasoning_details": [{"type": "reasoning.encrypted", "index": 0, "data": data}]})

    reply = stream_of(text(text="a", format=None), text(text="b", format="f"), text(signature="s"), *map(secret, "cd"))
    assert message_of(reply_of(reply))["additional_kwargs"]["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "ab", "format": "f", "signature": "s"},
        {"type": "reasoning.encrypted", "index": 0, "data": "c"},
        {"type": "reasoning.encrypted", "index": 0, "data": "d"},
    ]


def test_a_failed_stream_keeps_the_partial_message() -> None:
    error = {"code": 502, "message": "Provider returned error", "metadata": {"raw": '{"error": {"message": "no"}}'}}
    reply = stream_of(
        event({"content": "so far"}),
        event(call(0, "{}", "x", "f")),
        event({}, error=error, usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}),
    )
    failure = failure_of(reply)
    assert failure is not None
    assert (failure.kind, failure.status, failure.reason) == ("KimiServerError", 502, "no")
    assert failure.raw == {"error": {"message": "no"}}
    assert failure.usage == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert failure.partial is not None
    assert failure.partial["content"] == "so far"
    assert failure.partial["tool_calls"] == []
    assert failure.partial["invalid_tool_calls"] == [{"name": "f", "args": "{}", "id": "x"}]


def test_an_answer_is_not_a_failure() -> None:
    assert failure_of(stream_of(event({"content": "Hi"}))) is None
