import copy
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi._request.messages import messages_to_wire

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
        "reasoning and an image",
        AIMessage("", additional_kwargs={"reasoning_content": "Hm.", "images": [IMAGE]}),
        assistant(None, reasoning="Hm.", images=[IMAGE]),
    ),
    (
        "white space and reasoning beside a call",
        AIMessage(" ", tool_calls=[CALL], additional_kwargs={"reasoning_content": "Hm."}),
        assistant(" ", reasoning="Hm.", tool_calls=[WIRE_CALL]),
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
    ("refusal", AIMessage("", additional_kwargs={"refusal": "No."}), assistant("No.", refusal="No.")),
    ("refusal block", AIMessage([{"type": "refusal", "refusal": "No."}]), assistant("No.", refusal="No.")),
    ("text and a refusal", AIMessage("But", additional_kwargs={"refusal": "No."}), assistant("But", refusal="No.")),
    (
        "refusal and reasoning",
        AIMessage(" ", additional_kwargs={"refusal": "No.", "reasoning_content": "Hm."}),
        assistant("No.", refusal="No.", reasoning="Hm."),
    ),
    (
        "refusal beside a call",
        AIMessage("", tool_calls=[CALL], additional_kwargs={"refusal": "No."}),
        assistant(None, refusal="No.", tool_calls=[WIRE_CALL]),
    ),
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
        AIMessage("", additional_kwargs={"audio": {"id": "a1", "data": "c25k"}}),
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
        "the model of a message",
        AIMessage("hi", additional_kwargs={"model": "moonshotai/kimi-k3"}),
        assistant("hi", model="moonshotai/kimi-k3"),
    ),
    ("a model that is not text", AIMessage("hi", additional_kwargs={"model": 3}), assistant("hi")),
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
    ("non-standard, text", AIMessage([{"type": "non_standard", "value": "hi"}]), assistant("hi")),
    (
        "non-standard, no type",
        AIMessage([{"type": "non_standard", "value": {"cachePoint": {}}}, "hi"]),
        assistant("hi"),
    ),
    ("non-standard, supported part", AIMessage([{"type": "non_standard", "value": text("hi")}]), assistant("hi")),
    (
        "non-standard, unknown",
        AIMessage([{"type": "non_standard", "value": {"type": "hologram"}}, "hi"]),
        assistant("hi"),
    ),
    (
        "non-standard, unknown, with text",
        AIMessage([{"type": "non_standard", "value": {"type": "hologram", "text": "a"}}]),
        assistant("a"),
    ),
    # Unknown blocks
    ("unknown", AIMessage([{"type": "hologram", "data": "x"}, "hi"]), assistant("hi")),
    ("a type that is not a string", AIMessage([{"type": ["text"], "text": "a"}, "b"]), assistant("a\nb")),
    (
        "unknown, with text between texts",
        AIMessage(["a", {"type": "hologram", "text": "b"}, {"type": "hologram", "text": "c\n"}, "d", "e"]),
        assistant("a\nb\nc\nde"),
    ),
    (
        "unknown, with text before text",
        AIMessage([{"type": "hologram", "text": "b"}, "d", "e"]),
        assistant("b\nde"),
    ),
    (
        "unknown, with text before an image",
        AIMessage([{"type": "hologram", "text": "b"}, {"type": "video", "url": "https://v.test/a.mp4"}, "d"]),
        assistant([text("b"), {"type": "video_url", "video_url": {"url": "https://v.test/a.mp4"}}, text("d")]),
    ),
    (
        "Google's code",
        AIMessage(
            [
                "Let me see.",
                {"type": "executable_code", "executable_code": "print(1)", "language": "python", "id": "c1"},
                {"type": "code_execution_result", "code_execution_result": "1\n", "outcome": 1},
                "It is 1.",
            ]
        ),
        assistant("Let me see.\nprint(1)\n1\nIt is 1."),
    ),
    (
        "Bedrock's reasoning",
        AIMessage([{"type": "reasoning_content", "reasoning_content": {"text": "Hm.", "signature": "s"}}, text("hi")]),
        assistant("hi", reasoning="Hm."),
    ),
    ("Bedrock's cache point", AIMessage([text("hi"), {"cachePoint": {"type": "default"}}]), assistant("hi")),
    ("Mistral's reference", AIMessage([text("hi"), {"type": "reference", "reference_ids": [1, 2]}]), assistant("hi")),
    (
        "Mistral's thinking",
        AIMessage([{"type": "thinking", "thinking": [text("Hm."), {"type": "reference"}]}, text("hi")]),
        assistant("hi", reasoning="Hm."),
    ),
]


@pytest.mark.parametrize(("message", "wire"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_assistant_message_becomes_its_wire_form(message: Any, wire: Any) -> None:
    before = copy.deepcopy(message)
    first = messages_to_wire([message])
    assert first == [wire]
    assert json.dumps(messages_to_wire([message])) == json.dumps(first)
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
        AIMessage("", additional_kwargs={"reasoning_content": "Hm."}),
        AIMessage("", additional_kwargs={"reasoning_content": "Hm.", "reasoning_key": "reasoning_content"}),
        AIMessage(" \n", additional_kwargs={"reasoning_content": "Hm.", "reasoning_details": DETAILS}),
        AIMessage("", additional_kwargs={"reasoning_details": DETAILS}),
        AIMessage([{"type": "thinking", "thinking": "Hm.", "signature": "s"}]),
        AIMessage([{"type": "reasoning", "reasoning": "Hm."}, text(" ", cache_control={"type": "ephemeral"})]),
        AIMessage([{"type": "reasoning_content", "reasoning_content": {"text": "Hm."}}]),
        AIMessage([{"type": "hologram", "data": "x"}]),
        AIMessage([{"type": "redacted_thinking", "data": "x"}]),
        AIMessage("", invalid_tool_calls=[{"name": "f", "args": "{", "id": "f:0", "error": None}]),
    ],
)
def test_an_empty_message_is_left_out(message: Any) -> None:
    assert messages_to_wire([message]) == []


def test_a_transcript_is_the_text_of_a_turn_without_text() -> None:
    audio = {"id": "a1", "transcript": "hi"}
    sent, kwargs = {"audio": {"id": "a1"}}, {"audio": audio}
    bare = {"type": "audio", "id": "lc_1", "base64": "c25k", "mime_type": "audio/wav", "transcript": "hi"}
    assert messages_to_wire([AIMessage("", additional_kwargs=kwargs)]) == [assistant("hi", **sent)]
    assert messages_to_wire([AIMessage("", additional_kwargs={"audio": {"transcript": "hi"}})]) == [assistant("hi")]
    assert messages_to_wire([AIMessage("So", additional_kwargs=kwargs)]) == [assistant("So", **sent)]
    assert messages_to_wire([AIMessage([{"type": "audio", "extras": audio}])]) == [assistant("hi", **sent)]
    assert messages_to_wire([AIMessage([bare])]) == [assistant("hi")]
    assert messages_to_wire([AIMessage("", tool_calls=[CALL], additional_kwargs=kwargs)]) == [
        assistant("hi", **sent, tool_calls=[WIRE_CALL])
    ]


def test_reasoning_that_chat_openai_stored() -> None:
    stored = {"reasoning": {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}}
    assert messages_to_wire([AIMessage("hi", additional_kwargs=stored)]) == [assistant("hi", reasoning="Hm.")]
    assert messages_to_wire([AIMessage("hi", additional_kwargs={"reasoning": {"id": "rs_1"}})]) == [assistant("hi")]


def test_reasoning_details_keep_the_order_of_their_keys() -> None:
    (wire,) = messages_to_wire([AIMessage("", tool_calls=[CALL], additional_kwargs={"reasoning_details": DETAILS})])
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
    assert messages_to_wire([chunk]) == [assistant(None, reasoning="Hm.", tool_calls=[WIRE_CALL])]
