"""The value in a model's text is read in time that is proportional to the length of the text."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi._reply.tool_calls import breaking_suffix
from langchain_kimi._schemas.output import output_schema
from langchain_kimi._structured.json_text import NotJSONError, read_json, read_json5, read_partial_json
from langchain_kimi._structured.parser import StreamedOutput
from langchain_kimi._structured.reading import only_calls_others, read_output
from langchain_kimi.errors import KimiStructuredOutputError
from tests.adversarial import PIECES, WORST, pieces_of, repeated
from tests.growth import assert_linear

pytestmark = pytest.mark.uncovered

SCHEMA = output_schema({"title": "f", "type": "object", "properties": {"a": {"type": "string"}}})
CALL: dict[str, Any] = {"name": "f", "id": "x", "index": 0, "type": "tool_call_chunk"}


def streamed(chunks: list[AIMessageChunk], *, by_call: bool) -> None:
    output = StreamedOutput(SCHEMA, by_call=by_call, grows=True)
    with suppress(KimiStructuredOutputError):
        for chunk in chunks:
            list(output.feed(chunk))
        list(output.close())


def stream_text(text: str) -> None:
    streamed([AIMessageChunk(content=piece) for piece in pieces_of(text, 64)], by_call=False)


def stream_arguments(text: str) -> None:
    # LangChain's own parser is quadratic for blank arguments, which do not come from this package's models, and for
    # invalid ones without the suffix of their last piece.
    text = f"{{{text}"
    pieces = [*pieces_of(text, 64), breaking_suffix(text)]
    calls = [{**CALL, "args": piece, "name": None if number else "f"} for number, piece in enumerate(pieces)]
    streamed([AIMessageChunk(content="", tool_call_chunks=[call]) for call in calls], by_call=True)


def read_message(text: str) -> None:
    with suppress(KimiStructuredOutputError):
        read_output(AIMessage(text), SCHEMA, by_call=False)


def read_either(text: str) -> None:
    for wants_object in (True, False):
        with suppress(NotJSONError):
            read_json(text, wants_object=wants_object)


def read_relaxed(text: str) -> None:
    with suppress(ValueError):
        # The limit of its length bounds its time.
        read_json5(text[:2000])


READERS: dict[str, Callable[[str], object]] = {
    "whole": read_either,
    "partial": read_partial_json,
    "JSON5": read_relaxed,
    "message": read_message,
    "streamed text": stream_text,
    "streamed arguments": stream_arguments,
    "leaked calls": lambda text: only_calls_others(text, "f"),
}


def read_all(text: str) -> None:
    for reader in READERS.values():
        reader(text)


@pytest.mark.parametrize("piece", WORST, ids=repr)
def test_a_text_is_read_in_linear_time(piece: str) -> None:
    assert_linear(lambda size: read_either(repeated(piece, size)))


@pytest.mark.long
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: repr(piece)[:60])
def test_each_reader_takes_linear_time(reader: Callable[[str], object], piece: str) -> None:
    assert_linear(lambda size: reader(repeated(piece, size)))


@pytest.mark.long
@given(start=st.sampled_from(["", *PIECES]), pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
def test_no_combination_takes_more_than_linear_time(start: str, pieces: list[str]) -> None:
    assert_linear(lambda size: read_all(start + repeated("".join(pieces), size)))
