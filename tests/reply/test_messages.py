from typing import Any

import pytest
from langchain_core.messages.ai import add_usage

from langchain_kimi._reply.messages import (
    breaking_chunk_from,
    chunk_from,
    last_chunk_from,
    message_from,
    metadata_from,
)
from langchain_kimi._reply.usage import usage_from

DETAILS = [{"type": "reasoning.text", "text": "Hm.", "format": "unknown", "index": 0}]
CALL = {"index": 0, "id": "f:0", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
CUT_CALL = {"index": 1, "id": "g:1", "type": "function", "function": {"name": "g", "arguments": '{"b":'}}
USAGE: Any = {
    "prompt_tokens": 100,
    "completion_tokens": 40,
    "total_tokens": 140,
    "cost": 0.00016,
    "is_byok": False,
    "cost_details": {"upstream_inference_cost": 0.00016},
    "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 3, "audio_tokens": 0, "video_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 12, "image_tokens": 0, "audio_tokens": 1},
}


def reply(message: Any = None, finish_reason: str | None = "stop", **more: Any) -> Any:
    choice = {"index": 0, "finish_reason": finish_reason, "native_finish_reason": "end_turn", "logprobs": None}
    return {
        "id": "gen-1-a",
        "object": "chat.completion",
        "created": 1,
        "model": "moonshotai/kimi-k2-0905",
        "provider": "Moonshot AI",
        "system_fingerprint": None,
        "choices": [{**choice, "message": message or {"role": "assistant", "content": "hi"}}],
        **more,
    }


MESSAGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "text": ({"content": "hi"}, {"content": "hi"}),
    "null content": ({"content": None, "refusal": None, "reasoning": None}, {"content": ""}),
    "parts": ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"content": "ab"}),
    "reasoning": (
        {"content": "hi", "reasoning": "Hm.", "reasoning_details": DETAILS},
        {"content": "hi", "additional_kwargs": {"reasoning_content": "Hm.", "reasoning_details": DETAILS}},
    ),
    "reasoning under the other key": (
        {"content": "hi", "reasoning_content": "Hm."},
        {
            "content": "hi",
            "additional_kwargs": {"reasoning_content": "Hm.", "reasoning_key": "reasoning_content"},
        },
    ),
    "reasoning only in the details": (
        {"content": "hi", "reasoning_details": [*DETAILS, {"type": "reasoning.summary", "summary": "So."}]},
        {
            "content": "hi",
            "additional_kwargs": {
                "reasoning_content": "Hm.So.",
                "reasoning_key": "reasoning_details",
                "reasoning_details": [*DETAILS, {"type": "reasoning.summary", "summary": "So."}],
            },
        },
    ),
    "reasoning that is encrypted": (
        {"content": "hi", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}, {"text": 7}, "odd"]},
        {
            "content": "hi",
            "additional_kwargs": {
                "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}, {"text": 7}, "odd"]
            },
        },
    ),
    "empty reasoning details": (
        {"content": "hi", "reasoning": "", "reasoning_details": []},
        {"content": "hi", "additional_kwargs": {"reasoning_details": []}},
    ),
    "other fields": (
        {"content": "", "refusal": "No.", "annotations": [{"type": "file"}], "images": [], "new_field": 7},
        {"content": "", "additional_kwargs": {"refusal": "No.", "annotations": [{"type": "file"}], "new_field": 7}},
    ),
    "call": (
        {"content": None, "tool_calls": [CALL]},
        {"content": "", "tool_calls": [{"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "f:0"}]},
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_reply_becomes_an_ai_message(case: str) -> None:
    wire, expected = MESSAGES[case]
    message = message_from(reply({"role": "assistant", **wire}))
    fields = {"additional_kwargs": {}, "tool_calls": [], "invalid_tool_calls": [], **expected}
    assert {key: getattr(message, key) for key in fields} == fields


def test_metadata_uses_langchain_names_and_keeps_other_fields() -> None:
    wire = reply(usage=USAGE, service_tier="default", openrouter_metadata={"attempt": 1})
    assert message_from(wire).response_metadata == {
        "model_provider": "openrouter",
        "model_name": "moonshotai/kimi-k2-0905",
        "id": "gen-1-a",
        "object": "chat.completion",
        "created": 1,
        "provider": "Moonshot AI",
        "service_tier": "default",
        "openrouter_metadata": {"attempt": 1},
        "finish_reason": "stop",
        "normalized_finish_reason": "stop",
        "native_finish_reason": "end_turn",
        "cost": 0.00016,
        "cost_details": {"upstream_inference_cost": 0.00016},
        "is_byok": False,
        "token_usage": USAGE,
    }


def test_a_reply_with_few_fields_has_little_metadata() -> None:
    assert metadata_from({}, {}) == {"model_provider": "openrouter", "finish_reason": None}
    assert metadata_from({"error": {}}, {"error": {}, "logprobs": {"content": []}}) == {
        "model_provider": "openrouter",
        "finish_reason": None,
        "logprobs": {"content": []},
    }


def test_a_reply_without_choices_is_an_empty_message() -> None:
    message = message_from({"choices": None}, whole=False)
    assert (message.content, message.tool_calls, message.usage_metadata) == ("", [], None)


@pytest.mark.parametrize("finish_reason", ["length", "error", "content_filter", "abort", "MAX_TOKENS", "unknown"])
def test_a_call_without_arguments_in_a_cut_reply_is_invalid(finish_reason: str) -> None:
    empty = {"id": "f:0", "function": {"name": "f", "arguments": ""}}
    message = message_from(reply({"tool_calls": [CALL, empty, CUT_CALL]}, finish_reason))
    assert [call["args"] for call in message.tool_calls] == [{"a": 1}]
    assert [call["args"] for call in message.invalid_tool_calls] == ["", '{"b":']


def test_no_call_of_a_failed_reply_is_valid() -> None:
    message = message_from(reply({"tool_calls": [CALL]}, None), whole=False)
    assert message.tool_calls == []
    assert [call["args"] for call in message.invalid_tool_calls] == ['{"a":1}']


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        (None, None),
        ({}, None),
        (
            USAGE,
            {
                "input_tokens": 100,
                "output_tokens": 40,
                "total_tokens": 140,
                "input_token_details": {"cache_read": 64, "cache_creation": 3, "audio": 0},
                "output_token_details": {"reasoning": 12, "audio": 1},
            },
        ),
        (
            {"prompt_tokens": 1.0, "completion_tokens": 2.0, "total_tokens": 3.0},
            {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        ),
        ({"prompt_tokens": 1, "completion_tokens": 2}, {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
        ({"input_tokens": 1, "output_tokens": 2}, {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
        (
            {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
        ),
        (
            {"total_tokens": 5, "prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": None}},
            {"input_tokens": 0, "output_tokens": 0, "total_tokens": 5},
        ),
        (
            {"prompt_tokens": 9, "cached_tokens": 4},
            {"input_tokens": 9, "output_tokens": 0, "total_tokens": 9, "input_token_details": {"cache_read": 4}},
        ),
        (
            {"prompt_tokens": 9, "cached_tokens": 4, "prompt_tokens_details": {"cached_tokens": 0}},
            {"input_tokens": 9, "output_tokens": 0, "total_tokens": 9, "input_token_details": {"cache_read": 0}},
        ),
    ],
)
def test_usage_becomes_usage_metadata(wire: Any, usage: Any) -> None:
    assert usage_from(wire) == usage


def test_usage_can_be_added_up() -> None:
    total = add_usage(usage_from(USAGE), usage_from(USAGE))
    assert total["total_tokens"] == 280
    assert total["output_token_details"] == {"reasoning": 24, "audio": 2}


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"delta": None},
        {"delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"},
        {"delta": {"content": None, "tool_calls": []}},
        {"delta": {"annotations": [{}]}},
        {"delta": {"refusal": "No."}},
    ],
)
def test_a_delta_without_text_or_calls_makes_no_chunk(choice: Any) -> None:
    assert chunk_from(choice) is None


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_a_delta_becomes_a_message_chunk(key: str) -> None:
    delta: Any = {"content": "hi", key: "Hm.", "tool_calls": [CALL]}
    chunk = chunk_from({"delta": delta})
    assert chunk is not None
    message: Any = chunk.message
    assert chunk.text == message.content == "hi"
    assert message.additional_kwargs == {"reasoning_content": "Hm."}
    assert message.response_metadata == {"model_provider": "openrouter"}
    assert message.tool_call_chunks == [
        {"type": "tool_call_chunk", "name": "f", "args": '{"a":1}', "id": "f:0", "index": 0}
    ]
    assert (message.usage_metadata, message.chunk_position, message.id) == (None, None, None)


def test_the_breaking_chunk_touches_broken_calls_only() -> None:
    calls: Any = [CALL, CUT_CALL, {"index": 2, "function": {"name": "h", "arguments": ""}}]
    chunk: Any = breaking_chunk_from(calls, ended=True)
    assert [(piece["index"], piece["args"]) for piece in chunk.message.tool_call_chunks] == [(1, "]")]
    chunk = breaking_chunk_from(calls, ended=False)
    assert [piece["index"] for piece in chunk.message.tool_call_chunks] == [1, 2]
    assert breaking_chunk_from([calls[0]], ended=False) is None
    assert breaking_chunk_from([], ended=False) is None


def test_the_last_chunk_has_every_fact_that_occurs_once() -> None:
    message = {"reasoning_content": "Hm.", "reasoning_details": DETAILS, "refusal": "No.", "content": "hi"}
    wire = reply(message, usage=USAGE)
    chunk: Any = last_chunk_from(wire).message
    assert chunk.chunk_position == "last"
    assert chunk.content == ""
    assert chunk.tool_call_chunks == []
    assert chunk.additional_kwargs == {
        "reasoning_key": "reasoning_content",
        "reasoning_details": DETAILS,
        "refusal": "No.",
    }
    assert chunk.response_metadata == message_from(wire).response_metadata
    assert chunk.usage_metadata == usage_from(USAGE)


def test_the_last_chunk_has_reasoning_that_is_only_in_the_details() -> None:
    # No earlier chunk has it: chunks contain the texts of deltas.
    chunk: Any = last_chunk_from(reply({"reasoning_details": DETAILS, "content": "hi"})).message
    assert chunk.additional_kwargs == {
        "reasoning_content": "Hm.",
        "reasoning_key": "reasoning_details",
        "reasoning_details": DETAILS,
    }


def test_the_last_chunk_may_leave_out_usage() -> None:
    chunk: Any = last_chunk_from(reply(usage=USAGE), with_usage=False).message
    assert chunk.usage_metadata is None
    assert chunk.response_metadata["token_usage"] == USAGE


def test_the_last_chunk_of_an_empty_reply_is_empty() -> None:
    assert last_chunk_from({}).message.response_metadata == {"model_provider": "openrouter", "finish_reason": None}


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning": [{"type": "text", "text": "Hm"}, {"type": "text", "text": "."}]},
        {"reasoning": [{"type": "image"}], "reasoning_content": "Hm."},
        {"reasoning": None, "reasoning_content": [{"type": "text", "text": "Hm."}]},
    ],
)
def test_reasoning_in_several_deltas_is_joined(delta: Any) -> None:
    chunk: Any = chunk_from({"delta": delta})
    assert chunk.message.additional_kwargs == {"reasoning_content": "Hm."}
    assert chunk.message.content == ""
