from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.block_translators import get_translator, register_translator
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._reply import content_blocks
from langchain_kimi._reply.content_blocks import blocks_of_chunk, blocks_of_message
from langchain_kimi._reply.messages import PROVIDER

DETAILS = [{"type": "reasoning.text", "text": "Hm.", "format": "unknown", "index": 0}]
CITATION = {
    "type": "url_citation",
    "url_citation": {
        "url": "https://example.com",
        "title": "Example",
        "start_index": 0,
        "end_index": 2,
        "content": "An example.",
        "rank": 1,
    },
}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aW1n"}}
FAR_IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
REFUSAL = {"type": "refusal", "refusal": "No."}
REFUSAL_BLOCK = REFUSAL if content_blocks.KNOWS_REFUSALS else {"type": "non_standard", "value": REFUSAL}
METADATA = {"model_provider": PROVIDER}


def message(content: Any = "", calls: Any = (), broken: Any = (), **kwargs: Any) -> AIMessage:
    return AIMessage(
        content,
        additional_kwargs=kwargs,
        response_metadata=METADATA,
        tool_calls=list(calls),
        invalid_tool_calls=list(broken),
    )


def text(value: str, *annotations: Any) -> Any:
    return {"type": "text", "text": value, **({"annotations": list(annotations)} if annotations else {})}


BLOCKS: dict[str, tuple[AIMessage, list[Any]]] = {
    "nothing": (message(), []),
    "text": (message("hi"), [text("hi")]),
    "reasoning and text": (
        message("hi", reasoning_content="Hm.", reasoning_details=DETAILS),
        [{"type": "reasoning", "reasoning": "Hm.", "extras": {"reasoning_details": DETAILS}}, text("hi")],
    ),
    "only reasoning text": (message(reasoning_content="Hm."), [{"type": "reasoning", "reasoning": "Hm."}]),
    "reasoning only in the details": (
        message(reasoning_details=[{"text": "H"}, {"summary": "m."}, {"data": "x"}]),
        [
            {
                "type": "reasoning",
                "reasoning": "Hm.",
                "extras": {"reasoning_details": [{"text": "H"}, {"summary": "m."}, {"data": "x"}]},
            }
        ],
    ),
    "no reasoning": (message("hi", reasoning_details=[]), [text("hi")]),
    "empty reasoning": (message(reasoning_content=""), [{"type": "reasoning", "reasoning": ""}]),
    "citation": (
        message("hi", annotations=[CITATION]),
        [
            text(
                "hi",
                {
                    "type": "citation",
                    "url": "https://example.com",
                    "title": "Example",
                    "start_index": 0,
                    "end_index": 2,
                    "cited_text": "An example.",
                    "extras": {"rank": 1},
                },
            )
        ],
    ),
    "bare citation": (
        message("", annotations=[{"type": "url_citation", "url_citation": {"url": "u", "title": None}}]),
        [text("", {"type": "citation", "url": "u"})],
    ),
    "other annotations": (
        message("hi", annotations=[{"type": "file", "file": {}}, {"type": "url_citation"}]),
        [
            text(
                "hi",
                {"type": "non_standard_annotation", "value": {"type": "file", "file": {}}},
                {"type": "non_standard_annotation", "value": {"type": "url_citation"}},
            )
        ],
    ),
    "refusal": (message(refusal="No."), [REFUSAL_BLOCK]),
    "images": (
        message(images=[IMAGE, FAR_IMAGE, {"type": "image_url"}]),
        [
            {"type": "image", "base64": "aW1n", "mime_type": "image/png"},
            {"type": "image", "url": "https://example.com/a.png"},
            {"type": "image", "url": ""},
        ],
    ),
    "an image that is no base64": (
        message(images=[{"image_url": {"url": "data:image/svg+xml,<svg/>"}}]),
        [{"type": "image", "url": "data:image/svg+xml,<svg/>"}],
    ),
    "audio": (
        message(audio={"id": "a", "data": "c291bmQ=", "transcript": "hi"}),
        [{"type": "audio", "base64": "c291bmQ=", "extras": {"id": "a", "transcript": "hi"}}],
    ),
    "a transcript": (
        message(audio={"transcript": "hi"}),
        [{"type": "audio", "base64": "", "extras": {"transcript": "hi"}}],
    ),
    "fields of another form": (
        message(
            "hi",
            images=[{"image_url": "https://example.com/a.png"}, {"image_url": 5}, "https://example.com/b.png", None],
            annotations=[None, "https://example.com"],
            audio=["c291bmQ="],
        ),
        [
            text("hi"),
            {"type": "image", "url": "https://example.com/a.png"},
            {"type": "image", "url": "5"},
        ],
    ),
    "no lists": (message("hi", images={"image_url": {"url": "u"}}, annotations=True, audio={}), [text("hi")]),
    "calls": (
        message(
            "Wait.",
            calls=[{"name": "f", "args": {"a": 1}, "id": "f:0", "type": "tool_call"}],
            broken=[{"name": "g", "args": "{", "id": "g:1", "error": "no", "type": "invalid_tool_call"}],
        ),
        [
            text("Wait."),
            {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "f:0"},
            {"type": "invalid_tool_call", "name": "g", "args": "{", "id": "g:1", "error": "no"},
        ],
    ),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_blocks_of_a_message(case: str) -> None:
    message_of_case, blocks = BLOCKS[case]
    assert blocks_of_message(message_of_case) == blocks
    assert message_of_case.content_blocks == blocks


def chunk(content: str = "", *, last: bool = False, calls: Any = (), **kwargs: Any) -> AIMessageChunk:
    return AIMessageChunk(
        content=content,
        additional_kwargs=kwargs,
        tool_call_chunks=list(calls),
        response_metadata=METADATA,
        chunk_position="last" if last else None,
    )


def test_each_block_of_a_chunk_has_an_index() -> None:
    calls = [tool_call_chunk(name="f", args="{", id="f:0", index=0), tool_call_chunk(args="}", index=1)]
    piece = chunk("hi", calls=calls, reasoning_content="Hm.")
    assert blocks_of_chunk(piece) == [
        {"type": "reasoning", "reasoning": "Hm.", "index": "lc_rs"},
        {"type": "text", "text": "hi", "index": "lc_txt"},
        {"type": "tool_call_chunk", "id": "f:0", "name": "f", "args": "{", "index": "lc_tc_0"},
        {"type": "tool_call_chunk", "id": None, "name": None, "args": "}", "index": "lc_tc_1"},
    ]


def test_indices_are_distinct() -> None:
    piece = chunk(
        "hi", last=True, reasoning_content="Hm.", refusal="No.", images=[IMAGE, FAR_IMAGE], audio={"data": "eA=="}
    )
    indices = [block["index"] for block in blocks_of_chunk(piece)]
    assert len(set(indices)) == len(indices) == 6
    assert all(str(index).startswith("lc_") for index in indices)


def test_the_last_chunk_and_a_sum_have_parsed_calls() -> None:
    first = chunk("hi", calls=[tool_call_chunk(name="f", args='{"a"', id="f:0", index=0)])
    second = chunk(calls=[tool_call_chunk(args=":1}", index=0)])
    whole = first + second + chunk(last=True, reasoning_details=DETAILS)
    assert whole.content_blocks == [
        {
            "type": "reasoning",
            "reasoning": "",
            "extras": {"reasoning_details": DETAILS},
            "index": "lc_rs",
        },
        {"type": "text", "text": "hi", "index": "lc_txt"},
        {"type": "tool_call", "name": "f", "args": {"a": 1}, "id": "f:0"},
    ]


def test_content_lists_are_read_by_langchain() -> None:
    with pytest.raises(NotImplementedError):
        blocks_of_message(message([{"type": "text", "text": "hi"}]))
    assert message([{"type": "text", "text": "hi"}]).content_blocks == [text("hi")]


@pytest.mark.usefixtures("no_translator")
def test_registering_does_not_replace_a_translator() -> None:
    content_blocks.register()
    assert get_translator(PROVIDER) == {
        "translate_content": blocks_of_message,
        "translate_content_chunk": blocks_of_chunk,
    }
    register_translator(PROVIDER, lambda _: [], lambda _: [])
    own = get_translator(PROVIDER)
    content_blocks.register()
    assert get_translator(PROVIDER) is own


def v1_sum(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    """Return the sum of a v1 stream of these chunks."""

    class Speaker(GenericFakeChatModel):
        def _stream(self, messages: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
            yield from (ChatGenerationChunk(message=one) for one in chunks)

    total, *rest = Speaker(messages=iter(()), output_version="v1").stream("hi")
    return total.__add__(rest)


def spoken_chunks() -> list[AIMessageChunk]:
    return [
        chunk(reasoning_content="H"),
        chunk(reasoning_content="m."),
        chunk("Wait"),
        chunk("."),
        chunk(calls=[tool_call_chunk(name="f", args='{"a":', id="f:0", index=0)]),
        chunk(calls=[tool_call_chunk(args="1}", index=0)]),
        chunk(calls=[tool_call_chunk(name="g", args="{}", id="g:1", index=1)]),
        chunk(last=True, reasoning_details=DETAILS, images=[IMAGE, FAR_IMAGE], refusal="No.", annotations=[CITATION]),
    ]


def test_a_v1_stream_keeps_all_blocks() -> None:
    blocks: Any = v1_sum(spoken_chunks()).content
    kinds = [block["type"] for block in blocks]
    assert kinds == ["reasoning", "text", "tool_call", "tool_call", REFUSAL_BLOCK["type"], "image", "image"]
    reasoning, answer, first, second, refusal, image, far_image = blocks
    assert (reasoning["reasoning"], reasoning["extras"]) == ("Hm.", {"reasoning_details": DETAILS})
    assert (answer["text"], answer["annotations"][0]["url"]) == ("Wait.", "https://example.com")
    assert (first["args"], second["args"]) == ({"a": 1}, {})
    assert {key: value for key, value in refusal.items() if key != "index"} == REFUSAL_BLOCK
    assert (image["base64"], far_image["url"]) == ("aW1n", "https://example.com/a.png")


@pytest.mark.usefixtures("no_translator")
def test_a_v1_stream_loses_calls_without_the_translator() -> None:
    """This is the reason for the translator. If it fails, langchain-core no longer needs it."""
    total = v1_sum(spoken_chunks())
    assert [call["name"] for call in total.tool_calls] == ["f", "g"]
    blocks: Any = total.content
    assert [block["name"] for block in blocks if block["type"] == "tool_call"] != ["f", "g"]
