import copy
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi._request.messages import message_to_wire
from langchain_kimi.errors import KimiUsageError

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aW1n"}}
DETAILS = [
    {"type": "reasoning.text", "text": "Hm.", "format": "unknown", "index": 0},
    {"type": "reasoning.encrypted", "data": "x", "id": None},
]
CALL = {"name": "forecast", "args": {"city": "Oslo"}, "id": "functions.forecast:0", "type": "tool_call"}
IN_DETAILS = {"reasoning_content": "Hm.", "reasoning_key": "reasoning_details"}
V1_CONTENT: list[Any] = [{"type": "text", "text": "a"}, CALL]
WIRE_CALL = {
    "id": "functions.forecast:0",
    "type": "function",
    "function": {"name": "forecast", "arguments": '{"city":"Oslo"}'},
}


def text(value: Any, **more: Any) -> Any:
    return {"type": "text", "text": value, **more}


def assistant(content: Any, **more: Any) -> Any:
    return {"role": "assistant", "content": content, **more}


CASES = [
    # Content
    ("text", AIMessage("hi"), assistant("hi")),
    ("white space around text", AIMessage(" hi\n"), assistant(" hi\n")),
    ("name", AIMessage("hi", name="kim"), assistant("hi", name="kim")),
    ("pieces of one text", AIMessage(["a", text("b"), text(" c")]), assistant("ab c")),
    (
        "citations are not sent",
        AIMessage([text("a", annotations=[{"type": "citation", "url": "u"}], citations=[{"type": "page_location"}])]),
        assistant("a"),
    ),
    (
        "marked text",
        AIMessage([text("a", cache_control={"type": "ephemeral"})]),
        assistant([text("a", cache_control={"type": "ephemeral"})]),
    ),
    ("text in a chunk", AIMessageChunk(content="hi"), assistant("hi")),
    (
        "ids and metadata are not sent",
        AIMessage("hi", id="run-1", response_metadata={"model_name": "m"}),
        assistant("hi"),
    ),
    # Calls
    ("call", AIMessage("", tool_calls=[CALL]), assistant(None, tool_calls=[WIRE_CALL])),
    ("text and call", AIMessage("Wait.", tool_calls=[CALL]), assistant("Wait.", tool_calls=[WIRE_CALL])),
    ("white space beside a call", AIMessage("\n", tool_calls=[CALL]), assistant("\n", tool_calls=[WIRE_CALL])),
    ("empty list beside a call", AIMessage([], tool_calls=[CALL]), assistant(None, tool_calls=[WIRE_CALL])),
    ("empty text beside a call", AIMessage([text("")], tool_calls=[CALL]), assistant(None, tool_calls=[WIRE_CALL])),
    (
        "call in chunks",
        AIMessageChunk(
            content="",
            tool_call_chunks=[
                {"name": "forecast", "args": '{"city":"Oslo"}', "id": "functions.forecast:0", "index": 0}
            ],
        ),
        assistant(None, tool_calls=[WIRE_CALL]),
    ),
    ("call in v1 content", AIMessage(content_blocks=V1_CONTENT), assistant("a", tool_calls=[WIRE_CALL])),
    # Reasoning in additional_kwargs
    (
        "reasoning text",
        AIMessage("hi", additional_kwargs={"reasoning_content": "Hm."}),
        assistant("hi", reasoning="Hm."),
    ),
    (
        "reasoning text under the other key",
        AIMessage("hi", additional_kwargs={"reasoning_content": "Hm.", "reasoning_key": "reasoning_content"}),
        assistant("hi", reasoning_content="Hm."),
    ),
    (
        "reasoning details",
        AIMessage("hi", additional_kwargs={"reasoning_content": "Hm.", "reasoning_details": DETAILS}),
        assistant("hi", reasoning="Hm.", reasoning_details=DETAILS),
    ),
    (
        "reasoning received only in the details",
        AIMessage("hi", additional_kwargs={**IN_DETAILS, "reasoning_details": DETAILS}),
        assistant("hi", reasoning_details=DETAILS),
    ),
    (
        "reasoning whose details were removed",
        AIMessage("hi", additional_kwargs=IN_DETAILS),
        assistant("hi", reasoning="Hm."),
    ),
    (
        "empty reasoning is sent",
        AIMessage("hi", additional_kwargs={"reasoning_content": "", "reasoning_details": []}),
        assistant("hi", reasoning="", reasoning_details=[]),
    ),
    (
        "no reasoning",
        AIMessage("hi", additional_kwargs={"reasoning_content": None, "reasoning_details": None}),
        assistant("hi"),
    ),
    (
        "reasoning beside calls",
        AIMessage("", tool_calls=[CALL], additional_kwargs={"reasoning_details": DETAILS}),
        assistant(None, tool_calls=[WIRE_CALL], reasoning_details=DETAILS),
    ),
    (
        "only reasoning",
        AIMessage("", additional_kwargs={"reasoning_content": "Hm."}),
        assistant(None, reasoning="Hm."),
    ),
    # Reasoning in the content
    (
        "v1 reasoning",
        AIMessage([{"type": "reasoning", "reasoning": "Hm."}, text("hi")]),
        assistant("hi", reasoning="Hm."),
    ),
    (
        "v1 reasoning with details",
        AIMessage(
            [{"type": "reasoning", "reasoning": "Hm.", "extras": {"reasoning_details": DETAILS}, "index": 0}, "hi"]
        ),
        assistant("hi", reasoning="Hm.", reasoning_details=DETAILS),
    ),
    (
        "v1 reasoning in two blocks",
        AIMessage(
            [
                {"type": "reasoning", "reasoning": "H", "extras": {"reasoning_details": DETAILS[:1]}},
                {"type": "reasoning", "reasoning": "m.", "extras": {"reasoning_details": DETAILS[1:]}},
                "hi",
            ]
        ),
        assistant("hi", reasoning="Hm.", reasoning_details=DETAILS),
    ),
    (
        "v1 reasoning with details only",
        AIMessage([{"type": "reasoning", "extras": {"reasoning_details": []}}, "hi"]),
        assistant("hi", reasoning_details=[]),
    ),
    (
        "additional_kwargs override the content",
        AIMessage(
            [{"type": "reasoning", "reasoning": "edited", "extras": {"reasoning_details": [{}]}}, "hi"],
            additional_kwargs={"reasoning_content": "Hm."},
        ),
        assistant("hi", reasoning="Hm."),
    ),
    (
        "details in additional_kwargs override the content",
        AIMessage(
            [{"type": "reasoning", "reasoning": "edited"}, "hi"], additional_kwargs={"reasoning_details": DETAILS}
        ),
        assistant("hi", reasoning_details=DETAILS),
    ),
    (
        "Anthropic's thinking",
        AIMessage([{"type": "thinking", "thinking": "Hm.", "signature": "s"}, text("hi")]),
        assistant("hi", reasoning="Hm."),
    ),
    (
        "Anthropic's redacted thinking",
        AIMessage([{"type": "redacted_thinking", "data": "x"}, text("hi")]),
        assistant("hi"),
    ),
    (
        "OpenAI's summaries",
        AIMessage([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}, "x"]}, text("hi")]),
        assistant("hi", reasoning="Hm."),
    ),
    # Refusal, images, audio, annotations
    ("refusal", AIMessage("", additional_kwargs={"refusal": "No."}), assistant(None, refusal="No.")),
    ("refusal block", AIMessage([{"type": "refusal", "refusal": "No."}]), assistant(None, refusal="No.")),
    ("empty refusal", AIMessage([{"type": "refusal"}, "hi"], additional_kwargs={"refusal": None}), assistant("hi")),
    ("images", AIMessage("", additional_kwargs={"images": [IMAGE]}), assistant(None, images=[IMAGE])),
    (
        "images in the content",
        AIMessage([text("Here."), {"type": "image", "base64": "aW1n", "mime_type": "image/png"}, IMAGE]),
        assistant("Here.", images=[IMAGE, IMAGE]),
    ),
    ("no images", AIMessage("hi", additional_kwargs={"images": []}), assistant("hi")),
    (
        "audio is sent as its id",
        AIMessage("", additional_kwargs={"audio": {"id": "a1", "data": "c25k", "transcript": "hi"}}),
        assistant(None, audio={"id": "a1"}),
    ),
    ("audio without an id", AIMessage("hi", additional_kwargs={"audio": {"data": "c25k"}}), assistant("hi")),
    ("audio block", AIMessage([{"type": "audio", "id": "a1"}]), assistant(None, audio={"id": "a1"})),
    (
        "audio, id in extras",
        AIMessage([{"type": "audio", "extras": {"id": "a1"}}]),
        assistant(None, audio={"id": "a1"}),
    ),
    ("audio of unknown format", AIMessage([{"type": "audio", "base64": "c25k"}, "hi"]), assistant("hi")),
    (
        "audio block without a provider's id",
        AIMessage([{"type": "audio", "id": "lc_1", "base64": "c25k", "mime_type": "audio/wav"}]),
        assistant([{"type": "input_audio", "input_audio": {"data": "c25k", "format": "wav"}}]),
    ),
    (
        "other media stay in the content",
        AIMessage([text("Look."), {"type": "video", "url": "https://v.test/a.mp4"}]),
        assistant([text("Look."), {"type": "video_url", "video_url": {"url": "https://v.test/a.mp4"}}]),
    ),
    (
        "only file annotations are sent",
        AIMessage(
            "hi",
            additional_kwargs={
                "annotations": [{"type": "url_citation"}, {"type": "file", "file": {"hash": "h"}}, "odd"]
            },
        ),
        assistant("hi", annotations=[{"type": "file", "file": {"hash": "h"}}]),
    ),
    (
        "no file annotations",
        AIMessage("hi", additional_kwargs={"annotations": [{"type": "url_citation"}]}),
        assistant("hi"),
    ),
    # Blocks that describe the answer, and blocks of other providers
    (
        "server tools",
        AIMessage(
            [
                {"type": "server_tool_call", "id": "s", "name": "web_search", "args": {}},
                {"type": "server_tool_call_chunk"},
                {"type": "server_tool_result", "tool_call_id": "s", "status": "success"},
                {"type": "web_search_tool_result", "content": []},
                {"type": "web_search_call"},
                text("hi"),
            ]
        ),
        assistant("hi"),
    ),
    (
        "non-standard, supported type",
        AIMessage([{"type": "non_standard", "value": {"type": "thinking", "thinking": "Hm."}}, "hi"]),
        assistant("hi", reasoning="Hm."),
    ),
    ("non-standard, supported part", AIMessage([{"type": "non_standard", "value": text("hi")}]), assistant("hi")),
    (
        "non-standard, unknown",
        AIMessage([{"type": "non_standard", "value": {"type": "hologram"}}, "hi"]),
        assistant("hi"),
    ),
]


@pytest.mark.parametrize(("message", "wire"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_assistant_message_becomes_its_wire_form(message: Any, wire: Any) -> None:
    before = copy.deepcopy(message)
    first = message_to_wire(message)
    assert first == [wire]
    assert json.dumps(message_to_wire(message)) == json.dumps(first)
    assert message == before


@pytest.mark.parametrize(
    "message",
    [
        AIMessage(""),
        AIMessage(" \n"),
        AIMessage([]),
        AIMessage([text("")]),
        AIMessage([text(" ")]),
        AIMessage("", name="kim"),
        AIMessage("", additional_kwargs={"reasoning_content": "", "reasoning_details": []}),
        AIMessage([{"type": "redacted_thinking", "data": "x"}]),
        AIMessage("", invalid_tool_calls=[{"name": "f", "args": "{", "id": "f:0", "error": None}]),
    ],
)
def test_an_empty_message_is_left_out(message: Any) -> None:
    assert message_to_wire(message) == []


def test_reasoning_details_keep_the_order_of_their_keys() -> None:
    (wire,) = message_to_wire(AIMessage("", tool_calls=[CALL], additional_kwargs={"reasoning_details": DETAILS}))
    assert json.dumps(wire["reasoning_details"]) == json.dumps(DETAILS)
    assert list(wire) == ["role", "content", "reasoning_details", "tool_calls"]


def test_a_sum_of_chunks_of_another_provider_with_thinking_and_a_call() -> None:
    chunk = AIMessageChunk(
        content=[
            {"type": "thinking", "thinking": "Hm.", "index": 0},
            {"type": "tool_use", "id": "functions.forecast:0", "name": "forecast", "input": {}, "index": 1},
            {"type": "input_json_delta", "partial_json": '{"city":"Oslo"}', "index": 1},
        ],
        tool_call_chunks=[{"name": "forecast", "args": '{"city":"Oslo"}', "id": "functions.forecast:0", "index": 1}],
    )
    assert message_to_wire(chunk) == [assistant(None, reasoning="Hm.", tool_calls=[WIRE_CALL])]


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (
            {"type": "hologram"},
            (
                "a block of type 'hologram' cannot be sent in a message of role 'assistant'; accepted types: audio, "
                "document, file, function_call, image, image_url, input_audio, input_video, invalid_tool_call, json, "
                "reasoning, refusal, search_result, text, text-plain, thinking, tool_call, tool_call_chunk, tool_use, "
                "video, video_url."
            ),
        ),
        ({"type": "image"}, "a block of type 'image' needs 'url' or 'base64'."),
        ({"type": "non_standard", "value": "a"}, "a block of type 'non_standard' needs an object as its 'value'."),
    ],
)
def test_the_error_for_a_block_names_its_position(block: Any, reason: Any) -> None:
    with pytest.raises(KimiUsageError) as raised:
        message_to_wire(AIMessage(["look", block]))
    assert str(raised.value) == f"messages[0].content[1]: {reason}"
