import json
from collections.abc import Iterable
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks

from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._reply.chunk_sums import FirstChunk
from langchain_kimi._reply.plain import PlainMessage
from langchain_kimi._reply.streamed import CoalescedMessage, StreamedMessage
from langchain_kimi.errors import (
    KimiEmptyReplyError,
    KimiError,
    KimiIncompleteStreamError,
    KimiMalformedReplyError,
    KimiServerError,
)

BODY: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
HEAD = {"id": "gen-1-a", "object": "chat.completion", "created": 1, "model": "m", "provider": "Moonshot AI"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.5}
DONE = b"data: [DONE]\n\n"
CONTINUED = {"index": 0, "function": {"arguments": " "}}
ERROR = {"error": {"code": 502, "message": "Upstream closed"}}


def head() -> ResponseHead:
    return ResponseHead(200, {}, 0.0)


def call(arguments: str, **more: Any) -> Any:
    return {"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": arguments}, **more}


def event(delta: Any = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", **(delta or {})}, "finish_reason": more.pop("finish", None)}
    return b"data: " + json.dumps({**HEAD, "choices": [choice], **more}).encode() + b"\n\n"


def fed(reader: Any, *pieces: bytes) -> Iterable[Any]:
    for piece in pieces:
        yield from reader.feed(piece, 0.0)
    yield from reader.close()


def streamed(*pieces: bytes, with_usage: bool = True) -> Iterable[Any]:
    return fed(StreamedMessage(head(), BODY, idle=None, with_usage=with_usage), *pieces)


def added_up(chunks: Iterable[Any]) -> AIMessageChunk:
    first, *rest = [chunk.message for chunk in chunks]
    total: AIMessageChunk = first + rest
    return total


def plain(body: Any) -> Any:
    reader = PlainMessage(head(), BODY, idle=None)
    assert reader.feed(json.dumps(body).encode(), 0.0) == ()
    assert not reader.has_begun
    [result] = fed(reader)
    return result


def failed(reader: Any, *pieces: bytes) -> tuple[KimiError, list[Any]]:
    """Return the error of a failed reply and the chunks before it."""
    chunks: list[Any] = []
    with pytest.raises(KimiError) as caught:
        chunks.extend(fed(reader, *pieces))
    reader.explain(caught.value)
    return caught.value, chunks


WHOLE = [
    event({"reasoning": "H", "reasoning_details": [{"type": "reasoning.text", "text": "H", "index": 0}]}),
    event({"reasoning": "m.", "reasoning_details": [{"type": "reasoning.text", "text": "m.", "index": 0}]}),
    event({"content": "ä"}),
    event({"content": "€😀"}),
    event({"content": None, "tool_calls": [call('{"a":')]}),
    event({"content": None, "tool_calls": [{"index": 0, "function": {"arguments": " 1}"}}]}),
    event({"content": ""}, finish="tool_calls"),
    event({"content": ""}, finish="tool_calls", usage=USAGE),
    DONE,
]


def test_chunks_have_the_same_sum_however_the_bytes_are_split() -> None:
    body = b"".join(WHOLE)
    whole = added_up(streamed(body))
    assert whole.content == "ä€😀"
    assert whole.tool_calls == [{"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "f:0"}]
    assert whole.additional_kwargs == {
        "reasoning_content": "Hm.",
        "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "index": 0}],
    }
    assert whole.response_metadata["finish_reason"] == "tool_calls"
    assert whole.usage_metadata == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    for size in (1, 2, 3, 7, 50):
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        assert added_up(streamed(*pieces)) == whole


def test_each_fact_is_on_one_chunk() -> None:
    chunks = [chunk.message for chunk in streamed(*WHOLE)]
    facts = [key for chunk in chunks for key in chunk.response_metadata if key != "model_provider"]
    assert len(facts) == len(set(facts))
    assert {"id", "created", "model_name", "provider", "finish_reason", "cost", "token_usage"} <= set(facts)
    assert [chunk.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]
    assert [chunk.usage_metadata is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert sum("reasoning_details" in chunk.additional_kwargs for chunk in chunks) == 1


def test_usage_may_be_left_out() -> None:
    assert added_up(streamed(*WHOLE, with_usage=False)).usage_metadata is None


def test_a_call_without_an_id_gets_one_streamed_or_not() -> None:
    nameless = call("{}", id=None)
    chunk = added_up(streamed(event({"tool_calls": [nameless]}), event({}, finish="stop")))
    assert [one["id"] for one in chunk.tool_calls] == ["functions.f:0"]
    choice = {"message": {"tool_calls": [nameless]}, "finish_reason": "stop"}
    message = plain({**HEAD, "choices": [choice]}).generations[0].message
    assert message.tool_calls == chunk.tool_calls


@pytest.mark.parametrize("finish", ["stop", "tool_calls", "length"])
def test_truncated_arguments_become_an_invalid_call(finish: str) -> None:
    chunk = added_up(streamed(event({"tool_calls": [call('{"a": "b')]}), event({}, finish=finish), DONE))
    choice = {"message": {"tool_calls": [call('{"a": "b')]}, "finish_reason": finish}
    message = plain({**HEAD, "choices": [choice]}).generations[0].message
    assert chunk.tool_calls == message.tool_calls == []
    assert chunk.invalid_tool_calls == message.invalid_tool_calls
    [invalid] = message.invalid_tool_calls
    assert invalid["args"] == '{"a": "b'
    assert invalid["error"].startswith("The arguments are not valid JSON")


@pytest.mark.parametrize(
    "ending", [(), (b"data: " + json.dumps({**HEAD, **ERROR}).encode() + b"\n\n",)], ids=["cut", "error event"]
)
def test_a_failed_stream_leaves_no_valid_call(ending: tuple[bytes, ...]) -> None:
    reader = StreamedMessage(head(), BODY, idle=None, with_usage=True)
    second = call('{"c"', index=1, id="g:1")
    chunks: list[Any] = []
    with pytest.raises(KimiError) as caught:
        chunks.extend(fed(reader, event({"content": "Wait.", "tool_calls": [call('{"a": "b'), second]}), *ending))
    error = caught.value
    closing = reader.explain(error)
    assert isinstance(error, KimiServerError if ending else KimiIncompleteStreamError)
    assert reader.has_begun
    assert error.partial is not None
    assert error.partial.content == "Wait."
    assert [one["args"] for one in error.partial.invalid_tool_calls] == ['{"a": "b', '{"c"']
    assert added_up(chunks).tool_calls != []
    whole = added_up([*chunks, *closing])
    assert whole.tool_calls == []
    assert [one["args"] for one in whole.invalid_tool_calls] == ['{"a": "b"]', '{"c"]']


def test_a_truncated_call_after_a_repeated_one_stays_invalid() -> None:
    pieces = [event({"tool_calls": [call('{"a": 1}')]}), event({"tool_calls": [{**call('{"a": 1}'), "index": 1}]})]
    cut = event({"tool_calls": [{**call('{"b"'), "index": 2}]})
    reader = StreamedMessage(head(), BODY, idle=None, with_usage=True)
    chunks = [chunk for piece in (*pieces, cut) for chunk in reader.feed(piece, 0.0)]
    with pytest.raises(KimiIncompleteStreamError) as caught:
        list(reader.close())
    whole = added_up([*chunks, *reader.explain(caught.value)])
    assert [one["args"] for one in whole.tool_calls] == [{"a": 1}]
    assert [one["args"] for one in whole.invalid_tool_calls] == ['{"b"]']


@pytest.mark.parametrize("empty", [[], "", 0, False])
def test_an_empty_delta_of_another_type_adds_nothing(empty: Any) -> None:
    choice = {"index": 0, "delta": empty, "finish_reason": None}
    begin = b"data: " + json.dumps({**HEAD, "choices": [choice]}).encode() + b"\n\n"
    assert added_up(streamed(begin, event({"content": "Hi."}), event({}, finish="stop"), DONE)).content == "Hi."


def test_a_stream_without_calls_needs_no_closing_chunk() -> None:
    reader = StreamedMessage(head(), BODY, idle=None, with_usage=True)
    error, _ = failed(reader, event({"content": "Wait."}))
    assert reader.explain(error) == []


def test_a_failed_stream_ends_with_the_buffered_text() -> None:
    body: Any = {**BODY, "tools": [{"type": "function", "function": {"name": "f"}}]}
    reader = StreamedMessage(head(), body, idle=None, with_usage=True)
    chunks: list[Any] = []
    with pytest.raises(KimiIncompleteStreamError) as caught:
        chunks.extend(fed(reader, event({"content": "Wait. <|tool_calls_section"})))
    facts = set(vars(caught.value))
    closing = reader.explain(caught.value)
    assert added_up([*chunks, *closing]).content == "Wait. <|tool_calls_section"
    assert closing != []
    assert set(vars(caught.value)) - facts <= KimiError.__annotations__.keys()


def test_the_error_of_a_stream_has_model_provider_id_and_usage() -> None:
    reader = StreamedMessage(head(), BODY, idle=None, with_usage=True)
    error, _ = failed(reader, event({"content": "Hel"}, usage=USAGE))
    assert (error.model, error.provider, error.generation_id, error.usage) == ("m", "Moonshot AI", "gen-1-a", USAGE)


@pytest.mark.parametrize("delta", [{}, {"content": "", "reasoning": None, "reasoning_details": []}])
def test_an_empty_stream_is_a_retryable_error(delta: Any) -> None:
    reader = StreamedMessage(head(), BODY, idle=None, with_usage=True)
    error, chunks = failed(reader, event(delta), event({}, finish="stop", usage=USAGE), DONE)
    assert isinstance(error, KimiEmptyReplyError)
    assert (error.provider, error.model, error.generation_id) == ("Moonshot AI", "m", "gen-1-a")
    assert error.is_retryable
    assert not reader.has_begun
    assert chunks == []


def test_an_empty_plain_reply_is_an_error() -> None:
    with pytest.raises(KimiEmptyReplyError):
        plain({**HEAD, "choices": [{"message": {"content": " " * 0}, "finish_reason": "stop"}]})


@pytest.mark.parametrize("finish", ["length", "content_filter", "max_tokens", "MAX_TOKENS", "refusal", "safety"])
def test_an_empty_reply_with_a_finish_reason_that_explains_it_is_returned(finish: str) -> None:
    chunk = added_up(streamed(event({}, finish=finish), DONE))
    assert (chunk.content, chunk.response_metadata["finish_reason"]) == ("", finish)
    result = plain({**HEAD, "choices": [{"message": {"content": None}, "finish_reason": finish}]})
    assert result.generations[0].message.response_metadata["finish_reason"] == finish


def test_several_choices_are_several_generations() -> None:
    choices = [{"index": n, "message": {"content": str(n)}, "finish_reason": "stop"} for n in range(3)]
    result = plain({**HEAD, "system_fingerprint": "fp", "choices": choices, "usage": USAGE})
    assert [generation.text for generation in result.generations] == ["0", "1", "2"]
    assert result.llm_output == {
        "token_usage": USAGE,
        "model_name": "m",
        "model_provider": "openrouter",
        "system_fingerprint": "fp",
        "id": "gen-1-a",
        "created": 1,
        "object": "chat.completion",
    }


def test_the_error_of_a_plain_reply_has_the_partial_message() -> None:
    choice = {"message": {"content": "Hel", "tool_calls": [call('{"a": 1}')]}, "finish_reason": "error", **ERROR}
    reader = PlainMessage(head(), BODY, idle=None)
    error, _ = failed(reader, json.dumps({**HEAD, "choices": [choice]}).encode())
    assert error.partial is not None
    assert (error.partial.content, error.partial.tool_calls) == ("Hel", [])
    assert len(error.partial.invalid_tool_calls) == 1


def test_the_error_of_a_malformed_reply_has_no_partial_message() -> None:
    error, _ = failed(PlainMessage(head(), BODY, idle=None), b"<html>")
    assert isinstance(error, KimiMalformedReplyError)
    assert error.partial is None


@pytest.mark.parametrize("delta", ["text", ["list"], 7])
def test_a_message_that_is_not_an_object_is_malformed(delta: Any) -> None:
    choices = [{"index": 0, "message": delta, "delta": delta}]
    with pytest.raises(KimiMalformedReplyError):
        plain({**HEAD, "choices": choices})
    with pytest.raises(KimiMalformedReplyError):
        list(streamed(b"data: " + json.dumps({**HEAD, "choices": choices}).encode() + b"\n\n"))


@pytest.mark.parametrize("choices", [None, []])
def test_an_event_without_choices_adds_only_usage(choices: Any) -> None:
    odd = b"data: " + json.dumps({**HEAD, "choices": choices, "usage": USAGE}).encode() + b"\n\n"
    chunk = added_up(streamed(odd, event({"content": "hi"}, finish="stop"), odd, DONE))
    assert chunk.content == "hi"
    assert chunk.usage_metadata == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def test_a_plain_reply_to_a_streamed_request_is_read() -> None:
    choice = {"index": 0, "message": {"content": "hi", "tool_calls": [call('{"a":1}')]}, "finish_reason": "stop"}
    body = json.dumps({**HEAD, "choices": [choice], "usage": USAGE}).encode()
    chunk = added_up(streamed(body[:20], body[20:]))
    assert (chunk.content, chunk.tool_calls[0]["args"]) == ("hi", {"a": 1})
    assert chunk.response_metadata["cost"] == 0.5


def plain_from_events(*events: bytes, **request: Any) -> Any:
    body: Any = {**BODY, **request}
    [result] = fed(PlainMessage(head(), body, idle=None), b"".join(events))
    return result


def test_a_streamed_reply_to_a_plain_request_is_read() -> None:
    [generation] = plain_from_events(*WHOLE).generations
    message = added_up(streamed(*WHOLE))
    assert generation.message.content == message.content == "ä€😀"
    assert generation.message.tool_calls == message.tool_calls
    assert generation.message.additional_kwargs == message.additional_kwargs
    assert generation.message.usage_metadata == message.usage_metadata
    assert generation.message.response_metadata == message.response_metadata


@pytest.mark.parametrize("numbered", [True, False])
def test_several_streamed_choices_are_several_generations(numbered: bool) -> None:  # noqa: FBT001 - the column of a table
    events = [
        {**HEAD, "choices": [{**({"index": n} if numbered else {}), "delta": {"content": text}} for n in range(2)]}
        for text in ("a", "b")
    ]
    usage = {**HEAD, "choices": [], "usage": USAGE}
    body = [b"data: " + json.dumps(one).encode() + b"\n\n" for one in (*events, usage)]
    result = plain_from_events(*body, DONE, n=2)
    assert [generation.text for generation in result.generations] == ["ab", "ab"]
    assert result.llm_output["token_usage"] == USAGE
    assert [generation.text for generation in plain_from_events(*body, DONE).generations] == ["ab"]


def test_an_error_of_another_streamed_choice_is_ignored() -> None:
    events = [
        {**HEAD, "choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "error", **ERROR}]},
        {**HEAD, "choices": [{"index": 0, "delta": {"content": "ab"}, "finish_reason": "stop"}]},
    ]
    body = [b"data: " + json.dumps(one).encode() + b"\n\n" for one in events]
    assert [generation.text for generation in plain_from_events(*body, DONE, n=2).generations] == ["ab", "x"]
    assert [generation.text for generation in plain_from_events(*body, DONE).generations] == ["ab"]


def test_the_error_of_a_streamed_reply_to_a_plain_request_has_the_partial_message() -> None:
    body = event({"content": "Hel"}) + b"data: " + json.dumps({**ERROR, "usage": USAGE}).encode() + b"\n\n"
    error, _ = failed(PlainMessage(head(), BODY, idle=None), body)
    assert isinstance(error, KimiServerError)
    assert error.partial is not None
    assert (error.partial.content, error.usage) == ("Hel", USAGE)


@pytest.mark.parametrize("kind", [StreamedMessage, CoalescedMessage])
def test_only_the_first_chunk_is_a_first_chunk(kind: type[StreamedMessage]) -> None:
    pieces = [event({"tool_calls": [call("{")]}), *[event({"tool_calls": [CONTINUED]})] * 3]
    reader = kind(head(), BODY, idle=None, with_usage=True)
    chunks = list(fed(reader, event(), b"".join(pieces[:2]), *pieces[2:], event(finish="tool_calls"), DONE))
    assert [type(chunk) for chunk in chunks] == [FirstChunk, *[ChatGenerationChunk] * (len(chunks) - 1)]
    summed = merge_chat_generation_chunks(chunks)
    assert summed is not None
    assert summed.message == added_up(chunks)
