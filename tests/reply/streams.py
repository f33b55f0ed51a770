"""Streams of chunks that cover the cases of their sums."""

from typing import Any

from langchain_core.messages import AIMessageChunk

from tests.structured.cases import JSON, call_piece, pieces


def part(index: int | None, args: str | None, **more: Any) -> AIMessageChunk:
    """Return a chunk with a piece of a call's arguments and other fields."""
    return call_piece(index, None, args).model_copy(update=more)


def reasoning(text: str) -> dict[str, Any]:
    return {"reasoning_content": text}


OPENROUTER: dict[str, Any] = {"response_metadata": {"model_provider": "openrouter"}, "id": "lc_run--1"}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
START = call_piece(0, "Person", "")
STREAMS = {
    "nothing": [],
    "text": [AIMessageChunk(content=text) for text in pieces(JSON, 5)],
    "text of one run": [AIMessageChunk(content=text, **OPENROUTER) for text in ("", "a", "b", "")],
    "reasoning, then text": [
        *(AIMessageChunk(content="", additional_kwargs=reasoning(text), **OPENROUTER) for text in ("H", "m", "")),
        *(AIMessageChunk(content=text, **OPENROUTER) for text in ("a", "b")),
        AIMessageChunk(content="", chunk_position="last", usage_metadata=USAGE, **OPENROUTER),
    ],
    "reasoning and other fields": [
        AIMessageChunk(content="", additional_kwargs={"reasoning_content": None, "other": 1}),
        AIMessageChunk(content="", additional_kwargs=reasoning("a")),
        AIMessageChunk(content="", additional_kwargs=reasoning("b") | {"other": 2}),
        AIMessageChunk(content="", additional_kwargs=reasoning("c")),
        AIMessageChunk(content="", additional_kwargs={"other": 3}),
    ],
    "reasoning in lists": [
        AIMessageChunk(content="", additional_kwargs={"reasoning_content": [text]}) for text in ("a", "b")
    ],
    "content in lists": [
        AIMessageChunk(content=content) for content in ("a", [{"type": "text", "text": "b", "index": 0}], "c", "d")
    ],
    "text and metadata": [
        AIMessageChunk(content="a", id="lc_1"),
        AIMessageChunk(content="b", id="lc_run--1"),
        AIMessageChunk(content="c", id="gen-1"),
        AIMessageChunk(content="d", response_metadata={"cost": 1.5}),
        AIMessageChunk(content="e", response_metadata={"cost": 1.5}),
        AIMessageChunk(content="f", usage_metadata=USAGE),
        AIMessageChunk(content="g", usage_metadata=USAGE),
        AIMessageChunk(content="h", chunk_position="last"),
        AIMessageChunk(content="i"),
    ],
    "one call": [START, *(part(0, text) for text in pieces(JSON, 5))],
    "no name yet": [part(0, "{"), part(0, "}"), part(0, None)],
    "two calls in alternation": [
        START,
        call_piece(1, "search", ""),
        *(part(index, text) for text in pieces(JSON, 5) for index in (1, 0)),
    ],
    "two pieces in one": [
        START,
        AIMessageChunk(content="", tool_call_chunks=[*part(0, "{").tool_call_chunks, *part(1, "[").tool_call_chunks]),
        part(1, "]"),
        part(0, "}"),
    ],
    "no index": [START, part(None, "{"), part(None, "}"), part(0, "x")],
    "one index, two calls": [START, part(0, "{"), call_piece(0, "search", "["), part(0, "}"), part(0, "]")],
    "text between": [
        AIMessageChunk(content="Hm"),
        START,
        part(0, "{", content="."),
        AIMessageChunk(content="!"),
        part(0, "}", content="?"),
        part(0, " ", content=["a", {"type": "text", "text": "b", "index": 1}]),
        part(0, " ", content="c"),
    ],
    "metadata between": [
        START,
        part(0, "{", response_metadata={"model_provider": "openrouter"}, id="lc_run--1"),
        part(0, '"a', response_metadata={"model_provider": "openrouter"}, id="lc_run--1"),
        part(0, '"', response_metadata={"cost": 1.5}),
        part(0, ":", response_metadata={"cost": 1.5}),
        part(0, "1", additional_kwargs={"reasoning_content": "x"}),
        part(0, ",", additional_kwargs={"reasoning_content": "y"}),
        part(0, '"b"', usage_metadata=USAGE),
        part(0, ":2", usage_metadata=USAGE, id="gen-1"),
        part(0, "}", chunk_position="last"),
    ],
}  # fmt: skip
